"""What SQL says of a customer is what the same condition says of their facts in memory."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import product
from random import Random
from typing import Any

import pytest

from promograph.domain import conditions
from promograph.domain.carts import Money
from promograph.domain.conditions.attributes import AttributeIs
from promograph.domain.conditions.carts import FirstOrder, SalesChannelIn, SubtotalIs
from promograph.domain.conditions.customers import CodesIssued, HasRedeemed, HoldsCode, InSegment
from promograph.domain.conditions.days import MovingDay
from promograph.domain.conditions.facts import CustomerFacts, Facts, IssuedKey, Needs
from promograph.domain.conditions.nodes import AllOf, AnyOf, Condition, Not
from promograph.domain.conditions.times import Hours
from promograph.domain.conditions.values import COMPARING, ORDERED, ORDERING, Op, Scalar, Value, ValueType, type_of
from promograph.domain.issuing import given_up, repeat_in_message, repeat_occasion
from promograph.domain.people.customers import CustomerChange
from promograph.domain.promotions import OnEmpty
from promograph.errors import BadInput
from promograph.store.bulk import Insertion
from promograph.store.databases.database import Connection
from promograph.store.people import facts as customer_facts
from promograph.store.people import segments, upserting
from promograph.store.people.condition_sql import compiled
from promograph.store.people.halves import Half, halves
from promograph.store.statements import Statement
from promograph.store.tables.instants import to_micros

from .ground import Ground

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 12, 15, 12, tzinfo=UTC)
DAY = timedelta(days=1)

TEXTS = [
    "gold",
    "Gold",
    "GOLD",
    "",
    " gold ",
    "Montréal",
    "Montre\u0301al",
    "夏祭り 🎄",
    "ß",
    "quote ' \" ` \\ / $1 :name ? %",
    "line\nend\t\x01\x7f\u2028",
    "41",
    "true",
    "null",
    '"gold"',
    '{"date":"2026-01-01"}',
    "[1]",
    "2026-01-01",
    "'; DROP TABLE customer; --",
    "x" * 500,
]
NUMBERS: list[Scalar] = [
    0,
    1,
    -1,
    18,
    41,
    Decimal("0.1"),
    Decimal("-0.1"),
    Decimal("0.3"),
    Decimal("0.000000001"),
    Decimal("-0.000000001"),
    Decimal("41.5"),
    Decimal("41.500000001"),
    Decimal("-41.5"),
    2**53,
    2**53 + 1,
    Decimal(2**53) + Decimal("0.5"),
    -(2**53) - 1,
    10**18,
    -(10**18),
    10**18 - 1,
    Decimal("999999999999999999.999999999"),
    Decimal("999999999999999999.999999998"),
    Decimal("-999999999999999999.999999999"),
    Decimal("-999999999999999999.999999998"),
    Decimal("99999999.999999999"),
    Decimal("100000000.000000001"),
]
DATES = [date(2026, 1, 1), date(2026, 1, 2), date(1985, 3, 9), date(1, 1, 1), date(9999, 12, 31)]
TRUTHS = [True, False]
POOLS: dict[str, Sequence[Scalar]] = {
    "tier": TEXTS,
    "age": NUMBERS,
    "vip": TRUTHS,
    "born": DATES,
    "likes": TEXTS,
    "sizes": NUMBERS,
    "days": DATES,
    "flags": TRUTHS,
    "shoe size": NUMBERS,
    "prénom": TEXTS,
    "a.b[0]": TEXTS,
    "$": DATES,
    ":p0": NUMBERS,
    "it's": TEXTS,
    "0": TEXTS,
}
COMPARISONS = sorted(COMPARING)
LISTS = {"likes", "sizes", "days", "flags"}
UNKNOWN = ["nothing", 'a "quoted" name', "back\\slash"]
HANDLES = ["spring", "summer", "autumn"]
KEYS = [
    IssuedKey(promotion=handle, since=since)
    for handle, since in product([None, *HANDLES, "unheard-of"], [None, NOW, NOW - DAY])
]
SEGMENTS: dict[str, Condition] = {
    "inner": AnyOf((AttributeIs(name="age", op=Op.GT, value=18), HoldsCode(promotion="spring"))),
    "outer": AllOf((Not(InSegment(segment="inner")), CodesIssued(op=Op.GTE, count=1))),
}

_ISSUANCE = Insertion(
    "issuance",
    "promotion_id bigint, number bigint, seq bigint, customer text, occasion text, kind text, issued_at bigint",
)
_CODE = Insertion("code", "promotion_id bigint, seq bigint, key text, blocked boolean, void boolean, uses bigint")
_REDEMPTION = Insertion(
    "redemption", "promotion_id bigint, number bigint, seq bigint, customer text, redeemed_at bigint"
)
_ROLLBACK = Insertion(
    "rollback", "promotion_id bigint, number bigint, part bigint, is_whole boolean, rolled_back_at bigint"
)


def some_attributes(random: Random) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for name, pool in POOLS.items():
        if random.random() < 0.35:
            continue
        if name in LISTS:
            found[name] = tuple(random.choice(pool) for _ in range(random.randrange(4)))
        else:
            found[name] = random.choice(pool)
    return found


def some_customers(random: Random, count: int) -> dict[str, CustomerChange]:
    ids = [f"{random.choice(['c', 'é', '夏', 'C'])}{n}" for n in range(count)]
    return {id_: CustomerChange(id=id_, attributes=some_attributes(random)) for id_ in ids}


def some_leaf(random: Random) -> Condition:
    if random.random() < 0.35:
        return some_code_leaf(random)
    name = random.choice([*POOLS, *UNKNOWN])
    op = random.choice(list(Op))
    if op is Op.EXISTS:
        return AttributeIs(name=name, op=op)
    # Now and then of another type than the attribute is.
    pool = POOLS.get(name, TEXTS) if random.random() < 0.9 else random.choice([TEXTS, NUMBERS, DATES, TRUTHS])
    if op is Op.IN:
        return AttributeIs(name=name, op=op, value=tuple(random.choice(pool) for _ in range(random.randrange(1, 6))))
    if op in ORDERING and type_of(pool[0]) not in ORDERED:
        pool = random.choice([NUMBERS, DATES])
    return AttributeIs(name=name, op=op, value=random.choice(pool))


def some_code_leaf(random: Random) -> Condition:
    handle = random.choice([*HANDLES, "unheard-of"])
    match random.randrange(4):
        case 0:
            return HoldsCode(promotion=handle)
        case 1:
            return HasRedeemed(promotion=handle)
        case 2:
            return InSegment(segment=random.choice(["inner", "outer", "unheard-of"]))
        case _:
            return CodesIssued(
                op=random.choice([Op.EQUALS, Op.LT, Op.LTE, Op.GT, Op.GTE]),
                count=random.randrange(4),
                promotion=random.choice([None, handle]),
                since=random.choice([None, NOW, NOW - DAY]),
            )


def some_tree(random: Random, depth: int = 4) -> Condition:
    kind = random.random()
    if depth == 1 or kind < 0.25:
        return some_leaf(random)
    if kind < 0.5:
        return Not(some_tree(random, depth - 1))
    several = tuple(some_tree(random, depth - 1) for _ in range(random.randrange(4)))
    return AllOf(several) if kind < 0.75 else AnyOf(several)


@dataclass(slots=True)
class Given:
    """What a customer was given of a promotion, as plain numbers."""

    issued: list[datetime] = field(default_factory=list)
    holds: bool = False
    redeemed: bool = False


def some_occasion(random: Random, kind: str, number: int) -> str:
    if kind == "REPEAT":
        return random.choice([repeat_occasion, repeat_in_message])(str(number))
    if kind == "RETURNED":
        return given_up(number)
    return random.choice(["", "s:1", "s:2", "s:r:1", "m:r:1"])


async def give_codes(ground: Ground, random: Random, ids: Sequence[str]) -> dict[tuple[str, str], Given]:
    """Issues, repeats, uses, rollbacks and blocked codes, as rows; what they mean, by customer and promotion."""
    issuances: list[tuple[Any, ...]] = []
    codes: list[tuple[Any, ...]] = []
    redemptions: list[tuple[Any, ...]] = []
    rollbacks: list[tuple[Any, ...]] = []
    meaning: dict[tuple[str, str], Given] = defaultdict(Given)
    for handle in HANDLES:
        promotion = await ground.promotion(handle, on_empty=OnEmpty.GENERATE)
        codes.append((promotion.id, 0, f"{handle}-SHARED", False, False, 2))
        occasions: set[tuple[str, str]] = set()
        sharing, used_shared = set[str](), set[str]()
        for seq in range(1, len(ids)):
            customer = random.choice(ids)
            kind = random.choice(["INITIAL", "INITIAL", "INITIAL", "FALLBACK", "FALLBACK", "REPEAT", "RETURNED"])
            occasion = some_occasion(random, kind, seq)
            if (customer, occasion) in occasions:
                continue
            occasions.add((customer, occasion))
            at = random.choice([NOW - 2 * DAY, NOW - DAY, NOW, NOW + DAY])
            own, given = seq if kind == "INITIAL" else 0, meaning[customer, handle]
            issuances.append((promotion.id, seq, own, customer, occasion, kind, to_micros(at)))
            if kind in ("INITIAL", "FALLBACK"):
                given.issued.append(at)
            uses = 0
            if random.random() < 0.4:
                by, of, whole = random.choice([customer] * 9 + [None]), random.choice([own, own, None]), None
                redemptions.append((promotion.id, seq, of, by, to_micros(at)))
                if random.random() < 0.4:
                    whole = random.random() < 0.5
                    rollbacks.append((promotion.id, seq, 1, whole, to_micros(at)))
                uses = int(bool(of) and not whole)
                if by and not whole:
                    given.redeemed = True
                    used_shared |= {by} if of == 0 else set()
            if own:
                stopped = random.choice(["blocked", "void", *[""] * 8])
                codes.append((promotion.id, seq, f"{handle}-{seq}", stopped == "blocked", stopped == "void", uses))
                given.holds |= not stopped and not uses
            elif kind == "FALLBACK":
                sharing.add(customer)
        for customer in sharing - used_shared:
            meaning[customer, handle].holds = True

    def work(connection: Connection) -> None:
        for table, rows in ((_CODE, codes), (_ISSUANCE, issuances), (_REDEMPTION, redemptions), (_ROLLBACK, rollbacks)):
            table.run(connection, rows)

    await ground.database.write(work)
    return meaning


def counted(given: Mapping[tuple[str, str], Given], customer: str, key: IssuedKey) -> int:
    handles = HANDLES if key.promotion is None else [key.promotion]
    issued = [at for handle in handles if (customer, handle) in given for at in given[customer, handle].issued]
    return sum(key.since is None or at >= key.since for at in issued)


def check(facts: CustomerFacts, customer: str, given: Mapping[tuple[str, str], Given]) -> None:
    """That the facts are what the rows were made to mean."""
    for key, count in facts.issued.items():
        assert count == counted(given, customer, key)
    assert facts.held == {handle for handle in HANDLES if (one := given.get((customer, handle))) and one.holds}
    assert facts.redeemed == {handle for handle in HANDLES if (one := given.get((customer, handle))) and one.redeemed}


async def fill(ground: Ground, random: Random, count: int) -> dict[str, CustomerFacts]:
    """Customers with attributes and codes, and the facts of each."""
    changes = some_customers(random, count)
    strangers = [f"stranger {n}" for n in range(20)]
    await ground.database.write(lambda c: upserting.upsert(c, list(changes.values()), NOW))
    given = await give_codes(ground, random, [*changes, *strangers])

    def make_segments(connection: Connection) -> None:
        for handle, condition in SEGMENTS.items():
            segments.insert(connection, handle=handle, name=handle, condition=condition, now=NOW)

    await ground.database.write(make_segments)
    everything = Needs(attributes=frozenset({*POOLS, *UNKNOWN}), segments=frozenset({"inner", "outer"}))
    everything |= Needs(issued=frozenset(KEYS))
    everything |= Needs(held=frozenset({*HANDLES, "unheard-of"}), redeemed=frozenset({*HANDLES, "unheard-of"}))
    wanted = dict.fromkeys([*changes, *strangers], everything)
    if ground.database.dialect == "postgresql":
        # So many are read at once here alone: the planner has to know that there are many.
        await ground.database.write(Statement("ANALYZE issuance, code, redemption, rollback").fetch)
    facts = await ground.database.read(lambda c: customer_facts.read(c, wanted, NOW))
    for id_, one in facts.items():
        check(one, id_, given)
        assert one.attributes == (changes[id_]["attributes"] if id_ in changes else {})
    return {id_: facts[id_] for id_ in changes}


async def chosen(
    ground: Ground, *wanted: Condition, of_everybody: bool = False, half: Half | None = None
) -> list[set[str]]:
    """For each condition, the customers of whom the SQL says that it holds; all of them in one statement."""

    def work(connection: Connection) -> list[set[str]]:
        known = segments.reached_from(connection, ["inner", "outer"])
        dialect = connection.dialect.name
        found = [
            compiled(one, known, dialect, NOW, prefix=f"c{n}_", of_everybody=of_everybody, half=half)
            for n, one in enumerate(wanted)
        ]
        joins = "".join(one.joins for one in found)
        assert bool(joins) <= of_everybody
        statement = Statement(f"SELECT c.id, {', '.join(one.sql for one in found)} FROM customer c{joins}")
        params = {name: value for one in found for name, value in one.params.items()}
        ids, *columns = zip(*map(tuple, statement.fetch(connection, **params)), strict=True)
        for condition, column in zip(wanted, columns, strict=True):
            assert None not in column, conditions.dump(condition)
        return [{id_ for id_, holds in zip(ids, column, strict=True) if holds} for column in columns]

    return await ground.database.snapshot(work)


def meant(condition: Condition, facts: dict[str, CustomerFacts]) -> set[str]:
    return {id_ for id_, customer in facts.items() if conditions.holds(condition, Facts(now=NOW, customer=customer))}


async def agree(
    ground: Ground, facts: dict[str, CustomerFacts], *wanted: Condition, of_everybody: bool = False
) -> list[int]:
    """How many both find, for each."""
    found = await chosen(ground, *wanted, of_everybody=of_everybody)
    for condition, ids in zip(wanted, found, strict=True):
        assert ids == meant(condition, facts), conditions.dump(condition)
    return [len(ids) for ids in found]


def every_comparison(name: str) -> list[AttributeIs]:
    """Of an attribute, with every operator and with values of every type."""
    own, found = POOLS.get(name, TEXTS), list[AttributeIs]()
    for op, pool in product(Op, (own, TEXTS[:3], NUMBERS[:3], DATES[:1], TRUTHS)):
        if op in ORDERING and type_of(pool[0]) not in ORDERED:
            continue
        values: Sequence[Value | None] = [None] if op is Op.EXISTS else pool
        if op is Op.IN:
            values = [tuple(pool), tuple(pool[:2])]
        found += [AttributeIs(name=name, op=op, value=value) for value in values]
    return found


async def test_every_leaf_over_an_attribute(ground: Ground) -> None:
    facts = await fill(ground, Random(1), 300)
    hits = [sum(await agree(ground, facts, *every_comparison(name))) for name in [*POOLS, *UNKNOWN]]
    assert sum(hits) > 10_000
    assert 0 not in hits[: len(POOLS)]


def moving(day: date, time_zone: str = "UTC", *, ahead: int = 0) -> MovingDay:
    """The day that this is now, in a zone that is so many days ahead."""
    return MovingDay(days=(day - NOW.date()).days - ahead, time_zone=time_zone)


async def test_days_that_move(ground: Ground) -> None:
    """They are the days that they are at the time, in a zone where it may be another day already."""
    facts = await fill(ground, Random(4), 300)
    dated = [name for name, pool in POOLS.items() if type_of(pool[0]) is ValueType.DATE]
    hits = 0
    for name, day in product(dated, DATES):
        leaves = [
            AttributeIs(name=name, op=op, value=moving(day, zone, ahead=ahead))
            for op in [Op.EQUALS, *sorted(ORDERING)]
            for zone, ahead in (("UTC", 0), ("Pacific/Kiritimati", 1))
        ]
        assert all(leaf.at(NOW).value == day for leaf in leaves)
        hits += sum(await agree(ground, facts, *leaves))
    assert hits > 100


async def test_every_leaf_over_codes(ground: Ground) -> None:
    facts = await fill(ground, Random(2), 500)
    leaves = [
        CodesIssued(op=op, count=count, promotion=key.promotion, since=key.since)
        for op, count, key in product(COMPARISONS, range(4), KEYS)
    ]
    assert sum(await agree(ground, facts, *leaves)) > 10_000
    # One of several, they are joined where all customers are asked; a statement takes so many joins and no more.
    several = [AnyOf(tuple(leaves[n::10])) for n in range(10)] + [AnyOf((leaf,)) for leaf in leaves[::20]]
    several.append(AnyOf((Not(InSegment(segment="outer")), leaves[-1], Not(leaves[7]))))
    await agree(ground, facts, *several, of_everybody=True)
    for handle in (*HANDLES, "unheard-of"):
        for found in await agree(ground, facts, HoldsCode(promotion=handle), HasRedeemed(promotion=handle)):
            assert (0 < found < len(facts)) is (handle in HANDLES)


def one_of_each(random: Random) -> list[Condition]:
    """A leaf of every kind, with every operator that it may have, over attributes of every type."""
    leaves: list[Condition] = []
    for name in ("tier", "age", "vip", "born", *sorted(LISTS), "nothing"):
        every = every_comparison(name)
        leaves += [
            random.choice([one for one in every if one.op is op]) for op in dict.fromkeys(one.op for one in every)
        ]
    for name, op in zip(["born", "days"] * 3, COMPARISONS, strict=False):
        leaves.append(AttributeIs(name=name, op=op, value=moving(random.choice(DATES))))
    for op, key in product(COMPARISONS, random.sample(KEYS, 2)):
        leaves.append(CodesIssued(op=op, count=random.randrange(3), promotion=key.promotion, since=key.since))
    for handle in HANDLES:
        leaves += [HoldsCode(promotion=handle), HasRedeemed(promotion=handle)]
    return [*leaves, InSegment(segment="inner"), InSegment(segment="outer"), InSegment(segment="unheard-of")]


async def test_every_leaf_and_trees_of_them_over_ten_thousand_customers(ground: Ground) -> None:
    random = Random(3)
    facts = await fill(ground, random, 10_000)
    leaves = one_of_each(random)
    assert {type(leaf) for leaf in leaves} == {AttributeIs, CodesIssued, HoldsCode, HasRedeemed, InSegment}
    assert sum(0 < found < len(facts) for found in await agree(ground, facts, *leaves)) > len(leaves) // 2
    trees = [some_tree(random) for _ in range(8)]
    shares = [found / len(facts) for found in await agree(ground, facts, *trees)]
    assert sum(0.01 < share < 0.99 for share in shares) > 2
    await agree_in_halves(ground, facts, *trees, *leaves[-12:])


async def agree_in_halves(ground: Ground, facts: dict[str, CustomerFacts], *wanted: Condition) -> None:
    """Each half finds its own, none of the other's, and both together all."""
    found_halves = await ground.database.snapshot(lambda c: halves(c, many=500))  # so few that nobody is left to chance
    if ground.database.dialect == "sqlite":
        assert found_halves is None
        return
    assert found_halves is not None
    everybody = AllOf(())
    parts = [await chosen(ground, everybody, *wanted, of_everybody=True, half=half) for half in found_halves]
    assert all(4_000 < len(part[0]) < 6_000 for part in parts)
    for condition, first, second in zip([everybody, *wanted], *parts, strict=True):
        assert not first & second
        assert first | second == meant(condition, facts), conditions.dump(condition)


