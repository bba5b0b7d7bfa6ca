"""Audiences: listed, frozen from a segment, or whoever is in it at the time."""

import asyncio
from typing import Any

import pytest

from promograph.domain import conditions
from promograph.domain.people.audiences import Audience, AudienceKind, AudienceSource, Reach
from promograph.errors import BadInput, InputProblem, StoreUnavailable
from promograph.services import audiences as service
from promograph.services.audiences import AudienceChange, Audiences, NewAudience
from promograph.services.segmenting import NewSegment
from promograph.store.listing import Slice
from promograph.store.people import audience_members, audiences

from .world import World, lose_answer

pytestmark = pytest.mark.anyio

STATIC, DYNAMIC = AudienceKind.STATIC, AudienceKind.DYNAMIC


def is_(name: str, value: Any) -> dict[str, Any]:
    return {"attribute": {"name": name, "op": "EQUALS", "value": value}}


async def told(world: World, *customers: dict[str, Any]) -> None:
    answer = await world.services.people.upsert(customers)
    assert not answer.problems


async def segment(world: World, name: str, condition: dict[str, Any]) -> int:
    new = NewSegment(name=name, condition=conditions.parse(condition))
    return (await world.services.segmenting.create(new)).id


async def members(world: World, audience: Audience) -> list[str]:
    page = await world.services.audiences.members(audience, Slice(count=100))
    return [row[0] for _, row in page.rows]


async def made(world: World, name: str = "Some", **more: Any) -> Audience:
    more.setdefault("kind", STATIC)
    return await world.services.audiences.create(NewAudience(name=name, **more))


async def gold(world: World, *, count: int = 6) -> None:
    """Customers c0, c1, …; every other one is gold. And the segment of those."""
    await told(
        world,
        *(
            {
                "id": f"c{n}",
                "email": f"c{n}@example.com" if n % 3 else None,
                "phone": "+15145550100" if n == 0 else None,
                "consent": {"email": n % 4 == 0} if n != 5 else {},
                "attributes": {"tier": "plain" if n % 2 else "gold"},
            }
            for n in range(count)
        ),
    )
    await segment(world, "Gold", is_("tier", "gold"))


async def test_a_list_of_ids_known_or_not(world: World) -> None:
    await told(world, {"id": "ada", "email": "ada@example.com", "consent": {"email": True}})
    audience = await made(world, customers=["zoe", "ada", "ada", "bob"])
    assert (audience.size, audience.handle, audience.source) == (3, "some", AudienceSource.LIST)
    assert await members(world, audience) == ["ada", "bob", "zoe"]
    assert await world.services.audiences.reach(audience) == [
        Reach(channel="email", addressed=1, agreed=1, refused=0),
        Reach(channel="sms", addressed=0, agreed=0, refused=0),
    ]
    change = AudienceChange(name="Others", add=["bob", "cy"], remove=["ada", "nobody"])
    changed = await world.services.audiences.update(audience.id, change)
    assert (changed.size, changed.name) == (3, "Others")
    assert await members(world, changed) == ["bob", "cy", "zoe"]


async def test_a_frozen_segment_stays_and_a_dynamic_one_moves(world: World) -> None:
    await gold(world)
    frozen = await made(world, "Frozen", segment="gold")
    moving = await made(world, "Moving", kind=DYNAMIC, segment="gold")
    assert (frozen.size, moving.size, frozen.segment) == (3, None, "gold")
    assert await members(world, frozen) == await members(world, moving) == ["c0", "c2", "c4"]
    await told(world, {"id": "c0", "attributes": {"tier": "plain"}}, {"id": "d", "attributes": {"tier": "gold"}})
    assert await members(world, frozen) == ["c0", "c2", "c4"]
    assert await members(world, moving) == ["c2", "c4", "d"]
    assert await world.services.audiences.count(moving) == 3
    assert await world.services.audiences.reach(moving) == [
        Reach(channel="email", addressed=2, agreed=1, refused=1),
        Reach(channel="sms", addressed=0, agreed=0, refused=0),
    ]


