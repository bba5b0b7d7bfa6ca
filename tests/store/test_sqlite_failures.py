"""A SQLite file that cannot be used: a sentence for whoever can mend it, never a fault, and nothing half done."""

# ruff: noqa: ASYNC240  (what is done to the files here holds nobody up)

import asyncio
import os
import sqlite3
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection

from promograph.domain.promotions import PromotionTerms
from promograph.errors import ConfigError, StoreBusy, StoreError, StoreReadOnly, StoreUnavailable
from promograph.services.promoting import Draft
from promograph.store.databases import sqlite
from promograph.store.databases.opening import open_database

from .ground import Ground

pytestmark = pytest.mark.anyio

NOBODY = 65_534


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store" / "promograph.db"


@pytest.fixture
async def ground(path: Path, anyio_backend: str) -> AsyncIterator[Ground]:
    """A SQLite store with one promotion, in a folder of its own."""
    path.parent.mkdir()
    made = Ground(f"sqlite:///{path}")
    await made.services.prepare()
    await made.promotion("one", ["A", "B", "C"])
    try:
        yield made
    finally:
        await made.services.close()


async def use(ground: Ground) -> None:
    """A write, and reads of each kind."""
    await ground.issue("one", "ann")
    await ground.services.lobby.get(handle="one")
    assert await ground.services.verify() == []


async def each_use_raises(ground: Ground, kind: type[StoreError], match: str) -> None:
    for attempt in (
        ground.issue("one", "bob"),
        ground.services.promoting.create(Draft(terms=PromotionTerms(handle="two", name="Two"))),
        ground.services.stocking.paste(1, "X", channel=None),
        ground.services.lobby.get(handle="one"),
        ground.services.verify(),
        ground.services.check(),
    ):
        with pytest.raises(kind, match=match):
            await attempt


async def test_a_file_that_was_deleted_while_open(ground: Ground, path: Path) -> None:
    await use(ground)
    path.unlink()
    await each_use_raises(ground, StoreUnavailable, "moved or deleted")
    assert not path.exists(), "and no empty one is made in its place"


async def test_a_file_that_was_moved_while_open_and_put_back(ground: Ground, path: Path) -> None:
    await use(ground)
    elsewhere = path.with_name("elsewhere.db")
    path.rename(elsewhere)
    await each_use_raises(ground, StoreUnavailable, "moved or deleted")
    elsewhere.rename(path)
    assert await ground.issue("one", "bob") == ["B"]
    await use(ground)


async def test_a_file_that_was_replaced_by_another_one(ground: Ground, path: Path) -> None:
    await use(ground)
    other = path.with_name("other.db")
    other.write_bytes(path.read_bytes())
    other.replace(path)
    await each_use_raises(ground, StoreUnavailable, "moved or deleted")


async def test_a_file_that_vanishes_before_its_first_write(path: Path) -> None:
    path.parent.mkdir()
    first = Ground(f"sqlite:///{path}")
    await first.services.prepare()
    await first.services.close()
    ground = Ground(f"sqlite:///{path}")
    try:
        assert await ground.services.lobby.get(handle="one") is None
        path.unlink()
        with pytest.raises(StoreUnavailable, match="moved or deleted"):
            await ground.issue("one", "ann")
    finally:
        await ground.services.close()


