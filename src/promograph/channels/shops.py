"""What a shop is told and asked, by a channel that can PUSH_CODES.

A shop keeps nothing of ours in memory that matters: what it was told is promograph's business, and so is asking again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

from promograph.channels.contract import Channel
from promograph.domain.orders.news import OrderNews
from promograph.domain.shops.offers import Offer


class ShopFault(Exception):
    """The shop did not do what was asked, and asking again may mend it. The text is for people, without secrets.

    `after`: not sooner than that. `maybe_done`: the answer was lost, and the shop may have done it all the same.
    """

    def __init__(self, why: str, *, after: timedelta | None = None, maybe_done: bool = False) -> None:
        super().__init__(why)
        self.after = after
        self.maybe_done = maybe_done


class ShopRefusal(Exception):
    """The shop will not do this, however often it is asked: a wrong password, an amount in another currency."""


class OfferGone(ShopRefusal):
    """Somebody has deleted the offer in the shop, and its codes with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopCode:
    """A code for a shop. `uses`: how often it works (None: without limit). `remote`: the shop's own id, once known."""

    text: str
    uses: int | None = None
    expires_at: datetime | None = None
    remote: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeAnswer:
    """What became of one code: `why` is the sentence of a shop that would not take it, None where all is well.

    `remote`: the shop's own id (200 characters), None where it has none (any more).
    """

    remote: str | None = None
    why: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """An offer in a shop by the shop's id; `first` is what became of the code that came with it, None: nothing yet.

    `remote` is None where the shop would not take the code, and so made no offer: another code may do.
    """

    remote: str | None
    first: CodeAnswer | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPage:
    """Orders as they stand, and where the next page begins (None: this was the last one)."""

    orders: Sequence[OrderNews]
    after: str | None = None


class Shop(Protocol):
    """One shop. Every method may be called again with the same, from one task at a time, and be cancelled at any time.

    They raise ShopFault for what may be asked again and ShopRefusal for what may not; what belongs to one code is said
    in its answer. Answers come in the order of the codes, one each; `codes` are at most `codes_at_once`.
    """

    @property
    def name(self) -> str:
        """The key by which people name it: lower-case letters, digits, `-`, `_`; never changes."""

    @property
    def title(self) -> str:
        """What people read in lists."""

    @property
    def codes_at_once(self) -> int:
        """How many codes it is handed in a call at most."""

    @property
    def offer_on_codes(self) -> bool:
        """Whether the shop keeps the offer with each code: another offer is told by putting all codes again.

        Such a shop is taken for one that knows no beginning: its codes come when the promotion has begun.
        """

    def obstacles(self, offer: Offer) -> Sequence[str]:
        """What of this offer it has no words for: a sentence each, with what would mend it. No I/O."""

    def words(self, offer: Offer) -> str:
        """The offer in the shop's words: what has to be told again when it differs. At most 4,000 characters."""

    async def open(self, offer: Offer, first: ShopCode) -> Opened:
        """Make the offer; a shop that needs a code for that is given one. Made before and not heard of: the same."""

    async def change(self, remote: str, offer: Offer) -> None:
        """Have the offer be this one from now on, open or not. OfferGone."""

    async def put(self, remote: str, offer: Offer, codes: Sequence[ShopCode]) -> Sequence[CodeAnswer]:
        """Have these codes work for the offer."""

    async def stop(self, remote: str, codes: Sequence[ShopCode]) -> Sequence[CodeAnswer]:
        """Have these codes work no more. Codes that are not there are fine."""

    async def find(self, remote: str, offer: Offer, codes: Sequence[ShopCode]) -> Sequence[CodeAnswer | None]:
        """Which of these codes the offer has; `why` where something else in the shop has it, None where nothing has."""

    async def orders(self, since: datetime, after: str | None) -> OrderPage:
        """Orders that were made or changed since then, a page at a time, in the words of the shop's order events."""

    async def close(self) -> None:
        """Give back connections; a later call makes new ones."""


@runtime_checkable
class ShopChannel(Channel, Protocol):
    """Brings shops that codes can be pushed to."""

    @property
    def shops(self) -> Mapping[str, Shop]:
        """By name; empty as long as nobody has set one up."""
