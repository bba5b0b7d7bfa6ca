"""What is true of money whatever the rewards, the carts and the order in which people come."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from promograph.domain.carts import LARGEST_AMOUNT, Cart, Line, LineFilter, Money, checked_cart, select
from promograph.domain.decisions import CodeFacts, Decision, Promised, RedeemFacts, Tally, decide
from promograph.domain.promotions import Promotion, PromotionStatus, PromotionTerms
from promograph.domain.refusals import RefusalCode
from promograph.domain.rewards import (
    AmountOff,
    External,
    FixedPrice,
    FreeShipping,
    Gift,
    Percentage,
    Points,
    Single,
    checked_reward,
)
from promograph.domain.stacking import in_order, what_is_left, why_not_together

NOW = datetime(2026, 12, 15, 12, tzinfo=UTC)
CODE = CodeFacts(seq=7, text="ABC", blocked=False, uses=0, holder="ann", issued_at=NOW)

# Small amounts meet each other's limits, large ones the ends of what there is.
AMOUNTS = st.integers(0, 200) | st.integers(0, 50_000) | st.integers(0, LARGEST_AMOUNT)
MONEY = st.builds(Money, minor=st.integers(1, 500) | st.integers(1, LARGEST_AMOUNT), currency=st.just("EUR"))
ONLY = st.none() | st.just(LineFilter(categories=("shoes",)))
CARTS = st.lists(
    st.tuples(st.integers(1, 9) | st.integers(1, 10**6), AMOUNTS, st.sampled_from([(), ("shoes",)])), max_size=8
).flatmap(
    lambda lines: st.builds(
        Cart,
        currency=st.just("EUR"),
        lines=st.just(
            tuple(
                Line(id=str(place), sku="SKU", quantity=quantity, amount=amount, categories=categories)
                for place, (quantity, amount, categories) in enumerate(lines)
            )
        ),
        shipping=AMOUNTS,
    )
)
VALUES = st.one_of(
    st.builds(Percentage, basis_points=st.integers(1, 10_000)),
    st.builds(AmountOff, money=MONEY),
    st.builds(FixedPrice, money=MONEY),
    st.just(FreeShipping()),
    st.just(Gift(sku="MUG")),
    st.builds(Points, number=st.integers(1, 999)),
)


@st.composite
def singles(draw: st.DrawFn) -> Single:
    """A reward that passes its checks."""
    value = draw(VALUES)
    has_maximum = isinstance(value, Percentage | FixedPrice | FreeShipping)
    has_lines = isinstance(value, Percentage | FixedPrice | AmountOff)
    reward = Single(
        type="t",
        value=value,
        maximum=draw(st.none() | MONEY) if has_maximum else None,
        lines=draw(ONLY) if has_lines else None,
    )
    checked_reward(reward)
    return reward


def promotion(**terms: Any) -> Promotion:
    return Promotion(
        id=1,
        terms=PromotionTerms(handle="money", name="Money", **terms),
        stored_status=PromotionStatus.ACTIVE,
        stored_end_reason=None,
        stop_redeeming=False,
        created_at=NOW,
        updated_at=NOW,
    )


def asked(of: Promotion, **facts: Any) -> Decision:
    return decide(RedeemFacts(promotion=of, code=CODE, customer="ann", now=NOW, **facts))


def reasons(decision: Decision) -> set[RefusalCode]:
    return {refusal.code for refusal in decision.refusals}


def what_is_eligible(reward: Single, cart: Cart) -> int:
    match reward.value:
        case FreeShipping():
            return cart.shipping
        case Gift() | Points():
            return 0
    return sum(line.amount for line in select(cart.lines, reward.lines))


@given(singles(), CARTS, st.none() | MONEY, AMOUNTS)
def test_a_discount_is_of_what_is_eligible_and_its_lines_sum_to_it(
    reward: Single, cart: Cart, budget: Money | None, committed: int
) -> None:
    decision = asked(promotion(reward=reward, budget=budget), cart=checked_cart(cart), tally=Tally(committed=committed))
    if decision.refusals:
        assert reasons(decision) <= {RefusalCode.NOTHING_ELIGIBLE, RefusalCode.BUDGET_EXHAUSTED}
        assert (decision.discount, decision.money) == (None, None), "what is refused is worth nothing"
        return
    taken = decision.discount
    assert taken is not None
    costs = {line.id: line.amount for line in select(cart.lines, reward.lines)}
    assert all(0 < part <= costs[name] for name, part in taken.lines.items())
    assert 0 <= taken.shipping <= cart.shipping
    assert sum(taken.lines.values()) + taken.shipping == taken.total <= what_is_eligible(reward, cart)
    assert decision.money == Money(minor=taken.total, currency="EUR")
    assert reward.maximum is None or taken.total <= reward.maximum.minor
    assert budget is None or committed + taken.total <= budget.minor or not taken.total


@given(singles(), CARTS, st.integers(0, 2000), st.integers(-2, 2))
def test_a_budget_refuses_what_does_not_fit_and_nothing_else(
    reward: Single, cart: Cart, committed: int, room: int
) -> None:
    free = asked(promotion(reward=reward), cart=cart)
    assume(free.money is not None and free.money.minor + committed + room > 0)
    assert free.money is not None
    budget = Money(minor=committed + free.money.minor + room, currency="EUR")
    bounded = asked(promotion(reward=reward, budget=budget), cart=cart, tally=Tally(committed=committed))
    fits = room >= 0 or not free.money.minor
    assert bounded == free if fits else reasons(bounded) == {RefusalCode.BUDGET_EXHAUSTED}


@given(singles() | st.just(External()), CARTS, st.none() | MONEY, st.integers(0, 600), st.none() | MONEY)
def test_what_is_validated_is_what_is_redeemed(
    reward: Single | External, cart: Cart, budget: Money | None, committed: int, reported: Money | None
) -> None:
    """Facts being the same; only that the shop must say by then what it takes off, where that is counted."""
    of = promotion(reward=reward, budget=budget)
    looked, done = (
        asked(of, cart=cart, tally=Tally(committed=committed), reported=reported, must_report=must)
        for must in (False, True)
    )
    if isinstance(reward, External) and budget is not None and reported is None:
        assert reasons(done) == {RefusalCode.DISCOUNT_REQUIRED}
        assert looked == Decision() if committed < budget.minor else reasons(looked) == {RefusalCode.BUDGET_EXHAUSTED}
    else:
        assert looked == done


@given(singles(), CARTS, CARTS, st.none() | MONEY, AMOUNTS)
def test_a_hold_gives_what_it_promised_whatever_others_have_taken_since(
    reward: Single, cart: Cart, other: Cart, budget: Money | None, by_others: int
) -> None:
    of = promotion(reward=reward, budget=budget, uses_per_code=1, uses_per_customer=1, redemption_cap=1)
    promise = asked(of, cart=cart)
    assume(not promise.refusals and promise.money is not None)
    assert promise.money is not None
    # The budget was never given away twice: others have at most what the promise left of it.
    committed = by_others if budget is None else min(by_others, budget.minor - promise.money.minor)
    tally = Tally(by_customer=1, in_period=1, uses=1, committed=max(committed, 0))
    promised = Promised(customer="ann", discount=promise.discount, money=promise.money)
    assert asked(of, promised=promised, tally=tally) == promise
    assert asked(of, promised=promised, tally=tally, left=other) == promise


OFFERS = st.lists(
    st.builds(
        lambda reward, priority, budget, committed: (reward, priority, budget, committed),
        singles(),
        st.integers(-3, 3),
        st.none() | MONEY,
        st.integers(0, 600),
    ),
    min_size=1,
    max_size=6,
)


@given(CARTS, OFFERS)
def test_promotions_together_never_take_more_than_the_cart_costs(
    cart: Cart, offers: Sequence[tuple[Single, int, Money | None, int]]
) -> None:
    promotions = [
        replace(promotion(reward=reward, budget=budget, priority=priority, combinable=True), id=place)
        for place, (reward, priority, budget, _) in enumerate(offers, start=1)
    ]
    assert why_not_together(promotions) is None
    left, total = cart, 0
    off: dict[str, int] = {}
    for place in in_order(promotions):
        committed = offers[place][3]
        decision = asked(promotions[place], cart=cart, left=left, tally=Tally(committed=committed))
        if decision.discount is None:
            continue
        budget = promotions[place].terms.budget
        assert budget is None or committed + decision.discount.total <= budget.minor or not decision.discount.total
        for name, part in decision.discount.lines.items():
            off[name] = off.get(name, 0) + part
        total += decision.discount.total
        left = what_is_left(left, decision.discount)
        assert all(line.amount >= 0 for line in left.lines) and left.shipping >= 0
        assert left.subtotal + left.shipping == cart.subtotal + cart.shipping - total
    assert total <= cart.subtotal + cart.shipping
    assert all(part <= line.amount for line in cart.lines for part in [off.get(line.id, 0)])


@given(st.lists(st.tuples(st.integers(-2, 2), st.booleans()), min_size=1, max_size=6))
def test_who_comes_first_is_a_matter_of_priority_and_age(offers: Sequence[tuple[int, bool]]) -> None:
    promotions = [
        replace(promotion(priority=priority, combinable=combinable), id=place)
        for place, (priority, combinable) in enumerate(offers)
    ]
    places = in_order(promotions)
    assert sorted(places) == list(range(len(offers)))
    pairs = [(offers[one], one, offers[other], other) for one, other in pairwise(places)]
    assert all(one[0] > other[0] or (one[0] == other[0] and a < b) for one, a, other, b in pairs)
    may = len(offers) == 1 or all(combinable for _, combinable in offers)
    assert (why_not_together(promotions) is None) is may


@dataclass
class Till:
    """A budget as the rules ask for it: what is given, what is held, and each step decided on what is left."""

    of: Promotion
    given: list[int] = field(default_factory=list)
    held: list[int] = field(default_factory=list)

    @property
    def committed(self) -> int:
        return sum(self.given) + sum(self.held)

    def ask(self, minor: int) -> bool:
        decision = asked(
            self.of,
            reported=Money(minor=minor, currency="EUR"),
            must_report=True,
            tally=Tally(committed=self.committed),
        )
        return not decision.refusals

    def redeem_held(self, place: int, minor: int) -> bool:
        """By a hold, at what the shop takes off now."""
        promise = self.held[place]
        decision = asked(
            self.of,
            promised=Promised(money=Money(minor=promise, currency="EUR")),
            reported=Money(minor=minor, currency="EUR"),
            tally=Tally(committed=self.committed - promise),
        )
        if decision.refusals:
            return False
        self.given.append(minor)
        del self.held[place]
        return True


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["redeem", "hold", "redeem hold", "redeem hold dearer", "end hold", "roll back"]),
        st.integers(0, 400),
        st.integers(0, 99),
    ),
    max_size=40,
)


def step(till: Till, act: str, minor: int, which: int, budget: int) -> None:
    left = budget - till.committed
    match act:
        case "redeem" | "hold":
            fits = till.ask(minor)
            assert fits is (minor <= left), "whatever fits is given, and nothing else"
            if fits:
                (till.given if act == "redeem" else till.held).append(minor)
        case "redeem hold" | "redeem hold dearer" if till.held:
            place = which % len(till.held)
            promise = till.held[place]
            asks = promise if act == "redeem hold" else promise + minor
            assert till.redeem_held(place, asks) is (asks <= left + promise)
        case "end hold" if till.held:
            del till.held[which % len(till.held)]
        case "roll back" if till.given:
            place = which % len(till.given)
            till.given[place] -= min(minor, till.given[place])


@given(st.integers(1, 1000), STEPS)
def test_a_budget_is_never_exceeded_and_never_refuses_what_it_has(
    budget: int, steps: Sequence[tuple[str, int, int]]
) -> None:
    till = Till(promotion(budget=Money(minor=budget, currency="EUR")))
    for act, minor, which in steps:
        step(till, act, minor, which, budget)
        assert till.committed <= budget


@given(st.integers(1, 200_000), st.integers(1, 2_000))
def test_the_largest_multiple_that_fits_is_given(budget: int, each: int) -> None:
    """1,000.00 at 7.77 gives 128 times 7.77, which is 994.56."""
    till = Till(promotion(budget=Money(minor=budget, currency="EUR")))
    fits = budget // each
    near: Mapping[int, bool] = {number: number < fits for number in (0, fits - 1, fits, fits + 1) if number >= 0}
    for number, expected in near.items():
        till.given = [number * each]
        assert till.ask(each) is expected
