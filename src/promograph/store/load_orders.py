"""What a load was asked to do, what it did, and the same answer to the same order."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from promograph.domain.stock.batches import Added, AddReport, BatchSource, CodeBatch
from promograph.domain.stock.rows import BadRow, RepeatedRow
from promograph.store import loading, replays
from promograph.store.loading import Load
from promograph.store.tables.instants import from_micros, to_micros


@dataclass(frozen=True, slots=True)
class Order:
    """`asked` is whatever else tells one order from another under the same `key`."""

    promotion_id: int
    source: BatchSource
    channel: str | None
    key: str | None
    asked: Any = None


class AlreadyDone(Exception):
    """The order's key has an answer: another call with it finished before this one claimed the line."""


def begin(connection: Connection, order: Order, loader: str, now: datetime) -> Load:
    """Claim the line's end for the order; AlreadyDone, BadInput (BUSY).

    The key is looked at again here: whoever had the line until now may have been this very order.
    """
    load = loading.claim(connection, order.promotion_id, loader, now)
    if is_known(connection, order):
        raise AlreadyDone
    return load


def is_known(connection: Connection, order: Order) -> bool:
    """Whether the order's key has an answer, to this order or to another."""
    return order.key is not None and replays.is_known(connection, order.source, order.key)


def recall(connection: Connection, order: Order) -> Added | None:
    """The answer that this order has had; BadInput (KEY_REUSED) where its key belongs to another."""
    if order.key is None:
        return None
    kept = replays.recall(connection, order.source, order.key, order)
    return None if kept is None else _added(kept)


def fulfil(connection: Connection, load: Load, order: Order, report: AddReport, *, last: int, now: datetime) -> Added:
    """Make the codes up to number `last` visible as a batch, and keep the answer."""
    counts = {name: value for name, value in asdict(report).items() if isinstance(value, int)}
    id_ = loading.publish(connection, load, last, source=order.source, channel=order.channel, report=counts, now=now)
    batch = None
    if id_ is not None:
        batch = CodeBatch(
            id=id_,
            promotion_id=order.promotion_id,
            source=order.source,
            channel=order.channel,
            size=report.added,
            created_at=now,
        )
    added = Added(batch, report)
    if order.key is not None:
        micros = to_micros(now)
        replays.remember(connection, order.source, order.key, order, [added, micros], micros)
    return added


def _added(kept: Any) -> Added:
    (fields, micros) = kept
    report, batch = fields["report"], fields["batch"]
    report["repeated_rows"] = tuple(RepeatedRow(**row) for row in report["repeated_rows"])
    report["bad_rows"] = tuple(BadRow(**row) for row in report["bad_rows"])
    report["notes"] = tuple(report.get("notes", ()))
    if batch is not None:
        batch = CodeBatch(**{**batch, "source": BatchSource(batch["source"]), "created_at": from_micros(micros)})
    return Added(batch, AddReport(**report))
