"""What moves with the clock, over several days: nobody is left out who is in it on one of them."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from promograph.domain import conditions
from promograph.domain.conditions.attributes import AttributeIs
from promograph.domain.conditions.customers import InSegment
from promograph.domain.conditions.days import MovingDay
from promograph.domain.conditions.facts import CustomerFacts, Facts
from promograph.domain.conditions.nodes import AllOf, AnyOf, Condition, Not
from promograph.domain.conditions.values import Op
from promograph.domain.people.moving import ever

NOW = datetime(2026, 12, 15, 12, tzinfo=UTC)
INSTANTS = [NOW - timedelta(days=n) for n in range(4)]
OPS = [Op.EQUALS, Op.LT, Op.LTE, Op.GT, Op.GTE]

days = st.integers(-5, 5).map(lambda n: date(2026, 12, 15) + timedelta(days=n))
moving = st.builds(
    AttributeIs,
    name=st.sampled_from(["left", "stays"]),
    op=st.sampled_from(OPS),
    value=st.builds(MovingDay, days=st.integers(-3, 3)),
)
still = st.builds(AttributeIs, name=st.just("left"), op=st.sampled_from(OPS), value=days)
trees: st.SearchStrategy[Condition] = st.recursive(
    moving | still,
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda all_: AllOf(tuple(all_)))
        | st.lists(inner, max_size=3).map(lambda any_: AnyOf(tuple(any_)))
        | inner.map(Not)
    ),
    max_leaves=6,
)
people = st.fixed_dictionaries({}, optional={"left": days, "stays": st.lists(days, max_size=3).map(tuple)})


@given(trees, people)
def test_whoever_is_in_it_on_one_of_the_days_is_not_left_out(condition: Condition, attributes: dict[str, date]) -> None:
    customer = CustomerFacts(attributes=attributes)
    once = ever(InSegment(segment="s"), {"s": condition}, INSTANTS)
    assert not once.needs().day
    assert not once.needs().segments
    if any(conditions.holds(condition, Facts(now=at, customer=customer)) for at in INSTANTS):
        assert conditions.holds(once, Facts(now=NOW, customer=customer))


def test_most_are_left_out() -> None:
    yesterday = AttributeIs(name="left", op=Op.EQUALS, value=MovingDay(days=-1))
    for condition, first in ((yesterday, 10), (Not(AttributeIs(name="left", op=Op.LT, value=MovingDay(days=1))), 12)):
        once = ever(condition, {}, INSTANTS)
        held = [
            day
            for day in range(1, 31)
            if conditions.holds(once, Facts(now=NOW, customer=CustomerFacts(attributes={"left": date(2026, 12, day)})))
        ]
        assert held[0] == first + 1
        assert once == ever(once, {}, INSTANTS)
