"""Codes in shops: which of them a shop has to be told of, and what became of those that it was told of.

The difference is looked up anew each time, a stretch of numbers at a time: what was missed once is found the next time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from promograph.channels import CodeAnswer, ShopCode
from promograph.domain.codes.states import CodeState
from promograph.domain.decisions import SHARED_SEQ
from promograph.domain.promotions import Promotion
from promograph.domain.shops.offers import uses_of, without_end
from promograph.domain.shops.pushes import Push, ToldState
from promograph.domain.stock.selections import CodeSelection
from promograph.store.codes import selecting
from promograph.store.codes.selecting import Range
from promograph.store.statements import Statement
from promograph.store.tables.instants import from_micros, to_micros

_WORKING = frozenset({CodeState.AVAILABLE, CodeState.ISSUED, CodeState.REDEEMED})
_LONGEST_ERROR = 300

_TOLD = "LEFT JOIN shop_code x ON x.push_id = :push AND x.seq = c.seq"
_WITHIN = "c.promotion_id = :id AND c.seq >= :low AND c.seq <= :high"
_SHOWN = "c.seq, coalesce(c.text, c.key), c.expires_at, i.issued_at, x.remote"
_TO_PUT = (
    f"SELECT {_SHOWN} {selecting.CODES} {_TOLD} WHERE {_WITHIN} AND {{works}} AND ("
    "(x.state IS NULL OR x.state = 'STOPPED' OR (x.state = 'REFUSED' AND CAST(:again AS boolean))) AND {unused} "
    "OR (x.state IN ('THERE', 'REFUSED') AND (x.revision <> :revision "
    "OR (CAST(:offer_on_codes AS boolean) AND coalesce(x.told_expiry, 0) <> coalesce(c.expires_at, 0))))) "
    "ORDER BY c.seq"
)
_TO_STOP = (
    f"SELECT {_SHOWN} {selecting.CODES} {_TOLD} WHERE {_WITHIN} AND x.state = 'THERE' AND NOT {{works}} ORDER BY c.seq"
)
_NO_CODES_ANY_MORE = Statement(
    "SELECT x.seq, '', NULL, NULL, x.remote FROM shop_code x WHERE x.push_id = :push AND x.seq >= :low "
    "AND x.seq <= :high AND x.state IN ('THERE', 'STOPPING') AND NOT EXISTS (SELECT 1 FROM code c "
    "WHERE c.promotion_id = :id AND c.seq = x.seq) ORDER BY x.seq"
)
_ON_THEIR_WAY = Statement(
    "SELECT x.seq, coalesce(c.text, c.key, ''), c.expires_at, NULL, x.remote, x.state "
    "FROM shop_code x @by(shop_code_open) LEFT JOIN code c ON c.promotion_id = :id AND c.seq = x.seq "
    "WHERE x.push_id = :push AND x.state IN ('SENDING', 'STOPPING') ORDER BY x.seq"
)
_MARK = Statement(
    "INSERT INTO shop_code (push_id, seq, state, revision) SELECT :push, r.seq, :state, :revision "
    "FROM @rows(seq bigint) r WHERE true ON CONFLICT (push_id, seq) DO UPDATE SET state = excluded.state"
)
_COUNT = Statement("SELECT x.state FROM @rows(seq bigint) r JOIN shop_code x ON x.push_id = :push AND x.seq = r.seq")
_SETTLE = Statement(
    "UPDATE shop_code SET state = r.state, remote = r.remote, error = r.error, told_expiry = r.told_expiry, "
    "revision = :revision FROM @rows(push bigint, seq bigint, state text, remote text, error text, "
    "told_expiry bigint) r "
    "WHERE shop_code.push_id = r.push AND shop_code.seq = r.seq"
)
_UNSENT = Statement(
    "DELETE FROM shop_code WHERE push_id = :push AND state = 'SENDING' AND seq IN "
    "(SELECT r.seq FROM @rows(seq bigint) r)"
)
_COUNTED = Statement("UPDATE shop_push SET pushed = pushed + :pushed, refused = refused + :refused WHERE id = :push")


@dataclass(frozen=True, slots=True)
class Told:
    """A code of a promotion, for a shop. `own_expiry`, whatever else ends it, is what may be changed by hand."""

    seq: int
    code: ShopCode
    own_expiry: datetime | None = None


@dataclass(frozen=True, slots=True)
class OnItsWay:
    """A code of which nobody heard the shop's answer. `is_code`: it is one yet."""

    told: Told
    state: ToldState
    is_code: bool


