"""What validating, holding and redeeming have in common: the decisions on a batch, each on what those before it left.

A batch is made of groups; the requests of a group are the codes of one cart, and all of them are taken or none.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from promograph.domain.carts import Cart
from promograph.domain.codes import normalise
from promograph.domain.codes.placeholders import is_placeholder
from promograph.domain.decisions import CodeFacts, Decision, Promised, RedeemFacts, Tally, decide
from promograph.domain.redeeming import Hold, HoldState
from promograph.domain.refusals import Refusal, RefusalCode, refuse
from promograph.domain.rewards import External
from promograph.domain.stacking import in_order, what_is_left, why_not_together
from promograph.errors import BadInput, InputProblem
from promograph.store.subjects import Subject, Subjects, Wanted, Who


@dataclass(slots=True)
class Taken:
    """A request that may go through, with its decision. `own` is the hold that it brings along: open, or lapsed by now
    when the sale was made in its time and is reported late.
    """

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


class Taking:
    """Decides requests over their subjects. `is_rehearsal`: nothing is about to be given."""

    def __init__(self, subjects: Subjects, *, is_rehearsal: bool = False) -> None:
        self._subjects = subjects
        self._is_rehearsal = is_rehearsal

    def decide(self, requests: Sequence[Wanted], act: Act) -> list[Verdict]:
        """The verdicts on one cart's requests, in their order; nothing stays counted unless all go through."""
        verdicts: list[Verdict | None] = [self._unknown(request) for request in requests]
        asked = [place for place, verdict in enumerate(verdicts) if verdict is None]
        counted = self._judge_in_order(requests, asked, verdicts, act)
        whole = [verdict for verdict in verdicts if verdict is not None]
        if len(counted) == len(requests):
            return whole
        for taken in counted:
            act(taken, -1)
        return [
            NotTaken(names_holder=one.names_holder, subject=one.subject) if isinstance(one, Taken) else one
            for one in whole
        ]

    def _judge_in_order(
        self, requests: Sequence[Wanted], asked: Sequence[int], verdicts: list[Verdict | None], act: Act
    ) -> list[Taken]:
        """Judge those at the places `asked`, each on what the ones before it leave of the cart; those that may."""
        found = [self._subject(requests[place]).promotion for place in asked]
        refused = why_not_together(found)
        counted: list[Taken] = []
        left = next((request.cart for request in requests if request.cart is not None), None)
        for place in (asked[n] for n in in_order(found)) if len(asked) > 1 else asked:
            request = requests[place]
            # A hold that comes twice in one cart is over the second time.
            over = None if request.token is None else self._unknown(request)
            verdict = over or self._judge(request, left, refused, is_alone=len(requests) == 1)
            verdicts[place] = verdict
            if isinstance(verdict, Taken):
                act(verdict, 1)
                counted.append(verdict)
                left = left and what_is_left(left, verdict.decision.discount)
        return counted

    def _judge(self, request: Wanted, left: Cart | None, refused: Refusal | None, *, is_alone: bool) -> Verdict:
        subject, own = self._subject(request), self._subjects.own_hold(request)
        customer = self._subjects.customer_of(request, subject) or (None if own is None else own.customer)
        kept, promised = _kept(own), None
        # Each hold was promised its discount of a whole cart: how several share one is worked out from the cart.
        if own is not None and request.cart is None and (is_alone or _is_external(subject)):
            promised = Promised(customer=own.customer, discount=own.taken, money=own.discount, is_kept=kept is not None)
        facts = RedeemFacts(
            promotion=subject.promotion,
            code=_code(subject, kept),
            customer=customer,
            now=self._subjects.sold_at,
            tally=self._tally(subject, customer, kept),
            cart=request.cart,
            left=left,
            known=None if customer is None else self._subjects.known.get(customer),
            reported=request.discount,
            must_report=not self._is_rehearsal,
            promised=promised,
        )
        decision = decide(facts)
        refusals = decision.refusals if refused is None else (refused, *decision.refusals)
        taken = Taken(request, subject, decision, customer, own)
        return NotTaken(refusals, names_holder=taken.names_holder, subject=subject) if refusals else taken

    def _tally(self, subject: Subject, customer: str | None, own: Hold | None) -> Tally:
        """What counts against the limits, without the hold that the request brings along."""
        facts, stock, who = self._subjects, subject.stock, (subject.promotion.id, customer or "")
        held = facts.held_by[who] - (own is not None and own.customer == customer)
        return Tally(
            by_customer=facts.uses[who] + held,
            in_period=facts.uses_in_period[who] + held,
            uses=stock.redemptions + stock.holds - (own is not None),
            committed=stock.spent + stock.held - _held_money(subject, own),
        )

    def count_use(self, taken: Taken, step: int) -> None:
        """An `Act`: a redemption."""
        subject, stock = taken.subject, taken.subject.stock
        stock.redemptions += step
        subject.fresh_uses += step
        stock.spent += step * subject.promotion.counted(taken.decision.money)
        self._subjects.uses[_who(taken)] += step
        self._subjects.uses_in_period[_who(taken)] += step
        self._give_way(taken, HoldState.REDEEMED, step)

    def count_hold(self, taken: Taken, step: int) -> None:
        """An `Act`: a hold, in the place of the one that it replaces."""
        subject = taken.subject
        self._count_hold(subject, taken.customer, subject.promotion.counted(taken.decision.money), step)
        self._give_way(taken, HoldState.RELEASED, step)

    def _give_way(self, taken: Taken, state: HoldState, step: int) -> None:
        """The hold that the request brought along is over, for whoever comes later in the batch too."""
        own, subject = taken.own, taken.subject
        if own is not None:
            if own.ended is None:
                self._count_hold(subject, own.customer, _held_money(subject, own), -step)
            self._subjects.owned[own.token] = replace(own, ended=state) if step > 0 else own

    def _count_hold(self, subject: Subject, customer: str | None, minor: int, step: int) -> None:
        subject.stock.holds += step
        subject.stock.held += step * minor
        subject.holders += step
        self._subjects.held_by[subject.promotion.id, customer or ""] += step

    def _subject(self, request: Wanted) -> Subject:
        subject = self._subjects.of(request)
        assert subject is not None, "asked about only once it is known"
        return subject

    def _unknown(self, request: Wanted) -> NotTaken | None:
        """Why there is nothing to decide."""
        if request.token is not None and (refusal := self._why_not_open(request.token)) is not None:
            return NotTaken((refusal,))
        subject = self._subjects.of(request)
        if subject is None:
            return self._not_found(request)
        own = self._subjects.own_hold(request)
        if own is not None and (own.promotion_id, own.seq) != (subject.promotion.id, subject.code and subject.code.seq):
            return NotTaken(problem=_bad("This hold is of something else.", "replaces"))
        if (
            own is not None
            and own.customer is not None
            and self._subjects.customer_of(request, subject)
            not in (
                None,
                own.customer,
            )
        ):
            return NotTaken(problem=_bad("This hold is for another customer.", "customer"))
        return None

    def _not_found(self, request: Wanted) -> NotTaken:
        if request.code is not None:
            placeholder = is_placeholder(normalise(request.code))
            return NotTaken((refuse(RefusalCode.TEST_CODE if placeholder else RefusalCode.NOT_FOUND),))
        sentence = f"No promotion has the handle {request.promotion!r}; check its spelling in the lobby."
        return NotTaken(problem=BadInput(InputProblem.NOT_FOUND, sentence, field=("promotion",)))

    def _why_not_open(self, token: str) -> Refusal | None:
        hold = self._subjects.owned.get(token)
        if hold is None:
            return refuse(RefusalCode.HOLD_NOT_FOUND)
        state = hold.state(self._subjects.now)
        # Only of a report: a hold that another server ended a moment ago has lapsed, though our own instant is earlier.
        if (
            self._subjects.is_late
            and state is HoldState.LAPSED
            and hold.held_at <= self._subjects.sold_at < hold.expires_at
        ):
            return None  # the sale kept its time, and only the report of it did not
        return None if state is HoldState.OPEN else refuse(RefusalCode.HOLD_OVER, state=state)


def _code(subject: Subject, own: Hold | None) -> CodeFacts | None:
    """The code with the uses that this batch makes of it, and with the open holds of others."""
    code = subject.code
    if code is None or not (subject.fresh_uses or subject.holders):
        return code
    return replace(
        code,
        uses=code.uses + subject.fresh_uses,
        holds=subject.holders - (own is not None),
        held_until=subject.held_until,
    )


def _kept(own: Hold | None) -> Hold | None:
    """What the request brings along that is set aside still, and so counted."""
    return own if own is not None and own.ended is None else None


def _is_external(subject: Subject) -> bool:
    return isinstance(subject.promotion.terms.reward, External)


def _who(taken: Taken) -> Who:
    return taken.subject.promotion.id, taken.customer or ""


def _held_money(subject: Subject, hold: Hold | None) -> int:
    return 0 if hold is None else subject.promotion.counted(hold.discount)


def _bad(sentence: str, field: str) -> BadInput:
    return BadInput(InputProblem.INVALID, sentence, field=(field,))
