"""`promograph serve` from its start to its end, as a service manager and an operator see it."""

import asyncio
import ctypes
import os
import signal
import socket
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest

from .asking import Answer, Client, Gone
from .commands import PATIENCE_SECONDS, Surroundings
from .conftest import NewServer
from .servers import Server, poll, running
from .stores import ISSUED, new_token, sql

PR_CAPBSET_DROP, CAP_DAC_OVERRIDE = 24, 1

LOOK = '{ promotion(handle: "shop") { status } }'


@pytest.fixture
def store(new_store: Callable[[str], str]) -> str:
    return new_store("sqlite")


def test_a_port_in_use_is_told(store: str, surroundings: Surroundings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        ended = surroundings.run("serve", "--port", str(port), "--store", store)
    assert (ended.status, ended.out) == (1, "")
    assert ended.err == (
        f"promograph: Cannot listen on 127.0.0.1:{port} (Address already in use): choose another --port or --host.\n"
    )


def test_settings_come_from_the_environment(store: str, new_server: NewServer, surroundings: Surroundings) -> None:
    token = new_token(store)
    settings = {
        "PROMOGRAPH_HOST": "localhost",
        "PROMOGRAPH_LOG_LEVEL": "Warning",
        "PROMOGRAPH_INTROSPECTION": "no",
        "PROMOGRAPH_MAX_BODY_BYTES": "1000",
        "PROMOGRAPH_STORE": "sqlite:////nowhere/the-option-comes-first.db",
    }
    server = new_server(store, settings=settings, anew=True)
    with running([server]):
        assert server.base.startswith("http://localhost:")
        assert "INFO" not in server.said
        answer = asyncio.run(ask(server, token, "{ __schema { description } }"))
        assert answer.errors
        answer = asyncio.run(ask(server, token, f"{LOOK} #{'-' * 1000}"))
        assert answer.status == 413
    ended = surroundings.run("serve", settings={"PROMOGRAPH_PORT": "eighty", "PROMOGRAPH_WORKERS": "0"})
    assert (ended.status, ended.out) == (1, "")
    assert "(PROMOGRAPH_PORT)" in ended.err and "(PROMOGRAPH_WORKERS)" in ended.err


def test_a_broken_plugin_stops_the_start_unless_it_is_blocked(
    store: str, new_server: NewServer, surroundings: Surroundings, tmp_path: Path
) -> None:
    (tmp_path / "pigeons-1.0.dist-info").mkdir()
    (tmp_path / "pigeons-1.0.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: pigeons\nVersion: 1.0\n")
    (tmp_path / "pigeons-1.0.dist-info/entry_points.txt").write_text("[promograph]\nrock-doves = pigeons\n")
    (tmp_path / "pigeons.py").write_text("raise RuntimeError('they flew away')\n")
    settings = {"PYTHONPATH": str(tmp_path)}
    ended = surroundings.run("serve", "--port", "0", "--store", store, settings=settings, anew=True)
    assert (ended.status, ended.out) == (1, "")
    assert "'rock-doves' is broken" in ended.err and "they flew away" in ended.err
    assert "Traceback" not in ended.err and "promograph serves" not in ended.err
    settings["PROMOGRAPH_BLOCKED_PLUGINS"] = "rock-doves"
    with running([new_server(store, settings=settings, anew=True)]):
        pass


def test_a_store_that_may_only_be_read_is_read(store: str, new_server: NewServer) -> None:
    token = new_token(store)
    path = Path(store.removeprefix("sqlite:///"))
    path.chmod(0o444)
    server = new_server(store, prepare=obey_permissions)
    with running([server]):
        assert asyncio.run(ask(server, token, LOOK)).body == {"data": {"promotion": None}}
        answer = asyncio.run(create(server, token))
        assert answer.errors[0]["extensions"]["code"] == "READ_ONLY"
        assert answer.errors[0]["message"].startswith("The store is read-only: ")


@pytest.mark.parametrize("written", [False, True], ids=["before the first write", "after a write"])
def test_a_store_deleted_under_the_server_is_told(store: str, new_server: NewServer, written: bool) -> None:
    token = new_token(store)
    path = Path(store.removeprefix("sqlite:///"))
    server = new_server(store)
    with running([server]):
        if written:
            assert not asyncio.run(create(server, token)).errors
        for file in path.parent.glob(f"{path.name}*"):
            file.unlink()
        for answer in (asyncio.run(create(server, token, "late")), asyncio.run(ask(server, token, LOOK))):
            answer.check_unavailable()
            assert "was moved or deleted" in answer.errors[0]["message"]
        assert server.health() == 503
        assert not path.exists(), "an empty store was put in its place"


def test_others_are_answered_while_another_process_writes(store: str, new_server: NewServer) -> None:
    token = new_token(store)
    server = new_server(store)

    async def ask_behind_a_lock() -> None:
        async with Client(server.base, token) as client:
            await client.promotion("shop", onEmpty="GENERATE")
            other.execute("BEGIN IMMEDIATE")
            waiting = asyncio.create_task(client.promotion("next", onEmpty="GENERATE"))
            await asyncio.sleep(0.05)
            assert (await client.ask(LOOK, {})).body == {"data": {"promotion": {"status": "ACTIVE"}}}
            assert not waiting.done(), "nobody was answered before the lock was given up"
            other.execute("ROLLBACK")
            await waiting

    with running([server]), closing(sqlite3.connect(store.removeprefix("sqlite:///"), isolation_level=None)) as other:
        asyncio.run(ask_behind_a_lock())


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_servers_that_start_at_once_share_an_empty_store(
    kind: str, new_store: Callable[[str], str], new_server: NewServer
) -> None:
    store = new_store(kind)
    with running([new_server(store) for _ in range(3)]):
        pass


@pytest.mark.parametrize(("kind", "options"), [("sqlite", ()), ("postgresql", ("--workers", "2"))])
def test_a_stop_under_load_loses_no_answer(
    kind: str, options: tuple[str, ...], new_store: Callable[[str], str], new_server: NewServer
) -> None:
    store = new_store(kind)
    token = new_token(store)
    server = new_server(store, *options)
    with running([server]):
        told = asyncio.run(stopped_under_load(server, token))
        # What is done and not told would be a request that was begun and then dropped.
        assert sorted(told) == sorted(sql(store, ISSUED))
        assert server.wait() == 0


def test_workers_share_the_work_and_end_together(new_store: Callable[[str], str], new_server: NewServer) -> None:
    store = new_store("postgresql")
    token = new_token(store)
    server = new_server(store, "--workers", "2", anew=True)
    with running([server]):
        poll(lambda: server.said.count("Application startup complete") == 2, "there are no two workers")
        asyncio.run(use_a_code(server, token))
        # The supervisor alone; `wait` polls until the others are gone as well.
        os.kill(server.pid, signal.SIGKILL)
        assert server.wait() == -signal.SIGKILL
        assert server.health() == 0


def test_a_revoked_token_is_refused_soon(store: str, new_server: NewServer, surroundings: Surroundings) -> None:
    token = new_token(store, "shop")
    server = new_server(store)
    with running([server]):
        assert asyncio.run(ask(server, token, LOOK)).status == 200
        assert surroundings.run("token", "revoke", "shop", "--store", store).status == 0
        poll(lambda: asyncio.run(ask(server, token, LOOK)).status == 401, "the token is taken still")


def obey_permissions() -> None:
    """Root, as which tests may run, writes whatever it likes; in a process without this capability it asks first."""
    if os.geteuid() == 0:
        assert ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0) == 0


