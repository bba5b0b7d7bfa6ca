"""A send over a real mail server, by servers that are killed: each recipient one code, and a repeat is the same.

What is looked at is what the mail server received.
"""

import subprocess
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from promograph.domain.people.audiences import AudienceKind
from promograph.domain.promotions import PromotionTerms
from promograph.domain.sending.messages import MessageContent
from promograph.domain.sending.sends import Send, SendTerms
from promograph.services.app import Services
from promograph.services.audiences import NewAudience
from promograph.services.promoting import Draft
from promograph.testing.fake_channel import FakeChannel

from .conftest import BothStores, NewServer
from .servers import poll, running
from .stores import differences, sql, using

PEOPLE = 400
RATE = 150
"""Slow enough to be killed in the middle: a turn is 30 messages then."""

_IN_HAND = "SELECT count(*) FROM send_message WHERE status = 'TAKEN'"


@dataclass(frozen=True, slots=True)
class Mail:
    port: int
    file: Path

    def received(self, domain: str) -> list[tuple[str, str, str]]:
        """Key, recipient and code of each message to that domain, in their order."""
        lines = [line.split("\t") for line in self.file.read_text().splitlines()]
        return [(key, to, code) for key, to, code in lines if to.endswith(f"@{domain}")]


@pytest.fixture(scope="module")
def mail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mail]:
    file = tmp_path_factory.mktemp("mail") / "received.tsv"
    file.touch()
    sink = Path(__file__).parent / "smtp_sink.py"
    process = subprocess.Popen([sys.executable, str(sink), str(file)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield Mail(int(process.stdout.readline()), file)
    finally:
        process.stdout.close()
        process.kill()
        process.wait()


def test_a_send_survives_kills_and_is_shared(both_stores: BothStores, new_server: NewServer, mail: Mail) -> None:
    def survive(store: str, token: str) -> None:
        domain = f"{store.partition(':')[0]}.example"
        send = using(store, begun(domain))
        settings = {
            "PROMOGRAPH_EMAIL__HOST": "127.0.0.1",
            "PROMOGRAPH_EMAIL__PORT": str(mail.port),
            "PROMOGRAPH_EMAIL__SECURITY": "none",
        }
        first, second = (new_server(store, settings=settings) for _ in range(2))
        in_hand = 0
        with running([first, second]):
            for server, after in ((first, PEOPLE // 4), (second, PEOPLE // 2)):
                poll(lambda after=after: len(mail.received(domain)) >= after, "the send stands still")  # type: ignore[misc]
                server.kill()
                in_hand += sql(store, _IN_HAND)[0][0]
            first.start()
            poll(lambda: sql(store, f"SELECT status FROM send WHERE id = {send.id}") == [("DONE",)], "it is not done")
        received = mail.received(domain)
        assert len({to for _, to, _ in received}) == len({code for _, _, code in received}) == PEOPLE
        # A key, a recipient and a code belong together, however often they came.
        assert len(set(received)) == PEOPLE
        assert sum(count - 1 for count in Counter(received).values()) <= in_hand
        assert differences(store) == []

    both_stores(survive)


def begun(domain: str) -> Callable[[Services], Awaitable[Send]]:
    """A send to so many people, started while no server runs."""

    async def begin(services: Services) -> Send:
        services.carriers.connect({"email": FakeChannel(name="email")})
        made = await services.promoting.create(Draft(terms=PromotionTerms(handle="spring", name="Spring")))
        await services.stocking.paste(made.id, "\n".join(f"{domain}-{n}" for n in range(PEOPLE)), channel=None)
        await services.promoting.activate(made.id)
        ids = [f"c{n:04}" for n in range(PEOPLE)]
        told = [{"id": id_, "email": f"{id_}@{domain}", "consent": {"email": True}} for id_ in ids]
        await services.people.upsert(told)
        audience = await services.audiences.create(
            NewAudience(name="Everybody", kind=AudienceKind.STATIC, customers=ids)
        )
        terms = SendTerms(
            key="letter",
            name="Letter",
            channel="email",
            content=MessageContent(subject="For you", text="Code: {{ promocode }}"),
            audience=audience.id,
            promotion="spring",
            rate=RATE,
        )
        return await services.sends.start((await services.sends.create(terms)).id)

    return begin