@pytest.mark.parametrize("content", [b"This is a letter, and no database at all." * 200, b"\x00" * 8192])
async def test_a_file_that_is_no_database(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    ground = Ground(f"sqlite:///{path}")
    try:
        with pytest.raises(StoreUnavailable, match="not a SQLite database"):
            await ground.services.prepare()
    finally:
        await ground.services.close()
    assert path.read_bytes() == content


async def test_an_empty_file_is_a_new_store(path: Path) -> None:
    path.parent.mkdir()
    path.touch()
    ground = Ground(f"sqlite:///{path}")
    try:
        await ground.services.prepare()
        await ground.promotion("one", ["A"])
        await use(ground)
    finally:
        await ground.services.close()


async def test_a_damaged_file_is_told(ground: Ground, path: Path) -> None:
    await ground.services.stocking.paste(1, "\n".join(f"X-{n}" for n in range(5_000)), channel=None)
    await ground.services.close()
    with path.open("r+b") as file:
        file.seek(4096 * 4)
        file.write(os.urandom(path.stat().st_size - 4096 * 8))
    damaged = Ground(f"sqlite:///{path}")
    try:
        with pytest.raises(StoreUnavailable, match="damaged"):
            await damaged.services.verify()
    finally:
        await damaged.services.close()


@pytest.mark.parametrize("name", ["missing/promograph.db", "."])
async def test_a_place_where_no_file_can_be(tmp_path: Path, name: str) -> None:
    ground = Ground(f"sqlite:///{tmp_path / name}")
    try:
        with pytest.raises(StoreUnavailable, match="cannot be opened"):
            await ground.services.prepare()
    finally:
        await ground.services.close()
    assert list(tmp_path.iterdir()) == []


@contextmanager
def without_rights() -> Iterator[None]:
    """As a user who owns nothing; root would be let through whatever the files' modes say."""
    if os.geteuid() != 0:
        yield
        return
    os.setegid(NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody may enter; pytest's own are closed to others."""
    with tempfile.TemporaryDirectory(prefix="promograph-", dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


async def test_a_file_that_may_only_be_read(open_folder: Path) -> None:
    store = f"sqlite:///{open_folder}/promograph.db"
    made = Ground(store)
    await made.services.prepare()
    await made.promotion("one", ["A", "B"])
    await use(made)
    (open_folder / "promograph.db").chmod(0o444)
    open_folder.chmod(0o555)
    readers = Ground(store)
    with without_rights():
        # Beside a process that has the store open, reading works, for what readers share is there already.
        assert await readers.services.lobby.get(handle="one") is not None
        with pytest.raises(StoreReadOnly, match="right to write"):
            await readers.issue("one", "bob")
    await readers.services.close()
    await made.services.close()
    alone = Ground(store)
    with without_rights():
        for attempt in (alone.issue("one", "bob"), alone.services.verify()):
            with pytest.raises((StoreReadOnly, StoreUnavailable), match="writ"):
                await attempt
    await alone.services.close()
    open_folder.chmod(0o755)
    (open_folder / "promograph.db").chmod(0o644)


async def test_a_folder_in_which_nothing_may_be_made(open_folder: Path) -> None:
    open_folder.chmod(0o555)
    ground = Ground(f"sqlite:///{open_folder}/promograph.db")
    with without_rights(), pytest.raises(StoreUnavailable, match="writable"):
        await ground.services.prepare()
    await ground.services.close()
    open_folder.chmod(0o755)
    assert list(open_folder.iterdir()) == []


async def test_a_lock_that_another_process_keeps(ground: Ground, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "_LOCK_PATIENCE", 0.2)
    turns = 0

    async def tick() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        ticking = asyncio.create_task(tick())
        for attempt in (
            ground.issue("one", "ann"),
            ground.services.promoting.create(Draft(terms=PromotionTerms(handle="two", name="Two"))),
            ground.services.stocking.paste(1, "X", channel=None),
        ):
            turns = 0
            with pytest.raises(StoreBusy, match="Another process"):
                await attempt
            assert turns > 5, "the loop goes on while it waits"
        ticking.cancel()
        assert await ground.services.lobby.get(handle="one") is not None, "readers do not wait for a writer"
        assert await ground.services.verify() == []
        other.execute("ROLLBACK")
    assert await ground.issue("one", "ann") == ["A"]


async def test_a_lock_that_is_given_back_in_time(ground: Ground, path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        waiting = asyncio.create_task(ground.issue("one", "ann"))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        other.execute("ROLLBACK")
        assert await waiting == ["A"]


async def test_a_disk_that_is_full(ground: Ground) -> None:
    ((pages,),) = await ground.ask("PRAGMA page_count")
    await ground.say(f"PRAGMA max_page_count = {pages + 5}")
    with pytest.raises(StoreUnavailable, match="full"):
        await ground.services.stocking.paste(1, "\n".join(f"X-{n}" for n in range(20_000)), channel=None)
    assert await ground.services.verify() == []
    await ground.say("PRAGMA max_page_count = 1000000")
    assert await ground.issue("one", "ann", "bob", "cy", "dee") == ["A", "B", "C", None]
    added = await ground.services.stocking.paste(1, "X-1\nX-2", channel=None)
    assert added.report.added == 2, "what did not fit has left nothing behind"


async def test_a_caller_who_goes_away_leaves_the_writer_to_one_user_at_a_time(ground: Ground) -> None:
    """Large calls run in a thread, which nobody can stop."""
    texts = "\n".join(f"X-{n}" for n in range(30_000))
    gone = 0
    while gone < 5:
        load = asyncio.create_task(ground.services.stocking.paste(1, texts, channel=None))
        await asyncio.sleep(0.02)
        was_running = load.cancel()  # on a machine that is very busy it may be over already
        assert await ground.issue("one", "ann") == ["A"]
        if was_running:
            with pytest.raises(asyncio.CancelledError):
                await load
            gone += 1
    assert await ground.services.verify() == []
    added = await ground.services.stocking.paste(1, "Y-1\nY-2", channel=None)
    assert added.report.added == 2


async def test_a_load_takes_small_pieces_while_others_are_about(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = sqlite.SqliteDatabase(str(tmp_path / "promograph.db"))
    pieces = []
    try:
        assert (database.piece, database.is_wanted) == (20_000, False)
        load = asyncio.ensure_future(database.write(lambda _: None, heavy=True))
        await asyncio.gather(load, *(database.write(lambda _: pieces.append(database.piece)) for _ in range(3)))
        assert (database.piece, database.is_wanted) == (500, True), "who was just answered asks again"
        monkeypatch.setattr(sqlite, "_WANTED_SECONDS", 0.0)
        assert (database.piece, database.is_wanted) == (20_000, False)
    finally:
        await database.close()
    assert pieces[:2] == [500, 500]


@pytest.mark.parametrize(
    "store",
    ["", "nonsense", "sqlite://", "sqlite:///:memory:", "mysql://u@h/d", "postgresql://u:secret@h", "sqlite+x:///a"],
)
def test_a_name_that_is_no_store_is_told_without_its_secrets(store: str) -> None:
    with pytest.raises(ConfigError, match="sqlite:///FILE") as caught:
        open_database(store)
    assert "secret" not in str(caught.value)


async def test_a_caller_who_is_told_to_go_again_and_again_leaves_the_writer_alone(ground: Ground) -> None:
    """A task group says so until it is obeyed."""
    at_it, go_on = threading.Event(), threading.Event()
    ends: list[str] = []

    def work(connection: Connection) -> None:
        at_it.set()
        go_on.wait(300)
        ends.append("written")

    writing = asyncio.create_task(ground.database.write(work, heavy=True))
    await asyncio.to_thread(at_it.wait, 300)
    for _ in range(3):
        writing.cancel()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    next_ = asyncio.create_task(ground.database.write(lambda _: ends.append("next")))
    await asyncio.sleep(0)
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await writing
    await next_
    assert ends == ["written", "next"]


async def test_the_loop_waits_for_no_long_look(ground: Ground) -> None:
    """As many as there may be at once are under way, and a small read has room beside them."""
    begun, go_on = threading.Semaphore(0), threading.Event()
    looked: list[str] = []

    def work(connection: Connection) -> None:
        begun.release()
        go_on.wait(20)  # a loop that waits cannot say so
        looked.append("long")

    looks = [asyncio.create_task(ground.database.read(work, heavy=True)) for _ in range(8)]
    for _ in range(4):
        await asyncio.to_thread(begun.acquire, timeout=300)
    await ground.database.read(lambda _: looked.append("small"))
    go_on.set()
    await asyncio.gather(*looks)
    assert looked.index("small") < looked.index("long")
