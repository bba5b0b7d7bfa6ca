"""Uses by one customer within a day, a week or a month, recounted: the store does not know where a zone's days end."""

from collections import Counter
from collections.abc import Iterator

from sqlalchemy import Connection, text

from promograph.domain.periods import Period, period_of
from promograph.store.redemptions import STANDING
from promograph.store.tables.instants import from_micros

_CAPPED = (
    "SELECT id, handle, period, period_uses, time_zone, updated_at FROM promotion WHERE period IS NOT NULL ORDER BY id"
)
# Those since the terms last changed: what was allowed before is not known any more.
_USES = (
    f"FROM redemption d WHERE d.promotion_id = :id AND d.redeemed_at > :since AND d.customer IS NOT NULL AND {STANDING}"
)
_MANY = (
    f"SELECT d.customer, d.redeemed_at {_USES} AND d.customer IN "
    f"(SELECT d.customer {_USES} GROUP BY d.customer HAVING count(*) > :uses)"
)


def overused(connection: Connection) -> Iterator[str]:
    """A sentence for each customer and period with more uses than allowed."""
    for id_, handle, period, uses, zone, since in connection.execute(text(_CAPPED)).fetchall():
        counted = Counter[tuple[str, str]]()
        for customer, at in connection.execute(text(_MANY), {"id": id_, "since": since, "uses": uses}):
            first, _ = period_of(from_micros(at), Period(period), zone)
            counted[customer, first.isoformat()] += 1
        for (customer, first_at), times in sorted(counted.items()):
            if times > uses:
                yield (
                    f"{handle}: a customer redeemed more often in a {period.lower()} than allowed: "
                    f"{customer}, from {first_at} on ({times}, expected {uses})"
                )
