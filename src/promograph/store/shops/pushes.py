"""Promotions in shops: begun, read, kept up to date by the job that has them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from promograph.domain.shops.pushes import Push
from promograph.store.statements import Statement
from promograph.store.tables.instants import from_micros, to_micros

_COLUMNS = (
    "u.id, u.promotion_id, u.shop, u.remote, u.told, u.revision, u.stamp, u.pushed, u.refused, u.error, u.job_id, "
    "u.tried_at"
)
_IS_RUNNING = "EXISTS (SELECT 1 FROM job j WHERE j.id = u.job_id AND j.finished_at IS NULL)"

_NEW = Statement(
    "INSERT INTO shop_push (promotion_id, shop) VALUES (:promotion_id, :shop) ON CONFLICT (promotion_id, shop) "
    "DO NOTHING"
)
_LOCK = Statement("SELECT u.id FROM shop_push u WHERE u.promotion_id = :promotion_id AND u.shop = :shop @lock(u)")
_OPEN_JOB = Statement(
    "SELECT j.id FROM shop_push u JOIN job j ON j.id = u.job_id WHERE u.id = :id AND j.finished_at IS NULL"
)
_TAKE = Statement("UPDATE shop_push SET job_id = :job WHERE id = :id")
_ONE = Statement(f"SELECT {_COLUMNS} FROM shop_push u WHERE u.promotion_id = :promotion_id AND u.shop = :shop")
_OF_PROMOTIONS = Statement(
    f"SELECT {_COLUMNS}, {_IS_RUNNING} FROM @rows(id bigint) r JOIN shop_push u ON u.promotion_id = r.id "
    "ORDER BY u.shop, u.id"
)
_RESTING = Statement(f"SELECT {_COLUMNS} FROM shop_push u WHERE NOT {_IS_RUNNING} ORDER BY u.id")
_TOLD = Statement("UPDATE shop_push SET remote = :remote, told = :told, revision = :revision WHERE id = :id")
_ENDED = Statement("UPDATE shop_push SET stamp = :stamp, error = :error, tried_at = :now WHERE id = :id")
_FORGET = Statement(
    "UPDATE shop_push SET remote = NULL, told = NULL, revision = revision + 1, pushed = 0, refused = 0 WHERE id = :id"
)
_FORGET_CODES = Statement("DELETE FROM shop_code WHERE push_id = :id")
# The last thing done to a code by hand is the latest of its promotion: whoever does it has the promotion's lock.
_STAMPS = Statement(
    "SELECT s.promotion_id, s.tail, s.made, s.available + s.issued + s.blocked + s.void, s.expiry_changes, "
    "(SELECT max(e.id) FROM code_event e WHERE e.promotion_id = s.promotion_id), "
    "(SELECT max(c.expires_at) FROM code c @by(code_expiry) WHERE c.promotion_id = s.promotion_id "
    "AND c.expires_at <= :now) "
    "FROM @rows(id bigint) r JOIN stock s ON s.promotion_id = r.id"
)


@dataclass(frozen=True, slots=True)
class Resting:
    """A push that no job has in hand, or one with `is_running`."""

    push: Push
    is_running: bool


def take(connection: Connection, promotion_id: int, shop: str, job_id: int) -> int | None:
    """Make the promotion in that shop this job's; None where another job that has not ended has it."""
    _NEW.run(connection, promotion_id=promotion_id, shop=shop)
    ((id_,),) = _LOCK.fetch(connection, promotion_id=promotion_id, shop=shop)
    if _OPEN_JOB.fetch(connection, id=id_):  # as it is under the lock
        return None
    _TAKE.run(connection, id=id_, job=job_id)
    return int(id_)


def read(connection: Connection, promotion_id: int, shop: str) -> Push | None:
    rows = _ONE.fetch(connection, promotion_id=promotion_id, shop=shop)
    return _push(rows[0]) if rows else None


def of_promotions(connection: Connection, ids: Iterable[int]) -> dict[int, list[Resting]]:
    """By promotion, in the order of the shops' names."""
    found: dict[int, list[Resting]] = {}
    for row in _OF_PROMOTIONS.fetch(connection, [(id_,) for id_ in ids]):
        *columns, is_running = row
        push = _push(columns)
        found.setdefault(push.promotion_id, []).append(Resting(push, bool(is_running)))
    return found


def resting(connection: Connection) -> list[Push]:
    """All that no job has in hand."""
    return [_push(row) for row in _RESTING.fetch(connection)]


def told(connection: Connection, id_: int, remote: str, words: str, revision: int) -> None:
    """The shop has the offer, in these words."""
    _TOLD.run(connection, id=id_, remote=remote, told=words, revision=revision)


def forget(connection: Connection, id_: int) -> None:
    """The shop has nothing of it any more."""
    _FORGET_CODES.run(connection, id=id_)
    _FORGET.run(connection, id=id_)


def ended(connection: Connection, id_: int, stamp: str | None, error: str | None, now: datetime) -> None:
    """A job is through with it, or could not go on."""
    _ENDED.run(connection, id=id_, stamp=stamp, error=None if error is None else error[:1000], now=to_micros(now))


def stock_stamps(connection: Connection, promotion_ids: Iterable[int], now: datetime) -> dict[int, str]:
    """A text for each promotion that is another one once codes were added, taken back, stopped or let go, or one's own
    expiry was changed or has come.
    """
    rows = _STAMPS.fetch(connection, [(id_,) for id_ in promotion_ids], now=to_micros(now))
    return {
        id_: f"{tail}.{made}.{total}.{changes}.{last or 0}.{passed or 0}"
        for id_, tail, made, total, changes, last, passed in rows
    }


def _push(row: Any) -> Push:
    id_, promotion_id, shop, remote, said, revision, stamp, pushed, refused, error, job_id, tried_at = row
    return Push(
        id=id_,
        promotion_id=promotion_id,
        shop=shop,
        remote=remote,
        told=said,
        revision=revision,
        stamp=stamp,
        pushed=pushed,
        refused=refused,
        error=error,
        job_id=job_id,
        tried_at=None if tried_at is None else from_micros(tried_at),
    )