async def test_a_segment_in_use_says_where_and_stays(world: World) -> None:
    await gold(world)
    other = await segment(world, "Plain", is_("tier", "plain"))
    audience = await made(world, "Moving", kind=DYNAMIC, segment="plain")
    await made(world, "Frozen", segment="plain")
    (use,) = await world.services.segmenting.uses(other)
    assert (use.kind, use.handle) == ("AUDIENCE", "moving")
    with pytest.raises(BadInput, match="The audience 'Moving' rests on this segment"):
        await world.services.segmenting.delete(other)
    await world.services.audiences.update(audience.id, AudienceChange(segment="gold"))
    await world.services.segmenting.delete(other)


async def test_pages_of_members_and_of_audiences(world: World) -> None:
    ids = [f"m{n:03}" for n in range(25)]
    audience = await made(world, customers=ids)
    first = await world.services.audiences.members(audience, Slice(count=10))
    assert [row[0] for _, row in first.rows] == ids[:10]
    assert first.has_next
    rest = await world.services.audiences.members(audience, Slice(count=100, start=first.rows[-1][0]))
    assert [row[0] for _, row in rest.rows] == ids[10:]
    last = await world.services.audiences.members(audience, Slice(count=3, backward=True))
    assert [row[0] for _, row in last.rows] == ids[-3:]
    await made(world, "Later")
    page = await world.services.audiences.page(Slice(count=10))
    assert [one.handle for _, one in page.rows] == ["later", "some"]


async def test_a_freeze_takes_many_pieces_and_nobody_sees_half_of_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await gold(world, count=50)
    monkeypatch.setattr(Audiences, "_most", 7)
    seen = []
    inner, freeze = world.services.audiences, audience_members.freeze

    def look(*args: Any, **more: Any) -> Any:
        seen.append(more["after"])
        return freeze(*args, **more)

    monkeypatch.setattr(audience_members, "freeze", look)
    audience = await made(world, segment="gold")
    assert audience.size == 25
    assert len(seen) == 50 // 7 + 2
    # Another that fails in its middle leaves nothing, not even its name.
    calls = iter(range(3))

    def fail(*args: Any, **more: Any) -> Any:
        if next(calls) == 2:
            raise RuntimeError
        return freeze(*args, **more)

    monkeypatch.setattr(audience_members, "freeze", fail)
    with pytest.raises(RuntimeError):
        await made(world, "Broken", segment="gold")
    monkeypatch.undo()
    assert [one.handle for _, one in (await inner.page(Slice(count=10))).rows] == ["some"]
    assert (await made(world, "Broken", segment="gold")).size == 25


async def test_what_a_dead_process_left_is_taken_down_by_the_next(world: World) -> None:
    await gold(world)
    new = NewAudience(name="Half", kind=STATIC, segment="gold")
    now = world.clock.now

    def half(connection: Any) -> int:
        id_ = service._begin(connection, "half", "Half", new, now, is_filled=False)
        audiences.fill(connection, id_, audience_members.add(connection, id_, ["c0"]), now)
        return id_

    id_ = await world.write(half)
    with pytest.raises(BadInput, match="just now") as refused:
        await made(world, "Half", segment="gold")
    assert refused.value.problem is InputProblem.BUSY
    assert await world.services.audiences.get(id_) is None
    world.clock.move(seconds=61)
    whole = await made(world, "Half", segment="gold")
    assert whole.size == 3
    assert whole.id != id_
    # Should that process live after all, it may not go on.
    with pytest.raises(BadInput, match="given up"):
        await world.write(lambda connection: audiences.fill(connection, id_, 1, now))


@pytest.mark.parametrize("number", [1, 2, 3, 4])
async def test_one_of_which_an_answer_was_lost_is_there_when_it_is_asked_for_again(world: World, number: int) -> None:
    """The last answer is that it is there for all to see: it is not to be taken down for not having been heard."""
    await gold(world)
    services, database = world.interposed()
    new = NewAudience(name="Once", kind=STATIC, segment="gold")
    lose_answer(database, number)
    with pytest.raises(StoreUnavailable):
        await services.audiences.create(new, key="k")
    world.clock.move(seconds=61)  # of the first answer nobody knows which one to take down
    assert (await services.audiences.create(new, key="k")).size == 3
    assert len((await services.audiences.page(Slice(count=10))).rows) == 1
    assert await world.services.verify() == []


