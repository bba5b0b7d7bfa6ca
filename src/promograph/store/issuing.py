"""Issuing codes: one transaction for any number of requests over any number of promotions.

The promotions' stock rows are locked first, in the order of their ids; whatever is looked at afterwards can no longer
change under us, so that caps, occasions and the line of codes are exact without a further lock.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from promograph.domain.codes.words import OURS, Words
from promograph.domain.decisions import SHARED_SEQ
from promograph.domain.issuing import (
    Issuance,
    IssuanceKind,
    IssuanceState,
    IssueOutcome,
    IssueRequest,
    occasion,
    why_not_open,
)
from promograph.domain.issuing_many import Alike, samples
from promograph.domain.promotions import CodeKind, IssuePolicy, OnEmpty, Promotion, ReturnPolicy
from promograph.domain.refusals import Refusal, RefusalCode, refuse
from promograph.domain.webhooks.events import WebhookType, issued
from promograph.errors import BadInput, InputProblem
from promograph.store import (
    bookings,
    first_issues,
    issuances,
    issue_marks,
    line,
    locking,
    shared_codes,
    stock,
    stock_telling,
    tentative,
    used_up,
    usual_issues,
)
from promograph.store.bookings import Claim
from promograph.store.bulk import TAKEN
from promograph.store.issuances import NewRow
from promograph.store.line import Code
from promograph.store.locking import Locked
from promograph.store.replays import Replays
from promograph.store.returning import Asked, as_asked, known_again
from promograph.store.statements import savepoint
from promograph.store.stock import Stock
from promograph.store.tables.instants import from_micros, to_micros
from promograph.store.tentative import Carriers
from promograph.store.webhooks import outbox

REPLAYS: Replays[IssueRequest, IssueOutcome] = Replays(
    operation="codeIssue",
    dump=issuances.dump_outcome,
    load=issuances.load_outcome,
    turn_down=lambda problem: IssueOutcome(problem=problem),
)

# From how many requests on it pays to look first whether all of them may be new, and how many are looked at for that.
_HOPEFUL_FROM = 500
_SAMPLE = 20

Wanted = tuple[int, IssueRequest, str]
"""A request that is yet to be answered: its place in the batch, itself, its occasion."""


@dataclass(slots=True)
class _Part:
    """One promotion's part of the batch."""

    promotion: Promotion
    stock: Stock
    wanted: list[Wanted] = field(default_factory=list)
    capped: list[Wanted] = field(default_factory=list)  # turned away by the audience cap, if the pool does not first
    made: int = 0  # of its codes, how many were made on demand: the last ones
    dry: Refusal | None = None  # why there was no code for the last of the wanted
    claims: dict[str, Claim] = field(default_factory=dict)  # what sends of this batch have booked
    known: set[str] = field(default_factory=set)  # of the customers, those who had something of the promotion before


class _NotAllNew(Exception):
    """A call that was hoped to be all new first issues is something else."""


def issue(
    connection: Connection, requests: Sequence[IssueRequest], now: datetime, words: Words = OURS
) -> Sequence[IssueOutcome]:
    """An outcome a request, in their order. Requests for one occasion share one code, in this call and for ever.

    No code that is made for one of them holds any of the words.
    """
    if not any(request.idempotency_key for request in samples(requests)):
        return _issue(connection, requests, now, words)
    outcomes = REPLAYS.answer(
        connection, requests, lambda fresh: _issue(connection, fresh, now, words), now=to_micros(now)
    )
    return tentative.without_returned(connection, outcomes)


def _issue(
    connection: Connection, requests: Sequence[IssueRequest], now: datetime, words: Words
) -> Sequence[IssueOutcome]:
    if isinstance(requests, Alike):
        first = first_issues.issue(connection, requests, now, words)
        if first is not None:
            return first
    if len(requests) < _HOPEFUL_FROM:
        locked = _locked(connection, requests)
        usual = usual_issues.issue(connection, requests, locked, now)
        return _Batch(connection, requests, now, words).run(locked) if usual is None else usual
    # Most large calls are first issues from end to end. Looking up ten thousand occasions to learn that costs a good
    # part of what issuing costs, and the unique index tells it for nothing; where it objects, everything is undone and
    # looked at one by one.
    try:
        with savepoint(connection):
            return _Batch(connection, requests, now, words, hopeful=True).run(_locked(connection, requests))
    except (_NotAllNew, *TAKEN):
        return _Batch(connection, requests, now, words).run(_locked(connection, requests))


