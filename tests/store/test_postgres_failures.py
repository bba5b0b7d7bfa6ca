"""A PostgreSQL that cannot be used: a sentence for whoever can mend it; what can be tried again is."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import asyncpg
import pytest
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.util import await_

from promograph.domain.issuing import IssueRequest
from promograph.domain.promotions import OnEmpty, PromotionTerms
from promograph.domain.redeeming import RedeemRequest
from promograph.domain.stock.selections import CodeSelection
from promograph.errors import StoreBusy, StoreError, StoreReadOnly, StoreUnavailable
from promograph.services.promoting import Draft
from promograph.store import locking, promotions
from promograph.store.databases import failures, postgres
from promograph.store.databases.database import Connection
from promograph.store.listing import PromotionQuery, Slice
from promograph.store.statements import Statement
from promograph.testing.postgres import PostgresServer, create_database, postgres_server

from .ground import Ground

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def own_server() -> Iterator[PostgresServer]:
    """One that may be stopped and misconfigured."""
    with postgres_server() as server:
        hba = server._data / "pg_hba.conf"
        hba.write_text(f"host all secretive 127.0.0.1/32 scram-sha-256\n{hba.read_text()}")
        server.stop()
        server.start()
        yield server


@pytest.fixture(scope="module")
def numbers() -> Iterator[int]:
    return iter(range(1, 1_000))


@pytest.fixture
def url(own_server: PostgresServer, numbers: Iterator[int]) -> str:
    """A database of its own on that server."""
    return create_database(own_server.url, f"failures_{next(numbers)}")


@pytest.fixture
async def ground(url: str, anyio_backend: str) -> AsyncIterator[Ground]:
    made = Ground(url)
    await made.services.prepare()
    await made.promotion("one", ["A", "B", "C"], on_empty=OnEmpty.GENERATE)
    try:
        yield made
    finally:
        await made.services.close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tries follow each other at once."""
    monkeypatch.setattr(postgres, "_FIRST_PAUSE", 0.0001)


async def administer(url: str, *statements: str) -> Any:
    """As an administrator, beside the store."""
    connection = await asyncpg.connect(url)
    try:
        answer = None
        for statement in statements:
            answer = await connection.fetchval(statement)
        return answer
    finally:
        await connection.close()


