"""The one place where the rules of redeeming meet: facts in, every reason why not out.

Validate and redeem both ask here, so that what was promised and what is done cannot differ. Pure: no I/O, and the
clock is a fact like any other. Limits are looked at with the counters that the caller read under its own lock.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from promograph.domain import conditions, discounts
from promograph.domain.carts import Cart, Money
from promograph.domain.conditions.facts import CustomerFacts, Facts
from promograph.domain.discounts import CurrencyMismatch, Discount
from promograph.domain.periods import period_of
from promograph.domain.promotions import CodeKind, Promotion, PromotionStatus
from promograph.domain.refusals import Refusal, RefusalCode, refuse
from promograph.domain.rewards import External

SHARED_SEQ = 0
"""The number, within its promotion, of the one code that everybody shares: a SINGLE code, or the fallback."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeFacts:
    """A code as it stands. `issued_at` and `holder` are None while it has not been issued to anybody.

    `expires_at` is its own, without the promotion's say. `holds` are the open ones, of which the last lapses at
    `held_until`.
    """

    seq: int
    text: str
    blocked: bool
    uses: int
    void: bool = False
    expires_at: datetime | None = None
    holds: int = 0
    held_until: datetime | None = None
    holder: str | None = None
    issued_at: datetime | None = None

    @property
    def is_shared(self) -> bool:
        return self.seq == SHARED_SEQ


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What counts against a promotion's limits, open holds included.

    `by_customer` and `in_period`: uses by the customer at hand, ever and in the cap's present period. `uses`: by
    anybody. `committed`: money, in the smallest unit of the budget's currency.
    """

    by_customer: int = 0
    in_period: int = 0
    uses: int = 0
    committed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Promised:
    """What an open hold has set aside, and for whom; the tally and the code's holds leave it out.

    `is_kept`: it is set aside still. It is not when the sale was made in time, and reported after the hold had lapsed.
    """

    customer: str | None = None
    discount: Discount | None = None
    money: Money | None = None
    is_kept: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class RedeemFacts:
    """All that a decision rests on. `now` is when the sale is, or was: what a clock decides is decided as of then.

    `code` is None for a promotion that is asked for without one. `cart` is the shopper's, `left` (where it differs)
    what other promotions have left of it to take from. `reported` is the discount as the shop tells it, for an external
    reward; `must_report` when it is about to be given.
    """

    promotion: Promotion
    code: CodeFacts | None
    customer: str | None
    now: datetime
    tally: Tally = field(default_factory=Tally)
    cart: Cart | None = None
    left: Cart | None = None
    known: CustomerFacts | None = None
    reported: Money | None = None
    must_report: bool = False
    promised: Promised | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Every reason why not, the weightiest first; or else what is taken off (None where only the shop knows how it is
    made up), and the money that counts against a budget."""

    refusals: tuple[Refusal, ...] = ()
    discount: Discount | None = None
    money: Money | None = None


def uses_limit(promotion: Promotion, code: CodeFacts) -> int | None:
    """How often this code may be used; a fallback is shared, so the limit of a code of one's own is not its."""
    if code.is_shared and promotion.terms.code_kind is not CodeKind.SINGLE:
        return None
    return promotion.terms.uses_per_code


def expiry(promotion: Promotion, code: CodeFacts | None) -> datetime | None:
    """When this stops working. A shared code was issued at many times, and to it none of them counts."""
    if code is None:
        return promotion.expiry(None)
    return promotion.expiry(None if code.is_shared else code.issued_at, code.expires_at)


def decide(facts: RedeemFacts) -> Decision:
    """Whether this may be redeemed (or held) now, and what it takes off the cart.

    What a hold has promised stands: the promotion or the code may have been stopped since, and that is all that is
    asked, and the budget where the shop reports another discount than it promised.
    """
    refusals = [refusal for rule in _rules(facts) for refusal in rule(facts)]
    if not refusals:
        worth = _worth(facts)
        if isinstance(worth, Decision):
            refusals += _budget(facts, worth.money)
            if not refusals:
                return worth
        else:
            refusals.append(worth)
    return Decision(refusals=tuple(refusals))


