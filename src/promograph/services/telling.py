"""Telling plugins what has happened, apart from the work that made it happen.

Whoever has committed something leaves it here, which is an append to a list; one worker carries all that waits to the
plugins, in a thread. Where nobody hears, nothing is kept.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from promograph.channels import Happening, HappeningKind
from promograph.domain.codes.placeholders import Purpose
from promograph.domain.issuing import IssueOutcome
from promograph.domain.redeeming import RedeemOutcome
from promograph.domain.sending.settling import ReturnedCode

logger = logging.getLogger("promograph.telling")

_MOST_WAITING = 100_000

Tell = Callable[[Sequence[Happening]], None]
Made = Callable[[], Iterable[Happening]]


class Telling:
    """Bounded: what comes while too much waits is left out, and the log says how much."""

    def __init__(self, *, most_waiting: int = _MOST_WAITING) -> None:
        self._most_waiting = most_waiting
        self._tell: Tell | None = None
        self._waiting: deque[tuple[Made, int]] = deque()
        self._size = 0
        self._missed = 0
        self._worker: asyncio.Task[None] | None = None

    def listen(self, tell: Tell) -> None:
        """From now on; `tell` may take its time, and is called from a thread."""
        self._tell = tell

    @property
    def is_heard(self) -> bool:
        return self._tell is not None

    def issued(self, outcomes: Sequence[IssueOutcome]) -> None:
        """These are durable."""
        self.put(lambda: _issued(outcomes), len(outcomes))

    def redeemed(self, outcomes: Sequence[RedeemOutcome]) -> None:
        """These are durable."""
        self.put(lambda: _redeemed(outcomes), len(outcomes))

    def returned(self, codes: Sequence[ReturnedCode], now: datetime) -> None:
        """These are durable."""
        self.put(lambda: _returned(codes, now), len(codes))

    def put(self, made: Made, size: int) -> None:
        """`made` gives at most `size` happenings, and is called by the worker."""
        if self._tell is None or not size:
            return
        if self._size + size > self._most_waiting:
            self._missed += size
            return
        self._size += size
        self._waiting.append((made, size))
        if self._worker is None:
            self._worker = asyncio.create_task(self._work(self._tell))

    async def told(self) -> None:
        """Wait until everything that waits now has been told."""
        while self._worker is not None:
            await asyncio.wait([self._worker])

    async def _work(self, tell: Tell) -> None:
        try:
            while self._waiting:
                taken = list(self._waiting)
                self._waiting.clear()
                try:
                    happenings = [happening for made, _ in taken for happening in made()]
                    if happenings:
                        await asyncio.to_thread(tell, happenings)
                except Exception:
                    logger.exception("telling plugins what happened failed")
                self._size -= sum(size for _, size in taken)
                if self._missed:
                    logger.warning("plugins are too slow: %d happenings were left out", self._missed)
                    self._missed = 0
        finally:
            self._worker = None


def _issued(outcomes: Sequence[IssueOutcome]) -> Iterable[Happening]:
    for outcome in outcomes:
        issuance = outcome.issuance
        if issuance is not None and not outcome.replayed and issuance.purpose is Purpose.LIVE:
            yield Happening(
                kind=HappeningKind.CODE_ISSUED,
                happened_at=issuance.issued_at,
                promotion=issuance.handle,
                number=issuance.number,
                customer=issuance.customer,
                code=issuance.text,
                channel=issuance.channel,
            )


def _returned(codes: Sequence[ReturnedCode], now: datetime) -> Iterable[Happening]:
    for one in codes:
        yield Happening(
            kind=HappeningKind.CODE_RETURNED,
            happened_at=now,
            promotion=one.promotion,
            number=one.number,
            customer=one.customer,
            code=one.code,
            channel=one.channel,
        )


def _redeemed(outcomes: Sequence[RedeemOutcome]) -> Iterable[Happening]:
    for outcome in outcomes:
        redemption = outcome.redemption
        if redemption is not None and not outcome.replayed:
            yield Happening(
                kind=HappeningKind.CODE_REDEEMED,
                happened_at=redemption.redeemed_at,
                promotion=redemption.handle,
                number=redemption.number,
                customer=redemption.customer,
                code=redemption.text,
                channel=redemption.channel,
            )
