"""How many messages of a send there are of each status: moved with the messages, by whoever has locked the send."""

from collections import Counter
from collections.abc import Iterable, Mapping

from sqlalchemy import Connection

from promograph.store.statements import Statement

Tally = Counter[tuple[str, str]]
"""By status, and of those SKIPPED by reason (else empty)."""

_ADD = Statement(
    "INSERT INTO send_tally (send_id, status, why, messages) SELECT :send, r.status, r.why, r.messages "
    "FROM @rows(status text, why text, messages bigint) r WHERE true ON CONFLICT (send_id, status, why) "
    "DO UPDATE SET messages = send_tally.messages + excluded.messages"
)
_OF = Statement(
    "SELECT t.send_id, t.status, t.why, t.messages FROM @rows(id bigint) r JOIN send_tally t ON t.send_id = r.id"
)


def add(connection: Connection, send_id: int, moved: Mapping[tuple[str, str], int]) -> None:
    """So many more (or fewer) of each."""
    rows = [(*key, count) for key, count in sorted(moved.items()) if count]
    if rows:
        _ADD.run(connection, rows, send=send_id)


def of(connection: Connection, ids: Iterable[int]) -> dict[int, Tally]:
    """By send; a send without messages is missing."""
    found: dict[int, Tally] = {}
    for send_id, status, why, count in _OF.fetch(connection, [(id_,) for id_ in ids]):
        found.setdefault(send_id, Counter())[status, why] = count
    return found
