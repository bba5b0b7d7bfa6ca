"""Lowering a promotion's limits: never below what has happened already."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from promograph.domain.promotions import CodeKind, Promotion
from promograph.errors import BadInput, InputProblem
from promograph.store.redemptions import STANDING
from promograph.store.statements import Statement
from promograph.store.stock import Stock
from promograph.store.tables.instants import to_micros

_MOST_OF_A_CODE = Statement("SELECT coalesce(max(uses), 0) FROM code WHERE promotion_id = :id AND seq <> 0")
_OF_SINGLE = Statement("SELECT coalesce(max(uses), 0) FROM code WHERE promotion_id = :id AND seq = 0")
_MOST_OF_A_CUSTOMER = Statement(
    "SELECT coalesce(max(n), 0) FROM (SELECT count(*) AS n FROM (SELECT d.customer FROM redemption d "
    f"WHERE d.promotion_id = :id AND {STANDING} UNION ALL SELECT h.customer FROM hold h "
    "WHERE h.promotion_id = :id AND h.ended IS NULL AND h.expires_at > :now) AS use_ "
    "WHERE customer IS NOT NULL GROUP BY customer) AS of_customer"
)
_MOST_HELD = Statement(
    "SELECT coalesce(max(n), 0) FROM (SELECT c.uses + count(*) AS n FROM hold h "
    "JOIN code c ON c.promotion_id = h.promotion_id AND c.seq = h.seq "
    "WHERE h.promotion_id = :id AND h.ended IS NULL AND h.expires_at > :now AND (h.seq <> 0) = :own "
    "GROUP BY c.seq, c.uses) AS of_code"
)


def check_above_what_happened(
    connection: Connection, before: Promotion, after: Promotion, counters: Stock, now: datetime
) -> None:
    """BadInput (OUT_OF_RANGE) where a limit would be passed the moment it is set. Only lowered ones are looked up.

    Open holds count; the counters are without lapsed ones.
    """
    id_, micros = after.id, to_micros(now)
    is_single = after.terms.code_kind is CodeKind.SINGLE
    of_code = _OF_SINGLE if is_single else _MOST_OF_A_CODE

    def most_of_a_code() -> int:
        held = _MOST_HELD.fetch(connection, id=id_, now=micros, own=not is_single)[0][0] if counters.holds else 0
        return max(int(of_code.fetch(connection, id=id_)[0][0]), int(held))

    old, new = before.terms, after.terms
    _check("audienceCap", old.audience_cap, new.audience_cap, lambda: counters.customers)
    _check("usesPerCode", old.uses_per_code, new.uses_per_code, most_of_a_code)
    _check("redemptionCap", old.redemption_cap, new.redemption_cap, lambda: counters.redemptions + counters.holds)
    if new.budget is not None and new.budget.minor < counters.spent + counters.held:
        used = replace(new.budget, minor=counters.spent + counters.held)
        raise BadInput(
            InputProblem.OUT_OF_RANGE,
            f"budget cannot be below {used}, which has been given or held.",
            field=("budget",),
        )
    _check(
        "usesPerCustomer",
        old.uses_per_customer,
        new.uses_per_customer,
        lambda: int(_MOST_OF_A_CUSTOMER.fetch(connection, id=id_, now=micros)[0][0]),
    )


def _check(field: str, old: int | None, new: int | None, happened: Callable[[], int]) -> None:
    if new is None or (old is not None and new >= old):
        return
    least = happened()
    if new < least:
        raise BadInput(
            InputProblem.OUT_OF_RANGE, f"{field} cannot be below {least:,}, which has been reached.", field=(field,)
        )
