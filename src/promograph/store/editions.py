"""Promotions that need not be read again, since they are known not to have changed.

Whoever changes a promotion holds the lock of its stock row, and gives that row another `edition`: a number drawn at
random, which no other state of any promotion in any store has. So the promotion of an edition is the same for ever, and
who has the lock and the edition has the promotion as it is. One that was rolled back is never seen again.
"""

from collections.abc import Collection, Mapping

from sqlalchemy import Connection

from promograph.domain.promotions import Promotion
from promograph.store import promotions
from promograph.store.statements import Statement

_MOST = 4096

_READ = Statement(
    f"SELECT s.edition, {promotions.COLUMNS} FROM @rows(id bigint) r JOIN stock s ON s.promotion_id = r.id "
    "JOIN promotion p ON p.id = r.id"
)

_known: dict[int, Promotion] = {}


def promotions_of(connection: Connection, editions: Mapping[int, int]) -> dict[int, Promotion]:
    """By id, the promotions whose stock rows had these editions; where one has another by now, as it is by now."""
    found = {id_: _known.get(edition) for id_, edition in editions.items()}
    if None in found.values():
        found.update(_read(connection, [id_ for id_, promotion in found.items() if promotion is None]))
    return {id_: promotion for id_, promotion in found.items() if promotion is not None}


def _read(connection: Connection, ids: Collection[int]) -> dict[int, Promotion]:
    found = {}
    for edition, *row in _READ.fetch(connection, [(id_,) for id_ in ids]):
        promotion = found[row[0]] = promotions.promotion_of(tuple(row))
        if edition:  # 0 is what nobody has drawn
            _remember(edition, promotion)
    return found


def _remember(edition: int, promotion: Promotion) -> None:
    while len(_known) >= _MOST:
        _known.pop(next(iter(_known)), None)  # the oldest; another thread may have been quicker
    _known[edition] = promotion
