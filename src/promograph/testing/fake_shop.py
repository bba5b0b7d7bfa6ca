"""A shop in memory, for tests: it does as it is told."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import TypeVar

from promograph.channels import (
    Capability,
    CodeAnswer,
    OfferGone,
    Opened,
    OrderPage,
    Shop,
    ShopCode,
    ShopFault,
    ShopRefusal,
)
from promograph.domain.orders.news import OrderNews
from promograph.domain.shops.offers import Offer

T = TypeVar("T")

_SOON = timedelta(milliseconds=1)


@dataclass
class FakeShop:
    """`codes` are those that work, by text, with the name of the offer that they are for, `expiries` when they
    end; `refused` it never takes.

    `faults` are what the next calls that change something come to, one each: "busy", "broken" (nothing was done),
    "lost" (it was done). `taken` lists every code that it has taken, each time. `before` is called before each change.
    """

    name: str = "fake-shop"
    title: str = "The fake shop"
    codes_at_once: int = 50
    offer_on_codes: bool = False
    refused: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)
    offers: dict[str, Offer] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)
    expiries: dict[str, datetime | None] = field(default_factory=dict)
    taken: list[str] = field(default_factory=list)
    sold: list[OrderNews] = field(default_factory=list)
    orders_at_once: int = 10
    refusal: str | None = None
    before: Callable[[str], None] | None = None
    _ids: "count[int]" = field(default_factory=lambda: count(1))

    def obstacles(self, offer: Offer) -> list[str]:
        return [] if offer.name != "Unspeakable" else ["The fake shop has no words for this."]

    def words(self, offer: Offer) -> str:
        return f"{offer.name} {offer.reward} {offer.is_open}"

    async def open(self, offer: Offer, first: ShopCode) -> Opened:
        return await self._change("open", lambda: self._open(offer, first))

    async def change(self, remote: str, offer: Offer) -> None:
        await self._change("change", lambda: self._changed(remote, offer))

    async def put(self, remote: str, offer: Offer, codes: Sequence[ShopCode]) -> list[CodeAnswer]:
        assert len(codes) <= self.codes_at_once
        return await self._change("put", lambda: [self._put(remote, code) for code in codes])

    async def stop(self, remote: str, codes: Sequence[ShopCode]) -> list[CodeAnswer]:
        return await self._change("stop", lambda: [self._stop(code) for code in codes])

    async def find(self, remote: str, offer: Offer, codes: Sequence[ShopCode]) -> list[CodeAnswer | None]:
        return [self._found(remote, code) for code in codes]

    async def orders(self, since: datetime, after: str | None) -> OrderPage:
        start = int(after or 0)
        wanted = [order for order in self.sold if order.said_at >= since]
        page = wanted[start : start + self.orders_at_once]
        start += self.orders_at_once
        return OrderPage(orders=page, after=str(start) if start < len(wanted) else None)

    async def close(self) -> None:
        """There is nothing to give back."""

    async def _change(self, what: str, act: Callable[[], T]) -> T:
        await asyncio.sleep(0)
        if self.before is not None:
            self.before(what)
        if self.refusal is not None:
            raise ShopRefusal(self.refusal)
        fault = self.faults.pop(0) if self.faults else None
        if fault in ("busy", "broken"):
            raise ShopFault("It is busy.", after=_SOON)
        done = act()
        if fault == "lost":
            raise ShopFault("Its answer was lost.", after=_SOON, maybe_done=True)
        return done

    def _open(self, offer: Offer, first: ShopCode) -> Opened:
        if self.offer_on_codes:
            self.offers["all"] = offer
            return Opened(remote="all")
        known = next((id_ for id_, each in self.offers.items() if each.handle == offer.handle), None)
        if first.text in self.codes:
            ours = self.codes[first.text] == known
            return Opened(remote=known if ours else None, first=self._found(known or "", first))
        if first.text in self.refused:
            return Opened(remote=None, first=CodeAnswer(why="It does not like this code."))
        id_ = f"offer-{next(self._ids)}"
        self.offers[id_] = offer
        return Opened(remote=id_, first=self._put(id_, first))

    def _changed(self, remote: str, offer: Offer) -> None:
        if remote not in self.offers:
            raise OfferGone("The offer is gone.")
        self.offers[remote] = offer

    def _put(self, remote: str, code: ShopCode) -> CodeAnswer:
        if remote not in self.offers:
            raise OfferGone("The offer is gone.")
        if code.text in self.refused:
            return CodeAnswer(why="It does not like this code.")
        if code.remote is None:
            assert code.text not in self.codes, f"{code.text} is told twice"
            self.taken.append(code.text)
        self.codes[code.text] = remote
        self.expiries[code.text] = code.expires_at
        return CodeAnswer(remote=f"code-{code.text}")

    def _stop(self, code: ShopCode) -> CodeAnswer:
        assert code.remote is not None
        self.codes.pop(code.remote.removeprefix("code-"), None)
        return CodeAnswer(remote=code.remote if self.offer_on_codes else None)

    def _found(self, remote: str, code: ShopCode) -> CodeAnswer | None:
        owner = self.codes.get(code.text)
        if owner is None:
            return None
        return CodeAnswer(remote=f"code-{code.text}") if owner == remote else CodeAnswer(why="Another offer has it.")


@dataclass(frozen=True)
class FakeShopChannel:
    """Brings fake shops, by name."""

    shops: Mapping[str, Shop]
    name: str = "fake-shops"
    title: str = "Shops in memory"
    description: str = "Shops that stay in memory, for tests."
    can: frozenset[Capability] = frozenset({Capability.PUSH_CODES})
