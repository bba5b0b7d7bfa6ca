"""Promotions as rows, and back."""

import unicodedata
from collections.abc import Iterable
from datetime import timedelta
from functools import lru_cache
from secrets import randbits
from typing import Any

import orjson
from sqlalchemy import Connection

from promograph.domain import conditions
from promograph.domain.carts import Money
from promograph.domain.codes.formats import CodeFormat
from promograph.domain.periods import Period
from promograph.domain.promotions import (
    CodeKind,
    EndReason,
    IssuePolicy,
    OnEmpty,
    PeriodCap,
    Promotion,
    PromotionStatus,
    PromotionTerms,
    ReturnPolicy,
)
from promograph.domain.rewards import Single, dump_reward, load_reward
from promograph.domain.windows import Window
from promograph.store import code_looks
from promograph.store.statements import Statement
from promograph.store.tables.instants import from_micros, to_micros

_TERMS = (
    "handle, name, description, properties, reward, reward_type, condition, code_kind, issue_policy, on_empty, "
    "return_policy, code_format, time_zone, starts_at, ends_at, valid_for_seconds, audience_cap, uses_per_code, "
    "uses_per_customer, period_uses, period, redemption_cap, low_stock_threshold, budget_minor, budget_currency, "
    "holder_only, code_required, combinable, priority"
)
_COLUMNS = f"id, status, end_reason, stop_redeeming, created_at, updated_at, {_TERMS}"

_JSON = ("properties", "reward", "condition", "code_format")

_NAMES = _COLUMNS.replace(" ", "").split(",")
COLUMNS = ", ".join(f"CAST(p.{name} AS text)" if name in _JSON else f"p.{name}" for name in _NAMES)
"""What `promotion_of` reads, in its order, of a table with the alias `p`; JSON as text, so that rows can be hashed."""

_BY_ID = Statement(f"SELECT {COLUMNS} FROM @rows(id bigint) r JOIN promotion p ON p.id = r.id")
_BY_HANDLE = Statement(f"SELECT {COLUMNS} FROM @rows(handle text) r JOIN promotion p ON p.handle = r.handle")
_BY_NAME = Statement(
    f"SELECT {COLUMNS} FROM @rows(name text) r JOIN promotion p ON p.name = r.name AND p.status <> 'ARCHIVED' "
    "ORDER BY p.id"
)
_VALUES = ", ".join(f":{name.strip()}" for name in _TERMS.split(","))
_INSERT = Statement(
    f"INSERT INTO promotion ({_TERMS}, searched, status, stop_redeeming, created_at, updated_at) "
    f"VALUES ({_VALUES}, :searched, 'DRAFT', false, :now, :now) RETURNING id"
)
_SETS = ", ".join(f"{name.strip()} = :{name.strip()}" for name in _TERMS.split(","))
_UPDATE = Statement(f"UPDATE promotion SET {_SETS}, searched = :searched, updated_at = :now WHERE id = :id")
_SET_STATUS = Statement(
    "UPDATE promotion SET status = :status, end_reason = :end_reason, stop_redeeming = :stop_redeeming, "
    "updated_at = :now WHERE id = :id"
)
_WITHOUT_CODES = Statement(
    "SELECT handle FROM promotion WHERE status = 'ACTIVE' AND NOT code_required ORDER BY priority DESC, id LIMIT :most"
)
_MOST_WITHOUT_CODES = 500
_EDITION_BITS = 63
_INSERT_STOCK = Statement("INSERT INTO stock (promotion_id, edition) VALUES (:id, :edition)")
_NEW_EDITION = Statement("UPDATE stock SET edition = :edition WHERE promotion_id = :id")


def by_id(connection: Connection, ids: Iterable[int]) -> dict[int, Promotion]:
    rows = _BY_ID.fetch(connection, [(id_,) for id_ in ids])
    return {row[0]: promotion_of(tuple(row)) for row in rows}


def by_handle(connection: Connection, handles: Iterable[str]) -> dict[str, Promotion]:
    rows = _BY_HANDLE.fetch(connection, [(handle,) for handle in handles])
    found = (promotion_of(tuple(row)) for row in rows)
    return {promotion.terms.handle: promotion for promotion in found}


def by_name(connection: Connection, names: Iterable[str]) -> dict[str, list[Promotion]]:
    """Those that have exactly these names and are not archived, the oldest first: a name may belong to several."""
    found: dict[str, list[Promotion]] = {}
    for row in _BY_NAME.fetch(connection, [(name,) for name in names]):
        promotion = promotion_of(tuple(row))
        found.setdefault(promotion.terms.name, []).append(promotion)
    return found


def without_codes(connection: Connection) -> list[str]:
    """The handles of active promotions that apply without a code, in the order in which they take their discounts.

    At most the first 500: nobody has so many of them running at once.
    """
    return [row[0] for row in _WITHOUT_CODES.fetch(connection, most=_MOST_WITHOUT_CODES)]


def insert(connection: Connection, terms: PromotionTerms, now: int) -> int:
    """The id of the new draft, whose stock row is made with it. `now` in microseconds."""
    id_ = int(_INSERT.fetch(connection, now=now, **as_row(terms))[0][0])
    _INSERT_STOCK.run(connection, id=id_, edition=randbits(_EDITION_BITS))
    code_looks.keep(connection, terms.code_format)
    return id_


