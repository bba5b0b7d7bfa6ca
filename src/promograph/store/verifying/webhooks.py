"""Queries for what cannot be among webhooks; in the shape of `verifying_breaches`."""

_DELIVERY = "FROM webhook_delivery d"
_NAME = "'webhook ' || d.webhook_id"

WEBHOOKS = {
    "a delivery is to a webhook that is not there": (
        f"SELECT {_NAME}, 'deliveries', count(*), 0 {_DELIVERY} WHERE NOT EXISTS "
        "(SELECT 1 FROM webhook w WHERE w.id = d.webhook_id) GROUP BY d.webhook_id"
    ),
    "a delivery waits and is never tried, or is over and tried again": (
        f"SELECT {_NAME}, d.event, d.tries, 0 {_DELIVERY} WHERE (d.state = 'WAITING') <> (d.due_at IS NOT NULL)"
    ),
    "a webhook was told twice of the same": (
        f"SELECT {_NAME}, d.event, count(*), 1 {_DELIVERY} GROUP BY d.webhook_id, d.event HAVING count(*) > 1"
    ),
}
