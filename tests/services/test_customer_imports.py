"""Customers, and audiences of them, read from files."""

from dataclasses import replace
from typing import Any

import pytest

from promograph.domain.conditions.values import ValueType
from promograph.domain.jobs import Job, JobStatus
from promograph.domain.people.audiences import AudienceKind, AudienceSource
from promograph.domain.people.sheets import AttributeColumn, CustomerColumns
from promograph.errors import BadInput, InputProblem
from promograph.services.audiences import NewAudience
from promograph.services.importing import customers as customer_imports
from promograph.services.importing.customers import CustomerOrder
from promograph.store.listing import Slice

from .test_audiences import members, told
from .world import World

pytestmark = pytest.mark.anyio

COLUMNS = CustomerColumns(
    id="Customer ID",
    email="Mail",
    locale="4",
    consent={"email": "Agreed"},
    attributes=(
        AttributeColumn(name="visits", column="Visits", type=ValueType.NUMBER),
        AttributeColumn(name="departed", column="Departed", type=ValueType.DATE),
        AttributeColumn(name="vip", column="VIP", type=ValueType.BOOLEAN),
        AttributeColumn(name="likes", column="Likes", type=ValueType.LIST),
        AttributeColumn(name="city", column="City"),
    ),
)
FILE = """Customer ID,Mail,Agreed,Language,Visits,Departed,VIP,Likes,City
a,a@example.com,yes,fr-CA,12.50,2026-12-14,no,ski;spa,Québec
b,nowhere,no,,1,,,,
,x@example.com,,,,,,,
c,,,,many,,,,
d,,maybe,,,,,,
e,,,,,14/12/2026,,,
f,,,,,2026-12-14 00:00:00,,,

g
"""


async def imported(world: World, content: str | bytes, *, key: str | None = None, **more: Any) -> Job:
    data = content.encode() if isinstance(content, str) else content
    job = await world.services.customer_imports.submit(CustomerOrder(**more), [data], "file.csv", key=key)
    return await world.services.jobs.wait(job.id, 300)


async def test_columns_become_what_they_are_said_to_be(world: World) -> None:
    await told(world, {"id": "g", "email": "g@example.com"})
    job = await imported(world, FILE, columns=COLUMNS)
    assert job.status is JobStatus.DONE
    report = job.report
    assert (report["read"], report["created"], report["updated"], report["bad"]) == (8, 2, 1, 5)
    assert [(row, field) for row, field, _ in report["bad_rows"]] == [
        (3, "email"),
        (4, "id"),
        (5, "attributes.visits.number"),
        (6, "consent.email"),
        (7, "attributes.departed.date"),
    ]
    a = await world.services.people.get("a")
    assert a is not None
    assert (a.email, a.locale, dict(a.consent)) == ("a@example.com", "fr-CA", {"email": True})
    shown = {name: str(value) for name, value in a.attributes.items()}
    assert shown == {
        "visits": "12.5",
        "departed": "2026-12-14",
        "vip": "False",
        "likes": "('ski', 'spa')",
        "city": "Québec",
    }
    # An empty cell changes nothing.
    g = await world.services.people.get("g")
    assert g is not None
    assert g.email == "g@example.com"
    types = {one.name: one.type for one in await world.services.people.attributes()}
    assert (types["visits"], types["city"], types["departed"]) == (ValueType.NUMBER, ValueType.TEXT, ValueType.DATE)


async def test_a_dry_run_tells_the_same_and_changes_nothing(world: World) -> None:
    await told(world, {"id": "g"})
    job = await imported(world, FILE, columns=COLUMNS, dry_run=True)
    assert (job.report["created"], job.report["updated"], job.report["bad"]) == (2, 1, 5)
    assert await world.services.people.get("a") is None
    assert await world.services.people.attributes() == []
    dry = await imported(world, "id\nx\n", audience="Nobody", dry_run=True)
    assert (dry.report["audience"], dry.report["members"]) == (None, 0)
    assert (await world.services.audiences.page(Slice(count=5))).rows == []


async def test_a_type_that_is_known_is_not_another(world: World) -> None:
    await told(world, {"id": "x", "attributes": {"visits": "often"}})
    with pytest.raises(BadInput, match="is a TEXT, and not a NUMBER") as refused:
        await imported(world, FILE, columns=COLUMNS)
    assert refused.value.field == ("columns", "attributes", "0", "type")
    untyped = replace(COLUMNS, attributes=(AttributeColumn(name="visits", column="Visits"),))
    await imported(world, FILE, columns=untyped)
    found = await world.services.people.get("a")
    assert found is not None
    assert found.attributes["visits"] == "12.50"