async def test_one_that_stands_still_in_a_transaction_lets_go_and_begins_anew(
    url: str, ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another server redeems what a stopped one had locked; the stopped one wakes, and is told of what it found."""
    monkeypatch.setattr(postgres, "_IDLE_SECONDS", 1)
    stopped = Ground(url)
    await ground.issue("one", "ann")
    has_locked, awake, tries = asyncio.Event(), asyncio.Event(), 0

    def work(connection: Connection) -> int:
        nonlocal tries
        tries += 1
        locking.by_id(connection, [1])
        has_locked.set()
        if tries == 1:
            await_(awake.wait())
        return tries

    try:
        standing = asyncio.ensure_future(stopped.database.write(work))
        await has_locked.wait()
        assert await ground.redeem("A", "ann")
        awake.set()
        assert await standing == 2
    finally:
        await stopped.services.close()


async def raises(store: str, kind: type[StoreError], match: str) -> None:
    """Whatever is asked of this store, it is answered like this."""
    ground = Ground(store)
    try:
        for attempt in (ground.services.check(), ground.services.verify(), ground.services.prepare()):
            with pytest.raises(kind, match=match) as caught:
                await attempt
            assert "hunter2" not in str(caught.value)
    finally:
        await ground.services.close()


async def test_a_server_that_is_not_there(impatient: None) -> None:
    await raises("postgresql://postgres@127.0.0.1:1/postgres", StoreUnavailable, "cannot be reached")


async def test_a_database_that_is_not_there(own_server: PostgresServer) -> None:
    await raises(f"{own_server.url.rpartition('/')[0]}/nowhere", StoreUnavailable, "does not exist")


async def test_a_wrong_password_and_a_stranger(own_server: PostgresServer) -> None:
    await administer(own_server.url, "CREATE ROLE secretive LOGIN PASSWORD 'right'")
    await raises(own_server.url.replace("postgres@", "secretive:hunter2@"), StoreUnavailable, "password")
    await raises(own_server.url.replace("postgres@", "stranger:hunter2@"), StoreUnavailable, "refuses the user")


async def test_a_user_who_may_not_write(ground: Ground, url: str) -> None:
    await administer(url, "CREATE ROLE reader LOGIN", "GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
    reader = Ground(url.replace("postgres@", "reader@"))
    try:
        assert await reader.services.lobby.get(handle="one") is not None
        with pytest.raises(StoreReadOnly, match="rights"):
            await reader.issue("one", "ann")
    finally:
        await reader.services.close()


async def test_a_user_who_may_not_make_tables(url: str) -> None:
    await administer(url, "CREATE ROLE guest LOGIN", "REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    guest = Ground(url.replace("postgres@", "guest@"))
    try:
        with pytest.raises(StoreReadOnly, match="rights"):
            await guest.services.prepare()
    finally:
        await guest.services.close()


async def test_a_server_that_only_reads(ground: Ground, url: str) -> None:
    name = url.rpartition("/")[2]
    await administer(url, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    standby = Ground(url)
    try:
        assert await standby.services.lobby.get(handle="one") is not None
        assert await standby.services.verify() == []
        with pytest.raises(StoreReadOnly, match="primary"):
            await standby.issue("one", "ann")
    finally:
        await standby.services.close()


async def test_no_connection_left(ground: Ground, url: str, impatient: None) -> None:
    name = url.rpartition("/")[2]
    await administer(url, "CREATE ROLE many LOGIN", f"ALTER DATABASE {name} CONNECTION LIMIT 0")
    await raises(url.replace("postgres@", "many@"), StoreUnavailable, "no connection left")


@pytest.mark.parametrize(("setting", "statement"), [("statement_timeout", "SELECT pg_sleep(60)"), ("lock_timeout", "")])
async def test_what_takes_too_long(ground: Ground, url: str, setting: str, statement: str) -> None:
    name = url.rpartition("/")[2]
    await administer(url, f"ALTER DATABASE {name} SET {setting} = '100ms'")
    slow = Ground(url)
    holder = await asyncpg.connect(url)
    try:
        await holder.execute("BEGIN; LOCK TABLE stock")
        with pytest.raises(StoreBusy, match="too long"):
            await (slow.say(statement) if statement else slow.issue("one", "ann"))
        await holder.execute("ROLLBACK")
        while True:
            try:  # on a slow machine any statement may take longer than this
                assert await slow.issue("one", "ann") == ["A"]
                break
            except StoreBusy:
                pass
    finally:
        await holder.close()
        await slow.services.close()


def test_waiting_for_a_connection_in_vain_is_being_busy() -> None:
    """SQLAlchemy's pool has a TimeoutError of its own, which is not Python's."""
    assert isinstance(failures.wrapped(PoolTimeout("QueuePool limit reached")), StoreBusy)


async def test_a_deadlock_is_tried_again(ground: Ground, url: str) -> None:
    name = url.rpartition("/")[2]
    await administer(url, f"ALTER DATABASE {name} SET deadlock_timeout = '20ms'")
    servers = [Ground(url), Ground(url)]
    await servers[0].promotion("two", ["X"])
    lock = "SELECT 1 FROM stock WHERE promotion_id = (SELECT id FROM promotion WHERE handle = '{}') FOR UPDATE"
    both_have_one, tries = asyncio.Barrier(2), 0

    async def lock_both(server: Ground, *handles: str) -> None:
        def work(connection: Connection) -> None:
            nonlocal tries
            tries += 1
            connection.exec_driver_sql(lock.format(handles[0]))
            if tries <= 2:
                await_(both_have_one.wait())
            connection.exec_driver_sql(lock.format(handles[1]))

        await server.database.write(work)

    try:
        await asyncio.gather(lock_both(servers[0], "one", "two"), lock_both(servers[1], "two", "one"))
    finally:
        for server in servers:
            await server.services.close()
    assert tries >= 3, "the one that gave way began again"


async def test_connections_that_an_administrator_ends_are_replaced(ground: Ground, url: str) -> None:
    for round_ in range(3):
        await administer(
            url,
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        assert await ground.issue("one", f"c{round_}") == [("A", "B", "C")[round_]]
        assert await ground.services.verify() == []
        page = await ground.services.lobby.page(PromotionQuery(), Slice(count=9))
        assert len(page.rows) == 1


@pytest.mark.parametrize("way", ["write", "read", "heavy read", "snapshot"])
async def test_a_connection_that_ends_in_the_middle_is_tried_again(ground: Ground, url: str, way: str) -> None:
    tries = 0

    def work(connection: Connection) -> int:
        nonlocal tries
        tries += 1
        if tries == 1:
            connection.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")
        return int(connection.exec_driver_sql("SELECT 7").scalar_one())

    database = ground.database
    asked = {
        "write": lambda: database.write(work),
        "read": lambda: database.read(work),
        "heavy read": lambda: database.read(work, heavy=True),
        "snapshot": lambda: database.snapshot(work),
    }
    assert await asked[way]() == 7
    assert tries == 2
    assert await ground.issue("one", "ann") == ["A"]


async def test_a_commit_that_was_not_confirmed_is_not_tried_again(ground: Ground, url: str) -> None:
    """Nobody knows whether it was done; the key of the request will tell."""
    await administer(
        url,
        "CREATE SEQUENCE commits",
        "CREATE FUNCTION break_off() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN PERFORM nextval('commits'), pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$",
        "CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON promotion DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW EXECUTE FUNCTION break_off()",
    )
    with pytest.raises(StoreUnavailable, match="same idempotencyKey"):
        await ground.services.promoting.create(Draft(terms=PromotionTerms(handle="two", name="Two")))
    assert await administer(url, "SELECT last_value FROM commits") == 1
    await administer(url, "DROP TRIGGER at_commit ON promotion")
    assert await ground.services.lobby.get(handle="two") is None
    await ground.services.promoting.create(Draft(terms=PromotionTerms(handle="two", name="Two")))


@pytest.mark.parametrize(("text", "heavy"), [("\ud800", False), ("a\0b", False), ("a\0b", True)])
async def test_a_statement_that_failed_spoils_no_connection(ground: Ground, text: str, heavy: bool) -> None:
    """What the driver cannot encode leaves the server in the middle of a message."""
    for _ in range(12):
        with pytest.raises(Exception):  # noqa: B017  (whichever driver's)
            await ground.database.read(lambda c: promotions.by_handle(c, [text]), heavy=heavy)
        assert await ground.services.verify() == []
        assert (await ground.services.stocking.codes(await query(ground), Slice(count=9))).rows
        await ground.issue("one", "ann")


async def query(ground: Ground) -> CodeSelection:
    promotion = await ground.services.lobby.get(handle="one")
    assert promotion is not None
    return CodeSelection(promotion=promotion)


async def test_callers_who_go_away_leave_no_connection_in_a_transaction(ground: Ground, url: str) -> None:
    # Without TLS: cut off while it asks for that, asyncpg leaves behind a failure that nobody hears of.
    left = Ground(f"{url}?ssl=disable")
    for _ in range(10):
        calls = [asyncio.create_task(left.services.issuing.issue_many(wanted(n, 600))) for n in range(8)]
        await asyncio.sleep(0.01)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
    assert (await left.issue("one", "one more")) != [None]
    await left.services.close()
    assert await ground.services.verify() == []
    assert (await ground.issue("one", "last")) != [None]
    stuck = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'"
    async with asyncio.timeout(300):  # a backend takes a moment to hear that nobody is there any more
        while await administer(url, stuck):  # noqa: ASYNC110  (nobody is told of it)
            await asyncio.sleep(0.05)


def wanted(number: int, size: int) -> list[IssueRequest]:
    return [IssueRequest(promotion="one", customer=f"c{number}-{n}") for n in range(size)]


@pytest.mark.parametrize("how", ["immediate", "fast"])
async def test_a_restart_under_load(ground: Ground, own_server: PostgresServer, how: Any) -> None:
    """Calls are answered late or refused with a sentence; nothing that was answered is lost, nothing is done twice."""
    promotion = await ground.services.lobby.get(handle="one")
    assert promotion is not None
    told: dict[str, str] = {}
    used: list[str] = []
    stopped, enough, recovered = False, 10**9, asyncio.Event()

    async def again(act: Any, number: int) -> int:
        refused = turn = 0
        while not stopped:
            turn += 1
            try:
                await act(f"{number}-{turn}")
            except StoreError:
                refused += 1
        return refused

    async def issue(turn: str) -> None:
        outcome = await ground.services.issuing.issue(
            IssueRequest(promotion="one", customer=turn, idempotency_key=turn)
        )
        assert outcome.issuance is not None
        told[turn] = outcome.issuance.text
        if len(told) >= enough:
            recovered.set()

    async def redeem(turn: str) -> None:
        code = next(iter(told.values()), "A")
        outcome = await ground.services.redeeming.redeem(RedeemRequest(code=code, idempotency_key=turn))
        used.extend([code] if outcome.redemption else [])

    async def look(turn: str) -> None:
        await ground.services.lobby.page(PromotionQuery(), Slice(count=5))
        await ground.services.stocking.codes(CodeSelection(promotion=promotion), Slice(count=5))
        await ground.services.verify()

    load = [asyncio.create_task(again(act, n)) for act in (issue, redeem, look) for n in range(3)]
    await asyncio.sleep(0.3)
    await asyncio.to_thread(own_server.stop, how)
    await asyncio.sleep(0.2)
    await asyncio.to_thread(own_server.start)
    enough = len(told) + 20
    await asyncio.wait_for(recovered.wait(), 300)
    stopped = True
    await asyncio.gather(*load)

    assert await ground.services.verify() == []
    kept = await ground.ask(
        "SELECT i.customer, c.key FROM issuance i JOIN code c ON c.promotion_id = i.promotion_id AND c.seq = i.seq"
    )
    assert told.items() <= dict(kept).items()
    assert len(used) == len(set(used)), "each code once"
    for customer, text in list(told.items())[:5]:
        again_ = await ground.services.issuing.issue(
            IssueRequest(promotion="one", customer=customer, idempotency_key=customer)
        )
        assert again_.issuance is not None
        assert again_.issuance.text == text


async def test_a_long_look_that_is_given_up_leaves_nobody_in_its_transaction(ground: Ground) -> None:
    """Else whoever is given its connection sees the store as it was then, or a transaction that has failed."""
    begun = asyncio.Event()
    look_long = Statement("SELECT pg_sleep(600)")

    def work(connection: Connection) -> None:
        begun.set()
        look_long.fetch(connection)

    for _ in range(3):
        begun.clear()
        looking = asyncio.create_task(ground.database.snapshot(work))
        await begun.wait()
        looking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await looking
    await ground.issue("one", "ann")
    issued = Statement("SELECT count(*) FROM issuance")
    for _ in range(3):
        assert [tuple(row) for row in await ground.database.read(issued.fetch, heavy=True)] == [(1,)]
        assert [tuple(row) for row in await ground.database.snapshot(issued.fetch)] == [(1,)]
