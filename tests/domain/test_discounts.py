"""What is true of every discount, whatever the reward and the cart."""

from dataclasses import replace
from fractions import Fraction

import orjson
from hypothesis import given
from hypothesis import strategies as st

from promograph.domain.carts import LARGEST_AMOUNT, Cart, Line, LineFilter, Money, checked_cart, select
from promograph.domain.discounts import Discount, discount, dump_discount, load_discount, spread
from promograph.domain.rewards import (
    AmountOff,
    External,
    FixedPrice,
    FreeShipping,
    Percentage,
    Reward,
    Single,
    checked_reward,
)

AMOUNTS = st.one_of(st.integers(0, 200), st.integers(0, LARGEST_AMOUNT))
MONEY = st.builds(Money, minor=st.one_of(st.integers(1, 500), st.integers(1, LARGEST_AMOUNT)), currency=st.just("EUR"))
PERCENTAGES = st.builds(Percentage, basis_points=st.integers(1, 10_000))
ONLY = st.none() | st.just(LineFilter(categories=("shoes",)))
CARTS = st.lists(
    st.builds(
        Line,
        id=st.just("-"),
        sku=st.just("SKU"),
        quantity=st.integers(1, 9) | st.integers(1, 1_000_000),
        amount=AMOUNTS,
        categories=st.sampled_from([(), ("shoes",)]),
    ),
    max_size=12,
).flatmap(
    lambda lines: st.builds(
        Cart,
        currency=st.just("EUR"),
        lines=st.just(tuple(replace(line, id=str(place)) for place, line in enumerate(lines))),
        shipping=AMOUNTS,
    )
)
OFF_LINES = st.one_of(
    st.builds(Single, type=st.just("t"), value=PERCENTAGES, maximum=st.none() | MONEY, lines=ONLY),
    st.builds(Single, type=st.just("t"), value=st.builds(AmountOff, money=MONEY), lines=ONLY),
    st.builds(
        Single, type=st.just("t"), value=st.builds(FixedPrice, money=MONEY), maximum=st.none() | MONEY, lines=ONLY
    ),
)
REWARDS = OFF_LINES | st.builds(Single, type=st.just("t"), value=st.just(FreeShipping()), maximum=st.none() | MONEY)


def taken_off(reward: Reward, cart: Cart) -> Discount:
    taken = discount(reward, cart)
    assert isinstance(taken, Discount)
    return taken


@given(REWARDS, CARTS)
def test_the_parts_add_up_and_none_is_too_large(reward: Single, cart: Cart) -> None:
    taken = taken_off(checked_reward(reward) and reward, checked_cart(cart))
    costs = {line.id: line.amount for line in select(cart.lines, reward.lines)}
    assert all(0 < part <= costs[name] for name, part in taken.lines.items())
    assert 0 <= taken.shipping <= cart.shipping
    assert sum(taken.lines.values()) + taken.shipping == taken.total <= taken.eligible
    assert reward.maximum is None or taken.total <= reward.maximum.minor


@given(OFF_LINES, CARTS)
def test_the_eligible_amount_is_that_of_the_eligible_lines(reward: Single, cart: Cart) -> None:
    taken = taken_off(reward, cart)
    assert taken.eligible == sum(line.amount for line in cart.lines if reward.lines is None or line.categories)


@given(PERCENTAGES, PERCENTAGES, st.none() | MONEY, ONLY, CARTS)
def test_a_larger_percentage_takes_no_less(
    one: Percentage, other: Percentage, maximum: Money | None, only: LineFilter | None, cart: Cart
) -> None:
    smaller, larger = sorted([one, other], key=lambda value: value.basis_points)
    totals = [
        taken_off(Single(type="t", value=value, maximum=maximum, lines=only), cart).total for value in (smaller, larger)
    ]
    assert totals[0] <= totals[1]


@given(OFF_LINES, AMOUNTS, st.integers(1, 9), st.integers(2, 30))
def test_equal_lines_get_the_same_within_one_unit(reward: Single, amount: int, quantity: int, number: int) -> None:
    """Splitting a line into equal ones changes nothing of the total, and no share by more than the unit it must."""

    def of(lines: int) -> Discount:
        whole = Line(
            id="0",
            sku="SKU",
            quantity=quantity * number // lines,
            amount=amount * number // lines,
            categories=("shoes",),
        )
        return taken_off(
            reward, Cart(currency="EUR", lines=tuple(replace(whole, id=str(place)) for place in range(lines)))
        )

    one, many = of(1), of(number)
    shares = [many.lines.get(str(place), 0) for place in range(number)]
    assert many.total == one.total
    assert max(shares) - min(shares) <= 1
    assert shares == sorted(shares, reverse=True)


@given(OFF_LINES, CARTS)
def test_the_same_cart_gets_the_same_discount(reward: Single, cart: Cart) -> None:
    assert discount(reward, cart) == discount(reward, replace(cart, shipping=0, customer="C-1"))


@given(st.lists(st.integers(0, 10**15), max_size=30), st.fractions(0, 1))
def test_spreading_is_exact_and_within_one_unit_of_the_proportion(weights: list[int], rate: Fraction) -> None:
    total = int(sum(weights) * rate)
    parts = spread(total, weights)
    assert sum(parts) == total
    for part, weight in zip(parts, weights, strict=True):
        assert 0 <= part <= weight
        assert abs(part * sum(weights) - total * weight) < max(1, sum(weights))


def test_an_external_reward_is_for_the_shop_to_say() -> None:
    assert discount(External(), Cart(currency="EUR")) is None


@given(REWARDS, CARTS)
def test_a_discount_comes_back_from_json(reward: Single, cart: Cart) -> None:
    taken = taken_off(reward, cart)
    assert load_discount(orjson.loads(orjson.dumps(dump_discount(taken)))) == taken


def test_a_thousand_lines_of_the_largest_amount() -> None:
    lines = tuple(Line(id=str(place), sku="S", quantity=1, amount=LARGEST_AMOUNT) for place in range(1000))
    taken = taken_off(Single(type="t", value=Percentage(basis_points=3333)), Cart(currency="EUR", lines=lines))
    assert taken.total == 333_300_000_000_000
    assert set(taken.lines.values()) == {333_300_000_000}
