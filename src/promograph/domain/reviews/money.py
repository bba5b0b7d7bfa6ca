"""What a promotion's maker may not have meant about money."""

from collections.abc import Iterator

from promograph.domain.carts import Money
from promograph.domain.conditions.carts import SubtotalIs
from promograph.domain.conditions.lines import HasLines
from promograph.domain.conditions.nodes import AllOf, AnyOf, Condition, Not
from promograph.domain.conditions.values import Op
from promograph.domain.promotions import PromotionTerms
from promograph.domain.reviews.findings import Concern, Finding, Reviewed
from promograph.domain.rewards import WHOLE, AmountOff, Percentage, Single


def look_at_reward(reviewed: Reviewed) -> Iterator[Finding]:
    reward, budget = reviewed.terms.reward, reviewed.terms.budget
    if not isinstance(reward, Single):
        return
    largest = reward.value.money if isinstance(reward.value, AmountOff) else reward.maximum
    if largest is not None and budget is not None and largest.minor > budget.minor:
        yield Finding(
            Concern.BUDGET_BELOW_DISCOUNT,
            f"A single use may take {largest}, which is more than the whole budget of {budget}.",
            "budget",
        )
    everything = isinstance(reward.value, Percentage) and reward.value.basis_points == WHOLE
    if everything and reward.maximum is None and reward.lines is None:
        yield Finding(
            Concern.TAKES_EVERYTHING, "100 % off every line, without a maximum: carts cost nothing.", "reward"
        )
    if isinstance(reward.value, AmountOff) and reward.lines is None:
        yield from _amount(reward.value.money, reviewed.terms.condition)


def _amount(off: Money, condition: Condition | None) -> Iterator[Finding]:
    minimum = 0 if condition is None else _least(condition, off.currency)
    if not minimum:
        yield Finding(
            Concern.NO_MINIMUM, f"{off} off, whatever the cart comes to: one of {off} costs nothing.", "condition"
        )
    elif off.minor >= minimum:
        least = Money(minor=minimum, currency=off.currency)
        yield Finding(
            Concern.AMOUNT_ABOVE_MINIMUM, f"{off} off, and a cart of {least} is enough: it costs nothing.", "condition"
        )


def look_at_currencies(reviewed: Reviewed) -> Iterator[Finding]:
    terms = reviewed.terms
    if terms.condition is None:
        return
    own = _currency(terms)
    asked = {money.currency for money in _moneys(terms.condition, needed_only=own is None)}
    if own is not None and asked - {own}:
        others = " and ".join(sorted(asked - {own}))
        yield Finding(
            Concern.CURRENCIES_DIFFER,
            f"The condition asks for money in {others}, and the promotion is in {own}: no cart is in both.",
            "condition",
        )
    elif len(asked) > 1:
        yield Finding(
            Concern.CURRENCIES_DIFFER,
            f"The condition asks for money in {' and '.join(sorted(asked))} at once: no cart is in both.",
            "condition",
        )


def _currency(terms: PromotionTerms) -> str | None:
    """The one that the promotion's own money is in."""
    if terms.budget is not None:
        return terms.budget.currency
    moneys = terms.reward.moneys if isinstance(terms.reward, Single) else []
    return moneys[0][1].currency if moneys else None


def _least(condition: Condition, currency: str) -> int:
    """What a cart comes to at least if the condition holds; 0 where that is not said."""
    match condition:
        case AllOf(conditions=inner):
            return max((_least(each, currency) for each in inner), default=0)
        case AnyOf(conditions=inner):
            return min((_least(each, currency) for each in inner), default=0)
        case SubtotalIs(op=op, value=value) if value.currency == currency:
            return {Op.GT: value.minor + 1, Op.GTE: value.minor, Op.EQUALS: value.minor}.get(op, 0)
        case HasLines(amount=Money(minor=minor, currency=of)) if of == currency:
            return minor
        case _:
            return 0


def _moneys(condition: Condition, *, needed_only: bool) -> Iterator[Money]:
    """The money in it; `needed_only`: of the conditions that must all hold."""
    match condition:
        case AllOf(conditions=inner):
            for each in inner:
                yield from _moneys(each, needed_only=needed_only)
        case AnyOf(conditions=inner) if not needed_only:
            for each in inner:
                yield from _moneys(each, needed_only=False)
        case Not(condition=only) if not needed_only:
            yield from _moneys(only, needed_only=False)
        case SubtotalIs(value=value):
            yield value
        case HasLines(amount=Money() as amount):
            yield amount
