"""Validating and redeeming: one transaction for any number of codes.

Redeeming locks the codes first, in the order of their keys; then, where a promotion has a limit that spans codes, its
stock row, in the order of ids. Promotions without such a limit touch that row only at the end, to count.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

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
from promograph.store import issuances, promotions, redemptions, stock
from promograph.store.replays import Replays
from promograph.store.statements import Statement
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
    "SELECT c.key, c.promotion_id, c.seq, coalesce(c.text, c.key) AS text, c.blocked, c.uses, i.customer AS holder, "
    "i.issued_at FROM @rows(key text) r JOIN code c ON c.key = r.key "
    "JOIN stock s ON s.promotion_id = c.promotion_id AND c.seq <= s.tail "
    "LEFT JOIN issuance i ON i.promotion_id = c.promotion_id AND i.seq = c.seq AND i.kind = 'INITIAL' AND i.seq <> 0 "
    "AND c.seq <> 0"
)
_LOOK = Statement(_FACTS)
_LOCK = Statement("SELECT c.key FROM code c JOIN @rows(key text) r ON c.key = r.key ORDER BY c.key @lock(c)")
_CUSTOMER_USES = Statement(
    "SELECT d.promotion_id, d.customer, count(*) FROM @rows(promotion_id bigint, customer text) r "
    "JOIN redemption d ON d.customer = r.customer AND d.promotion_id = r.promotion_id "
    "GROUP BY d.promotion_id, d.customer"
)
_USE = Statement(
    "UPDATE code SET uses = code.uses + r.uses FROM @rows(promotion_id bigint, seq bigint, uses bigint) r "
    "WHERE code.promotion_id = r.promotion_id AND code.seq = r.seq"
)


@dataclass(frozen=True, slots=True)
class Found:
    """A code with its promotion."""

    promotion: Promotion
    code: CodeFacts


def look(connection: Connection, requests: Sequence[ValidateRequest], now: datetime) -> list[Validation]:
    """What redeeming would say now, in the order of the requests. Changes nothing, takes no lock.

    The same statements run whether a code is there or not, so that the time taken tells a guesser nothing.
    """
    found = _find(connection, [normalise(request.code) for request in requests])
    pairs = [(found.get(normalise(request.code)), request.customer) for request in requests]
    uses = _customer_uses(connection, pairs)
    return [_validation(request, place, uses, now) for request, (place, _) in zip(requests, pairs, strict=True)]


def redeem(connection: Connection, requests: Sequence[RedeemRequest], now: datetime) -> list[RedeemOutcome]:
    """An outcome a request, in their order; where several want the last use, the first has it."""
    return REPLAYS.answer(connection, requests, lambda fresh: _redeem(connection, fresh, now), now=to_micros(now))


def _redeem(connection: Connection, requests: Sequence[RedeemRequest], now: datetime) -> list[RedeemOutcome]:
    keys = sorted({normalise(request.code) for request in requests})
    _LOCK.fetch(connection, [(key,) for key in keys])
    found = _find(connection, keys)
    stocks = stock.lock(connection, sorted({f.promotion.id for f in found.values() if _is_capped(f.promotion)}))
    pairs = [(found.get(normalise(request.code)), request.customer) for request in requests]
    tally = _Tally(found, _customer_uses(connection, pairs), now)
    outcomes = [tally.decide(request) for request in requests]
    if tally.accepted:
        _write(connection, tally, stocks, outcomes)
    return outcomes


def _is_capped(promotion: Promotion) -> bool:
    """Whether a limit spans the promotion's codes, so that locking the codes does not make it exact."""
    return promotion.terms.uses_per_customer is not None


class _Tally:
    """Decides a batch in order, each decision seeing the uses that those before it took."""

    def __init__(self, found: dict[str, Found], customer_uses: Mapping[tuple[int, str], int], now: datetime) -> None:
        self._found = found
        self._customer_uses = Counter(customer_uses)
        self._now = now
        self.uses = Counter[tuple[int, int]]()
        self.accepted: list[tuple[int, Found]] = []
        self._asked = 0

    def decide(self, request: RedeemRequest) -> RedeemOutcome:
        place, self._asked = self._asked, self._asked + 1
        key = normalise(request.code)
        found = self._found.get(key)
        if found is None:
            return RedeemOutcome(refusals=(_unknown(key),))
        promotion = found.promotion
        used = self.uses[promotion.id, found.code.seq]
        code = replace(found.code, uses=found.code.uses + used) if used else found.code
        by_customer = self._customer_uses[promotion.id, request.customer] if request.customer else 0
        refusals = decide(
            RedeemFacts(
                promotion=promotion, code=code, customer=request.customer, customer_uses=by_customer, now=self._now
            )
        )
        holder_named = request.customer is not None and request.customer == code.holder
        if refusals:
            return RedeemOutcome(refusals=refusals, holder_named=holder_named)
        self.uses[promotion.id, code.seq] += 1
        if request.customer:
            self._customer_uses[promotion.id, request.customer] += 1
        self.accepted.append((place, found))
        return RedeemOutcome(
            holder_named=holder_named,
            redemption=Redemption(
                promotion_id=promotion.id,
                handle=promotion.terms.handle,
                number=0,
                seq=code.seq,
                text=code.text,
                customer=request.customer,
                redeemed_at=self._now,
                order=request.order,
                order_amount=request.order_amount,
                discount=request.discount,
                channel=request.channel,
            ),
        )


