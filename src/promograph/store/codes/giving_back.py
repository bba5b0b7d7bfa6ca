"""Codes that nobody has seen go back to their pools: the one way there, by hand or because a message was lost."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from promograph.domain.issuing import IssuanceKind
from promograph.domain.stock.events import CodeEventKind
from promograph.domain.webhooks.events import Notice, WebhookType, returned
from promograph.store import issuances, line, stock, stock_telling
from promograph.store.codes.events import write_lineage
from promograph.store.locking import Locked
from promograph.store.statements import Statement
from promograph.store.tentative import Place, forget
from promograph.store.webhooks import outbox

# Its occasion is free again: whoever asks for that gets another code.
_RETURN = Statement(
    "UPDATE issuance SET kind = 'RETURNED', state = 'RETURNED', occasion = 'r: ' || issuance.number "
    "FROM @rows(promotion_id bigint, number bigint) r "
    "WHERE issuance.promotion_id = r.promotion_id AND issuance.number = r.number"
)
_REPEATS = Statement(
    # The sum keeps planners from walking all of the promotion's issuances: those of a customer are few.
    "SELECT i.promotion_id, i.number, i.seq, i.kind, r.seq "
    "FROM @rows(promotion_id bigint, customer text, seq bigint) r "
    "JOIN issuance i @by(issuance_occasion) ON i.customer = r.customer AND i.promotion_id + 0 = r.promotion_id"
)
_GIVE_UP_REPEATS = Statement(
    "UPDATE issuance SET state = 'RETURNED', occasion = 'r: ' || issuance.number "
    "FROM @rows(promotion_id bigint, number bigint) r "
    "WHERE issuance.promotion_id = r.promotion_id AND issuance.number = r.number"
)
_TOUCHED = Statement(
    "SELECT r.promotion_id, r.seq, "
    "EXISTS (SELECT 1 FROM redemption d WHERE d.promotion_id = r.promotion_id AND d.seq = r.seq), "
    "EXISTS (SELECT 1 FROM hold h WHERE h.promotion_id = r.promotion_id AND h.seq = r.seq) "
    "FROM @rows(promotion_id bigint, seq bigint) r"
)
_TEXTS = Statement(
    "SELECT c.seq, coalesce(c.text, c.key) FROM @rows(promotion_id bigint, seq bigint) r "
    "JOIN code c ON c.promotion_id = r.promotion_id AND c.seq = r.seq"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unseen:
    """A code that its customer has not seen, and is not to have: `number` is that of its issuance."""

    promotion_id: int
    seq: int
    number: int
    customer: str
    blocked: bool

    @property
    def place(self) -> Place:
        return self.promotion_id, self.seq


def touched(connection: Connection, places: Iterable[Place]) -> dict[Place, tuple[bool, bool]]:
    """Of each of these codes, whether it was ever used and whether it was ever held, whatever was undone since."""
    rows = _TOUCHED.fetch(connection, sorted(places))
    return {(row[0], row[1]): (bool(row[2]), bool(row[3])) for row in rows}


def give_back(connection: Connection, locked: Iterable[Locked], given: Sequence[Unseen], now: datetime) -> None:
    """Put these at the end of their pools, as if they had not been issued, and tell it. Saves the stocks' counters.

    Of promotions that are `locked`. A blocked code stays so; what unblocks it puts it in line.
    """
    by_promotion: dict[int, list[Unseen]] = {}
    for one in sorted(given, key=lambda one: one.place):
        by_promotion.setdefault(one.promotion_id, []).append(one)
    parts = [(part, by_promotion[part[0].id]) for part in locked if part[0].id in by_promotion]
    if not parts:
        return
    _RETURN.run(connection, sorted((one.promotion_id, one.number) for one in given))
    forget(connection, [one.place for one in given])
    write_lineage(connection, [(*one.place, one.number) for one in given], CodeEventKind.RETURNED, now)
    for (promotion, counters), codes in parts:
        if counters.repeats:
            _give_up_repeats(connection, codes)
        customers = {one.customer for one in codes}
        counters.customers -= len(customers - issuances.reached_before(connection, promotion.id, customers))
        free = [one for one in codes if not one.blocked]
        counters.issued -= len(free)
        counters.available += len(free)
        passed = [one.place for one in free if one.seq < counters.head]
        if passed:
            line.put_back(connection, passed)
    if any(counters.is_heard for (_, counters), _ in parts):
        outbox.tell(connection, _notices(connection, parts, now), WebhookType.CODE_RETURNED)
    stock_telling.tell(connection, [part for part, _ in parts], now)
    stock.save(connection, [counters for (_, counters), _ in parts])


def _notices(connection: Connection, parts: Iterable[tuple[Locked, list[Unseen]]], now: datetime) -> Iterator[Notice]:
    for (promotion, _), codes in parts:
        texts = dict(_TEXTS.fetch(connection, [one.place for one in codes]))
        for one in codes:
            yield returned(promotion.terms.handle, one.number, texts[one.seq], one.customer, now)


def _give_up_repeats(connection: Connection, codes: Iterable[Unseen]) -> None:
    """Whoever asks again for what they were given again must not get what is somebody else's by then."""
    rows = _REPEATS.fetch(connection, sorted((one.promotion_id, one.customer, one.seq) for one in codes))
    repeats = [(row[0], row[1]) for row in rows if row[2] == row[4] and row[3] == IssuanceKind.REPEAT]
    if repeats:
        _GIVE_UP_REPEATS.run(connection, repeats)