def why_useless(promotion: Promotion, code: CodeFacts, now: datetime) -> Refusal | None:
    """Why nobody could ever redeem this code, whoever they are and whatever they buy."""
    facts = RedeemFacts(promotion=promotion, code=code, customer=None, now=now)
    refusals = (refusal for rule in (_promotion, _code, _clock, _code_uses) for refusal in rule(facts))
    return next((refusal for refusal in refusals if refusal.code is not RefusalCode.NOT_STARTED), None)


def _promotion(facts: RedeemFacts) -> Iterator[Refusal]:
    promotion = facts.promotion
    status = promotion.status(facts.now)
    if status in (PromotionStatus.ACTIVE, PromotionStatus.SCHEDULED):
        return  # a scheduled one is refused by its clock, with the instant that mends it
    # Ending stops issuing; what somebody holds works until its own expiry. Without a code nobody holds anything.
    stands = facts.code is not None or facts.promised is not None
    if status is PromotionStatus.ENDED and not promotion.stop_redeeming and stands:
        return
    yield refuse(RefusalCode.PROMOTION_INACTIVE, status=status)


def _code(facts: RedeemFacts) -> Iterator[Refusal]:
    code, terms = facts.code, facts.promotion.terms
    if code is None:
        if terms.code_required:
            yield refuse(RefusalCode.CODE_REQUIRED)
        return
    if code.void:
        yield refuse(RefusalCode.CODE_VOID)
    elif code.blocked:
        yield refuse(RefusalCode.CODE_BLOCKED)
    elif terms.code_kind is CodeKind.PERSONALIZED and not code.is_shared and code.issued_at is None:
        yield refuse(RefusalCode.NOT_ISSUED)


def _clock(facts: RedeemFacts) -> Iterator[Refusal]:
    code, starts_at = facts.code, facts.promotion.terms.window.starts_at
    if starts_at is not None and facts.now < starts_at:
        yield refuse(RefusalCode.NOT_STARTED, starts_at=starts_at.isoformat())
        return
    expires_at = expiry(facts.promotion, code)
    if expires_at is not None and facts.now >= expires_at:
        yield refuse(RefusalCode.EXPIRED, expired_at=expires_at.isoformat())


def _holder(facts: RedeemFacts) -> Iterator[Refusal]:
    terms, code = facts.promotion.terms, facts.code
    if facts.customer is None:
        if terms.uses_per_customer is not None or terms.uses_per_period is not None or terms.holder_only:
            yield refuse(RefusalCode.CUSTOMER_REQUIRED)
    elif terms.holder_only and code is not None and code.holder not in (None, facts.customer):
        yield refuse(RefusalCode.NOT_HOLDER)


def _code_uses(facts: RedeemFacts) -> Iterator[Refusal]:
    code = facts.code
    limit = None if code is None else uses_limit(facts.promotion, code)
    if code is None or limit is None or code.uses + code.holds < limit:
        return
    if code.uses < limit and code.held_until is not None:
        yield refuse(RefusalCode.HELD_BY_OTHER, until=code.held_until.isoformat())
    else:
        yield refuse(RefusalCode.ALREADY_REDEEMED, uses=code.uses, limit=limit)


def _customer_uses(facts: RedeemFacts) -> Iterator[Refusal]:
    terms, tally = facts.promotion.terms, facts.tally
    limit, capped = terms.uses_per_customer, terms.uses_per_period
    if limit is not None and tally.by_customer >= limit:
        yield refuse(RefusalCode.CUSTOMER_CAP_REACHED, uses=tally.by_customer, limit=limit)
    elif capped is not None and tally.in_period >= capped.uses:
        _, free_at = period_of(facts.now, capped.period, terms.window.time_zone)
        yield refuse(
            RefusalCode.CUSTOMER_CAP_REACHED,
            uses=tally.in_period,
            limit=capped.uses,
            period=capped.period,
            free_at=free_at.isoformat(),
        )


