"""All that was heard of an order, put together so that neither the order of the news nor repeats matter."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from promograph.domain.codes import normalise
from promograph.domain.orders.news import OrderLine, OrderNews, OrderRefund, OrderStanding, OrderState

_RANKS = {state: rank for rank, state in enumerate(OrderState)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """The newest standing that was told, and every refund. `said_at` is None while no standing was."""

    standing: OrderStanding | None = None
    said_at: datetime | None = None
    refunds: Mapping[str, OrderRefund] = field(default_factory=dict)

    def with_news(self, news: OrderNews) -> "Heard":
        refunds = dict(self.refunds)
        for refund in news.refunds:
            refunds[refund.id] = max(refund, refunds.get(refund.id, refund), key=_weight)
        heard = replace(self, refunds=refunds)
        if news.standing is None or not self._is_older(news.standing, news.said_at):
            return heard
        return replace(heard, standing=news.standing, said_at=news.said_at)

    def _is_older(self, standing: OrderStanding, said_at: datetime) -> bool:
        if self.standing is None or self.said_at is None:
            return True
        # For one moment the text settles what the state does not, so that everybody settles it alike.
        return _moment(self.said_at, self.standing) < _moment(said_at, standing)


@dataclass(frozen=True, slots=True)
class Aim:
    """What is to stand of a code's use: `undone` of each `of` that it took off. None in `stands`: as it is."""

    stands: bool | None
    undone: int = 0
    of: int = 0

    def undone_of(self, minor: int) -> int:
        """Of a discount that is counted as `minor` here, which may be another than the shop's."""
        return minor if self.of and self.undone >= self.of else _half_up(minor * self.undone, self.of)


AS_IT_IS = Aim(None)
NOTHING = Aim(False)


def aim(heard: Heard, key: str) -> Aim:
    """For the use of the code with this key."""
    standing = heard.standing
    if standing is None or standing.state is OrderState.WAITING:
        return AS_IT_IS
    entered = [code for code in standing.codes if normalise(code.code) == key]
    if standing.state is OrderState.CANCELLED or not entered or _is_all_back(standing, heard):
        return NOTHING
    discount = sum(code.discount or 0 for code in entered)
    undone = min(_undone(standing, heard, key, discount), discount)
    return NOTHING if discount and undone == discount else Aim(True, undone, discount)


def _moment(said_at: datetime, standing: OrderStanding) -> tuple[datetime, int, str]:
    return said_at, _RANKS[standing.state], repr(replace(standing, customer=None))


def _is_all_back(standing: OrderStanding, heard: Heard) -> bool:
    return bool(standing.total) and sum(refund.amount for refund in heard.refunds.values()) >= (standing.total or 0)


def _undone(standing: OrderStanding, heard: Heard, key: str, discount: int) -> int:
    """By what lines took off, where that is known; else as large a part as of the money. Sums are rounded, not parts:
    several refunds come to the same whichever is heard first."""
    lines = [(line, taken) for line in standing.lines if (taken := _taken(line, key)) is not None]
    back: dict[str, int] = {}
    money = 0
    for refund in heard.refunds.values():
        if lines and refund.lines:
            for id_, quantity in refund.lines.items():
                back[id_] = back.get(id_, 0) + quantity
        else:
            money += refund.amount
    undone = 0 if not standing.total else _half_up(discount * money, standing.total)
    for line, taken in lines:
        undone += _half_up(taken * min(back.get(line.id, 0), line.quantity), line.quantity)
    return undone


def _taken(line: OrderLine, key: str) -> int | None:
    """What the code took off the line; None where nothing is said of that."""
    found = [amount for code, amount in line.discounts.items() if normalise(code) == key]
    return sum(found) if found else None


def _half_up(numerator: int, denominator: int) -> int:
    return 0 if not denominator else (2 * numerator + denominator) // (2 * denominator)


def _weight(refund: OrderRefund) -> tuple[int, int, str]:
    """Of a refund that is told in two ways, the one that says more counts."""
    return len(refund.lines), refund.amount, repr(refund)
