"""The line of codes that wait to be issued, and codes made when it is empty.

The line is the range of numbers from the stock's `head` to its `tail`; taking from it moves the head. Codes in the
range that are blocked, void, expired, or used already by somebody who needed no issue, are passed over for good: what
brings one of those back puts it into `returned_code`, which is served when the range is. One that a checkout holds
without anybody having been issued it (of a MULTIPLE promotion) goes there at once, and is passed over for so long.

A code that waits counts as available until the line comes to it. One that has expired by then goes over to `void`, so
that what is counted as available is never more than what the line will give from there on.
"""

from collections.abc import Sequence

from sqlalchemy import Connection

from promograph.domain.codes import normalise
from promograph.domain.codes.formats import CodeFormat
from promograph.domain.codes.making import generate
from promograph.domain.codes.placeholders import is_placeholder
from promograph.domain.codes.words import OURS, Words
from promograph.errors import BadInput
from promograph.store.statements import Statement
from promograph.store.stock import Stock

# Nobody who has just lapsed needs to have been ended.
HELD = (
    "EXISTS (SELECT 1 FROM hold h WHERE h.promotion_id = c.promotion_id AND h.seq = c.seq AND h.ended IS NULL "
    "AND h.expires_at > :now)"
)
"""Whether somebody holds the code of a table with the alias `c`."""


def _range(is_held: str) -> Statement:
    return Statement(
        f"SELECT c.promotion_id, c.seq, coalesce(c.text, c.key), c.expires_at, {is_held} "
        "FROM @rows(id bigint, head bigint, until bigint) r "
        "JOIN code c ON c.promotion_id = r.id AND c.seq >= r.head AND c.seq < r.until "
        "WHERE NOT c.blocked AND NOT c.void AND c.uses = 0 ORDER BY c.promotion_id, c.seq"
    )


_RANGE, _RANGE_WITH_HOLDS = _range("false"), _range(HELD)
_NEXT = Statement(
    "SELECT min(seq) FROM code WHERE promotion_id = :id AND seq >= :head AND seq <= :tail "
    "AND NOT blocked AND NOT void AND uses = 0 AND (expires_at IS NULL OR expires_at > :now)"
)
_EXPIRED = Statement(
    "SELECT count(*) FROM code WHERE promotion_id = :id AND seq >= :head AND seq < :until "
    "AND NOT blocked AND NOT void AND uses = 0 AND expires_at <= :now"
)
_RETURNED = Statement(
    "SELECT t.id, t.seq, coalesce(c.text, c.key), c.expires_at, c.blocked OR c.void OR c.uses > 0 FROM returned_code t "
    "JOIN code c ON c.promotion_id = t.promotion_id + 0 AND c.seq = t.seq "
    f"WHERE t.promotion_id = :id AND NOT {HELD} ORDER BY t.id LIMIT :count"
)
_DROP_RETURNED = Statement("DELETE FROM returned_code WHERE id IN (SELECT r.id FROM @rows(id bigint) r)")
_PUT_BACK = Statement(
    "INSERT INTO returned_code (promotion_id, seq) SELECT r.promotion_id, r.seq "
    "FROM @rows(promotion_id bigint, seq bigint) r WHERE NOT EXISTS "
    "(SELECT 1 FROM returned_code t WHERE t.promotion_id = r.promotion_id AND t.seq = r.seq)"
)
_MAKE = Statement(
    "INSERT INTO code (promotion_id, seq, key, text, blocked, uses) "
    "SELECT :id, r.seq, r.key, r.text, false, 0 FROM @rows(seq bigint, key text, text text) r WHERE true "
    "ON CONFLICT (key) DO NOTHING RETURNING seq"
)
_IS_BACK = Statement("SELECT 1 FROM returned_code WHERE promotion_id = :id AND seq = :seq")

_TRIES = 5


Code = tuple[int, str, int | None]
"""A code that is about to be issued: its number, its text, its own expiry in microseconds."""


def take(connection: Connection, wants: Sequence[tuple[Stock, int]], now: int) -> dict[int, list[Code]]:
    """The next codes of each stock's promotion, as many as wanted or as there are. The stocks must be locked."""
    taken: dict[int, list[Code]] = {stock.promotion_id: [] for stock, _ in wants}
    asking = [(stock, count) for stock, count in wants if stock.head <= stock.tail]
    if asking:
        _take_ranges(connection, asking, taken, now)
    for stock, count in wants:
        codes = taken[stock.promotion_id]
        while len(codes) < count and stock.head <= stock.tail and _skip_gap(connection, stock, now):
            _take_ranges(connection, [(stock, count - len(codes))], taken, now)
        if len(codes) < count and stock.available > len(codes):
            codes += _take_returned(connection, stock, count - len(codes), now)
    return taken


