"""Recounting: every counter against its rows, every invariant against the rows that could break it."""

from datetime import datetime

from sqlalchemy import Connection, text

from promograph.store.tables.instants import to_micros
from promograph.store.verifying.breaches import LIMITS, ROWS
from promograph.store.verifying.counters import COUNTS
from promograph.store.verifying.line import LINE
from promograph.store.verifying.money import MONEY
from promograph.store.verifying.orders import ORDERS
from promograph.store.verifying.people import PEOPLE, uses
from promograph.store.verifying.periods import overused
from promograph.store.verifying.sends import SENDS
from promograph.store.verifying.shops import SHOPS
from promograph.store.verifying.states import STATES
from promograph.store.verifying.stock import STOCK
from promograph.store.verifying.webhooks import WEBHOOKS

_SHOWN = 20


def recount(connection: Connection, now: datetime) -> list[str]:
    """A sentence for each difference, empty when all is as it should be. Run it on one state of the store."""
    instant = {"now": to_micros(now)}
    differences = []
    handles = {row[0]: row[1] for row in connection.execute(text("SELECT id, handle FROM promotion"))}
    for counter, sql in COUNTS.items():
        counted = {row[0]: row[1] for row in connection.execute(text(sql))}
        kept = {row[0]: row[1] for row in connection.execute(text(f"SELECT promotion_id, {counter} FROM stock"))}
        for id_ in sorted(handles):
            if counted.get(id_, 0) != kept.get(id_, 0):
                differences.append(
                    f"{handles[id_]}: {counter} is kept as {kept.get(id_, 0)}, and its rows count {counted.get(id_, 0)}"
                )
    every = LIMITS | ROWS | LINE | STATES | MONEY | PEOPLE | STOCK | ORDERS | SENDS | SHOPS | WEBHOOKS
    for sentence, sql in every.items():
        found = connection.execute(text(f"{sql} LIMIT {_SHOWN + 1}"), instant if ":now" in sql else {}).fetchall()
        differences += [f"{row[0]}: {sentence}: {row[1]} ({row[2]}, expected {row[3]})" for row in found[:_SHOWN]]
        if len(found) > _SHOWN:
            differences.append(f"... and more where {sentence}")
    return [*differences, *uses(connection), *overused(connection)]
