"""Promotions as rows, and back."""

import unicodedata
from collections.abc import Iterable
from datetime import timedelta
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import Connection

from promograph.domain.code_formats import CodeFormat
from promograph.domain.promotions import (
    CodeKind,
    EndReason,
    IssuePolicy,
    OnEmpty,
    Promotion,
    PromotionStatus,
    PromotionTerms,
    RewardKind,
)
from promograph.domain.windows import Window
from promograph.store.statements import Statement
from promograph.store.tables import from_micros, to_micros

_TERMS = (
    "handle, name, description, properties, reward, code_kind, issue_policy, on_empty, code_format, time_zone, "
    "starts_at, ends_at, valid_for_seconds, audience_cap, uses_per_code, uses_per_customer, holder_only"
)
_COLUMNS = f"id, status, end_reason, stop_redeeming, created_at, updated_at, {_TERMS}"

_JSON = ("properties", "code_format")

COLUMNS = ", ".join(
    f"CAST(p.{name} AS text)" if name in _JSON else f"p.{name}" for name in _COLUMNS.replace(" ", "").split(",")
)
"""What `promotion_of` reads, in its order, of a table with the alias `p`; JSON as text, so that rows can be hashed."""

_BY_ID = Statement(f"SELECT {COLUMNS} FROM @rows(id bigint) r JOIN promotion p ON p.id = r.id")
_BY_HANDLE = Statement(f"SELECT {COLUMNS} FROM @rows(handle text) r JOIN promotion p ON p.handle = r.handle")
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
_INSERT_STOCK = Statement("INSERT INTO stock (promotion_id) VALUES (:id)")


def by_id(connection: Connection, ids: Iterable[int]) -> dict[int, Promotion]:
    rows = _BY_ID.fetch(connection, [(id_,) for id_ in ids])
    return {row[0]: promotion_of(tuple(row)) for row in rows}


def by_handle(connection: Connection, handles: Iterable[str]) -> dict[str, Promotion]:
    rows = _BY_HANDLE.fetch(connection, [(handle,) for handle in handles])
    found = (promotion_of(tuple(row)) for row in rows)
    return {promotion.terms.handle: promotion for promotion in found}


def insert(connection: Connection, terms: PromotionTerms, now: int) -> int:
    """The id of the new draft, whose stock row is made with it. `now` in microseconds."""
    id_ = int(_INSERT.fetch(connection, now=now, **_bound(terms))[0][0])
    _INSERT_STOCK.run(connection, id=id_)
    return id_


def update(connection: Connection, id_: int, terms: PromotionTerms, now: int) -> None:
    _UPDATE.run(connection, id=id_, now=now, **_bound(terms))


def set_status(
    connection: Connection,
    id_: int,
    status: PromotionStatus,
    *,
    now: int,
    end_reason: EndReason | None = None,
    stop_redeeming: bool = False,
) -> None:
    _SET_STATUS.run(connection, id=id_, status=status, end_reason=end_reason, stop_redeeming=stop_redeeming, now=now)


@lru_cache(maxsize=4096)
def promotion_of(row: tuple[Any, ...]) -> Promotion:
    """From a row of COLUMNS. Cached by the row's own values, so that nothing can be stale."""
    (id_, status, end_reason, stop_redeeming, created_at, updated_at, handle, name, description, properties) = row[:10]
    (reward, code_kind, issue_policy, on_empty, code_format, time_zone, starts_at, ends_at, valid_for) = row[10:19]
    audience_cap, uses_per_code, uses_per_customer, holder_only = row[19:23]
    terms = PromotionTerms(
        handle=handle,
        name=name,
        description=description,
        properties=orjson.loads(properties),
        reward=RewardKind(reward),
        code_kind=CodeKind(code_kind),
        issue_policy=IssuePolicy(issue_policy),
        on_empty=OnEmpty(on_empty),
        code_format=CodeFormat(**orjson.loads(code_format)),
        window=Window(time_zone=time_zone, starts_at=_instant(starts_at), ends_at=_instant(ends_at)),
        valid_for=None if valid_for is None else timedelta(seconds=valid_for),
        audience_cap=audience_cap,
        uses_per_code=uses_per_code,
        uses_per_customer=uses_per_customer,
        holder_only=bool(holder_only),
    )
    return Promotion(
        id=id_,
        terms=terms,
        stored_status=PromotionStatus(status),
        stored_end_reason=None if end_reason is None else EndReason(end_reason),
        stop_redeeming=bool(stop_redeeming),
        created_at=from_micros(created_at),
        updated_at=from_micros(updated_at),
    )


def folded(text: str) -> str:
    """What search compares: without regard to letter case, in any alphabet and on every store."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def _instant(micros: int | None) -> Any:
    return None if micros is None else from_micros(micros)


def _bound(terms: PromotionTerms) -> dict[str, Any]:
    window = terms.window
    return {
        "handle": terms.handle,
        "name": terms.name,
        "description": terms.description,
        "searched": folded("\n".join((terms.name, terms.handle, terms.description))),
        "properties": orjson.dumps(dict(terms.properties)).decode(),
        "reward": terms.reward,
        "code_kind": terms.code_kind,
        "issue_policy": terms.issue_policy,
        "on_empty": terms.on_empty,
        "code_format": orjson.dumps(terms.code_format).decode(),
        "time_zone": window.time_zone,
        "starts_at": None if window.starts_at is None else to_micros(window.starts_at),
        "ends_at": None if window.ends_at is None else to_micros(window.ends_at),
        "valid_for_seconds": None if terms.valid_for is None else int(terms.valid_for.total_seconds()),
        "audience_cap": terms.audience_cap,
        "uses_per_code": terms.uses_per_code,
        "uses_per_customer": terms.uses_per_customer,
        "holder_only": terms.holder_only,
    }
