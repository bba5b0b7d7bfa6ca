"""Tables: made in an empty store, left alone in a current one, refused in any other."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlmodel import SQLModel

from promograph.domain.promotions import PromotionTerms
from promograph.errors import StoreOutdated
from promograph.services.app import Services
from promograph.services.promoting import Draft
from promograph.store import migrating
from promograph.store.databases.database import Work
from promograph.store.databases.opening import open_database

from .ground import Ground

pytestmark = pytest.mark.anyio


@pytest.fixture
async def bare(store_url: str, anyio_backend: str) -> AsyncIterator[Ground]:
    """A store in which nothing has been made yet."""
    made = Ground(store_url)
    try:
        yield made
    finally:
        await made.services.close()


async def test_a_new_store_gets_every_table_and_no_difference(bare: Ground) -> None:
    await bare.services.prepare()
    assert await bare.database.snapshot(migrating.differences) == []
    for table in SQLModel.metadata.tables:
        assert await bare.ask(f"SELECT count(*) FROM {table}") == [(0,)]


async def test_tables_that_another_server_makes_between_two_looks_are_those_that_are_expected(bare: Ground) -> None:
    read, looks = bare.database.read, 0

    async def look(work: Work[Any], *, heavy: bool = False) -> Any:
        nonlocal looks
        looks += 1
        if looks == 2:
            await migrating.migrate(bare.database)
        return await read(work, heavy=heavy)

    bare.database.read = look  # type: ignore[method-assign]
    await bare.services.prepare()
    assert looks >= 2


async def test_migrating_twice_changes_nothing(bare: Ground) -> None:
    first = await bare.services.migrate()
    made = await bare.services.promoting.create(Draft(terms=PromotionTerms(handle="a", name="A")))
    assert await bare.services.migrate() == first
    await bare.services.prepare()
    assert await bare.services.lobby.get(handle="a") == made
    assert await bare.database.snapshot(migrating.differences) == []
    assert await bare.ask("SELECT version_num FROM alembic_version") == [(first,)]


async def test_a_missing_index_and_a_missing_column_are_differences(bare: Ground) -> None:
    await bare.services.prepare()
    await bare.say("DROP INDEX issuance_code", "ALTER TABLE token ADD COLUMN strange text")
    found = "\n".join(await bare.database.snapshot(migrating.differences))
    assert "issuance_code" in found
    assert "strange" in found


async def test_the_tables_of_a_newer_version_are_left_alone(bare: Ground) -> None:
    await bare.services.prepare()
    await bare.say("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreOutdated):
        await bare.services.prepare()
    with pytest.raises(StoreOutdated, match="newer"):
        await bare.services.migrate()
    assert await bare.ask("SELECT version_num FROM alembic_version") == [("9999",)]


async def test_tables_of_an_unknown_version_are_left_alone(bare: Ground) -> None:
    await bare.services.prepare()
    await bare.say("DROP TABLE alembic_version")
    with pytest.raises(StoreOutdated):
        await bare.services.prepare()


async def test_a_table_of_the_same_name_that_is_not_ours_is_left_alone(bare: Ground) -> None:
    await bare.say("CREATE TABLE code (anything text)", "INSERT INTO code VALUES ('theirs')")
    with pytest.raises(StoreOutdated):
        await bare.services.prepare()
    assert await bare.ask("SELECT anything FROM code") == [("theirs",)]


async def test_other_tables_do_not_matter(bare: Ground) -> None:
    await bare.say("CREATE TABLE somebody_elses (anything text)")
    await bare.services.prepare()
    assert await bare.services.verify() == []


async def test_a_store_without_tables_says_what_to_do(bare: Ground) -> None:
    with pytest.raises(StoreOutdated, match="migrate"):
        await bare.services.lobby.get(handle="a")
    with pytest.raises(StoreOutdated, match="migrate"):
        await bare.services.promoting.create(Draft(terms=PromotionTerms(handle="a", name="A")))
    with pytest.raises(StoreOutdated, match="migrate"):
        await bare.services.verify()


async def test_a_server_that_finds_the_store_empty_and_then_made_by_another(
    bare: Ground, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, write = Services(open_database(store_url)), bare.database.write

    async def late(work: Work[str], *, heavy: bool = False) -> str:
        await other.prepare()
        return await write(work, heavy=heavy)

    monkeypatch.setattr(bare.database, "write", late)
    try:
        await bare.services.prepare()
        await other.promoting.create(Draft(terms=PromotionTerms(handle="a", name="A")))
    finally:
        await other.close()
    assert await bare.services.lobby.get(handle="a") is not None
    assert await bare.database.snapshot(migrating.differences) == []


async def test_a_connection_that_knew_other_tables_learns_of_a_migration(bare: Ground) -> None:
    """The statements that it has prepared speak of columns as they were."""
    await bare.services.prepare()
    await bare.services.promoting.create(Draft(terms=PromotionTerms(handle="a", name="A")))
    change = "ALTER TABLE promotion ADD COLUMN later text"
    if bare.database.dialect == "postgresql":
        change += ", ALTER COLUMN handle TYPE varchar(100)"
    await bare.say(change)
    assert await bare.services.lobby.get(handle="a") is not None
    assert await bare.services.promoting.create(Draft(terms=PromotionTerms(handle="b", name="B")))
