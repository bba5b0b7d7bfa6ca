"""What is sent: its promotion, its people and its words, with and without an engine that fills them in."""

import asyncio
from datetime import UTC, datetime
from email.utils import format_datetime
from time import perf_counter

import aiosmtplib

from promograph.cli.benching.failures import BenchFailed
from promograph.cli.benching.supplies import run_promotion
from promograph.domain.access import Scope
from promograph.domain.people.audiences import AudienceKind
from promograph.domain.promotions import IssuePolicy, OnEmpty, PromotionTerms
from promograph.domain.sending.messages import Medium, MessageContent
from promograph.domain.sending.sends import Send, SendTerms
from promograph.services.app import Services
from promograph.services.audiences import AudienceChange, NewAudience
from promograph.services.sending.dispatching import LANES, MOST_IN_HAND
from promograph.services.sending.filling import Recipient
from promograph.services.sending.templating import MessageDraft
from promograph.testing.fake_channel import FakeChannel

CONNECTIONS = 8
CONTENT = MessageContent(
    subject="For you",
    text="Hello {{ client.id }} in {{ client.attributes.city }}!\n\nCode: {{ promocode }}\n\n"
    "Good until {{ promocode.expires_at | default('ever') }}.\n" + "It is yours alone.\n" * 10,
    html="<p>Hello {{ client.id }} in {{ client.attributes.city }}!</p><p>Code: {{ promocode }}</p>\n"
    + "<p>It is yours alone.</p>\n" * 10,
)

CHANNEL = FakeChannel(name="email")
"""For a process that only says what is to be sent."""

_SENDER = "Shop <a@shop.example>"
_TOLD_AT_ONCE = 10_000
_ALONE = "alone"


def settings(port: int) -> dict[str, str]:
    """What a server is told of the mail server."""
    told = {"HOST": "127.0.0.1", "PORT": str(port), "SECURITY": "none", "SENDER": _SENDER, "CONNECTIONS": CONNECTIONS}
    return {f"PROMOGRAPH_EMAIL__{name}": str(value) for name, value in told.items()}


async def prepare(services: Services) -> str:
    """Make the tables; a token that may do everything."""
    await services.prepare()
    return (await services.access.create("bench", [Scope.ADMIN]))[0]


async def draft(services: Services, name: str, count: int) -> Send:
    """A send to so many new customers, with a promotion of its own that has a code for each."""
    services.connect({"email": CHANNEL})
    audience = await services.audiences.create(NewAudience(name=name, kind=AudienceKind.STATIC, customers=[]))
    for start in range(0, count, _TOLD_AT_ONCE):
        ids = [f"{name}-{number:07}" for number in range(start, min(start + _TOLD_AT_ONCE, count))]
        await _tell_of(services, ids)
        await services.audiences.update(audience.id, AudienceChange(add=ids))
    await _promotion(services, name, count)
    return await services.sends.create(_terms(name, audience.id))


async def draft_triggered(services: Services, people: int) -> tuple[Send, list[str]]:
    """A running send without an audience, and customers to whom it can be sent."""
    services.connect({"email": CHANNEL})
    ids = [f"{_ALONE}-{number}" for number in range(people)]
    await _tell_of(services, ids)
    await _promotion(services, _ALONE, people)
    send = await services.sends.create(_terms(_ALONE, None))
    return await services.sends.start(send.id), ids


async def render(services: Services, count: int) -> float:
    """Seconds to issue and render so many messages as a server does: so many calls at a time, of so many each."""
    name = "rendered"
    ids = [f"{name}-{number:07}" for number in range(count)]
    await _tell_of(services, ids)
    await _promotion(services, name, count)
    prepared = await services.templating.prepare(
        MessageDraft(medium=Medium.EMAIL, content=CONTENT, promotion=name), begun=True
    )
    people = await services.people.get_many(ids)
    handfuls = [ids[start : start + MOST_IN_HAND] for start in range(0, count, MOST_IN_HAND)]

    async def lane() -> None:
        while handfuls:
            recipients = [Recipient(customer=people[id_], message=f"{id_}.1") for id_ in handfuls.pop()]
            rendered = await services.templating.render(
                prepared, recipients, send=name, channel="email", tentative=True
            )
            if any(one.message is None for one in rendered):
                raise BenchFailed("A message was not rendered.")

    began = perf_counter()
    await asyncio.gather(*(lane() for _ in range(LANES)))
    return perf_counter() - began


def alike(size: int) -> bytes:
    """A message of so many bytes, with as many headers as those of a send."""
    now = format_datetime(datetime.now(UTC))
    head = (
        f"From: {_SENDER}\r\nTo: fixed@example.com\r\nSubject: For you\r\nDate: {now}\r\n"
        "Message-ID: <0123456789abcdef.1234@shop.example>\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/alternative; boundary="=_0123456789abcdef.1234"\r\n\r\n'
    ).encode()
    line = b"It is yours alone, in words that nobody has filled in.\r\n"
    return (head + line * (size // len(line) + 1))[: size - 2] + b"\r\n"


async def hand_over(port: int, letter: bytes, count: int) -> None:
    """The same letter to so many addresses, by the client library alone, over as many connections as a server has."""
    addresses = [f"fixed-{number:07}@example.com" for number in range(count)]

    async def work() -> None:
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False, use_tls=False) as connection:
            while addresses:
                await connection.sendmail("a@shop.example", [addresses.pop()], letter)

    await asyncio.gather(*(work() for _ in range(CONNECTIONS)))


async def _tell_of(services: Services, ids: list[str]) -> None:
    for start in range(0, len(ids), _TOLD_AT_ONCE):
        told = [
            {"id": id_, "email": f"{id_}@example.com", "consent": {"email": True}, "attributes": {"city": "Lyon"}}
            for id_ in ids[start : start + _TOLD_AT_ONCE]
        ]
        await services.people.upsert(told)


async def _promotion(services: Services, name: str, codes: int) -> None:
    policy = IssuePolicy.PER_CUSTOMER
    terms = PromotionTerms(handle=name, name=name, on_empty=OnEmpty.REFUSE, issue_policy=policy)
    await run_promotion(services, terms, codes)


def _terms(name: str, audience: int | None) -> SendTerms:
    return SendTerms(key=name, name=name, channel="email", audience=audience, promotion=name, content=CONTENT)