def to_put(
    connection: Connection,
    promotion: Promotion,
    push: Push,
    part: Range,
    now: datetime,
    *,
    again: bool,
    offer_on_codes: bool,
) -> list[Told]:
    """Codes within these numbers that work here and do not there, or not for the offer of now, or not for as long.

    Used-up ones that the shop never had are none of them. With `again`, those that it refused before are.
    """
    works = _works(promotion, now)
    limit = promotion.terms.uses_per_code
    unused = "true" if limit is None else f"(c.uses < {int(limit)} OR c.seq = {SHARED_SEQ})"
    statement = Statement(_TO_PUT.format(works=works.sql, unused=unused))
    rows = statement.fetch(
        connection,
        **_within(promotion, push, part),
        **works.params,
        again=again,
        offer_on_codes=offer_on_codes,
        revision=push.revision,
    )
    return [_told(promotion, row) for row in rows]


def to_stop(connection: Connection, promotion: Promotion, push: Push, part: Range, now: datetime) -> list[Told]:
    """Codes within these numbers that work there and not here."""
    works = _works(promotion, now)
    within = _within(promotion, push, part)
    rows = Statement(_TO_STOP.format(works=works.sql)).fetch(connection, **within, **works.params)
    gone = _NO_CODES_ANY_MORE.fetch(connection, **within)
    return [_told(promotion, row) for row in (*rows, *gone)]


def on_their_way(connection: Connection, promotion: Promotion, push: Push) -> list[OnItsWay]:
    """Codes of which the shop's answer was not heard."""
    rows = _ON_THEIR_WAY.fetch(connection, id=promotion.id, push=push.id)
    return [OnItsWay(_told(promotion, row), ToldState(row[5]), bool(row[1])) for row in rows]


def mark(connection: Connection, push: Push, codes: Sequence[Told], state: ToldState) -> None:
    """Write down that the shop is about to be asked: SENDING or STOPPING."""
    seqs = [(told.seq,) for told in codes]
    before = [row[0] for row in _COUNT.fetch(connection, seqs, push=push.id)]
    _MARK.run(connection, seqs, push=push.id, state=state, revision=push.revision)
    _count(connection, push, before, -1)


def settle(
    connection: Connection, push: Push, codes: Sequence[Told], answers: Sequence[CodeAnswer], state: ToldState
) -> None:
    """Write down what became of codes on their way: they are THERE or STOPPED where the shop did it.

    One that the shop will not take is REFUSED; one that it will not stop is there yet.
    """
    otherwise = ToldState.REFUSED if state is ToldState.THERE else ToldState.THERE
    rows = [
        (
            push.id,
            told.seq,
            state if answer.why is None else otherwise,
            answer.remote if answer.why is None else told.code.remote,
            _short(answer.why),
            None if told.own_expiry is None else to_micros(told.own_expiry),
        )
        for told, answer in zip(codes, answers, strict=True)
    ]
    _SETTLE.run(connection, rows, revision=push.revision)
    _count(connection, push, [row[2] for row in rows], 1)


def unsent(connection: Connection, push: Push, codes: Sequence[Told]) -> None:
    """These were on their way and have not arrived: as if they had never been sent."""
    _UNSENT.run(connection, [(told.seq,) for told in codes], push=push.id)


def _count(connection: Connection, push: Push, states: Sequence[str], sign: int) -> None:
    pushed, refused = states.count(ToldState.THERE), states.count(ToldState.REFUSED)
    if pushed or refused:
        _COUNTED.run(connection, push=push.id, pushed=sign * pushed, refused=sign * refused)


def _works(promotion: Promotion, now: datetime) -> selecting.Condition:
    """What holds of codes that are redeemed here, the promotion's own state and end apart."""
    return selecting.condition(CodeSelection(promotion=without_end(promotion), states=_WORKING), now)


def _within(promotion: Promotion, push: Push, part: Range) -> dict[str, Any]:
    return {"id": promotion.id, "push": push.id, "low": part[0], "high": part[1]}


def _told(promotion: Promotion, row: Any) -> Told:
    seq, text, own, issued_at, remote = row[:5]
    expiry = promotion.expiry(_instant(issued_at), _instant(own))
    code = ShopCode(text=text, uses=uses_of(promotion, seq), expires_at=expiry, remote=remote)
    return Told(seq, code, _instant(own))


def _instant(micros: int | None) -> datetime | None:
    return None if micros is None else from_micros(micros)


def _short(text: str | None) -> str | None:
    """Other people's text, without what PostgreSQL has no place for."""
    return None if text is None else text.replace("\0", "")[:_LONGEST_ERROR]
