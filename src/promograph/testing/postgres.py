"""A real PostgreSQL server, thrown away after use: for tests, the bench and the demo.

It listens on 127.0.0.1 alone, trusts whoever connects, and keeps fsync on, so that what is measured or killed here
behaves as it would in earnest.
"""

import os
import random
import re
import signal
import socket
import subprocess
import tempfile
import time
from asyncio import run
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import asyncpg

from promograph.testing.postgres_programs import (
    Account,
    PostgresUnavailable,
    Programs,
    find_programs,
    is_open_to_all,
    is_root,
    server_account,
)

StopMode = Literal["smart", "fast", "immediate", "kill"]

# By their names, since not every system has all of them.
_SIGNALS = {"smart": "SIGTERM", "fast": "SIGINT", "immediate": "SIGQUIT", "kill": "SIGKILL"}
_PATIENCE_SECONDS = 300.0
# A killed server's children hold its shared memory for a moment, in which a new one refuses to begin; and while it does
# not run, its port may be somebody's end of a connection.
_PASSING = ("shared memory block", "Address already in use")
_INITDB = ("--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C", "--no-sync")
_SETTINGS = (
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "max_connections=100",
    "fsync=on",
    "timezone=UTC",
)


class PostgresServer:
    """One server in an existing folder of its own; it keeps port and data from one `start()` to the next."""

    def __init__(self, folder: Path, *, prefer: Programs = "system") -> None:
        self._folder = folder
        self._data = folder / "data"
        self._log = folder / "server.log"
        self._account = server_account()
        self._programs = find_programs(prefer, folder, self._account)
        self._port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._has_run = False
        _give(folder, self._account)
        if self._spawn("initdb", "-D", self._data, *_INITDB).wait(_PATIENCE_SECONDS):
            raise PostgresUnavailable(f"initdb failed. It wrote:\n{self._last_words()}")

    @property
    def url(self) -> str:
        """The address of the database `postgres`, with a superuser's rights."""
        return f"postgresql://postgres@127.0.0.1:{self._port}/postgres"

    def start(self) -> None:
        """Return once connections are taken; raises PostgresUnavailable with the end of the server's log."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while self._process is None:
            self._process = self._attempt(deadline)
            if self._process is not None:
                self._has_run = True
                return
            said = self._last_words()
            if time.monotonic() > deadline or not any(hindrance in said for hindrance in _PASSING):
                raise PostgresUnavailable(f"PostgreSQL did not start. It wrote:\n{said}")
            if not self._has_run:  # nobody knows its port yet, and somebody else was quicker to take it
                self._port = _free_port()
            time.sleep(0.05)

    def stop(self, mode: StopMode = "fast") -> None:
        """Stop the server and wait for its end; a stopped one stays as it is.

        `smart` waits for the clients, `fast` rolls their transactions back, `immediate` leaves recovery to the next
        start, and `kill` asks nobody.
        """
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.Signals[_SIGNALS[mode]])
            process.wait(_PATIENCE_SECONDS)

    def _attempt(self, deadline: float) -> subprocess.Popen[bytes] | None:
        settings = [part for setting in _SETTINGS for part in ("-c", setting)]
        process = self._spawn("postgres", "-D", self._data, "-p", str(self._port), *settings)
        while process.poll() is None and time.monotonic() < deadline:
            if self._is_ready(process.pid):
                return process
            time.sleep(0.01)
        process.kill()
        process.wait()
        return None

    def _is_ready(self, pid: int) -> bool:
        """Read the server's own pid file: line 1 is the process, line 8 the state that pg_ctl waits for."""
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) > 7 and lines[0] == str(pid) and lines[7].strip() == "ready"

    def _spawn(self, program: str, *arguments: str | Path) -> subprocess.Popen[bytes]:
        account = self._account
        with self._log.open("wb") as log:
            return subprocess.Popen(
                [self._programs / program, *arguments],
                cwd=self._folder,
                env={"LC_ALL": "C", "PATH": str(self._programs)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # An interrupt at the terminal reaches the tests alone, which then stop the server in order.
                start_new_session=True,
                user=account.user if account else None,
                group=account.group if account else None,
                extra_groups=[] if account else None,
            )

    def _last_words(self) -> str:
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-30:])


@contextmanager
def postgres_server(*, prefer: Programs = "system") -> Iterator[PostgresServer]:
    """A running server in a temporary folder; at the end it is stopped and its data are gone."""
    with tempfile.TemporaryDirectory(prefix="promograph-pg-", dir=_base(), ignore_cleanup_errors=True) as folder:
        server = PostgresServer(Path(folder), prefer=prefer)
        try:
            server.start()
            yield server
        finally:
            server.stop("immediate")


@contextmanager
def temporary_postgres(*, prefer: Programs = "system") -> Iterator[str]:
    """The address of an empty database on a running server that ends with the block."""
    with postgres_server(prefer=prefer) as server:
        yield server.url


def create_database(url: str, name: str) -> str:
    """Add an empty database to the server at `url`; returns its address. The name is lower case, digits and `_`."""
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", name):
        raise ValueError(f"{name!r} is no plain name for a database")
    _execute(url, f"CREATE DATABASE {name}")
    return urlsplit(url)._replace(path=f"/{name}").geturl()


@contextmanager
def copied_database(url: str, template: str, name: str) -> Iterator[str]:
    """A copy of the database `template`, to which nobody is connected; it is gone afterwards. Its address."""
    _execute(url, f"CREATE DATABASE {name} TEMPLATE {template}")
    try:
        yield urlsplit(url)._replace(path=f"/{name}").geturl()
    finally:
        _execute(url, f"DROP DATABASE {name} WITH (FORCE)")


def empty_database(url: str) -> None:
    """Drop every schema and connection that others left in the database at `url`: six times cheaper than a new one."""
    _execute(
        url,
        "SET lock_timeout = '60s'",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()",
        "DO $$ DECLARE name text; BEGIN "
        "FOR name IN SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' "
        "LOOP EXECUTE format('DROP SCHEMA %I CASCADE', name); END LOOP; CREATE SCHEMA public; END $$",
    )


def _execute(url: str, *statements: str) -> None:
    async def execute() -> None:
        connection = await asyncpg.connect(url)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    # In a thread of its own, because the caller may sit inside a running event loop.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: run(execute())).result()


def _give(folder: Path, account: Account | None) -> None:
    if account is None:
        return
    for path in (folder, *folder.rglob("*")):
        os.chown(path, account.user, account.group, follow_symlinks=False)


def _base() -> str:
    """Where temporary folders go: root's own choice may lie where `nobody` cannot look."""
    usual = Path(tempfile.gettempdir())
    return str(usual) if not is_root() or is_open_to_all(usual) else "/tmp"


def _free_port() -> int:
    # Below the range from which outgoing connections take theirs: a stopped server finds its port free again.
    for _ in range(100):
        port = random.randint(20_000, 31_999)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port
    raise PostgresUnavailable("No free port was found on 127.0.0.1.")
