"""Redeeming the codes whose promotions limit nothing but the code: no customer is counted, no cart looked at.

Most redemptions of a busy checkout are of this kind, and need a tenth of what is worked out for the others. What is
done is what `redeeming` does with `taking`, with the code's row in place of facts and decisions. A promotion of which
one request is not as plain as that is left to them with all of its requests, so that these keep their order.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from promograph.domain.decisions import SHARED_SEQ
from promograph.domain.plain_uses import PlainUses, plain_uses
from promograph.domain.redeeming import RedeemOutcome, RedeemRequest, Redemption
from promograph.domain.webhooks.events import WebhookType, redeemed
from promograph.store import code_uses, redemptions, stock
from promograph.store.stock import Stock
from promograph.store.subjects import CodeRow, Subjects
from promograph.store.tables.instants import from_micros
from promograph.store.webhooks import outbox


@dataclass(slots=True)
class _Part:
    """A promotion's requests, each with its place and the code's row. `fresh`: how often each code is used in them."""

    handle: str
    stock: Stock
    plain: PlainUses | None
    fresh: dict[int, int]
    taken: list[tuple[int, RedeemRequest, CodeRow]]


def redeem(subjects: Subjects, requests: Sequence[RedeemRequest]) -> Mapping[int, RedeemOutcome]:
    """What became of those that are plain, by their place among `requests`; of all others nothing was done."""
    parts = [] if subjects.is_late else [part for part in _parts(subjects, requests) if part.plain is not None]
    if not parts:
        return {}
    outcomes = {place: outcome for part in parts for place, outcome in _used(subjects, part)}
    made = [outcomes[place].redemption for place in sorted(outcomes)]
    _write(subjects, parts, [one for one in made if one is not None])
    return outcomes


def _parts(subjects: Subjects, requests: Sequence[RedeemRequest]) -> Iterator[_Part]:
    """Those of which `plain` says None are not plain."""
    parts: dict[int, _Part] = {}
    for place, request in enumerate(requests):
        row = subjects.row_of(request.code)
        if row is None:
            continue
        part = parts.get(row[0])
        if part is None:
            part = parts[row[0]] = _part(subjects, row[0])
        if part.plain is None:
            continue
        if _may(part, part.plain, row):
            part.taken.append((place, request, row))
        else:
            part.plain = None
    return iter(parts.values())


def _part(subjects: Subjects, promotion_id: int) -> _Part:
    promotion, counters = subjects.by_promotion[promotion_id]
    is_apart = counters.holds or counters.erased or subjects.is_asked_by_handle(promotion_id)
    plain = None if is_apart else plain_uses(promotion, subjects.now)
    return _Part(promotion.terms.handle, counters, plain, {}, [])


def _may(part: _Part, plain: PlainUses, row: CodeRow) -> bool:
    _, seq, _, blocked, void, uses, expires_at, _, issued_at = row
    # Used before it was issued, it leaves the line, which may have come past it.
    waited = not part.stock.issued if seq == SHARED_SEQ else issued_at is None
    if blocked or void or (waited and not uses):
        return False
    before = part.fresh.get(seq, 0)
    part.fresh[seq] = before + 1
    ends = None if expires_at is None else from_micros(expires_at)
    issued = None if issued_at is None else from_micros(issued_at)
    return plain.may(seq, uses + before, ends, issued)


def _used(subjects: Subjects, part: _Part) -> Iterator[tuple[int, RedeemOutcome]]:
    """Count the uses and number them."""
    counters, handle, now = part.stock, part.handle, subjects.now
    first = counters.redemption_number + 1
    for number, (place, request, row) in enumerate(part.taken, first):
        redemption = Redemption(
            promotion_id=row[0],
            handle=handle,
            number=number,
            seq=row[1],
            text=row[2],
            customer=request.customer,
            redeemed_at=now,
            order=request.order,
            order_amount=request.order_amount,
            discount=request.discount,
            channel=request.channel,
        )
        yield place, RedeemOutcome(redemption, holder_named=request.customer is not None and request.customer == row[7])
    counters.redemption_number += len(part.taken)
    counters.redemptions += len(part.taken)
    unused = {row[1] for _, _, row in part.taken if not row[5]}
    # A fallback is outside the counts.
    counters.redeemed += sum(seq != SHARED_SEQ or (part.plain is not None and part.plain.is_single) for seq in unused)


def _write(subjects: Subjects, parts: Sequence[_Part], made: Sequence[Redemption]) -> None:
    """No pool has changed and no cap was come nearer to, so that nobody is to be told of either."""
    connection = subjects.connection
    uses = [(part.stock.promotion_id, seq, count) for part in parts for seq, count in part.fresh.items()]
    code_uses.add(connection, uses)
    redemptions.insert(connection, [redemptions.new_row(one) for one in made])
    if any(part.stock.is_heard for part in parts):
        outbox.tell(connection, map(redeemed, made), WebhookType.CODE_REDEEMED)
    changed = subjects.changed | {part.stock.promotion_id: part.stock for part in parts}
    stock.save(connection, changed.values())
