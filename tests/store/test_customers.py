"""Customers as rows: made, merged, left alone; what conditions ask about them, in few statements."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from promograph.domain.conditions.attributes import AttributeIs
from promograph.domain.conditions.customers import HoldsCode, InSegment
from promograph.domain.conditions.facts import CustomerFacts, IssuedKey, Needs
from promograph.domain.conditions.nodes import AllOf, Condition, Not
from promograph.domain.conditions.values import Op, ValueType
from promograph.domain.people.customers import Customer, CustomerChange
from promograph.domain.people.segments import UserKind
from promograph.domain.promotions import OnEmpty
from promograph.errors import BadInput
from promograph.store.people import attributes, customers, segments, upserting
from promograph.store.people import facts as customer_facts
from promograph.store.statements import Statement

from .ground import Ground

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 12, 15, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
ADA = CustomerChange(
    id="ada",
    email="ada@example.com",
    locale="fr-CA",
    consent={"email": True, "sms": False},
    attributes={
        "tier": "gold",
        "spent": Decimal("12345678901234567.123456789"),
        "born": date(1985, 3, 9),
        "likes": ("ski", "夏祭り"),
        "sizes": (42, Decimal("43.5")),
        "days": (date(2026, 1, 1),),
        "vip": True,
        "nothing": (),
    },
)


async def upsert(ground: Ground, *changes: CustomerChange, now: datetime = NOW) -> int:
    return await ground.database.write(lambda c: upserting.upsert(c, changes, now))


async def one(ground: Ground, id_: str) -> Customer:
    return (await ground.database.read(lambda c: customers.read(c, [id_])))[id_]


async def test_a_customer_comes_back_as_it_went_in(ground: Ground) -> None:
    assert await upsert(ground, ADA) == 1
    assert await one(ground, "ada") == Customer(
        id="ada",
        email="ada@example.com",
        locale="fr-CA",
        consent={"email": True, "sms": False},
        attributes=dict(ADA["attributes"]),
        created_at=NOW,
        updated_at=NOW,
    )
    assert await ground.database.read(lambda c: customers.read(c, ["nobody"])) == {}


async def test_what_is_not_named_stays_and_nothing_takes_away(ground: Ground) -> None:
    await upsert(ground, ADA)
    change = CustomerChange(
        id="ada",
        email=None,
        phone="+15145550100",
        consent={"sms": True, "email": None},
        attributes={"tier": None, "born": date(1985, 3, 10), "likes": (), "vip": False, "new": "1", "unknown": None},
    )
    assert await upsert(ground, change, now=LATER) == 0
    found = await one(ground, "ada")
    assert (found.email, found.phone, found.locale) == (None, "+15145550100", "fr-CA")
    assert found.consent == {"sms": True}
    kept = {name: value for name, value in ADA["attributes"].items() if name != "tier"}
    assert found.attributes == {**kept, "born": date(1985, 3, 10), "likes": (), "vip": False, "new": "1"}
    assert (found.created_at, found.updated_at) == (NOW, LATER)


async def test_what_is_nothing_from_the_start_is_not_kept(ground: Ground) -> None:
    change = CustomerChange(id="a", email=None, consent={"sms": None}, attributes={"tier": None, "b": 1})
    await upsert(ground, change)
    found = await one(ground, "a")
    assert (found.email, found.consent, found.attributes) == (None, {}, {"b": 1})
    exists = AttributeIs(name="tier", op=Op.EXISTS)
    assert exists.needs().attributes == {"tier"}
    facts = await ground.database.read(lambda c: customer_facts.read(c, {"a": exists.needs()}, NOW))
    assert facts["a"].attributes == {}


async def test_who_stays_the_same_is_not_written(ground: Ground) -> None:
    await upsert(ground, ADA)
    assert await upsert(ground, ADA, now=LATER) == 0
    part = CustomerChange(id="ada", phone=None, attributes={"vip": True, "absent": None})
    await upsert(ground, part, now=LATER)
    assert (await one(ground, "ada")).updated_at == NOW


async def test_the_same_in_another_order_is_not_written(ground: Ground) -> None:
    await upsert(ground, ADA)
    turned = CustomerChange(
        id="ada", consent={"sms": False, "email": True}, attributes=dict(reversed(ADA["attributes"].items()))
    )
    await upsert(ground, turned, now=LATER)
    assert (await one(ground, "ada")).updated_at == NOW
    await upsert(ground, CustomerChange(id="ada", attributes={"sizes": (Decimal("43.5"), 42)}), now=LATER)
    assert (await one(ground, "ada")).updated_at == LATER


async def test_each_of_a_call_tells_of_other_things(ground: Ground) -> None:
    others = [CustomerChange(id=f"c{n}", email="a@b.c", consent={"sms": True}, attributes={"n": n}) for n in range(4)]
    await upsert(ground, *others)
    told = [
        CustomerChange(id="c0", email=None, attributes={"n": None}),
        CustomerChange(id="c1", phone="+15145550100"),
        CustomerChange(id="c2", consent={"sms": None, "email": False}),
        CustomerChange(id="c3"),
    ]
    assert await upsert(ground, *told, now=LATER) == 0
    found = [await one(ground, f"c{n}") for n in range(4)]
    assert [each.email for each in found] == [None, "a@b.c", "a@b.c", "a@b.c"]
    assert [each.phone for each in found] == [None, "+15145550100", None, None]
    assert [each.consent for each in found] == [{"sms": True}, {"sms": True}, {"email": False}, {"sms": True}]
    assert [each.attributes for each in found] == [{}, {"n": 1}, {"n": 2}, {"n": 3}]
    assert [each.updated_at == LATER for each in found] == [True, True, True, False]


@pytest.mark.parametrize("count", [1, 15, 40, 1_200])
async def test_new_and_known_ones_in_one_call(ground: Ground, count: int) -> None:
    def batch(start: int, tier: str) -> list[CustomerChange]:
        ids = range(start, start + count)
        return [CustomerChange(id=f"c{n}", attributes={"tier": tier, f"of {tier}": n}) for n in ids]

    assert await upsert(ground, *batch(0, "gold")) == count
    half = count // 2
    assert await upsert(ground, *batch(half, "silver")) == half
    found = await ground.database.read(lambda c: customers.read(c, [f"c{n}" for n in range(count + half)]))
    assert len(found) == count + half
    for n in range(count + half):
        expected: dict[str, Any] = {"tier": "gold" if n < half else "silver"}
        expected |= {"of gold": n} if n < count else {}
        expected |= {"of silver": n} if n >= half else {}
        assert found[f"c{n}"].attributes == expected


async def test_the_same_customers_from_several_places_at_once(ground: Ground) -> None:
    """In any order; each change is there in the end, and nobody is locked out."""
    ids = [f"c{n}" for n in range(600)]

    async def call(name: str, *, turned: bool) -> int:
        changes = [CustomerChange(id=id_, attributes={name: 1}) for id_ in (reversed(ids) if turned else ids)]
        return await upsert(ground, *changes)

    made = await asyncio.gather(*(call(f"a{n}", turned=n % 2 == 0) for n in range(6)))
    assert sum(made) == len(ids)
    found = await ground.database.read(lambda c: customers.read(c, ids))
    assert all(one.attributes == {f"a{n}": 1 for n in range(6)} for one in found.values())


async def test_the_first_type_of_an_attribute_stays(ground: Ground) -> None:
    learned = {"age": ValueType.NUMBER, "tier": ValueType.TEXT}
    assert await ground.database.write(lambda c: attributes.learn(c, learned, NOW))
    assert await ground.database.write(lambda c: attributes.learn(c, {"age": ValueType.NUMBER}, NOW))
    assert not await ground.database.write(lambda c: attributes.learn(c, {"age": ValueType.TEXT}, NOW))
    assert await ground.database.read(attributes.every) == learned


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Statement]]:
    ran: list[Statement] = []
    fetch = Statement.fetch

    def count(self: Statement, *arguments: Any, **more: Any) -> Any:
        ran.append(self)
        return fetch(self, *arguments, **more)

    with monkeypatch.context() as patch:
        patch.setattr(Statement, "fetch", count)
        yield ran


async def save(ground: Ground, **conditions: Condition) -> None:
    for handle, condition in conditions.items():
        await ground.database.write(
            lambda c, handle=handle, condition=condition: segments.insert(  # type: ignore[misc]
                c, handle=handle, name=handle, condition=condition, now=NOW
            )
        )


async def test_facts_take_a_constant_number_of_statements(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    await ground.promotion("summer", on_empty=OnEmpty.GENERATE)
    ids = [f"c{n}" for n in range(100)]
    await ground.issue("summer", *ids[::2])
    await upsert(ground, *(CustomerChange(id=id_, attributes={"n": n}) for n, id_ in enumerate(ids)))
    await save(
        ground,
        high=AttributeIs(name="n", op=Op.GTE, value=50),
        holders=HoldsCode(promotion="summer"),
        both=AllOf((InSegment(segment="high"), InSegment(segment="holders"))),
        neither=Not(InSegment(segment="both")),
    )
    key = IssuedKey(promotion="summer")
    rest = Needs(issued=frozenset({key}), redeemed=frozenset({"summer"}))
    kinds = [rest | Needs(segments=frozenset({"both"})), rest | Needs(segments=frozenset({"neither"})), Needs()]
    wanted = {id_: kinds[n % 3] for n, id_ in enumerate([*ids, "stranger"])}
    with counted(monkeypatch) as ran:
        facts = await ground.database.read(lambda c: customer_facts.read(c, wanted, NOW))
    assert len(ran) == 5
    assert list(facts) == list(wanted)
    for n, id_ in enumerate(ids):
        if not wanted[id_].customer:
            assert facts[id_] == CustomerFacts()
            continue
        assert facts[id_].issued == {key: 1 - n % 2}
        is_both = n >= 50 and n % 2 == 0
        assert ("both" in facts[id_].segments) is is_both
        if n % 3 == 1:
            assert ("neither" in facts[id_].segments) is not is_both


async def test_facts_that_nobody_asks_for_cost_nothing(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    with counted(monkeypatch) as ran:
        wanted = {"a": Needs(), "b": Needs(cart=True, clock=True)}
        facts = await ground.database.read(lambda c: customer_facts.read(c, wanted, NOW))
        assert facts == {"a": CustomerFacts(), "b": CustomerFacts()}
        assert await ground.database.read(lambda c: customer_facts.read(c, {}, NOW)) == {}
        assert ran == []
        await ground.database.read(lambda c: customer_facts.read(c, {"a": Needs(attributes=frozenset({"x"}))}, NOW))
        assert len(ran) == 1


async def test_somebody_who_was_never_upserted_has_what_they_were_given(ground: Ground) -> None:
    await ground.promotion("summer", on_empty=OnEmpty.GENERATE)
    [code] = await ground.issue("summer", "stranger")
    assert code is not None
    await save(ground, holders=HoldsCode(promotion="summer"), plain=Not(AttributeIs(name="tier", op=Op.EXISTS)))
    needs = Needs(
        attributes=frozenset({"tier"}),
        segments=frozenset({"holders", "plain", "unheard-of"}),
        issued=frozenset({IssuedKey()}),
        held=frozenset({"summer", "winter"}),
    )
    facts = await ground.database.read(lambda c: customer_facts.read(c, {"stranger": needs}, NOW))
    assert facts["stranger"] == CustomerFacts(
        segments=frozenset({"holders", "plain"}), issued={IssuedKey(): 1}, held=frozenset({"summer"})
    )


async def test_a_segment_that_something_rests_on_cannot_be_taken_away(ground: Ground) -> None:
    await save(ground, inner=HoldsCode(promotion="a"), outer=InSegment(segment="inner"))
    inner, outer = await ground.database.read(segments.every)
    promotion = await ground.promotion("p", on_empty=OnEmpty.GENERATE)
    await ground.database.write(
        lambda c: segments.set_uses(c, UserKind.PROMOTION, promotion.id, Not(InSegment(segment="inner")))
    )
    uses = await ground.database.read(lambda c: segments.uses_of(c, inner.id))
    assert [(use.kind, use.id, use.handle) for use in uses] == [
        (UserKind.SEGMENT, outer.id, "outer"),
        (UserKind.PROMOTION, promotion.id, "p"),
    ]
    with pytest.raises(Exception, match=r"(?i)foreign key"):
        await ground.database.write(lambda c: segments.delete(c, inner.id))
    await ground.database.write(lambda c: segments.set_uses(c, UserKind.PROMOTION, promotion.id, None))
    await ground.database.write(lambda c: segments.delete(c, outer.id))
    await ground.database.write(lambda c: segments.delete(c, inner.id))
    assert await ground.database.read(segments.every) == []


async def test_a_segment_that_is_not_there_cannot_be_rested_on(ground: Ground) -> None:
    with pytest.raises(BadInput, match="'gone'") as refused:
        await save(ground, outer=InSegment(segment="gone"))
    assert refused.value.field == ("condition",)
    assert await ground.database.read(segments.every) == []