async def test_the_same_call_again_is_the_same_audience(world: World) -> None:
    await gold(world)
    new = NewAudience(name="Once", kind=STATIC, segment="gold")
    one, two = [await world.services.audiences.create(new, key="k") for _ in range(2)]
    assert one == two
    listed = NewAudience(name="Listed", kind=STATIC, customers=["a"])
    answers = await asyncio.gather(*(world.services.audiences.create(listed, key="l") for _ in range(4)))
    assert len({answer.id for answer in answers}) == 1
    with pytest.raises(BadInput) as refused:
        await world.services.audiences.create(NewAudience(name="Other", kind=STATIC, customers=["b"]), key="l")
    assert refused.value.problem is InputProblem.KEY_REUSED


async def test_a_deleted_audience_is_gone_with_its_members_and_its_name_is_free(world: World) -> None:
    await gold(world)
    audience = await made(world, segment="gold")
    assert (await world.services.audiences.delete(audience.id)).handle == "some"
    assert await world.services.audiences.get(audience.id) is None
    world.clock.move(seconds=1)
    assert (await made(world)).size == 0
    with pytest.raises(BadInput, match="No audience has this id"):
        await world.services.audiences.delete(audience.id)


async def test_changes_at_once_are_counted_each(world: World) -> None:
    audience = await made(world)
    await asyncio.gather(
        *(
            world.services.audiences.update(audience.id, AudienceChange(add=[f"p{n % 7}", f"q{n}"], remove=["p0"]))
            for n in range(12)
        )
    )
    found = await world.services.audiences.get(audience.id)
    assert found is not None
    assert found.size == len(await members(world, found)) == 6 + 12


@pytest.mark.parametrize(
    ("new", "problem", "field"),
    [
        ({"name": " "}, InputProblem.REQUIRED, "name"),
        ({"kind": DYNAMIC}, InputProblem.REQUIRED, "segment"),
        ({"kind": DYNAMIC, "segment": "nowhere"}, InputProblem.NOT_FOUND, "segment"),
        ({"segment": "nowhere"}, InputProblem.NOT_FOUND, "segment"),
        ({"segment": "gold'; DROP TABLE audience; --"}, InputProblem.NOT_FOUND, "segment"),
        ({"segment": "gold", "customers": []}, InputProblem.INVALID, "customers"),
        ({"kind": DYNAMIC, "segment": "gold", "customers": ["a"]}, InputProblem.INVALID, "customers"),
        ({"customers": ["a", " "]}, InputProblem.INVALID, "customers.1"),
        ({"customers": ["a\0"]}, InputProblem.INVALID, "customers.0"),
        ({"customers": [str(n) for n in range(10_001)]}, InputProblem.TOO_MANY, "customers"),
        ({"handle": "Not A Handle"}, InputProblem.INVALID, "handle"),
    ],
)
async def test_bad_input_is_told_and_nothing_is_left(
    world: World, new: dict[str, Any], problem: InputProblem, field: str
) -> None:
    await gold(world)
    with pytest.raises(BadInput) as refused:
        await made(world, **{"name": "Some", **new})
    assert (refused.value.problem, ".".join(refused.value.field)) == (problem, field)
    assert (await world.services.audiences.page(Slice(count=10))).rows == []


async def test_what_a_kind_cannot_have_is_told(world: World) -> None:
    await gold(world)
    moving = await made(world, "Moving", kind=DYNAMIC, segment="gold")
    still = await made(world, "Still", customers=["a"])
    for audience, change in (
        (moving, AudienceChange(add=["a"])),
        (moving, AudienceChange(remove=["a"])),
        (still, AudienceChange(segment="gold")),
    ):
        with pytest.raises(BadInput) as refused:
            await world.services.audiences.update(audience.id, change)
        assert refused.value.problem is InputProblem.STATE
    with pytest.raises(BadInput) as refused:
        await made(world, "Moving", customers=[])
    assert refused.value.problem is InputProblem.TAKEN
