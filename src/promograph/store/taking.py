"""What validating, holding and redeeming have in common: the facts of a batch, gathered once, and its decisions.

A batch is made of groups; the requests of a group are the codes of one cart, and all of them are taken or none. The
stock rows of all promotions are locked first, in the order of their ids, and whatever is read afterwards (codes, holds,
uses, the promotions themselves) can no longer change under us: whoever changes them locks the same rows.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

from sqlalchemy import Connection

from promograph.domain import conditions
from promograph.domain.carts import Cart, Money
from promograph.domain.codes import normalise
from promograph.domain.condition_facts import CustomerFacts, Needs
from promograph.domain.decisions import CodeFacts, Decision, Promised, RedeemFacts, Tally, decide
from promograph.domain.periods import period_of
from promograph.domain.placeholders import is_placeholder
from promograph.domain.promotions import Promotion
from promograph.domain.redeeming import Hold, HoldState
from promograph.domain.refusals import Refusal, RefusalCode, refuse
from promograph.domain.stacking import in_order, what_is_left, why_not_together
from promograph.errors import BadInput, InputProblem
from promograph.store import customer_facts, holds, locking, promotions
from promograph.store.holds import Holders, Place
from promograph.store.locking import Locked
from promograph.store.redemptions import STANDING
from promograph.store.statements import Statement
from promograph.store.stock import Stock
from promograph.store.tables import from_micros, to_micros

# A code above the line's tail belongs to a load that has not finished: it is not there yet.
_FOUND = "JOIN stock s ON s.promotion_id = c.promotion_id AND c.seq <= s.tail"
_PLACES = Statement(f"SELECT c.key, c.promotion_id, c.seq FROM @rows(key text) r JOIN code c ON c.key = r.key {_FOUND}")
_FACTS = Statement(
    "SELECT c.promotion_id, c.seq, coalesce(c.text, c.key), c.blocked, c.uses, i.customer, i.issued_at "
    "FROM @rows(promotion_id bigint, seq bigint) r JOIN code c ON c.promotion_id = r.promotion_id AND c.seq = r.seq "
    "LEFT JOIN issuance i ON i.promotion_id = c.promotion_id AND i.seq = c.seq AND i.kind = 'INITIAL' AND i.seq <> 0 "
    "AND c.seq <> 0"
)
_USES = Statement(
    "SELECT d.promotion_id, d.customer, count(*), sum(CASE WHEN d.redeemed_at >= r.since THEN 1 ELSE 0 END) "
    "FROM @rows(promotion_id bigint, customer text, since bigint) r "
    "JOIN redemption d ON d.customer = r.customer AND d.promotion_id = r.promotion_id "
    f"WHERE {STANDING} GROUP BY d.promotion_id, d.customer"
)


class Wanted(Protocol):
    """A request as far as deciding goes."""

    @property
    def code(self) -> str | None: ...
    @property
    def promotion(self) -> str | None: ...
    @property
    def customer(self) -> str | None: ...
    @property
    def cart(self) -> Cart | None: ...
    @property
    def discount(self) -> Money | None: ...
    @property
    def token(self) -> str | None:
        """Of the hold that it brings along."""


@dataclass(slots=True)
class Subject:
    """What a request is about. `fresh_uses`: how often this batch has used the code."""

    promotion: Promotion
    stock: Stock
    code: CodeFacts | None = None
    holders: int = 0
    held_until: datetime | None = None
    fresh_uses: int = 0


@dataclass(slots=True)
class Taken:
    """A request that may go through, with its decision."""

    request: Wanted
    subject: Subject
    decision: Decision
    customer: str | None
    own: Hold | None = None

    @property
    def names_holder(self) -> bool:
        code = self.subject.code
        return self.customer is not None and code is not None and self.customer == code.holder


@dataclass(frozen=True, slots=True)
class NotTaken:
    """Why a request may not go through; `refusals` are empty where another of its cart may not."""

    refusals: tuple[Refusal, ...] = ()
    problem: BadInput | None = None
    names_holder: bool = False
    subject: Subject | None = None


Verdict = Taken | NotTaken
Act = Callable[[Taken, int], None]
"""Counts what is taken, or with -1 takes the count back, so that the next request is decided on what is left."""


@dataclass(slots=True)
class Taking:
    """The facts of a batch."""

    connection: Connection
    now: datetime
    is_rehearsal: bool = False
    by_promotion: dict[int, Locked] = field(default_factory=dict)
    subjects: dict[Place, Subject] = field(default_factory=dict)
    codeless: dict[int, Subject] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)
    handles: dict[str, int] = field(default_factory=dict)
    owned: dict[str, Hold] = field(default_factory=dict)
    uses: Counter[tuple[int, str]] = field(default_factory=Counter)
    uses_in_period: Counter[tuple[int, str]] = field(default_factory=Counter)
    held_by: Counter[tuple[int, str]] = field(default_factory=Counter)
    known: Mapping[str, CustomerFacts] = field(default_factory=dict)
    changed: dict[int, Stock] = field(default_factory=dict)

    @classmethod
    def locked(cls, connection: Connection, requests: Sequence[Wanted], now: datetime) -> "Taking":
        """With every promotion locked."""
        taking = cls(connection, now)
        ids = taking._find(requests)
        taking.by_promotion = locking.by_id(connection, ids) if ids else {}
        stocks = [stock for _, stock in taking.by_promotion.values()]
        taking.changed = {stock.promotion_id: stock for stock in holds.lapse(connection, stocks, now)}
        if taking.owned:
            taking.owned = holds.by_token(connection, sorted(taking.owned))  # as they are under the lock
        taking._gather(requests)
        return taking

    @classmethod
    def looked_at(cls, connection: Connection, requests: Sequence[Wanted], now: datetime) -> "Taking":
        """Without a lock: to tell what would be, and change nothing.

        The same statements run whether a code is there or not, so that the time taken tells a guesser nothing.
        """
        taking = cls(connection, now, is_rehearsal=True)
        taking.by_promotion = locking.look(connection, taking._find(requests))
        holds.leave_out_lapsed(connection, [stock for _, stock in taking.by_promotion.values()], now)
        taking._gather(requests)
        return taking

    def decide(self, requests: Sequence[Wanted], act: Act) -> list[Verdict]:
        """The verdicts on one cart's requests, in their order; nothing stays counted unless all go through."""
        verdicts: list[Verdict | None] = [self._unknown(request) for request in requests]
        asked = [place for place, verdict in enumerate(verdicts) if verdict is None]
        found = [self._subject(requests[place]).promotion for place in asked]
        refused = why_not_together(found)
        counted: list[Taken] = []
        left = requests[0].cart
        for place in (asked[n] for n in in_order(found)) if len(asked) > 1 else asked:
            verdict = self._judge(requests[place], left, refused)
            verdicts[place] = verdict
            if isinstance(verdict, Taken):
                act(verdict, 1)
                counted.append(verdict)
                left = left and what_is_left(left, verdict.decision.discount)
        whole = [verdict for verdict in verdicts if verdict is not None]
        if len(counted) == len(requests):
            return whole
        for taken in counted:
            act(taken, -1)
        return [
            NotTaken(names_holder=one.names_holder, subject=one.subject) if isinstance(one, Taken) else one
            for one in whole
        ]

    def _judge(self, request: Wanted, left: Cart | None, refused: Refusal | None) -> Verdict:
        subject, own = self._subject(request), self._own(request)
        promotion, stock = subject.promotion, subject.stock
        customer = request.customer if own is None else request.customer or own.customer
        mine = own is not None and own.customer == customer
        counts_own = 0 if own is None else 1
        who = (promotion.id, customer or "")
        code = subject.code
        if code is not None and (subject.fresh_uses or subject.holders):
            code = replace(
                code,
                uses=code.uses + subject.fresh_uses,
                holds=subject.holders - counts_own,
                held_until=subject.held_until,
            )
        held = self.held_by[who] - mine
        promised = None
        if own is not None and request.cart is None:
            promised = Promised(customer=own.customer, discount=own.taken, money=own.discount)
        facts = RedeemFacts(
            promotion=promotion,
            code=code,
            customer=customer,
            now=self.now,
            tally=Tally(
                by_customer=self.uses[who] + held,
                in_period=self.uses_in_period[who] + held,
                uses=stock.redemptions + stock.holds - counts_own,
                committed=stock.spent + stock.held - _held_money(promotion, own),
            ),
            cart=request.cart,
            left=left,
            known=None if customer is None else self.known.get(customer),
            reported=request.discount,
            must_report=not self.is_rehearsal,
            promised=promised,
        )
        decision = decide(facts)
        refusals = decision.refusals if refused is None else (refused, *decision.refusals)
        taken = Taken(request, subject, decision, customer, own)
        return NotTaken(refusals, names_holder=taken.names_holder, subject=subject) if refusals else taken

    def count_use(self, taken: Taken, step: int) -> None:
        """An `Act`: a redemption."""
        subject, stock = taken.subject, taken.subject.stock
        stock.redemptions += step
        subject.fresh_uses += step
        if subject.promotion.terms.budget is not None and taken.decision.money is not None:
            stock.spent += step * taken.decision.money.minor
        self.uses[_who(taken)] += step
        self.uses_in_period[_who(taken)] += step
        self._give_way(taken, HoldState.REDEEMED, step)

    def count_hold(self, taken: Taken, step: int) -> None:
        """An `Act`: a hold, in the place of the one that it replaces."""
        subject, money = taken.subject, taken.decision.money
        counts = subject.promotion.terms.budget is not None and money is not None
        self._count_hold(subject, taken.customer, money.minor if counts and money is not None else 0, step)
        self._give_way(taken, HoldState.RELEASED, step)

    def _give_way(self, taken: Taken, state: HoldState, step: int) -> None:
        """The hold that the request brought along is over, for whoever comes later in the batch too."""
        own, subject = taken.own, taken.subject
        if own is not None:
            self._count_hold(subject, own.customer, _held_money(subject.promotion, own), -step)
            self.owned[own.token] = replace(own, ended=state) if step > 0 else own

    def _count_hold(self, subject: Subject, customer: str | None, minor: int, step: int) -> None:
        subject.stock.holds += step
        subject.stock.held += step * minor
        subject.holders += step
        self.held_by[subject.promotion.id, customer or ""] += step

    def _find(self, requests: Sequence[Wanted]) -> list[int]:
        """Where codes, handles and tokens lead: the ids of the promotions, in their order."""
        keys = sorted({normalise(request.code) for request in requests if request.code is not None})
        if keys:
            rows = _PLACES.fetch(self.connection, [(key,) for key in keys])
            self.places = {key: (promotion_id, seq) for key, promotion_id, seq in rows}
        handles = sorted({request.promotion for request in requests if request.promotion is not None})
        if handles:
            named = promotions.by_handle(self.connection, handles)
            self.handles = {handle: promotion.id for handle, promotion in named.items()}
        tokens = sorted({request.token for request in requests if request.token is not None})
        if tokens:
            self.owned = holds.by_token(self.connection, tokens)
        ids = {place[0] for place in self.places.values()} | set(self.handles.values())
        return sorted(ids | {hold.promotion_id for hold in self.owned.values()})

    def _gather(self, requests: Sequence[Wanted]) -> None:
        self._read_codes()
        self._read_holds(requests)
        self._read_uses(requests)
        self._read_customers(requests)

    def _read_codes(self) -> None:
        places = set(self.places.values())
        places |= {(hold.promotion_id, hold.seq) for hold in self.owned.values() if hold.seq is not None}
        for id_, seq, text, blocked, uses, holder, issued_at in _FACTS.fetch(self.connection, sorted(places)):
            promotion, stock = self.by_promotion[id_]
            code = CodeFacts(
                seq=seq,
                text=text,
                blocked=bool(blocked),
                uses=uses,
                holder=holder,
                issued_at=None if issued_at is None else from_micros(issued_at),
            )
            self.subjects[id_, seq] = Subject(promotion, stock, code)
        for id_ in {*self.handles.values(), *(hold.promotion_id for hold in self.owned.values() if hold.seq is None)}:
            self.codeless[id_] = Subject(*self.by_promotion[id_])

    def _read_holds(self, requests: Sequence[Wanted]) -> None:
        holding = {id_ for id_, (_, stock) in self.by_promotion.items() if stock.holds}
        if not holding:
            return
        asked = [place for place in self.subjects if place[0] in holding]
        found: Mapping[Place, Holders] = holds.of_codes(self.connection, asked, self.now)
        for place, held in found.items():
            self.subjects[place].holders, self.subjects[place].held_until = held.count, held.until
        customers = {(id_, customer) for id_, customer in self._customers(requests) if id_ in holding}
        self.held_by.update(holds.of_customers(self.connection, customers, self.now))

    def _read_uses(self, requests: Sequence[Wanted]) -> None:
        asked = []
        for id_, customer in sorted(set(self._customers(requests))):
            terms = self.by_promotion[id_][0].terms
            if terms.uses_per_period is not None:
                since, _ = period_of(self.now, terms.uses_per_period.period, terms.window.time_zone)
                asked.append((id_, customer, to_micros(since)))
            elif terms.uses_per_customer is not None:
                asked.append((id_, customer, 0))
        for id_, customer, ever, in_period in _USES.fetch(self.connection, asked) if asked else ():
            self.uses[id_, customer] = ever
            self.uses_in_period[id_, customer] = int(in_period)

    def _read_customers(self, requests: Sequence[Wanted]) -> None:
        conditioned = {
            id_: conditions.needs(promotion.terms.condition)
            for id_, (promotion, _) in self.by_promotion.items()
            if promotion.terms.condition is not None
        }
        asking = {id_: needs for id_, needs in conditioned.items() if needs.customer}
        if not asking:
            return
        wanted: dict[str, Needs] = {}
        for id_, customer in self._customers(requests):
            if id_ in asking:
                wanted[customer] = wanted.get(customer, Needs()) | asking[id_]
        if wanted:
            self.known = customer_facts.read(self.connection, wanted)

    def _customers(self, requests: Iterable[Wanted]) -> Iterable[tuple[int, str]]:
        """The promotions that requests are about, each with who asks."""
        for request in requests:
            own = self._own(request)
            customer = request.customer or (None if own is None else own.customer)
            subject = self._subject_or_none(request)
            if customer is not None and subject is not None:
                yield subject.promotion.id, customer

    def _own(self, request: Wanted) -> Hold | None:
        """The hold that the request brings along: to redeem it, or to put another in its place."""
        return None if request.token is None else self.owned.get(request.token)

    def _subject(self, request: Wanted) -> Subject:
        subject = self._subject_or_none(request)
        assert subject is not None, "asked about only once it is known"
        return subject

    def _subject_or_none(self, request: Wanted) -> Subject | None:
        if request.code is not None:
            place = self.places.get(normalise(request.code))
            return None if place is None else self.subjects.get(place)
        if request.promotion is not None:
            id_ = self.handles.get(request.promotion)
            return None if id_ is None else self.codeless.get(id_)
        own = self._own(request)
        if own is None:
            return None
        return self.codeless[own.promotion_id] if own.seq is None else self.subjects.get((own.promotion_id, own.seq))

    def _unknown(self, request: Wanted) -> NotTaken | None:
        """Why there is nothing to decide."""
        if request.token is not None and (refusal := self._why_not_open(request.token)) is not None:
            return NotTaken((refusal,))
        subject = self._subject_or_none(request)
        if subject is None:
            return self._not_found(request)
        own = self._own(request)
        if own is not None and (own.promotion_id, own.seq) != (subject.promotion.id, subject.code and subject.code.seq):
            return NotTaken(problem=_bad("This hold is of something else.", "replaces"))
        if own is not None and own.customer is not None and request.customer not in (None, own.customer):
            return NotTaken(problem=_bad("This hold is for another customer.", "customer"))
        return None

    def _not_found(self, request: Wanted) -> NotTaken:
        if request.code is not None:
            placeholder = is_placeholder(normalise(request.code))
            return NotTaken((refuse(RefusalCode.TEST_CODE if placeholder else RefusalCode.NOT_FOUND),))
        sentence = f"No promotion has the handle {request.promotion!r}; check its spelling in the lobby."
        return NotTaken(problem=BadInput(InputProblem.NOT_FOUND, sentence, field=("promotion",)))

    def _why_not_open(self, token: str) -> Refusal | None:
        hold = self.owned.get(token)
        if hold is None:
            return refuse(RefusalCode.HOLD_NOT_FOUND)
        state = hold.state(self.now)
        return None if state is HoldState.OPEN else refuse(RefusalCode.HOLD_OVER, state=state)


def _who(taken: Taken) -> tuple[int, str]:
    return taken.subject.promotion.id, taken.customer or ""


def _held_money(promotion: Promotion, hold: Hold | None) -> int:
    """What the hold counts against the budget."""
    if hold is None or hold.discount is None or promotion.terms.budget is None:
        return 0
    return hold.discount.minor


def _bad(sentence: str, field: str) -> BadInput:
    return BadInput(InputProblem.INVALID, sentence, field=(field,))
