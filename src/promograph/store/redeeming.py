"""Validating and redeeming: one transaction for any number of codes.

Redeeming locks the codes first, in the order of their keys; then the promotions' stock rows, in the order of ids. What
it decides by, the promotions' limits among it, is read under those locks.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from promograph.domain.codes import normalise
from promograph.domain.decisions import CodeFacts, RedeemFacts, decide, uses_limit
from promograph.domain.placeholders import is_placeholder
from promograph.domain.promotions import CodeKind, Promotion
from promograph.domain.redeeming import (
    RedeemOutcome,
    RedeemRequest,
    Redemption,
    ValidateRequest,
    Validation,
)
from promograph.domain.refusals import Refusal, RefusalCode, refuse
from promograph.store import issuances, locking, promotions, redemptions, stock
from promograph.store.replays import Replays
from promograph.store.statements import Answer, Statement
from promograph.store.stock import Stock
from promograph.store.tables import from_micros, to_micros

REPLAYS: Replays[RedeemRequest, RedeemOutcome] = Replays(
    operation="codeRedeem",
    dump=redemptions.dump_outcome,
    load=redemptions.load_outcome,
    turn_down=lambda problem: RedeemOutcome(problem=problem),
)

# A code above the line's tail belongs to a load that has not finished: it is not there yet.
_FACTS = (
    "SELECT c.key, c.promotion_id, c.seq, coalesce(c.text, c.key), c.blocked, c.uses, i.customer, i.issued_at "
    "FROM @rows(key text) r JOIN code c ON c.key = r.key "
    "JOIN stock s ON s.promotion_id = c.promotion_id AND c.seq <= s.tail "
    "LEFT JOIN issuance i ON i.promotion_id = c.promotion_id AND i.seq = c.seq AND i.kind = 'INITIAL' AND i.seq <> 0 "
    "AND c.seq <> 0"
)
_LOOK = Statement(_FACTS)
# Where PostgreSQL has to wait for a code it reads that code anew and everything beside it as it was when the statement
# began. What counts is the code's own row, its uses above all. A first issue that came in between is not seen: to this
# redemption it comes later, and the counters, which must know, ask again under the lock of the stock.
_LOCK = Statement(f"{_FACTS} ORDER BY c.key @lock(c)")
_CUSTOMER_USES = Statement(
    "SELECT d.promotion_id, d.customer, count(*) FROM @rows(promotion_id bigint, customer text) r "
    "JOIN redemption d ON d.customer = r.customer AND d.promotion_id = r.promotion_id "
    "GROUP BY d.promotion_id, d.customer"
)
_USE = Statement(
    "UPDATE code SET uses = code.uses + r.uses FROM @rows(promotion_id bigint, seq bigint, uses bigint) r "
    "WHERE code.promotion_id = r.promotion_id AND code.seq = r.seq"
)


@dataclass(slots=True)
class Found:
    """A code with its promotion; `taken` counts the uses that the batch at hand makes of it."""

    promotion: Promotion
    code: CodeFacts
    taken: int = 0

    @property
    def place(self) -> tuple[int, int]:
        return self.promotion.id, self.code.seq


Accepted = tuple[int, RedeemRequest, Found]
"""A request that will be redeemed, with its place in the batch."""


def look(connection: Connection, requests: Sequence[ValidateRequest], now: datetime) -> list[Validation]:
    """What redeeming would say now, in the order of the requests. Changes nothing, takes no lock.

    The same statements run whether a code is there or not, so that the time taken tells a guesser nothing.
    """
    keys = [normalise(request.code) for request in requests]
    rows = _LOOK.fetch(connection, [(key,) for key in sorted(set(keys))])
    found = _found(rows, promotions.by_id(connection, sorted({row[1] for row in rows})))
    pairs = [(found.get(key), request.customer) for key, request in zip(keys, requests, strict=True)]
    uses = _customer_uses(connection, pairs)
    return [
        _validation(request, key, place, uses, now)
        for key, request, (place, _) in zip(keys, requests, pairs, strict=True)
    ]


def redeem(connection: Connection, requests: Sequence[RedeemRequest], now: datetime) -> list[RedeemOutcome]:
    """An outcome a request, in their order; where several want the last use, the first has it."""
    return REPLAYS.answer(connection, requests, lambda fresh: _redeem(connection, fresh, now), now=to_micros(now))


def _redeem(connection: Connection, requests: Sequence[RedeemRequest], now: datetime) -> list[RedeemOutcome]:
    keys = [normalise(request.code) for request in requests]
    rows = _LOCK.fetch(connection, [(key,) for key in sorted(set(keys))])
    locked = locking.by_id(connection, {row[1] for row in rows}) if rows else {}
    found = _found(rows, {id_: promotion for id_, (promotion, _) in locked.items()})
    pairs = [(found.get(key), request.customer) for key, request in zip(keys, requests, strict=True)]
    outcomes: list[RedeemOutcome | None] = [None] * len(requests)
    accepted = _decide(requests, keys, found, Counter(_customer_uses(connection, pairs)), outcomes, now)
    if accepted:
        _write(connection, accepted, {id_: counters for id_, (_, counters) in locked.items()}, outcomes, now)
    return [outcome for outcome in outcomes if outcome is not None]


def _decide(
    requests: Sequence[RedeemRequest],
    keys: Sequence[str],
    found: Mapping[str, Found],
    customer_uses: Counter[tuple[int, str]],
    outcomes: list[RedeemOutcome | None],
    now: datetime,
) -> list[Accepted]:
    """Decide a batch in order, each decision seeing the uses that those before it took; refusals are outcomes."""
    accepted = []
    for place, (request, key) in enumerate(zip(requests, keys, strict=True)):
        one = found.get(key)
        if one is None:
            outcomes[place] = RedeemOutcome(refusals=(_unknown(key),))
            continue
        promotion, code, customer = one.promotion, one.code, request.customer
        if one.taken:
            code = replace(code, uses=code.uses + one.taken)
        by_customer = customer_uses[promotion.id, customer] if customer else 0
        refusals = decide(
            RedeemFacts(promotion=promotion, code=code, customer=customer, customer_uses=by_customer, now=now)
        )
        if refusals:
            outcomes[place] = RedeemOutcome(refusals=refusals, holder_named=_names_holder(request, one))
            continue
        one.taken += 1
        if customer:
            customer_uses[promotion.id, customer] += 1
        accepted.append((place, request, one))
    return accepted


def _write(
    connection: Connection,
    accepted: Sequence[Accepted],
    stocks: Mapping[int, Stock],
    outcomes: list[RedeemOutcome | None],
    now: datetime,
) -> None:
    """Count the uses and write the redemptions, each with its number."""
    used = list({one.place: one for _, _, one in accepted}.values())
    _USE.run(connection, sorted((*one.place, one.taken) for one in used))
    _count_first_uses(connection, [one for one in used if not one.code.uses], stocks)
    rows = []
    micros = to_micros(now)
    for place, request, one in accepted:
        counters = stocks[one.promotion.id]
        counters.redemptions += 1
        redemption = Redemption(
            promotion_id=one.promotion.id,
            handle=one.promotion.terms.handle,
            number=counters.redemptions,
            seq=one.code.seq,
            text=one.code.text,
            customer=request.customer,
            redeemed_at=now,
            order=request.order,
            order_amount=request.order_amount,
            discount=request.discount,
            channel=request.channel,
        )
        outcomes[place] = RedeemOutcome(redemption, holder_named=_names_holder(request, one))
        rows.append(redemptions.new_row(redemption, micros))
    redemptions.insert(connection, rows)
    stock.save(connection, [stocks[id_] for id_ in {one.promotion.id for one in used}])


def _count_first_uses(connection: Connection, used: Sequence[Found], stocks: Mapping[int, Stock]) -> None:
    # Those that had not been issued when they were looked at; that was before their stock was locked, so look again.
    unissued = [one.place for one in used if not one.code.is_shared and one.code.issued_at is None]
    in_line = set(unissued) - issuances.issued_codes(connection, unissued)
    for one in used:
        counters, is_shared = stocks[one.promotion.id], one.code.is_shared
        if is_shared and one.promotion.terms.code_kind is not CodeKind.SINGLE:
            continue  # a fallback is outside the counts
        counters.redeemed += 1
        if one.place in in_line or (is_shared and not counters.issued):
            # Used by somebody to whom it was never issued by name (print, partners): it has left the line all the same.
            counters.available -= 1
            counters.issued += 1


def _names_holder(request: RedeemRequest | ValidateRequest, one: Found) -> bool:
    return request.customer is not None and request.customer == one.code.holder


def _found(rows: Answer, known: Mapping[int, Promotion]) -> dict[str, Found]:
    """By key."""
    return {row[0]: Found(known[row[1]], _facts(*row[2:])) for row in rows}


def _facts(seq: int, text: str, blocked: bool, uses: int, holder: str | None, issued_at: int | None) -> CodeFacts:
    return CodeFacts(
        seq=seq,
        text=text,
        blocked=bool(blocked),
        uses=uses,
        holder=holder,
        issued_at=None if issued_at is None else from_micros(issued_at),
    )


def _customer_uses(
    connection: Connection, pairs: Sequence[tuple[Found | None, str | None]]
) -> dict[tuple[int, str], int]:
    """How often the named customers have redeemed the promotions that limit it."""
    asked = {
        (found.promotion.id, customer)
        for found, customer in pairs
        if found is not None and customer is not None and found.promotion.terms.uses_per_customer is not None
    }
    if not asked:
        return {}
    return {(row[0], row[1]): row[2] for row in _CUSTOMER_USES.fetch(connection, sorted(asked))}


def _validation(
    request: ValidateRequest, key: str, found: Found | None, uses: Mapping[tuple[int, str], int], now: datetime
) -> Validation:
    if found is None:
        return Validation(text=request.code, refusals=(_unknown(key),))
    promotion, code = found.promotion, found.code
    by_customer = uses.get((promotion.id, request.customer), 0) if request.customer else 0
    facts = RedeemFacts(promotion=promotion, code=code, customer=request.customer, customer_uses=by_customer, now=now)
    limit = uses_limit(promotion, code)
    return Validation(
        text=code.text,
        refusals=decide(facts),
        promotion=promotion,
        expires_at=promotion.expiry(None if code.is_shared else code.issued_at),
        uses_left=None if limit is None else max(limit - code.uses, 0),
        holder_named=_names_holder(request, found),
    )


def _unknown(key: str) -> Refusal:
    return refuse(RefusalCode.TEST_CODE if is_placeholder(key) else RefusalCode.NOT_FOUND)
