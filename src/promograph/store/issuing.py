"""Issuing codes: one transaction for any number of requests over any number of promotions.

The promotions' stock rows are locked first, in the order of their ids; whatever is looked at afterwards can no longer
change under us, so that caps, occasions and the line of codes are exact without a further lock.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from promograph.domain.decisions import SHARED_SEQ
from promograph.domain.issuing import Issuance, IssuanceKind, IssueOutcome, IssueRequest, occasion, why_not_open
from promograph.domain.promotions import CodeKind, EndReason, OnEmpty, Promotion, PromotionStatus
from promograph.domain.refusals import Refusal, RefusalCode, refuse
from promograph.errors import BadInput, InputProblem
from promograph.store import issuances, line, promotions, shared_codes, stock
from promograph.store.line import Taken
from promograph.store.replays import Replays
from promograph.store.stock import Stock
from promograph.store.tables import to_micros

REPLAYS: Replays[IssueRequest, IssueOutcome] = Replays(
    operation="codeIssue",
    dump=issuances.dump_outcome,
    load=issuances.load_outcome,
    turn_down=lambda problem: IssueOutcome(problem=problem),
)


@dataclass(slots=True)
class Wanted:
    """A request that deserves a code, and its place in the batch."""

    place: int
    request: IssueRequest
    occasion: str


@dataclass(slots=True)
class Counter:
    """One promotion's part of the batch."""

    promotion: Promotion
    stock: Stock
    wanted: list[Wanted] = field(default_factory=list)
    reached: set[str] = field(default_factory=set)  # customers new to the promotion, this batch

    def cap_refusal(self, customer: str, known: bool) -> Refusal | None:
        cap = self.promotion.terms.audience_cap
        if cap is None or known or customer in self.reached or self.stock.customers + len(self.reached) < cap:
            return None
        return refuse(RefusalCode.AUDIENCE_CAP_REACHED, limit=cap)


def issue(connection: Connection, requests: Sequence[IssueRequest], now: datetime) -> list[IssueOutcome]:
    """An outcome a request, in their order. Requests for one occasion share one code, in this call and for ever."""
    return REPLAYS.answer(connection, requests, lambda fresh: _Batch(connection, fresh, now).run(), now=to_micros(now))


