"""Settling tentative codes, in one transaction with the promotions locked: in any order, any number of times."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from promograph.domain.issuing import IssuanceState
from promograph.domain.sending.settling import ReturnedCode, Settled, when_lost
from promograph.store import locking, tentative
from promograph.store.codes.giving_back import Unseen, give_back, touched
from promograph.store.locking import Locked
from promograph.store.statements import Deletion, Statement
from promograph.store.tentative import Place

_OF_MESSAGES = Statement(
    "SELECT k.promotion_id, k.seq, k.message FROM @rows(channel text, message text) r JOIN carried_code k "
    "ON k.channel = r.channel AND k.message = r.message"
)
_PUT_DOWN = Deletion("carried_code", "promotion_id bigint, seq bigint, channel text, message text")
_CARRIED = Statement(
    "SELECT r.promotion_id, r.seq FROM @rows(promotion_id bigint, seq bigint) r WHERE EXISTS "
    "(SELECT 1 FROM carried_code k WHERE k.promotion_id = r.promotion_id AND k.seq = r.seq)"
)
_CODES = Statement(
    "SELECT i.promotion_id, i.seq, i.number, i.customer, i.channel, coalesce(c.text, c.key), c.blocked, c.void "
    "FROM @rows(promotion_id bigint, number bigint) r "
    "JOIN issuance i ON i.promotion_id = r.promotion_id AND i.number = r.number "
    "JOIN code c ON c.promotion_id = i.promotion_id AND c.seq = i.seq"
)


def settle(
    connection: Connection, channel: str, *, seen: Collection[str], lost: Collection[str], now: datetime
) -> Settled:
    """What became of messages of this channel, by their keys; one that is in both was seen.

    A code that a message was `seen` with is DELIVERED. One of which every message was `lost` goes back to its pool,
    unless it was used or held, or its promotion takes none back. Messages without tentative codes change nothing.
    """
    rows = [(channel, message) for message in sorted({*seen, *lost})]
    found = _OF_MESSAGES.fetch(connection, rows) if rows else []
    if not found:
        return Settled()
    locked = locking.by_id(connection, {row[0] for row in found})
    # Read before the lock, they may have been settled by somebody else since.
    carried = [(row[0], row[1], row[2]) for row in _OF_MESSAGES.fetch(connection, rows) if row[0] in locked]
    has_seen = set(seen)
    shown = {(id_, seq) for id_, seq, message in carried if message in has_seen}
    delivered = tentative.settle(connection, shown, IssuanceState.DELIVERED)
    put_down = [(id_, seq, channel, message) for id_, seq, message in carried if (id_, seq) not in shown]
    alone = _put_down(connection, put_down)
    return Settled(delivered=delivered) + _let_go(connection, locked, alone, now)


def _put_down(connection: Connection, carried: Iterable[tuple[int, int, str, str]]) -> set[Place]:
    """These messages carry these codes no more; which codes no other message carries."""
    rows = sorted(carried)
    if not rows:
        return set()
    _PUT_DOWN.run(connection, rows)
    places = {(row[0], row[1]) for row in rows}
    return places - {(row[0], row[1]) for row in _CARRIED.fetch(connection, sorted(places))}


def _let_go(connection: Connection, locked: dict[int, Locked], places: Collection[Place], now: datetime) -> Settled:
    """Codes that nobody carries any more, each as `when_lost` says."""
    numbers = tentative.numbers_of(connection, sorted(places))
    codes = _CODES.fetch(connection, numbers) if numbers else []
    traces = touched(connection, places) if places else {}
    by_fate: dict[IssuanceState, list[Sequence[Any]]] = {}
    for row in codes:
        policy = locked[row[0]][0].terms.return_policy
        fate = when_lost(policy, void=bool(row[7]), was_touched=any(traces[row[0], row[1]]))
        by_fate.setdefault(fate, []).append(row)
    back = by_fate.get(IssuanceState.RETURNED, [])
    unseen = [
        Unseen(promotion_id=id_, seq=seq, number=number, customer=customer, blocked=bool(blocked))
        for id_, seq, number, customer, _, _, blocked, _ in back
    ]
    give_back(connection, locked.values(), unseen, now)
    return Settled(
        delivered=tentative.settle(connection, _places(by_fate, IssuanceState.DELIVERED), IssuanceState.DELIVERED),
        final=tentative.settle(connection, _places(by_fate, IssuanceState.FINAL), None),
        returned=tuple(_returned(row, locked) for row in back),
    )


def _places(by_fate: dict[IssuanceState, list[Sequence[Any]]], fate: IssuanceState) -> list[Place]:
    return [(row[0], row[1]) for row in by_fate.get(fate, ())]


def _returned(row: Sequence[Any], locked: dict[int, Locked]) -> ReturnedCode:
    id_, _, number, customer, channel, text, _, _ = row
    handle = locked[id_][0].terms.handle
    return ReturnedCode(promotion=handle, number=number, customer=customer, code=text, channel=channel)
