"""What has been spent of a promotion's budget, and what open holds set aside."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from promograph.domain.carts import Money
from promograph.store import holds, promotions, stock


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """All in one currency; `spent` and `held` together never exceed `total`."""

    total: Money
    spent: Money
    held: Money

    @property
    def left(self) -> Money:
        return Money(minor=self.total.minor - self.spent.minor - self.held.minor, currency=self.total.currency)


def read(connection: Connection, promotion_ids: Iterable[int], now: datetime) -> dict[int, Spending]:
    """By promotion id; those without a budget are left out. What lapsed holds had set aside is back."""
    found = promotions.by_id(connection, promotion_ids)
    budgets = {id_: promotion.terms.budget for id_, promotion in found.items() if promotion.terms.budget is not None}
    stocks = stock.read(connection, budgets)
    holds.leave_out_lapsed(connection, stocks.values(), now)
    return {
        id_: Spending(
            total=total,
            spent=Money(minor=stocks[id_].spent, currency=total.currency),
            held=Money(minor=stocks[id_].held, currency=total.currency),
        )
        for id_, total in budgets.items()
    }
