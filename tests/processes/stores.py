"""Looking into a store from outside of its servers."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any, TypeVar

import asyncpg

from promograph.domain.access import Scope
from promograph.services.app import Services

T = TypeVar("T")

Row = tuple[Any, ...]

# What was issued: the code's text as given, and to whom.
ISSUED = (
    "SELECT coalesce(c.text, c.key), i.customer FROM issuance i "
    "JOIN code c ON c.promotion_id = i.promotion_id AND c.seq = i.seq WHERE i.seq <> 0"
)
REDEEMED = (
    "SELECT coalesce(c.text, c.key), r.order_ref FROM redemption r "
    "JOIN code c ON c.promotion_id = r.promotion_id AND c.seq = r.seq"
)


def sql(store: str, statement: str) -> list[Row]:
    """Run one statement, committed, and fetch what it answers."""
    if store.startswith("sqlite"):
        with closing(sqlite3.connect(store.removeprefix("sqlite:///"), timeout=300)) as connection, connection:
            return list(connection.execute(statement))

    async def execute() -> list[Row]:
        connection = await asyncpg.connect(store)
        try:
            return [tuple(row) for row in await connection.fetch(statement)]
        finally:
            await connection.close()

    return _apart(execute)


def new_token(store: str, name: str = "test") -> str:
    """Create the tables where there are none, and the text of a token that may do everything."""

    async def make(services: Services) -> str:
        await services.prepare()
        text, _ = await services.access.create(name, [Scope.ADMIN])
        return text

    return using(store, make)


def differences(store: str) -> list[str]:
    """What `promograph verify` would say, without the seconds that a command takes to start."""
    return using(store, lambda services: services.verify())


def using(store: str, use: Callable[[Services], Awaitable[T]]) -> T:
    async def act() -> T:
        services = Services.open(store)
        try:
            return await use(services)
        finally:
            await services.close()

    return _apart(act)


def _apart(act: Callable[[], Awaitable[T]]) -> T:
    """In a thread and a loop of their own, because the caller may sit inside a running loop."""

    async def awaited() -> T:
        return await act()

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(awaited())).result()
