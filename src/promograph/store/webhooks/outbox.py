"""What webhooks are to be told, written in the transaction in which it comes about.

Who wants what is read there as well, so that it is never old: a webhook is told of all that begins after it was set up.
Where there is no webhook, the hot paths have learned that from the statement that locks their promotions
(`Stock.is_heard`), and do not come here at all.
"""

from collections import defaultdict
from collections.abc import Iterable
from os import urandom

import orjson
from sqlalchemy import Connection

from promograph.domain.webhooks.events import Notice, WebhookType
from promograph.domain.webhooks.retrying import DeliveryState
from promograph.store.bulk import Insertion
from promograph.store.statements import Statement
from promograph.store.tables.instants import to_micros
from promograph.store.webhooks.endpoints import types_of

_WHO = Statement("SELECT w.id, w.types FROM webhook w WHERE w.is_enabled ORDER BY w.id")
_NEW = Insertion(
    "webhook_delivery",
    "webhook_id bigint, event text, type text, body text, happened_at bigint, state text, due_at bigint",
)
_ID_BYTES = 16


def tell(connection: Connection, notices: Iterable[Notice], *types: WebhookType) -> None:
    """Tell all who want them. `notices` are of these types, and are made only where somebody wants one of these."""
    who = _who(connection, types)
    if not who:
        return
    rows = []
    for notice in notices:
        webhooks = who.get(notice.type)
        if webhooks:
            micros = to_micros(notice.happened_at)
            event, body = _new_id(), body_of(notice)
            rows += [(id_, event, notice.type, body, micros, DeliveryState.WAITING, micros) for id_ in webhooks]
    if rows:
        _NEW.run(connection, rows)


def tell_one(connection: Connection, webhook_id: int, notice: Notice) -> None:
    """Tell this webhook, whatever it wants to be told of."""
    micros = to_micros(notice.happened_at)
    _NEW.run(
        connection,
        [(webhook_id, _new_id(), notice.type, body_of(notice), micros, DeliveryState.WAITING, micros)],
    )


def body_of(notice: Notice) -> str:
    """The payload, to the byte: what is signed is what is sent."""
    payload = {"type": notice.type, "timestamp": notice.happened_at, "data": notice.data}
    return orjson.dumps(payload, option=orjson.OPT_UTC_Z).decode()


def _who(connection: Connection, types: Iterable[WebhookType]) -> dict[WebhookType, list[int]]:
    """By type, the ids of those who want it."""
    found: dict[WebhookType, list[int]] = defaultdict(list)
    for id_, text in _WHO.fetch(connection):
        for type_ in types_of(text).intersection(types):
            found[type_].append(id_)
    return found


def _new_id() -> str:
    """Never given before, by any brand: receivers keep them apart by it."""
    return f"evt_{urandom(_ID_BYTES).hex()}"
