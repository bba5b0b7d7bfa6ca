"""Customers and segments as their users meet them: bulk calls, keys, types that two give at once, circles."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from promograph.domain.conditions.attributes import AttributeIs
from promograph.domain.conditions.carts import FirstOrder
from promograph.domain.conditions.customers import CodesIssued, HasRedeemed, HoldsCode, InSegment
from promograph.domain.conditions.nodes import AllOf, AnyOf, Condition, Not
from promograph.domain.conditions.values import Op, ValueType
from promograph.domain.issuing import IssuanceKind
from promograph.domain.people.attributes import Attribute
from promograph.domain.people.segments import Segment, UserKind
from promograph.errors import BadInput, InputProblem
from promograph.services.app import Services
from promograph.services.segmenting import MOST_SEGMENTS, NewSegment
from promograph.store.people import segments

from .world import World

pytestmark = pytest.mark.anyio

GOLD = AttributeIs(name="tier", op=Op.EQUALS, value="gold")


def people(count: int, **attributes: Any) -> list[dict[str, Any]]:
    return [{"id": f"c{n}", "attributes": {"n": n, **attributes}} for n in range(count)]


async def segment(services: Services, handle: str, condition: Condition) -> Segment:
    return await services.segmenting.create(NewSegment(name=handle.title(), handle=handle, condition=condition))


async def test_customers_are_made_and_changed(services: Services) -> None:
    told = [
        {"id": "ada", "email": "ada@example.com", "attributes": {"tier": "gold", "spent": 12.5}},
        {"id": "bob", "attributes": {"tier": 3}},
        {"id": "eve", "email": "nowhere"},
    ]
    first = await services.people.upsert(told)
    assert (first.created, first.updated) == (1, 0)
    assert [(place, problem.field) for place, problem in first.problems] == [
        (1, ("attributes", "tier")),
        (2, ("email",)),
    ]
    second = await services.people.upsert([{"id": "ada", "attributes": {"spent": None}}, {"id": "bob"}])
    assert (second.created, second.updated, second.problems) == (1, 1, ())
    ada = await services.people.get("ada")
    assert ada is not None
    assert (ada.email, ada.attributes) == ("ada@example.com", {"tier": "gold"})
    assert await services.people.get("eve") is None
    assert await services.people.attributes() == [
        Attribute("spent", ValueType.NUMBER),
        Attribute("tier", ValueType.TEXT),
    ]


@pytest.mark.parametrize("id_", ["", "x" * 129, "a\0b", "\ud800"])
async def test_an_id_that_nobody_may_have_is_nobodys(services: Services, id_: str) -> None:
    assert await services.people.get(id_) is None


async def test_a_call_with_a_key_is_done_once(services: Services) -> None:
    told = [{"id": "ada", "attributes": {"tier": "gold"}}, {"id": "eve", "email": "nowhere"}]
    first = await services.people.upsert(told, key="k")
    await services.people.upsert([{"id": "ada", "attributes": {"tier": "silver"}}])
    again = await services.people.upsert(told, key="k")
    assert (again.created, again.updated, again.replayed) == (1, 0, True)
    assert [(place, str(problem)) for place, problem in again.problems] == [
        (place, str(problem)) for place, problem in first.problems
    ]
    ada = await services.people.get("ada")
    assert ada is not None
    assert ada.attributes == {"tier": "silver"}
    with pytest.raises(BadInput) as refused:
        await services.people.upsert([{"id": "ada"}], key="k")
    assert refused.value.problem is InputProblem.KEY_REUSED


async def test_one_key_from_two_servers_at_once(world: World) -> None:
    other = world.reopen()
    answers = await asyncio.gather(
        *(services.people.upsert(people(300), key="k") for services in (world.services, other) for _ in range(3))
    )
    assert [(answer.created, answer.updated) for answer in answers] == [(300, 0)] * 6
    assert sum(not answer.replayed for answer in answers) == 1


async def test_a_server_that_does_not_know_of_an_attribute_yet_learns_of_it(world: World) -> None:
    other = world.reopen()
    await other.people.upsert([{"id": "a", "attributes": {"n": 0}}])
    await world.services.people.upsert([{"id": "a", "attributes": {"tier": "gold"}}])
    answer = await other.people.upsert([{"id": "b", "attributes": {"tier": 3}}, {"id": "c", "attributes": {"n": "x"}}])
    assert [place for place, _ in answer.problems] == [0, 1]


async def test_two_who_give_an_attribute_its_first_type_at_once(world: World) -> None:
    services, between = world.interposed()
    between.before_write = lambda: world.services.people.upsert([{"id": "a", "attributes": {"new": "text"}}])
    answer = await services.people.upsert([{"id": "b", "attributes": {"new": 1}}, {"id": "c"}])
    assert (answer.created, [place for place, _ in answer.problems]) == (1, [0])
    assert await services.people.get("b") is None
    assert await services.people.types() == {"new": ValueType.TEXT}


async def test_a_segment_counts_and_shows_whom_it_has_found_and_why(world: World, services: Services) -> None:
    await services.people.upsert([*people(60, tier="gold"), {"id": "z", "attributes": {"tier": "silver"}}])
    promotion = await world.promotion(codes=10)
    handle = promotion.terms.handle
    await world.issue_all(promotion, [f"c{n}" for n in range(10)])
    holders = await segment(services, "holders", HoldsCode(promotion=handle))
    both = AllOf((GOLD, AnyOf((InSegment(segment="holders"), AttributeIs(name="n", op=Op.GTE, value=40)))))
    made = await segment(services, "both", both)
    assert await services.segmenting.count(holders.condition) == 10
    assert await services.segmenting.count(made.condition) == 30
    shown = await services.segmenting.preview(made.condition)
    expected = sorted([f"c{n}" for n in (*range(10), *range(40, 60))])[:20]
    assert [match.customer for match in shown] == expected
    reasons = {match.customer: match.reasons for match in shown}
    assert reasons["c1"] == ("customer's tier is 'gold'", "customer in 'Holders'")
    assert reasons["c40"] == ("customer's tier is 'gold'", "customer's n at least 40 (40)")


async def test_segments_over_what_was_issued_and_redeemed(world: World, services: Services) -> None:
    await services.people.upsert(people(6))
    promotion = await world.promotion(codes=6, uses_per_customer=None)
    handle = promotion.terms.handle
    codes = {f"c{n}": await world.code(promotion, f"c{n}") for n in range(4)}
    await world.reissue(promotion, "c0", idempotency_key="again")
    await world.reissue(promotion, "c0", message="m1")
    assert (await world.redeem(codes["c1"], "c1")).redemption
    await world.block(codes["c2"])

    async def found(condition: Condition) -> list[str]:
        return [match.customer for match in await services.segmenting.preview(condition)]

    assert await found(CodesIssued(op=Op.EQUALS, count=1)) == ["c0", "c1", "c2", "c3"]
    assert await found(CodesIssued(op=Op.GT, count=1)) == []
    assert await found(CodesIssued(op=Op.LT, count=1, promotion=handle)) == ["c4", "c5"]
    tomorrow = world.clock.now + timedelta(days=1)
    assert await found(CodesIssued(op=Op.GTE, count=1, promotion=handle, since=tomorrow)) == []
    assert await found(HoldsCode(promotion=handle)) == ["c0", "c3"]
    assert await found(HasRedeemed(promotion=handle)) == ["c1"]
    await world.unblock(codes["c2"])
    assert await found(HoldsCode(promotion=handle)) == ["c0", "c2", "c3"]


async def test_a_segment_is_changed_and_deleted(world: World, services: Services) -> None:
    made = await segment(services, "gold", GOLD)
    world.clock.move(hours=1)
    changed = await services.segmenting.update(made.id, name=" Golden ")
    assert (changed.handle, changed.name, changed.condition) == ("gold", "Golden", GOLD)
    assert (changed.created_at, changed.updated_at) == (made.created_at, world.clock.now)
    assert (await services.segmenting.update(made.id, condition=Not(GOLD))).condition == Not(GOLD)
    assert await services.segmenting.get(handle="gold") == await services.segmenting.get(id_=made.id)
    assert (await services.segmenting.delete(made.id)).handle == "gold"
    assert await services.segmenting.every() == []
    for act in (services.segmenting.delete(made.id), services.segmenting.update(made.id, name="x")):
        with pytest.raises(BadInput) as refused:
            await act
        assert refused.value.problem is InputProblem.NOT_FOUND


async def test_a_handle_is_made_of_the_name_and_given_once(services: Services) -> None:
    made = await services.segmenting.create(NewSegment(name="Très fidèles!", condition=GOLD), key="k")
    assert made.handle == "tres-fideles"
    assert await services.segmenting.create(NewSegment(name="Très fidèles!", condition=GOLD), key="k") == made
    with pytest.raises(BadInput) as refused:
        await services.segmenting.create(NewSegment(name="Très fidèles!", condition=GOLD))
    assert (refused.value.problem, refused.value.field) == (InputProblem.TAKEN, ("handle",))
    with pytest.raises(BadInput) as refused:
        await services.segmenting.create(NewSegment(name="夏", condition=GOLD))
    assert refused.value.field == ("handle",)
    with pytest.raises(BadInput) as refused:
        await services.segmenting.create(NewSegment(name="Other", condition=GOLD), key="k")
    assert refused.value.problem is InputProblem.KEY_REUSED


async def test_a_segment_that_rests_on_itself_through_two_others_is_refused(services: Services) -> None:
    first = await segment(services, "first", GOLD)
    await segment(services, "second", Not(InSegment(segment="first")))
    await segment(services, "third", AnyOf((GOLD, InSegment(segment="second"))))
    with pytest.raises(BadInput, match="first → third → second → first") as refused:
        await services.segmenting.update(first.id, condition=InSegment(segment="third"))
    assert refused.value.field == ("condition",)
    assert await services.segmenting.get(id_=first.id) == first
    assert [use.handle for use in await services.segmenting.uses(first.id)] == ["second"]
    with pytest.raises(BadInput, match="first → first"):
        await services.segmenting.update(first.id, condition=Not(InSegment(segment="first")))


async def test_what_rests_on_a_segment_keeps_it(world: World, services: Services) -> None:
    made = await segment(services, "gold", GOLD)
    other = await segment(services, "other", InSegment(segment="gold"))
    promotion = await world.promotion(codes=1)
    await world.write(lambda c: segments.set_uses(c, UserKind.PROMOTION, promotion.id, InSegment(segment="gold")))
    assert [(use.kind, use.name) for use in await services.segmenting.uses(made.id)] == [
        (UserKind.SEGMENT, "Other"),
        (UserKind.PROMOTION, promotion.terms.name),
    ]
    for name in ("Other", promotion.terms.name):
        with pytest.raises(BadInput, match=name) as refused:
            await services.segmenting.delete(made.id)
        assert refused.value.problem is InputProblem.STATE
        await services.segmenting.update(other.id, condition=GOLD)
    await world.write(lambda c: segments.set_uses(c, UserKind.PROMOTION, promotion.id, None))
    await services.segmenting.delete(made.id)


async def test_a_use_that_comes_while_the_segment_is_deleted(world: World) -> None:
    services, between = world.interposed()
    made = await segment(services, "gold", GOLD)
    between.before_write = lambda: segment(world.services, "late", InSegment(segment="gold"))
    with pytest.raises(BadInput, match="'Late'"):
        await services.segmenting.delete(made.id)


async def test_two_changes_at_once_that_would_make_a_circle_together(world: World) -> None:
    one, two = await segment(world.services, "one", GOLD), await segment(world.services, "two", GOLD)
    other = world.reopen()
    answers = await asyncio.gather(
        world.services.segmenting.update(one.id, condition=InSegment(segment="two")),
        other.segmenting.update(two.id, condition=InSegment(segment="one")),
        return_exceptions=True,
    )
    assert sorted(isinstance(answer, BadInput) for answer in answers) == [False, True]
    assert await world.services.segmenting.count(InSegment(segment="one")) == 0


async def test_what_a_segment_cannot_be(services: Services) -> None:
    with pytest.raises(BadInput, match="No segment has the handle 'gone'"):
        await segment(services, "a", InSegment(segment="gone"))
    for act in (services.segmenting.count, services.segmenting.preview):
        with pytest.raises(BadInput) as refused:
            await act(AllOf((GOLD, FirstOrder())))
        assert refused.value.field == ("condition", "all", "1", "firstOrder")
    with pytest.raises(BadInput, match="about a cart"):
        await segment(services, "a", FirstOrder())
    assert await services.segmenting.every() == []


async def test_segments_are_bounded_in_number(world: World, services: Services) -> None:
    def many(connection: segments.Connection) -> None:
        for n in range(MOST_SEGMENTS):
            segments.insert(connection, handle=f"s{n}", name="S", condition=GOLD, now=world.clock.now)

    await world.write(many)
    with pytest.raises(BadInput) as refused:
        await segment(services, "one-more", GOLD)
    assert refused.value.problem is InputProblem.TOO_MANY


async def test_statistics_are_taken_when_most_of_a_table_is_new(world: World, services: Services) -> None:
    """They are PostgreSQL's; elsewhere nothing of the kind is needed, and asking must not fail there either."""
    taken = "SELECT count(*) FROM pg_stat_user_tables WHERE relname = 'customer' AND analyze_count > 0"

    async def is_taken() -> bool:
        return bool(await world.write(lambda c: c.exec_driver_sql(taken).scalar()))

    for start in (0, 10_000):
        told = [{"id": f"c{n}"} for n in range(start, start + 10_000)]
        await services.people.upsert(told)
    if not world.store.startswith("postgresql"):
        assert await services.segmenting.count(Not(GOLD)) == 20_000
        return
    for _ in range(3_000):  # what was changed is counted a moment after it was
        assert await services.segmenting.count(Not(GOLD)) == 20_000
        if await is_taken():
            return
        await asyncio.sleep(0.1)
    raise AssertionError("statistics were never taken")