def update(connection: Connection, id_: int, terms: PromotionTerms, now: int) -> None:
    """Of a promotion whose stock row is locked."""
    _UPDATE.run(connection, id=id_, now=now, **as_row(terms))
    _NEW_EDITION.run(connection, id=id_, edition=randbits(_EDITION_BITS))
    code_looks.keep(connection, terms.code_format)


def set_status(
    connection: Connection,
    id_: int,
    status: PromotionStatus,
    *,
    now: int,
    end_reason: EndReason | None = None,
    stop_redeeming: bool = False,
) -> None:
    """Of a promotion whose stock row is locked."""
    _SET_STATUS.run(connection, id=id_, status=status, end_reason=end_reason, stop_redeeming=stop_redeeming, now=now)
    _NEW_EDITION.run(connection, id=id_, edition=randbits(_EDITION_BITS))


@lru_cache(maxsize=4096)
def promotion_of(row: tuple[Any, ...]) -> Promotion:
    """From a row of COLUMNS. Cached by the row's own values, so that nothing can be stale."""
    found = dict(zip(_NAMES, row, strict=True))
    return Promotion(
        id=found["id"],
        terms=_terms_of(found),
        stored_status=PromotionStatus(found["status"]),
        stored_end_reason=None if found["end_reason"] is None else EndReason(found["end_reason"]),
        stop_redeeming=bool(found["stop_redeeming"]),
        created_at=from_micros(found["created_at"]),
        updated_at=from_micros(found["updated_at"]),
    )


def _terms_of(found: dict[str, Any]) -> PromotionTerms:
    condition, period = found["condition"], found["period"]
    budget, seconds = found["budget_minor"], found["valid_for_seconds"]
    return PromotionTerms(
        handle=found["handle"],
        name=found["name"],
        description=found["description"],
        properties=orjson.loads(found["properties"]),
        reward=load_reward(orjson.loads(found["reward"])),
        condition=None if condition is None else conditions.parse(orjson.loads(condition)),
        code_kind=CodeKind(found["code_kind"]),
        issue_policy=IssuePolicy(found["issue_policy"]),
        on_empty=OnEmpty(found["on_empty"]),
        return_policy=ReturnPolicy(found["return_policy"]),
        code_format=CodeFormat(**orjson.loads(found["code_format"])),
        window=Window(
            time_zone=found["time_zone"],
            starts_at=_instant(found["starts_at"]),
            ends_at=_instant(found["ends_at"]),
        ),
        valid_for=None if seconds is None else timedelta(seconds=seconds),
        audience_cap=found["audience_cap"],
        uses_per_code=found["uses_per_code"],
        uses_per_customer=found["uses_per_customer"],
        uses_per_period=None if period is None else PeriodCap(uses=found["period_uses"], period=Period(period)),
        redemption_cap=found["redemption_cap"],
        low_stock_threshold=found["low_stock_threshold"],
        budget=None if budget is None else Money(minor=budget, currency=found["budget_currency"]),
        holder_only=bool(found["holder_only"]),
        code_required=bool(found["code_required"]),
        combinable=bool(found["combinable"]),
        priority=found["priority"],
    )


def folded(text: str) -> str:
    """What search compares: without regard to letter case, in any alphabet and on every store."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def _instant(micros: int | None) -> Any:
    return None if micros is None else from_micros(micros)


def as_row(terms: PromotionTerms) -> dict[str, Any]:
    """By column, as plain data."""
    window, capped, budget = terms.window, terms.uses_per_period, terms.budget
    condition = None if terms.condition is None else orjson.dumps(conditions.dump(terms.condition)).decode()
    return {
        "handle": terms.handle,
        "name": terms.name,
        "description": terms.description,
        "searched": folded("\n".join((terms.name, terms.handle, terms.description))),
        "properties": orjson.dumps(dict(terms.properties)).decode(),
        "reward": orjson.dumps(dump_reward(terms.reward)).decode(),
        "reward_type": terms.reward.type if isinstance(terms.reward, Single) else None,
        "condition": condition,
        "code_kind": terms.code_kind,
        "issue_policy": terms.issue_policy,
        "on_empty": terms.on_empty,
        "return_policy": terms.return_policy,
        "code_format": orjson.dumps(terms.code_format).decode(),
        "time_zone": window.time_zone,
        "starts_at": None if window.starts_at is None else to_micros(window.starts_at),
        "ends_at": None if window.ends_at is None else to_micros(window.ends_at),
        "valid_for_seconds": None if terms.valid_for is None else int(terms.valid_for.total_seconds()),
        "audience_cap": terms.audience_cap,
        "uses_per_code": terms.uses_per_code,
        "uses_per_customer": terms.uses_per_customer,
        "period_uses": None if capped is None else capped.uses,
        "period": None if capped is None else capped.period,
        "redemption_cap": terms.redemption_cap,
        "low_stock_threshold": terms.low_stock_threshold,
        "budget_minor": None if budget is None else budget.minor,
        "budget_currency": None if budget is None else budget.currency,
        "holder_only": terms.holder_only,
        "code_required": terms.code_required,
        "combinable": terms.combinable,
        "priority": terms.priority,
    }