def _write(connection: Connection, tally: _Tally, stocks: dict[int, Stock], outcomes: list[RedeemOutcome]) -> None:
    """Count the uses, number the redemptions, and put the numbers into the outcomes."""
    _USE.run(connection, [(id_, seq, uses) for (id_, seq), uses in sorted(tally.uses.items())])
    unlocked = sorted({found.promotion.id for _, found in tally.accepted} - stocks.keys())
    if unlocked:
        stocks = stocks | stock.lock(connection, unlocked)
    issued = issuances.issued_codes(
        connection, [(f.promotion.id, f.code.seq) for _, f in tally.accepted if _may_be_in_line(f)]
    )
    used_before = {(f.promotion.id, f.code.seq) for _, f in tally.accepted if f.code.uses > 0}
    written = []
    for place, found in tally.accepted:
        counters = stocks[found.promotion.id]
        counters.redemptions += 1
        code = (found.promotion.id, found.code.seq)
        if code not in used_before:
            used_before.add(code)
            _count_first_use(counters, found, was_in_line=_may_be_in_line(found) and code not in issued)
        redemption = outcomes[place].redemption
        assert redemption is not None, "only accepted requests are listed"
        numbered = replace(redemption, number=counters.redemptions)
        outcomes[place] = replace(outcomes[place], redemption=numbered)
        written.append(numbered)
    redemptions.insert(connection, written)
    stock.save(connection, [stocks[id_] for id_ in sorted({found.promotion.id for _, found in tally.accepted})])


def _may_be_in_line(found: Found) -> bool:
    """Whether it had not been issued when it was looked at: before its stock row was locked, so look again."""
    return not found.code.is_shared and found.code.issued_at is None


def _count_first_use(counters: Stock, found: Found, *, was_in_line: bool) -> None:
    if found.code.is_shared and found.promotion.terms.code_kind is not CodeKind.SINGLE:
        return  # a fallback is outside the counts
    counters.redeemed += 1
    if was_in_line or (found.code.is_shared and not counters.issued):
        # Used by somebody to whom it was never issued by name (print, partners): it has left the line all the same.
        counters.available -= 1
        counters.issued += 1


def _find(connection: Connection, keys: Sequence[str]) -> dict[str, Found]:
    rows = _LOOK.fetch(connection, [(key,) for key in sorted(set(keys))])
    known = promotions.by_id(connection, sorted({row.promotion_id for row in rows}))
    return {row.key: Found(known[row.promotion_id], _facts(row)) for row in rows}


def _facts(row: Any) -> CodeFacts:
    return CodeFacts(
        seq=row.seq,
        text=row.text,
        blocked=bool(row.blocked),
        uses=row.uses,
        holder=row.holder,
        issued_at=None if row.issued_at is None else from_micros(row.issued_at),
    )


def _customer_uses(
    connection: Connection, pairs: Sequence[tuple[Found | None, str | None]]
) -> dict[tuple[int, str], int]:
    """How often the named customers have redeemed the promotions that limit it."""
    asked = {
        (found.promotion.id, customer)
        for found, customer in pairs
        if found is not None and customer is not None and _is_capped(found.promotion)
    }
    if not asked:
        return {}
    return {(row[0], row[1]): row[2] for row in _CUSTOMER_USES.fetch(connection, sorted(asked))}


def _validation(
    request: ValidateRequest, found: Found | None, uses: Mapping[tuple[int, str], int], now: datetime
) -> Validation:
    key = normalise(request.code)
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
        holder_named=request.customer is not None and request.customer == code.holder,
    )


def _unknown(key: str) -> Refusal:
    return refuse(RefusalCode.TEST_CODE if is_placeholder(key) else RefusalCode.NOT_FOUND)
