"""The bench's part of sends: a tiny run, and a mail server that counts what it gets."""

import smtplib
from pathlib import Path

import orjson

from promograph.cli.bench import Stores, run_parts
from promograph.cli.benching.mail_server import mail_server
from promograph.cli.benching.parts.sends import SENDS


def test_a_tiny_run_measures_sends_and_triggers(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    assert run_parts(Stores.SQLITE, {SENDS: 60}, file, None, quick=True)
    [report] = orjson.loads(file.read_bytes())["stores"]
    assert (report["part"], report["wrong"], report["differences"]) == ("sends", 0, [])
    rendered, sent, together, again, _ = report["rows"]
    assert rendered["rate"] > 0
    assert (sent["what"], sent["yardstick"]["name"]) == (
        "send: 60 e-mails, each with a code of its own",
        "aiosmtplib, fixed text",
    )
    assert together["p99_ms"] >= together["p50_ms"] > 0
    assert again["rate"] > 0


def test_the_mail_server_counts_messages_and_addresses() -> None:
    with mail_server() as mail, smtplib.SMTP("127.0.0.1", mail.port) as client:
        mail.begin()
        for to in ("a@example.com", "b@example.com", "a@example.com"):
            client.sendmail("shop@example.com", [to], "Subject: x\r\n\r\n.\r\nRSET\r\n")
        tally = mail.tally
    assert (tally.messages, tally.addresses) == (3, 2)
