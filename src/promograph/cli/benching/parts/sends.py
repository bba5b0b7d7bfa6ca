"""Sends over SMTP beside the client library with fixed text, and messages that are triggered over HTTP."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from statistics import median
from time import monotonic, process_time, sleep
from typing import Any, TypeVar

from promograph.api.nodes import global_id
from promograph.cli.benching import loops
from promograph.cli.benching.driving import Job, Window
from promograph.cli.benching.failures import BenchFailed
from promograph.cli.benching.figures import Row, Target, Yardstick, at_least, median_of, median_ratio
from promograph.cli.benching.mail_server import MailServer, mail_server
from promograph.cli.benching.operations import TRIGGER
from promograph.cli.benching.parts import letters
from promograph.cli.benching.parts.part import Part, Site
from promograph.cli.benching.processes import Server, product_server
from promograph.domain.sending.sends import Send, SendStatus
from promograph.services.app import Services
from promograph.services.sending.dispatching import LANES, MOST_IN_HAND

OF_FIXED_TEXT = 0.7
RENDERED_A_SECOND = 10_000
TRIGGERED_MS = 50.0

_TOGETHER = 50
_REST = 0.05
"""Seconds between two bursts: the server is idle by then, and the message gone."""

_LONGEST_SEND_SECONDS = 600.0
_GLANCE_SECONDS = 0.1

T = TypeVar("T")


def measure(site: Site) -> list[Row]:
    """The whole of it, each send to `count` new customers."""
    rounds = 3 if site.quick else 5
    token = _done(site, letters.prepare)
    with site.bars.waiting("rendering and issuing"):
        rows = [_rendered(site, _done(site, lambda services: letters.render(services, site.count)))]
    with mail_server() as mail, product_server(site.url, site.folder, letters.settings(mail.port)) as server:
        rows.append(_sent(site, mail, server, rounds))
        rows += _triggered(site, mail, server, token)
    return rows


def _rendered(site: Site, seconds: float) -> Row:
    rate = site.count / seconds
    return Row(
        what=f"send: {MOST_IN_HAND} messages a call issued and rendered, {LANES} calls at a time",
        unit="messages",
        rate=rate,
        targets=(at_least(rate, RENDERED_A_SECOND, "messages"),),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Turn:
    """What the mail server saw of so many messages: how many a second, and of how many bytes each."""

    rate: float
    size: int
    cpu_us: float | None


def _sent(site: Site, mail: MailServer, server: Server, rounds: int) -> Row:
    """Sends and the library in turns. Both are timed by who receives them."""
    own, fixed = list[_Turn](), list[_Turn]()
    for number in site.bars.each(range(rounds), "sends over SMTP", rounds):
        own.append(_own_turn(site, mail, server, number))
        fixed.append(_fixed_turn(site, mail, own[-1].size))
    rates, fixed_rates = ([turn.rate for turn in turns] for turns in (own, fixed))
    ratio = median_ratio(rates, fixed_rates)
    return Row(
        what=f"send: {site.count:,} e-mails, each with a code of its own",
        unit="messages",
        connections=letters.CONNECTIONS,
        rate=median(rates),
        cpu_us=median_of(turn.cpu_us for turn in own),
        yardstick=Yardstick(
            name="aiosmtplib, fixed text",
            rate=median(fixed_rates),
            ratio=ratio,
            cpu_us=median_of(turn.cpu_us for turn in fixed),
        ),
        targets=(Target(wanted=f"≥ {OF_FIXED_TEXT} of fixed text", reached=ratio >= OF_FIXED_TEXT),),
    )


def _own_turn(site: Site, mail: MailServer, server: Server, number: int) -> _Turn:
    send = _done(site, lambda services: letters.draft(services, f"whole-{number}", site.count))
    mail.begin()
    began = server.cpu_seconds
    _carry_out(site, send)
    ended = server.cpu_seconds
    return _turn(site, mail, None if began is None or ended is None else ended - began)


def _fixed_turn(site: Site, mail: MailServer, size: int) -> _Turn:
    mail.begin()
    began = process_time()
    loops.run(letters.hand_over(mail.port, letters.alike(size), site.count))
    return _turn(site, mail, process_time() - began)


def _turn(site: Site, mail: MailServer, cpu_seconds: float | None) -> _Turn:
    """BenchFailed unless each message went to an address of its own."""
    tally, count = mail.tally, site.count
    if (tally.messages, tally.addresses) != (count, count):
        raise BenchFailed(
            f"The mail server got {tally.messages:,} messages to {tally.addresses:,} addresses, not {count:,} each."
        )
    cpu_us = None if cpu_seconds is None else cpu_seconds / count * 1e6
    return _Turn(rate=count / tally.seconds, size=tally.size // count, cpu_us=cpu_us)


def _carry_out(site: Site, send: Send) -> None:
    """Have the server do it, and wait until it has noted what came of every message."""

    async def wait(services: Services) -> None:
        services.connect({"email": letters.CHANNEL})
        await services.sends.start(send.id)
        until = monotonic() + _LONGEST_SEND_SECONDS
        while (await services.sends.progress([send.id]))[send.id].send.status is not SendStatus.DONE:
            if monotonic() > until:
                raise BenchFailed(f"A send to {site.count:,} was not done in {_LONGEST_SEND_SECONDS:g} s.")
            await asyncio.sleep(_GLANCE_SECONDS)

    _done(site, wait)


def _triggered(site: Site, mail: MailServer, server: Server, token: str) -> list[Row]:
    """Fifty equal calls at once, of one message after the other; then one call again and again."""
    bursts = 20 if site.quick else 60
    send, people = _done(site, lambda services: letters.draft_triggered(services, bursts + 1))
    id_ = global_id("Send", send.id)
    first, *others = ({"send": id_, "customer": customer, "messageKey": "order"} for customer in people)
    mail.begin()

    def load(inputs: Sequence[dict[str, str]], connections: int, **more: Any) -> Window:
        job = Job(port=server.port, token=token, operation=TRIGGER, inputs=inputs, connections=connections, **more)
        return site.window(job)

    with site.bars.waiting("messageTrigger"):
        again = load([first], 1, seconds=0.5 if site.quick else 2.0, warm_up=0.5, cycle=True)
        together = load(others, _TOGETHER, seconds=0.0, together=_REST)
    _await_messages(mail, len(people))
    return [
        _trigger_row(f"messageTrigger, {_TOGETHER} at once for one message", _TOGETHER, together, with_rate=False),
        _trigger_row("messageTrigger, the same call again", 1, again, with_rate=True),
    ]


def _await_messages(mail: MailServer, count: int) -> None:
    """Each message was sent, and once."""
    until = monotonic() + _LONGEST_SEND_SECONDS
    while mail.tally.messages < count and monotonic() < until:
        sleep(_GLANCE_SECONDS)
    if mail.tally.messages != count:
        raise BenchFailed(f"{count} messages were triggered, and {mail.tally.messages} sent.")


def _trigger_row(what: str, connections: int, window: Window, *, with_rate: bool) -> Row:
    reached = window.p99_ms <= TRIGGERED_MS
    return Row(
        what=what,
        unit="requests",
        connections=connections,
        rate=window.rate if with_rate else None,
        p50_ms=window.p50_ms,
        p99_ms=window.p99_ms,
        targets=(Target(wanted=f"p99 ≤ {TRIGGERED_MS:g} ms", reached=reached),),
    )


def _done(site: Site, work: Callable[[Services], Awaitable[T]]) -> T:
    """Do this in this process, beside the server if there is one."""

    async def do() -> T:
        services = Services.open(site.url)
        try:
            return await work(services)
        finally:
            await services.close()

    return loops.run(do())


SENDS = Part(
    name="sends",
    about="a send by e-mail to so many customers, over SMTP, several times; and messages triggered over HTTP.",
    measure=measure,
    full=10_000,
    quick=2_000,
)