async def ask(server: Server, token: str, document: str) -> Answer:
    async with Client(server.base, token) as client:
        return await client.ask(document, {})


async def create(server: Server, token: str, name: str = "new") -> Answer:
    async with Client(server.base, token) as client:
        return await client.try_to_mutate("promotionCreate", "promotion { id }", name=name)


async def use_a_code(server: Server, token: str) -> None:
    async with Client(server.base, token) as client:
        await client.promotion("shop", ["WORKERS"])
        issued = await client.mutate("codeIssue", "issuance { text }", promotion="shop", customer="anna")
        assert issued == {"issuance": {"text": "WORKERS"}}
        redeemed = await client.mutate("codeRedeem", "redemption { customer }", code="workers", customer="anna")
        assert redeemed == {"redemption": {"customer": "anna"}}


async def stopped_under_load(server: Server, token: str) -> list[tuple[str, str]]:
    """Codes and customers as clients were told until the server, asked to stop, took no more questions."""
    told: list[tuple[str, str]] = []

    async def keep_asking(number: int) -> None:
        # Each on a connection of its own, as the customers of a shop are.
        with suppress(Gone):
            async with Client(server.base, token) as client:
                for turn in range(1_000_000):
                    customer = f"{number}-{turn}"
                    payload = await client.mutate("codeIssue", "issuance { text }", promotion="shop", customer=customer)
                    told.append((payload["issuance"]["text"], customer))
                    if len(told) == 300:
                        server.ask_to_stop()

    async with Client(server.base, token) as client:
        await client.promotion("shop", onEmpty="GENERATE")
    async with asyncio.timeout(PATIENCE_SECONDS), asyncio.TaskGroup() as group:
        for number in range(16):
            group.create_task(keep_asking(number))
    return told
