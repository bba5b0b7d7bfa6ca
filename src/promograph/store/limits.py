"""Lowering a promotion's limits: never below what has happened already."""

from collections.abc import Callable

from sqlalchemy import Connection

from promograph.domain.promotions import CodeKind, Promotion
from promograph.errors import BadInput, InputProblem
from promograph.store.statements import Statement
from promograph.store.stock import Stock

_MOST_OF_A_CODE = Statement("SELECT coalesce(max(uses), 0) FROM code WHERE promotion_id = :id AND seq <> 0")
_OF_SINGLE = Statement("SELECT coalesce(max(uses), 0) FROM code WHERE promotion_id = :id AND seq = 0")
_MOST_OF_A_CUSTOMER = Statement(
    "SELECT coalesce(max(n), 0) FROM (SELECT count(*) AS n FROM redemption "
    "WHERE promotion_id = :id AND customer IS NOT NULL GROUP BY customer) AS of_customer"
)


def check_above_what_happened(connection: Connection, before: Promotion, after: Promotion, counters: Stock) -> None:
    """BadInput (OUT_OF_RANGE) where a limit would be passed the moment it is set. Only lowered ones are looked up."""
    id_ = after.id
    of_code = _OF_SINGLE if after.terms.code_kind is CodeKind.SINGLE else _MOST_OF_A_CODE
    old, new = before.terms, after.terms
    _check("audienceCap", old.audience_cap, new.audience_cap, lambda: counters.customers)
    _check("usesPerCode", old.uses_per_code, new.uses_per_code, lambda: int(of_code.fetch(connection, id=id_)[0][0]))
    _check(
        "usesPerCustomer",
        old.uses_per_customer,
        new.uses_per_customer,
        lambda: int(_MOST_OF_A_CUSTOMER.fetch(connection, id=id_)[0][0]),
    )


def _check(field: str, old: int | None, new: int | None, happened: Callable[[], int]) -> None:
    if new is None or (old is not None and new >= old):
        return
    least = happened()
    if new < least:
        raise BadInput(
            InputProblem.OUT_OF_RANGE, f"{field} cannot be below {least:,}, which has been reached.", field=(field,)
        )