async def test_a_profile(world: World, services: Services) -> None:
    await services.people.upsert([{"id": "ada", "attributes": {"tier": "gold", "spent": {"number": "1.10"}}}])
    promotion = await world.promotion(codes=2, valid_for=timedelta(days=10))
    code = await world.code(promotion, "ada")
    issued_at = world.clock.now
    world.clock.move(days=1)
    await world.reissue(promotion, "ada", idempotency_key="r")
    world.clock.move(days=1)
    assert (await world.redeem(code, "ada")).redemption
    await world.issue(promotion, "bob")
    ada = await services.people.get("ada")
    assert ada is not None
    assert ada.attributes["spent"] == Decimal("1.1")
    repeat, first = await services.people.issuances_of("ada")
    assert (first.kind, repeat.kind) == (IssuanceKind.INITIAL, IssuanceKind.REPEAT)
    assert first.text == repeat.text == code
    assert first.expires_at == repeat.expires_at == issued_at + timedelta(days=10)
    [used] = await services.people.redemptions_of("ada")
    assert (used.text, used.redeemed_at) == (code, world.clock.now)
    await segment(services, "gold", GOLD)
    await segment(services, "others", Not(InSegment(segment="gold")))
    assert [found.handle for found in await services.people.segments_of("ada")] == ["gold"]
    assert [found.handle for found in await services.people.segments_of("stranger")] == ["others"]
    assert await services.people.issuances_of("stranger") == []
