"""What a budget has to show for itself when it is set, changed or taken away."""

from datetime import datetime

from sqlalchemy import Connection

from promograph.domain.promotions import Promotion, PromotionTerms
from promograph.errors import BadInput, InputProblem
from promograph.store import holds, stock
from promograph.store.statements import Statement
from promograph.store.stock import Stock

_SPENT = Statement(
    "SELECT d.discount_currency, sum(d.discount_minor) - coalesce(sum((SELECT sum(b.minor) FROM rollback b "
    "WHERE b.promotion_id = d.promotion_id AND b.number = d.number)), 0) FROM redemption d "
    "WHERE d.promotion_id = :id AND d.discount_minor IS NOT NULL GROUP BY d.discount_currency"
)
_HELD = Statement(
    "SELECT discount_currency, sum(discount_minor) FROM hold "
    "WHERE promotion_id = :id AND ended IS NULL AND discount_minor IS NOT NULL GROUP BY discount_currency"
)


def recount(
    connection: Connection, promotion: Promotion, terms: PromotionTerms, counters: Stock, now: datetime
) -> None:
    """Bring the counters of a locked promotion to what its new terms count, and save them.

    A budget that comes late counts what was given before it; without one no money is counted. BadInput where some of
    that is in another currency.
    """
    holds.lapse(connection, [counters], now)
    if (promotion.terms.budget is None) != (terms.budget is None):
        currency = None if terms.budget is None else terms.budget.currency
        counters.spent = _total(connection, _SPENT, promotion.id, currency)
        counters.held = _total(connection, _HELD, promotion.id, currency)
    stock.save(connection, [counters])


def _total(connection: Connection, statement: Statement, id_: int, currency: str | None) -> int:
    if currency is None:
        return 0
    totals = {found: int(total) for found, total in statement.fetch(connection, id=id_) if total}
    others = sorted(set(totals) - {currency})
    if others:
        raise BadInput(
            InputProblem.STATE,
            f"Discounts have been given in {others[0]}; a budget in {currency} could not count them.",
            field=("budget",),
        )
    return totals.get(currency, 0)