@pytest.mark.parametrize(
    ("content", "columns", "field"),
    [
        (FILE, CustomerColumns(id="Nothing"), "columns.id"),
        (FILE, replace(COLUMNS, consent={"email": "No such"}), "columns.consent"),
        ("name,mail\nx,y\n", CustomerColumns(email="mail"), "columns.id"),
        (b"\xff\xfe\x00", CustomerColumns(), ""),
    ],
)
async def test_a_file_that_is_not_what_was_said_fails_with_a_sentence(
    world: World, content: str | bytes, columns: CustomerColumns, field: str
) -> None:
    job = await imported(world, content, columns=columns, audience="Some")
    assert job.status is JobStatus.FAILED
    assert job.error is not None
    assert ".".join(job.error.field) == field
    assert (await world.services.audiences.page(Slice(count=5))).rows == []
    # And its name is free for the next try.
    assert (await imported(world, "id\nx\n", audience="Some")).status is JobStatus.DONE


async def test_a_list_uploaded_becomes_an_audience(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everyone who purchased a season pass last year, in a file of one column, several pieces long."""
    monkeypatch.setattr("promograph.domain.people.sheets.PIECE_ROWS", 2)
    ids = [f"pass-{n:03}" for n in range(45)]
    job = await imported(world, "\n".join(["Customer", *ids, ids[0]]), audience="Season pass 2026", key="k")
    assert (job.report["read"], job.report["members"], job.report["created"]) == (46, 45, 0)
    audience = await world.services.audiences.get(job.report["audience"])
    assert audience is not None
    assert (audience.handle, audience.size, audience.source) == ("season-pass-2026", 45, AudienceSource.FILE)
    assert await members(world, audience) == ids
    # Nobody was told of: there was nothing to tell but that there is somebody.
    assert await world.services.people.get(ids[0]) is None
    again = await imported(world, "\n".join(["Customer", *ids, ids[0]]), audience="Season pass 2026", key="k")
    assert again.id == job.id
    with pytest.raises(BadInput) as refused:
        await imported(world, "id\nx\n", audience="Season pass 2026")
    assert refused.value.problem is InputProblem.TAKEN


async def test_an_import_that_waits_for_long_keeps_its_audience(world: World) -> None:
    """Nobody takes down what a job fills, however long it stands still, and whoever makes other audiences meanwhile."""
    order = CustomerOrder(audience="Slow")
    job = await world.services.customer_imports.submit(order, [b"id\na\nb\n"], "file.csv")
    await world.services.runner.close()
    world.clock.move(minutes=5)
    other = world.reopen()
    await other.audiences.create(NewAudience(name="Other", kind=AudienceKind.STATIC, customers=["c"]))
    await other.runner.look()
    done = await other.jobs.wait(job.id, 300)
    assert (done.status, done.report["members"]) == (JobStatus.DONE, 2), done.error
    # Of a job that is over nothing is kept for ever.
    await world.write(lambda c: c.exec_driver_sql(f"UPDATE audience SET filling_at = -{job.id} WHERE handle = 'slow'"))
    await other.audiences.create(NewAudience(name="Slow too", kind=AudienceKind.STATIC, customers=["c"]))
    assert (await other.audiences.create(NewAudience(name="Slow", kind=AudienceKind.STATIC, customers=[]))).size == 0


async def test_an_import_that_was_broken_off_goes_on_where_it_was(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("promograph.domain.people.sheets.PIECE_ROWS", 5)
    taken: list[str] = []
    read = customer_imports.read_customers

    def counted(data: Any, types: Any) -> Any:
        taken.extend(one["id"] for one in data)
        return read(data, types)

    monkeypatch.setattr(customer_imports, "read_customers", counted)
    order = CustomerOrder(columns=CustomerColumns(email="mail"), audience="Broken off")
    rows = "".join(f"c{n:02},c{n}@example.com\n" for n in range(30))
    job = await world.services.customer_imports.submit(order, [f"id,mail\n{rows}".encode()], "file.csv")
    await world.services.runner.close()
    other = world.reopen()
    await other.runner.look()
    done = await other.jobs.wait(job.id, 300)
    assert done.status is JobStatus.DONE, done.error
    assert (done.report["read"], done.report["created"], done.report["members"]) == (30, 30, 30)
    assert len(taken) <= 35  # a piece may be read again, and no more
