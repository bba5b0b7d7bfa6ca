"""Asking a shop until it answers: a shop that is busy or away is asked again later, and not for ever."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

from promograph.channels import OfferGone, Shop, ShopFault, ShopRefusal
from promograph.domain.pauses import pause_after
from promograph.errors import BadInput, InputProblem
from promograph.services.jobs.runs import Run

T = TypeVar("T")

_LONGEST_CALL = 120.0
_FIRST_PAUSE = timedelta(seconds=1)
_LONGEST_PAUSE = timedelta(minutes=1)
_MOST_FAULTS = 30
"""In a row: with the pauses between, half an hour in which the shop did nothing that it was asked."""

_GLANCE_SECONDS = 1.0


class Asker:
    """Asks one shop for one job. BadInput where the shop turns us down, or has not answered for too long;
    OfferGone is let pass.
    """

    def __init__(self, run: Run, shop: Shop) -> None:
        self._run = run
        self._shop = shop
        self._faults = 0

    async def ask(self, call: Callable[[], Awaitable[T]]) -> T:
        """Its answer to something that may be asked twice."""
        while True:
            try:
                return await self._heard(call)
            except ShopFault as fault:
                await self._wait(fault)

    async def ask_once(self, call: Callable[[], Awaitable[T]]) -> T | None:
        """Its answer; None where it may have done it and nobody heard so: look what is there before asking again."""
        while True:
            try:
                return await self._heard(call)
            except ShopFault as fault:
                await self._wait(fault)
                if fault.maybe_done:
                    return None

    async def _heard(self, call: Callable[[], Awaitable[T]]) -> T:
        try:
            async with asyncio.timeout(_LONGEST_CALL):
                answer = await call()
        except TimeoutError:
            raise ShopFault("It has not answered in two minutes.", maybe_done=True) from None
        except OfferGone:
            raise
        except ShopRefusal as refusal:
            raise BadInput(InputProblem.STATE, f"{self._shop.title}: {refusal}", field=("shop",)) from refusal
        self._faults = 0
        return answer

    async def _wait(self, fault: ShopFault) -> None:
        self._faults += 1
        if self._faults >= _MOST_FAULTS:
            sentence = f"{self._shop.title} does not do what it is asked, so that the job was given up: {fault}"
            raise BadInput(InputProblem.BUSY, sentence, field=("shop",))
        pause = fault.after or pause_after(self._faults, first=_FIRST_PAUSE, longest=_LONGEST_PAUSE)
        left = pause.total_seconds()
        while left > 0:
            self._run.check_wanted()
            await asyncio.sleep(min(left, _GLANCE_SECONDS))
            left -= _GLANCE_SECONDS
