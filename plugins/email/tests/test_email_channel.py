"""The plugin `email` as promograph sees it: through its entry point, its hook, and the conformance kit."""

from importlib.metadata import entry_points
from pathlib import Path

import pytest

import promograph_email
from promograph import Capability, Message
from promograph.config import load_settings
from promograph.errors import ConfigError
from promograph.plugins import PluginManager
from promograph.testing.conformance import CASES, Case, run
from promograph_email import EmailChannel, EmailSettings

from .email_stage import EmailStage, parsed
from .provider_calls import SENDGRID_KEY


@pytest.mark.parametrize("case", CASES)
def test_email_conforms(case: Case) -> None:
    run(case, EmailStage)


def test_email_is_found_through_its_entry_point() -> None:
    (entry,) = entry_points(group="promograph", name="email")
    assert entry.load() is promograph_email


def test_email_registers_one_channel_that_describes_itself() -> None:
    channel = PluginManager.of(load_settings(sections={"email": {"host": "mail.example"}})).channels()["email"]
    assert isinstance(channel, EmailChannel)
    assert channel.can == {Capability.SEND_MESSAGES}
    told = {"email": {"mailgun_signing_key": "secret"}}
    channel = PluginManager.of(load_settings(sections=told)).channels()["email"]
    assert channel.can == {Capability.SEND_MESSAGES, Capability.RECEIVE_EVENTS}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"port": "70000"}, "PROMOGRAPH_EMAIL__PORT"),
        ({"sender": "nobody in particular"}, "PROMOGRAPH_EMAIL__SENDER"),
        ({"sender": "a@b.c\r\nBcc: x@y.z"}, "PROMOGRAPH_EMAIL__SENDER"),
        ({"security": "perhaps"}, "PROMOGRAPH_EMAIL__SECURITY"),
        ({"hots": "x"}, "PROMOGRAPH_EMAIL__HOTS"),
        ({"sendgrid_public_key": "x" + SENDGRID_KEY}, "'email' is broken"),
    ],
)
def test_settings_of_no_use_stop_the_start(settings: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        PluginManager.of(load_settings(sections={"email": settings}))


@pytest.mark.anyio
async def test_without_a_server_messages_become_files(tmp_path: Path) -> None:
    channel = EmailChannel(EmailSettings(folder=tmp_path / "out", sender="Shop <offers@shop.example>"))
    messages = [Message(key=f"send.{n}", to=f"c{n}@example.com", subject="Hello", text="x") for n in range(3)]
    for _ in range(2):
        answers = await channel.deliver([*messages, Message(key="bad", to="nobody", text="x")])
        assert [answer.status for answer in answers] == ["ACCEPTED"] * 3 + ["REFUSED"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["send.0.eml", "send.1.eml", "send.2.eml"]
    message = parsed((tmp_path / "out/send.1.eml").read_bytes())
    assert (message["To"], message["Message-ID"]) == ("c1@example.com", "<send.1@shop.example>")
    await channel.close()


@pytest.mark.anyio
async def test_a_folder_that_cannot_be_written_is_no_fault_of_the_message(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    channel = EmailChannel(EmailSettings(folder=tmp_path / "file"))
    (answer,) = await channel.deliver([Message(key="k", to="c@example.com", text="x")])
    assert (answer.status, answer.maybe_taken) == ("TRY_AGAIN", False)
