"""Reading codes for an export: a stretch of numbers at a time, each table by one range of its index."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from promograph.domain.promotions import CodeKind
from promograph.domain.stock.events import CodeEventKind
from promograph.domain.stock.exports import BatchFacts, ExportPage
from promograph.domain.stock.selections import CodeSelection
from promograph.store.codes import selecting as code_selecting
from promograph.store.codes.selecting import Range
from promograph.store.statements import Statement
from promograph.store.tables.instants import to_micros

_WITHIN = "WHERE {0}.promotion_id = :id AND {0}.seq >= :low AND {0}.seq <= :high"
_CODES = Statement(
    "SELECT c.seq, coalesce(c.text, c.key), c.blocked, c.void, c.uses, c.expires_at FROM code c "
    f"{_WITHIN.format('c')} ORDER BY c.seq"
)
# The shared code is issued and used by thousands, so that none of them is its own.
_ISSUED = Statement(
    "SELECT i.seq, i.customer, i.issued_at, i.channel, i.send FROM issuance i "
    f"{_WITHIN.format('i')} AND i.kind = 'INITIAL' AND i.seq <> 0"
)
_USED = Statement(
    "SELECT d.seq, d.redeemed_at, d.order_ref, d.discount_minor, d.discount_currency FROM "
    f"(SELECT max(e.number) AS number FROM redemption e {_WITHIN.format('e')} AND e.seq <> 0 AND NOT EXISTS "
    "(SELECT 1 FROM rollback b WHERE b.promotion_id = e.promotion_id AND b.number = e.number AND b.is_whole) "
    "GROUP BY e.seq) l JOIN redemption d ON d.promotion_id = :id AND d.number = l.number"
)
_HELD = Statement(
    f"SELECT h.seq, count(*) FROM hold h {_WITHIN.format('h')} AND h.ended IS NULL AND h.expires_at > :now "
    "GROUP BY h.seq"
)
_LINEAGE = Statement(
    "SELECT e.seq, coalesce(c.text, c.key), e.kind FROM code_event e "
    "JOIN code c ON c.promotion_id = e.promotion_id AND c.seq = e.other "
    f"{_WITHIN.format('e')} AND e.kind IN ('REPLACES', 'REPLACED')"
)
_BATCHES = Statement(
    "SELECT id, first_seq, last_seq, source, channel, created_at FROM batch "
    "WHERE promotion_id = :id AND last_seq >= :low AND first_seq <= :high ORDER BY first_seq"
)
_SHARED = Statement("SELECT issuances, fallback_issued FROM stock WHERE promotion_id = :id")


def page(connection: Connection, selection: CodeSelection, part: Range, now: datetime) -> ExportPage:
    """The codes meant within these numbers, with all that is told of them."""
    id_, (low, high) = selection.promotion.id, part
    meant = None if _asks_for_nothing(selection) else set(code_selecting.codes_in(connection, selection, part, now))
    if meant is not None and not meant:
        return ExportPage(codes=())

    def rows(statement: Statement, **more: Any) -> Sequence[Any]:
        return statement.fetch(connection, id=id_, low=low, high=high, **more)

    codes: Sequence[Any] = rows(_CODES)
    if meant is not None:
        codes = [code for code in codes if code[0] in meant]
    lineage = rows(_LINEAGE)
    shared_issued = False
    if low <= 0 <= high:
        issuances, fallbacks = _SHARED.fetch(connection, id=id_)[0]
        shared_issued = (issuances if selection.promotion.terms.code_kind is CodeKind.SINGLE else fallbacks) > 0
    return ExportPage(
        codes=codes,
        issued={seq: (customer, at, channel, send) for seq, customer, at, channel, send in rows(_ISSUED)},
        used={seq: (at, order, minor, currency) for seq, at, order, minor, currency in rows(_USED)},
        held={row[0]: row[1] for row in rows(_HELD, now=to_micros(now))},
        replaces={row[0]: row[1] for row in lineage if row[2] == CodeEventKind.REPLACES},
        replaced_by={row[0]: row[1] for row in lineage if row[2] == CodeEventKind.REPLACED},
        batches=[BatchFacts(*row) for row in rows(_BATCHES)],
        shared_issued=shared_issued,
    )


def _asks_for_nothing(selection: CodeSelection) -> bool:
    return not selection.states and (selection.customer, selection.issued_from, selection.issued_until) == (None,) * 3