def _locked(connection: Connection, requests: Sequence[IssueRequest]) -> Mapping[int, Locked]:
    return locking.by_handle(connection, {request.promotion for request in requests})


class _Batch:
    """The state of one call of `issue`, in the order of its steps."""

    def __init__(
        self,
        connection: Connection,
        requests: Sequence[IssueRequest],
        now: datetime,
        words: Words,
        *,
        hopeful: bool = False,
    ) -> None:
        self._connection = connection
        self._requests = requests
        self._now = now
        self._micros = to_micros(now)
        self._words = words
        self._hopeful = hopeful
        self._outcomes: list[IssueOutcome | None] = [None] * len(requests)
        self._same: dict[int, int] = {}  # a request's place -> the place of the first with the same occasion
        self._rows: list[NewRow] = []
        self._carriers = Carriers()
        self._asked: Asked = {}

    def run(self, locked: Mapping[int, Locked]) -> list[IssueOutcome]:
        parts = self._open(locked)
        self._answer_again(parts)
        for part in parts:
            self._admit(part)
        everyone = parts
        parts = [part for part in parts if part.wanted]
        issue_marks.mark(self._connection, (part.stock for part in parts), self._micros)
        codes = self._take(parts)
        for part in parts:
            self._hand_out(part, codes.get(part.promotion.id, []))
        issuances.insert(self._connection, self._rows)
        self._tell_webhooks(parts)
        stock_telling.tell(self._connection, ((part.promotion, part.stock) for part in parts), self._now)
        stock.save(self._connection, [part.stock for part in parts])
        used_up.end_where_reached(self._connection, ((part.promotion, part.stock) for part in parts), self._now)
        for part in everyone:
            self._turn_away(part)
        self._answer_repeats()
        self._carriers.write(self._connection)
        return list(as_asked([outcome for outcome in self._outcomes if outcome is not None], self._asked))

    def _tell_webhooks(self, parts: Sequence[_Part]) -> None:
        if any(part.stock.is_heard for part in parts):
            places = (place for part in parts for place, _, _ in part.wanted)
            outcomes = (self._outcomes[place] for place in places)
            new = (issued(outcome.issuance) for outcome in outcomes if outcome is not None and outcome.issuance)
            outbox.tell(self._connection, new, WebhookType.CODE_ISSUED)

    def _open(self, locked: Mapping[int, Locked]) -> list[_Part]:
        """The batch by promotions."""
        parts = {promotion.terms.handle: _Part(promotion, counters) for promotion, counters in locked.values()}
        stocks = {handle: part.stock for handle, part in parts.items()}
        self._requests, self._asked = known_again(self._connection, self._requests, stocks)
        first_of: dict[tuple[str, str, str], int] = {}
        for place, request in enumerate(self._requests):
            part = parts.get(request.promotion)
            if part is None:
                self._outcomes[place] = IssueOutcome(problem=unknown_promotion(request.promotion))
                continue
            try:
                name = occasion(part.promotion.terms.issue_policy, request)
            except BadInput as problem:
                self._outcomes[place] = IssueOutcome(problem=problem)
                continue
            first = first_of.setdefault((request.promotion, request.customer, name), place)
            if first == place:
                part.wanted.append((place, request, name))
            else:
                self._same[place] = first
        return list(parts.values())

    def _answer_again(self, parts: Sequence[_Part]) -> None:
        """Occasions that have their code already get it again, whatever became of the promotion since."""
        keys = [(part.promotion.id, request.customer, name) for part in parts for _, request, name in part.wanted]
        earlier = issuances.at_occasions(self._connection, keys[:_SAMPLE] if self._hopeful else keys)
        if not earlier:
            return
        if self._hopeful:
            raise _NotAllNew
        for part in parts:
            left = []
            for place, request, name in part.wanted:
                row = earlier.get((part.promotion.id, request.customer, name))
                if row is None:
                    left.append((place, request, name))
                else:
                    issuance = self._carriers.join(issuances.issuance_of(row, part.promotion), request)
                    self._outcomes[place] = IssueOutcome(issuance, replayed=True)
            part.wanted = left

    def _admit(self, part: _Part) -> None:
        """Who may have a code, as far as the promotion's state and its cap go. First come, first served."""
        refusal = why_not_open(part.promotion, self._now)
        if refusal is not None:
            self._refuse(part.wanted, refusal)
            part.wanted = []
            return
        if part.promotion.terms.issue_policy is not IssuePolicy.PER_CUSTOMER:
            # Under PER_CUSTOMER nobody left here has been reached before, or the occasion would have been found.
            customers = {request.customer for _, request, _ in part.wanted}
            part.known = issuances.reached_before(self._connection, part.promotion.id, customers)
        cap = part.promotion.terms.audience_cap
        if cap is not None:
            self._admit_up_to(part, cap)

    def _admit_up_to(self, part: _Part, cap: int) -> None:
        admitted, turned_away = [], []
        free = cap - part.stock.customers
        reached = set[str]()
        for one in part.wanted:
            customer = one[1].customer
            if customer in part.known or customer in reached or len(reached) < free:
                admitted.append(one)
                if customer not in part.known:
                    reached.add(customer)
            else:
                turned_away.append(one)
        if turned_away and self._hopeful:
            raise _NotAllNew
        part.wanted, part.capped = admitted, turned_away

    def _turn_away(self, part: _Part) -> None:
        """Those for whom there was no place left; where the pool ran dry before the cap was reached, that is why."""
        cap = part.promotion.terms.audience_cap or 0
        reached = part.stock.customers >= cap
        why = refuse(RefusalCode.AUDIENCE_CAP_REACHED, limit=cap) if reached or part.dry is None else part.dry
        self._refuse(part.capped, why)

    def _refuse(self, wanted: Iterable[Wanted], refusal: Refusal) -> None:
        outcome = IssueOutcome(problem=refusal)
        for place, _, _ in wanted:
            if self._hopeful:
                raise _NotAllNew  # it may be one that has its code already
            self._outcomes[place] = outcome

    def _take(self, parts: Sequence[_Part]) -> dict[int, list[Code]]:
        """By promotion, codes of one's own: as many as are wanted, or as there are."""
        pools = [part for part in parts if part.promotion.terms.code_kind is not CodeKind.SINGLE]
        taken = line.take(self._connection, [(part.stock, self._mind_bookings(part)) for part in pools], self._micros)
        for part in pools:
            terms, codes = part.promotion.terms, taken[part.promotion.id]
            short = len(part.wanted) - len(codes)
            if short and terms.on_empty is OnEmpty.GENERATE:
                made = line.make(self._connection, terms.code_format, part.stock, short, self._words)
                part.made = len(made)
                codes += made
        return taken

    def _mind_bookings(self, part: _Part) -> int:
        """How many may take from the pool, and be put first for that: a booking is for those of its send."""
        if not part.stock.booked:
            return len(part.wanted)
        sends = {request.send for _, request, _ in part.wanted if request.send is not None}
        part.claims = bookings.of_sends(self._connection, part.promotion.id, sends)
        served, others = bookings.divide([(one, one[1].send) for one in part.wanted], part.claims, part.stock)
        part.wanted = served + others
        return len(served)

    def _hand_out(self, part: _Part, codes: Sequence[Code]) -> None:
        """To the first in the batch the codes of one's own, to the rest the shared one where there is one to be had."""
        counters, lucky = part.stock, part.wanted[: len(codes)]
        self._bind(part, lucky, codes, IssuanceKind.INITIAL)
        counters.issued += len(codes)
        from_pool = len(codes) - part.made  # what was made on demand was never available
        counters.available -= from_pool
        if part.claims:
            drawing = (one[1].send for one in lucky[:from_pool])
            bookings.draw(self._connection, counters, part.claims, drawing)
        sharing = self._share(part, part.wanted[len(codes) :])
        served = {request.customer for _, request, _ in (*lucky, *sharing)}
        counters.customers += len(served - part.known)

    def _share(self, part: _Part, wanted: Sequence[Wanted]) -> Sequence[Wanted]:
        """Give these the shared code, all of them or none; those that got it."""
        if not wanted:
            return ()
        is_single = part.promotion.terms.code_kind is CodeKind.SINGLE
        if not is_single:
            unwilling = [one for one in wanted if not one[1].fallback]
            if unwilling:
                part.dry = refuse(RefusalCode.POOL_EMPTY)
                self._refuse(unwilling, part.dry)
                return self._share(part, [one for one in wanted if one[1].fallback])
        shares = is_single or part.promotion.terms.on_empty is OnEmpty.FALLBACK
        shared = shared_codes.one(self._connection, part.promotion.id) if shares else None
        if shared is None or shared.blocked or shared.void:
            part.dry = refuse(RefusalCode.POOL_EMPTY)
            if is_single and shared is not None:
                part.dry = refuse(RefusalCode.CODE_VOID if shared.void else RefusalCode.CODE_BLOCKED)
            self._refuse(wanted, part.dry)
            return ()
        kind = IssuanceKind.INITIAL if is_single else IssuanceKind.FALLBACK
        self._bind(part, wanted, [(SHARED_SEQ, shared.text, None)] * len(wanted), kind)
        counters = part.stock
        if not is_single:
            counters.fallback_issued += len(wanted)
        elif not counters.issued:  # a SINGLE code is issued once, however many people get it
            counters.issued += 1
            counters.available -= 1
        return wanted

    def _bind(self, part: _Part, wanted: Sequence[Wanted], codes: Sequence[Code], kind: IssuanceKind) -> None:
        """Give each of these its code. There may be ten thousand: what they share is looked up before the loop."""
        if not wanted:
            return
        id_, handle = part.promotion.id, part.promotion.terms.handle
        now, micros = self._now, self._micros
        is_shared = codes[0][0] == SHARED_SEQ
        comes_back = not is_shared and part.promotion.terms.return_policy is not ReturnPolicy.NEVER
        expires_at = part.promotion.expiry(None if is_shared else now)
        number = part.stock.issuances
        for (place, request, name), (seq, text, own_expiry) in zip(wanted, codes, strict=True):
            number += 1
            customer, channel, send = request.customer, request.channel, request.send
            state = None
            if comes_back and request.tentative:
                state = IssuanceState.TENTATIVE
                self._carriers.begin(id_, seq, request)
            issuance = Issuance(
                promotion_id=id_,
                handle=handle,
                number=number,
                seq=seq,
                text=text,
                customer=customer,
                kind=kind,
                issued_at=now,
                expires_at=expires_at if own_expiry is None else _earlier(expires_at, from_micros(own_expiry)),
                channel=channel,
                send=send,
                state=state or IssuanceState.FINAL,
            )
            self._outcomes[place] = IssueOutcome(issuance)
            self._rows.append((id_, number, seq, customer, name, kind, channel, send, micros, state))
        part.stock.issuances = number

    def _answer_repeats(self) -> None:
        """Requests for an occasion that came earlier in the batch have the first one's answer."""
        for place, first in self._same.items():
            outcome = self._outcomes[first]
            if outcome is not None and outcome.issuance is not None:
                issuance = self._carriers.join(outcome.issuance, self._requests[place])
                outcome = IssueOutcome(issuance, replayed=True)
            self._outcomes[place] = outcome


def _earlier(one: datetime | None, other: datetime) -> datetime:
    return other if one is None else min(one, other)


def unknown_promotion(handle: str) -> BadInput:
    return BadInput(
        InputProblem.NOT_FOUND,
        f"No promotion has the handle {handle!r}; check its spelling in the lobby.",
        field=("promotion",),
    )