def _all_uses(facts: RedeemFacts) -> Iterator[Refusal]:
    limit = facts.promotion.terms.redemption_cap
    if limit is not None and facts.tally.uses >= limit:
        yield refuse(RefusalCode.USE_CAP_REACHED, limit=limit)


def _condition(facts: RedeemFacts) -> Iterator[Refusal]:
    condition = facts.promotion.terms.condition
    if condition is None:
        return
    if facts.cart is None and conditions.needs(condition).cart:
        yield refuse(RefusalCode.CART_REQUIRED)
        return
    # Somebody the store knows nothing of is still somebody.
    known = CustomerFacts() if facts.known is None and facts.customer is not None else facts.known
    asked = Facts(now=facts.now, time_zone=facts.promotion.terms.window.time_zone, customer=known, cart=facts.cart)
    for failure in conditions.evaluate(condition, asked).failures:
        yield Refusal(RefusalCode(failure.kind), failure.data)


_Rule = Callable[[RedeemFacts], Iterator[Refusal]]
_ALWAYS: Sequence[_Rule] = (_promotion, _code)
_LIMITS: Sequence[_Rule] = (_code_uses, _customer_uses, _all_uses)
_UNPROMISED: Sequence[_Rule] = (_clock, _holder, *_LIMITS, _condition)


def _rules(facts: RedeemFacts) -> Sequence[_Rule]:
    if facts.promised is None:
        return (*_ALWAYS, *_UNPROMISED)
    if not facts.promised.is_kept:
        return (*_ALWAYS, *_LIMITS)
    # Of a customer who is named only now, no use has been set aside.
    return _ALWAYS if facts.customer == facts.promised.customer else (*_ALWAYS, _customer_uses)


def _worth(facts: RedeemFacts) -> Decision | Refusal:
    """What it takes off, or why it takes nothing."""
    reward, budget = facts.promotion.terms.reward, facts.promotion.terms.budget
    if isinstance(reward, External):
        money = facts.reported or (None if facts.promised is None else facts.promised.money)
        if money is None:
            missing = budget is not None and facts.must_report
            return refuse(RefusalCode.DISCOUNT_REQUIRED) if missing else Decision()
        if budget is not None and money.currency != budget.currency:
            return refuse(RefusalCode.CURRENCY_MISMATCH, expected=budget.currency, given=money.currency)
        return Decision(money=money)
    if facts.promised is not None:
        return Decision(discount=facts.promised.discount, money=facts.promised.money)
    cart = facts.left or facts.cart
    if cart is None:
        return refuse(RefusalCode.CART_REQUIRED)
    if budget is not None and cart.currency != budget.currency:
        return refuse(RefusalCode.CURRENCY_MISMATCH, expected=budget.currency, given=cart.currency)
    taken = discounts.discount(reward, cart)
    if isinstance(taken, CurrencyMismatch):
        return Refusal(RefusalCode.CURRENCY_MISMATCH, taken.data)
    assert taken is not None, "only an external reward has a worth that is not known here"
    if not taken.total and taken.gift is None and not taken.points:
        return refuse(RefusalCode.NOTHING_ELIGIBLE)
    return Decision(discount=taken, money=Money(minor=taken.total, currency=taken.currency))


def _budget(facts: RedeemFacts, money: Money | None) -> Iterator[Refusal]:
    """Whether the budget has room; for a discount that is not known yet, whether it has any."""
    budget = facts.promotion.terms.budget
    if budget is None:
        return
    left = Money(minor=max(budget.minor - facts.tally.committed, 0), currency=budget.currency)
    asked = Money(minor=1, currency=budget.currency) if money is None else money
    if asked.minor > left.minor:
        yield refuse(RefusalCode.BUDGET_EXHAUSTED, left=left.amount, currency=budget.currency, asked=asked.amount)
