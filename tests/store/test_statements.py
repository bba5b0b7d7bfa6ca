"""The SQL that both stores understand: whole batches as one parameter, whatever they hold."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, TypeVar

import pytest

from promograph.store.bulk import Insertion
from promograph.store.databases.database import Connection, Database
from promograph.store.databases.opening import open_database
from promograph.store.statements import Statement, savepoint

pytestmark = pytest.mark.anyio

T = TypeVar("T")

TEXTS = [
    "plain",
    "",
    " spaces ",
    "Ünïcödé 夏祭り 🎄",
    "e\u0301",
    "line\nend\r\n\t",
    "quotes ' \" ` $1 :name ?",
    "back\\slash \\u0041",
    '{"json": [1, null]}',
    "null",
    "12",
    "0012",
    "1e5",
    "true",
    "-",
    "\x01\x1f\x7f",
    "\u2028\ufeff",
    "x" * 10_000,
]
NUMBERS = [0, 1, -1, 2**31, 2**53 + 1, -(2**53) - 1, 2**63 - 1, -(2**63)]

ECHO = Statement("SELECT r.n, r.t, r.b FROM @rows(n bigint, t text, b boolean) r ORDER BY r.n, r.t")
MADE = Statement("CREATE TABLE thing (n bigint PRIMARY KEY, t text, b boolean)")
FOUND = Statement("SELECT x.n, x.t FROM @rows(n bigint) r JOIN thing x ON x.n = r.n ORDER BY x.n @lock(x)")
CHANGED = Statement("UPDATE thing SET t = r.t FROM @rows(n bigint, t text) r WHERE thing.n = r.n")
DELETED = Statement("DELETE FROM thing WHERE n IN (SELECT r.n FROM @rows(n bigint) r)")
ALL = Statement("SELECT n, t, b FROM thing ORDER BY n")
NEW = Insertion("thing", "n bigint, t text, b boolean")


@pytest.fixture
async def database(store_url: str, anyio_backend: str) -> AsyncIterator[Database]:
    opened = open_database(store_url)
    try:
        yield opened
    finally:
        await opened.close()


async def fetch(database: Database, statement: Statement, *rows: Any, **params: Any) -> list[tuple[Any, ...]]:
    return await database.read(lambda c: [tuple(row) for row in statement.fetch(c, *rows, **params)])


def truths(rows: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """SQLite has no truth values of its own."""
    return [(n, t, None if b is None else bool(b)) for n, t, b in rows]


# Fewer than sixteen rows and more of them go different ways on SQLite; five hundred and more on PostgreSQL.
@pytest.mark.parametrize("size", [1, 15, 16, 499, 500, 1_200])
async def test_a_batch_comes_back_as_it_went_in(database: Database, size: int) -> None:
    rows = [(n, TEXTS[n % len(TEXTS)], (True, False, None)[n % 3]) for n in range(size)]
    assert truths(await fetch(database, ECHO, rows)) == rows
    await database.write(lambda c: MADE.fetch(c))
    await database.write(lambda c: NEW.run(c, rows))
    assert truths(await fetch(database, ALL)) == rows


@pytest.mark.parametrize("size", [3, 40, 700])
@pytest.mark.parametrize("varies", ["n", "t", "b", "nothing"])
async def test_columns_in_which_all_rows_agree(database: Database, size: int, varies: str) -> None:
    rows = [
        (n if varies == "n" else 7, f"t{n:04}" if varies == "t" else None, n % 2 == 0 if varies == "b" else True)
        for n in range(size)
    ]
    assert sorted(truths(await fetch(database, ECHO, rows)), key=repr) == sorted(rows, key=repr)


@pytest.mark.parametrize("size", [1, 20])
async def test_columns_of_nothing(database: Database, size: int) -> None:
    assert await fetch(database, ECHO, [(None, None, None)] * size) == [(None, None, None)] * size


async def test_an_empty_batch_does_nothing(database: Database) -> None:
    await database.write(lambda c: MADE.fetch(c))
    assert await fetch(database, ECHO, []) == []
    assert await fetch(database, FOUND, []) == []
    for statement in (CHANGED, DELETED):
        assert await database.write(lambda c, s=statement: s.run(c, [])) == 0  # type: ignore[misc]
    await database.write(lambda c: NEW.run(c, []))
    assert await fetch(database, ALL) == []


async def test_numbers_are_whole_to_the_last_digit(database: Database) -> None:
    rows = [(n, str(n), True) for n in sorted(NUMBERS)]
    assert truths(await fetch(database, ECHO, rows)) == rows
    await database.write(lambda c: MADE.fetch(c))
    await database.write(lambda c: NEW.run(c, rows))
    assert truths(await fetch(database, ALL)) == rows


async def test_texts_that_look_like_numbers_stay_texts(database: Database) -> None:
    await database.write(lambda c: MADE.fetch(c))
    rows = [(n, text, None) for n, text in enumerate(["1", "1.0", "01", "NaN", "9" * 30] * 5)]
    await database.write(lambda c: NEW.run(c, rows))
    assert [t for _, t, _ in await fetch(database, ALL)] == [t for _, t, _ in rows]
    kind = Statement("SELECT count(*) FROM thing x JOIN @rows(t text) r ON x.t = r.t")
    assert await fetch(database, kind, [("01",)]) == [(5,)]


async def test_parameters_beside_a_batch(database: Database) -> None:
    both = Statement("SELECT r.n, CAST(:t AS text) FROM @rows(n bigint) r WHERE r.n > :n ORDER BY r.n")
    text = "it's :n and $1"
    assert [tuple(row) for row in await fetch(database, both, [(1,), (2,), (3,)], t=text, n=1)] == [
        (2, text),
        (3, text),
    ]


async def test_how_many_rows_changed(database: Database) -> None:
    await database.write(lambda c: MADE.fetch(c))
    await database.write(lambda c: NEW.run(c, [(n, "old", True) for n in range(20)]))
    assert await database.write(lambda c: CHANGED.run(c, [(n, f"new {n}") for n in range(15, 30)])) == 5
    assert await database.write(lambda c: CHANGED.run(c, [(n, "same") for n in range(100)])) == 20
    assert await database.write(lambda c: DELETED.run(c, [(n,) for n in (1, 2, 99)])) == 2
    assert len(await fetch(database, ALL)) == 18


async def test_locked_rows_come_in_order(database: Database) -> None:
    await database.write(lambda c: MADE.fetch(c))
    await database.write(lambda c: NEW.run(c, [(n, "t", True) for n in range(9)]))
    wanted = [(n,) for n in (5, 1, 99, 3)]
    found = await database.write(lambda c: [n for n, _ in FOUND.fetch(c, wanted)])
    assert found == [1, 3, 5]


async def test_a_locked_row_waits_for_who_has_it(database: Database, store_url: str) -> None:
    """Two add one to the same number at the same time; both are seen in the end."""
    await database.write(lambda c: MADE.fetch(c))
    await database.write(lambda c: NEW.run(c, [(1, "0", True)]))
    other = open_database(store_url)

    def add(connection: Connection) -> None:
        ((_, text),) = FOUND.fetch(connection, [(1,)])
        CHANGED.run(connection, [(1, str(int(text) + 1))])

    try:
        await asyncio.gather(*(one.write(add) for _ in range(20) for one in (database, other)))
    finally:
        await other.close()
    assert await fetch(database, FOUND, [(1,)]) == [(1, "40")]


async def test_what_raised_leaves_nothing(database: Database) -> None:
    await database.write(lambda c: MADE.fetch(c))

    def half(connection: Connection) -> None:
        NEW.run(connection, [(1, "t", True)])
        raise KeyError("half way")

    with pytest.raises(KeyError):
        await database.write(half)
    with pytest.raises(KeyError):
        await database.write(half, heavy=True)
    assert await fetch(database, ALL) == []


@pytest.mark.parametrize("size", [1, 600])
async def test_a_savepoint_undoes_what_is_inside_and_nothing_before(database: Database, size: int) -> None:
    await database.write(lambda c: MADE.fetch(c))

    def work(connection: Connection) -> list[Any]:
        NEW.run(connection, [(-1, "before", True)])
        failures: list[Callable[[], object]] = [
            lambda: NEW.run(connection, [(n, "inside", True) for n in [*range(size), -1]]),
            lambda: {}["missing"],
        ]
        for failure in failures:
            try:
                with savepoint(connection):
                    NEW.run(connection, [(5_000, "inside", True)])
                    failure()
            except Exception:
                continue
            raise AssertionError("it should have failed")
        with savepoint(connection):
            NEW.run(connection, [(-2, "after", True)])
        return [n for n, _, _ in ALL.fetch(connection)]

    assert await database.write(work) == [-2, -1]
    assert [n for n, _, _ in await fetch(database, ALL)] == [-2, -1]


async def test_a_mark_may_stand_in_any_place_of_a_statement(database: Database) -> None:
    nested = Statement(
        "SELECT (SELECT count(*) FROM @rows(n bigint) r WHERE r.n > :least), CAST(:text AS text) "
        "WHERE CAST(:text AS text) = 't'"
    )
    assert await fetch(database, nested, [(1,), (2,), (3,)], least=1, text="t") == [(2, "t")]