class _Batch:
    """The state of one call of `issue`, in the order of its steps."""

    def __init__(self, connection: Connection, requests: Sequence[IssueRequest], now: datetime) -> None:
        self._connection = connection
        self._requests = requests
        self._now = now
        self._outcomes: list[IssueOutcome | None] = [None] * len(requests)
        self._same: dict[int, int] = {}  # a request's place -> the place of the first with the same occasion
        self._new: list[tuple[int, Issuance, str]] = []

    def run(self) -> list[IssueOutcome]:
        counters = self._open_counters()
        asked = self._name_occasions(counters)
        asked = self._answer_again(counters, asked)
        self._admit(counters, asked)
        for counter, taken in self._take(counters):
            self._hand_out(counter, taken)
        issuances.insert(self._connection, [(issuance, occasion_) for _, issuance, occasion_ in self._new])
        stock.save(self._connection, [counter.stock for counter in counters.values() if counter.wanted])
        self._end_where_full(counters)
        return [self._outcome(place) for place in range(len(self._requests))]

    def _outcome(self, place: int) -> IssueOutcome:
        first = self._same.get(place, place)
        outcome = self._outcomes[first]
        assert outcome is not None, "every step answers a request or leaves it to a later step"
        if first == place or outcome.issuance is None:
            return outcome
        return IssueOutcome(issuance=outcome.issuance, replayed=True)

    def _open_counters(self) -> dict[str, Counter]:
        """By handle. The promotions are read after the lock, so that a pause that came first is seen."""
        handles = sorted({request.promotion for request in self._requests})
        stocks = stock.lock_by_handle(self._connection, handles)
        found = promotions.by_id(self._connection, sorted(stocks))
        return {promotion.terms.handle: Counter(promotion, stocks[promotion.id]) for promotion in found.values()}

    def _name_occasions(self, counters: dict[str, Counter]) -> list[Wanted]:
        asked = []
        for place, request in enumerate(self._requests):
            counter = counters.get(request.promotion)
            if counter is None:
                self._outcomes[place] = IssueOutcome(problem=unknown_promotion(request.promotion))
                continue
            try:
                asked.append(Wanted(place, request, occasion(counter.promotion.terms.issue_policy, request)))
            except BadInput as problem:
                self._outcomes[place] = IssueOutcome(problem=problem)
        return asked

    def _answer_again(self, counters: dict[str, Counter], asked: list[Wanted]) -> list[Wanted]:
        """Occasions that have their code already get it again, whatever became of the promotion since."""
        keys = [(w.place, counters[w.request.promotion].promotion.id, w.request.customer, w.occasion) for w in asked]
        by_id = {counter.promotion.id: counter.promotion for counter in counters.values()}
        earlier = issuances.at_occasions(self._connection, keys, by_id)
        for place, issuance in earlier.items():
            self._outcomes[place] = IssueOutcome(issuance=issuance, replayed=True)
        left, first_of = [], dict[tuple[str, str, str], int]()
        for wanted in asked:
            if wanted.place in earlier:
                continue
            key = (wanted.request.promotion, wanted.request.customer, wanted.occasion)
            first = first_of.setdefault(key, wanted.place)
            if first == wanted.place:
                left.append(wanted)
            else:
                self._same[wanted.place] = first
        return left

    def _admit(self, counters: dict[str, Counter], asked: list[Wanted]) -> None:
        """Who may have a code, as far as the promotion's state and its cap go. First come, first served."""
        # Under PER_CUSTOMER nobody left here has been reached before, or the occasion would have been found.
        unsure = [w for w in asked if w.occasion]
        keys = [(w.place, counters[w.request.promotion].promotion.id, w.request.customer) for w in unsure]
        known = issuances.reached_before(self._connection, keys) if keys else set[int]()
        for wanted in asked:
            counter = counters[wanted.request.promotion]
            customer = wanted.request.customer
            is_known = wanted.place in known
            refusal = why_not_open(counter.promotion, self._now) or counter.cap_refusal(customer, is_known)
            if refusal is not None:
                self._outcomes[wanted.place] = IssueOutcome(problem=refusal)
                continue
            counter.wanted.append(wanted)
            if not is_known:
                counter.reached.add(customer)

    def _take(self, counters: dict[str, Counter]) -> list[tuple[Counter, list[Taken | None]]]:
        """For each promotion as many codes as it wants; None where there is none of its own for a request."""
        open_ = [counter for counter in counters.values() if counter.wanted]
        pools = [counter for counter in open_ if counter.promotion.terms.code_kind is not CodeKind.SINGLE]
        taken = line.take(self._connection, [(counter.stock, len(counter.wanted)) for counter in pools])
        for counter in pools:
            short = len(counter.wanted) - len(taken[counter.promotion.id])
            if short and counter.promotion.terms.on_empty is OnEmpty.GENERATE:
                made = line.make(self._connection, counter.promotion.terms.code_format, counter.stock, short)
                taken[counter.promotion.id] += made
        rows = []
        for counter in open_:
            codes: list[Taken | None] = list(taken.get(counter.promotion.id, ()))
            rows.append((counter, codes + [None] * (len(counter.wanted) - len(codes))))
        return rows

    def _hand_out(self, counter: Counter, taken: list[Taken | None]) -> None:
        terms = counter.promotion.terms
        shares = terms.code_kind is CodeKind.SINGLE or (None in taken and terms.on_empty is OnEmpty.FALLBACK)
        shared = shared_codes.one(self._connection, counter.promotion.id) if shares else None
        got = set[str]()
        for wanted, code in zip(counter.wanted, taken, strict=True):
            refusal = None if code is not None else _no_shared(counter.promotion, shared)
            if refusal is not None:
                self._outcomes[wanted.place] = IssueOutcome(problem=refusal)
                continue
            given = code if code is not None else Taken(SHARED_SEQ, shared.text if shared else "")
            self._bind(counter, wanted, given)
            got.add(wanted.request.customer)
        counter.stock.customers += len(counter.reached & got)

    def _bind(self, counter: Counter, wanted: Wanted, code: Taken) -> None:
        stock_, promotion, request = counter.stock, counter.promotion, wanted.request
        is_fallback = code.seq == SHARED_SEQ and promotion.terms.code_kind is not CodeKind.SINGLE
        stock_.issuances += 1
        stock_.fallback_issued += is_fallback
        if code.seq != SHARED_SEQ or (not is_fallback and stock_.issued == 0):
            stock_.issued += 1  # a SINGLE code is issued once, however many people get it
            stock_.available -= code.seq >= SHARED_SEQ  # one made on demand was never available
        issuance = Issuance(
            promotion_id=promotion.id,
            handle=promotion.terms.handle,
            number=stock_.issuances,
            seq=code.seq,
            text=code.text,
            customer=request.customer,
            kind=IssuanceKind.FALLBACK if is_fallback else IssuanceKind.INITIAL,
            issued_at=self._now,
            expires_at=promotion.expiry(None if code.seq == SHARED_SEQ else self._now),
            channel=request.channel,
            send=request.send,
        )
        self._new.append((wanted.place, issuance, wanted.occasion))
        self._outcomes[wanted.place] = IssueOutcome(issuance=issuance)

    def _end_where_full(self, counters: dict[str, Counter]) -> None:
        for counter in counters.values():
            cap = counter.promotion.terms.audience_cap
            if counter.wanted and cap is not None and counter.stock.customers >= cap:
                promotions.set_status(
                    self._connection,
                    counter.promotion.id,
                    PromotionStatus.ENDED,
                    now=to_micros(self._now),
                    end_reason=EndReason.AUDIENCE_CAP,
                )


def _no_shared(promotion: Promotion, shared: shared_codes.SharedCode | None) -> Refusal | None:
    """Why a request that got no code of its own cannot have the shared one."""
    if shared is not None and not shared.blocked:
        return None
    if shared is not None and promotion.terms.code_kind is CodeKind.SINGLE:
        return refuse(RefusalCode.CODE_BLOCKED)
    return refuse(RefusalCode.POOL_EMPTY)


def unknown_promotion(handle: str) -> BadInput:
    return BadInput(
        InputProblem.NOT_FOUND,
        f"No promotion has the handle {handle!r}; check its spelling in the lobby.",
        field=("promotion",),
    )
