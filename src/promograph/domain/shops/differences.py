"""What a shop says was used against what was redeemed here."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from promograph.domain.carts import Money
from promograph.domain.codes import normalise
from promograph.domain.orders.news import OrderNews, OrderState


class DifferenceKind(StrEnum):
    """What does not agree of one code in one order."""

    NOT_REDEEMED_HERE = "NOT_REDEEMED_HERE"
    CANCELLED_THERE = "CANCELLED_THERE"
    NOT_SOLD_THERE = "NOT_SOLD_THERE"
    OTHER_AMOUNT = "OTHER_AMOUNT"

    @property
    def is_mendable(self) -> bool:
        """Whether hearing the order once more, as the shop has it now, is what mends it."""
        return self in (DifferenceKind.NOT_REDEEMED_HERE, DifferenceKind.CANCELLED_THERE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """A code of ours, and its use for one order where there is one that stands. `why`: what kept it from being one."""

    promotion_id: int
    redemption: int | None = None
    discount: Money | None = None
    why: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """`there` is the discount as the shop has it, `here` as it was redeemed; `why` is a sentence where there is one."""

    kind: DifferenceKind
    order: str
    code: str
    promotion_id: int
    redemption: int | None = None
    there: Money | None = None
    here: Money | None = None
    why: str | None = None
    is_mended: bool = False


def differences(news: OrderNews, uses: Mapping[str, Use]) -> Iterator[Difference]:
    """Of one order as the shop has it; `uses` are those of our codes that it names, by key."""
    standing = news.standing
    if standing is None:
        return
    for code in standing.codes:
        key = normalise(code.code)
        use = uses.get(key)
        if use is None:
            continue
        there = standing.money(code.discount)
        kind = _kind(standing.state, use, there)
        if kind is not None:
            yield Difference(
                kind=kind,
                order=news.order,
                code=key,
                promotion_id=use.promotion_id,
                redemption=use.redemption,
                there=there,
                here=use.discount,
                why=use.why,
            )


def _kind(state: OrderState, use: Use, there: Money | None) -> DifferenceKind | None:
    is_redeemed = use.redemption is not None
    if state is OrderState.SOLD and not is_redeemed:
        return DifferenceKind.NOT_REDEEMED_HERE
    if state is OrderState.CANCELLED and is_redeemed:
        return DifferenceKind.CANCELLED_THERE
    if state is OrderState.SOLD and there is not None and use.discount is not None and there != use.discount:
        return DifferenceKind.OTHER_AMOUNT
    return None