def has_passed_for_good(connection: Connection, stock: Stock, seq: int, expires_at: int | None, now: int) -> bool:
    """Whether a code that is not stopped nor out, with this expiry of its own, is one that the line found expired."""
    if expires_at is None or expires_at > now or not seq or seq >= stock.head:
        return False
    return not _IS_BACK.fetch(connection, id=stock.promotion_id, seq=seq)


def _take_ranges(
    connection: Connection, asking: Sequence[tuple[Stock, int]], taken: dict[int, list[Code]], now: int
) -> None:
    stocks = {stock.promotion_id: stock for stock, _ in asking}
    ranges = []
    for stock, count in asking:
        until = min(stock.head + count, stock.tail + 1)
        ranges.append((stock.promotion_id, stock.head, until))
        stock.head = until
    if any(stock.holds for stock in stocks.values()):
        rows = _RANGE_WITH_HOLDS.fetch(connection, ranges, now=now)
    else:
        rows = _RANGE.fetch(connection, ranges)
    held = []
    for promotion_id, seq, text, expires_at, is_held in rows:
        if expires_at is not None and expires_at <= now:
            _let_go(stocks[promotion_id], 1)
        elif is_held:
            held.append((promotion_id, seq))
        else:
            taken[promotion_id].append((seq, text, expires_at))
    if held:
        put_back(connection, held)


def _let_go(stock: Stock, count: int) -> None:
    """The line has come past so many codes that had expired."""
    stock.available -= count
    stock.void += count


def _skip_gap(connection: Connection, stock: Stock, now: int) -> bool:
    """Move the head to the next code that can be issued, however many cannot; False when the line is at its end."""
    id_, head = stock.promotion_id, stock.head
    found = _NEXT.fetch(connection, id=id_, head=head, tail=stock.tail, now=now)[0][0]
    stock.head = stock.tail + 1 if found is None else found
    if stock.head > head:
        _let_go(stock, _EXPIRED.fetch(connection, id=id_, head=head, until=stock.head, now=now)[0][0])
    return found is not None


def _take_returned(connection: Connection, stock: Stock, count: int, now: int) -> list[Code]:
    """Codes that are in line again; rows whose code was stopped or used, or expired, are dropped on the way."""
    codes: list[Code] = []
    looked_at = count
    while len(codes) < count:
        rows = _RETURNED.fetch(connection, id=stock.promotion_id, count=looked_at, now=now)
        if not rows:
            break
        done = []
        for id_, seq, text, expires_at, is_out in rows:
            if len(codes) == count:
                break
            done.append((id_,))
            if is_out:
                continue
            if expires_at is None or expires_at > now:
                codes.append((seq, text, expires_at))
            else:
                _let_go(stock, 1)
        _DROP_RETURNED.run(connection, done)
        looked_at *= 4  # there may be thousands that cannot be given
    return codes


def put_back(connection: Connection, codes: Sequence[tuple[int, int]]) -> None:
    """Codes (promotion, number) that the line has passed are in line again. The stocks must be locked."""
    _PUT_BACK.run(connection, codes)


def make(connection: Connection, format_: CodeFormat, stock: Stock, count: int, words: Words = OURS) -> list[Code]:
    """New codes in the promotion's format; fewer than `count` where the format has no room left to be unguessable.

    None of them holds one of the words.
    """
    try:
        format_.check_room(stock.tail + stock.made, count)
    except BadInput:
        return []
    made: list[Code] = []
    for _ in range(_TRIES):
        short = count - len(made)
        if not short:
            break
        real = [text for text in generate(format_, short, words=words) if not is_placeholder(normalise(text))]
        texts = {-(stock.made + n): text for n, text in enumerate(real, start=1)}
        rows = [(seq, normalise(text), None if normalise(text) == text else text) for seq, text in texts.items()]
        free = {row[0] for row in _MAKE.fetch(connection, rows, id=stock.promotion_id)}
        stock.made += short
        made += [(seq, text, None) for seq, text in texts.items() if seq in free]
    return made