async def test_what_is_not_about_customers_is_refused_with_its_place() -> None:
    place = ("condition", "all", "1", "not", "any", "0")
    for leaf, kind in (
        (SubtotalIs(op=Op.GT, value=Money(minor=1, currency="EUR")), "subtotal"),
        (FirstOrder(), "firstOrder"),
        (SalesChannelIn(channels=("web",)), "salesChannel"),
        (Hours(start=60), "hours"),
    ):
        tree = AllOf((HoldsCode(promotion="a"), Not(AnyOf((leaf,)))))
        with pytest.raises(BadInput) as refused:
            compiled(tree, {}, "sqlite", NOW)
        assert refused.value.field == (*place, kind)


async def test_segments_in_a_circle_and_too_much_are_refused() -> None:
    circle = {"a": InSegment(segment="b"), "b": Not(InSegment(segment="c")), "c": InSegment(segment="a")}
    with pytest.raises(BadInput, match="rests on itself"):
        compiled(InSegment(segment="a"), circle, "postgresql", NOW)
    wide = AnyOf(tuple(HoldsCode(promotion="p") for _ in range(150)))
    with pytest.raises(BadInput, match="600"):
        compiled(AllOf((InSegment(segment="w"),) * 5), {"w": wide}, "sqlite", NOW)
    assert compiled(AllOf((InSegment(segment="w"),) * 3), {"w": wide}, "sqlite", NOW).params
