"""Customers told of by the thousand: new ones, and the same ones with one attribute changed."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import asyncpg
import orjson

from promograph.cli.benching.driver_alone import sqlite_copy
from promograph.cli.benching.figures import Row, Yardstick, at_least
from promograph.cli.benching.ground import Ground
from promograph.cli.benching.operations import UPSERT

UPSERTED_A_SECOND = 30_000

_LONGEST_CALL_SECONDS = 300.0
_FIELDS = ("email", "phone", "locale")
_COLUMNS = ("id", *_FIELDS, "consent", "attributes", "created_at", "updated_at")
_TABLE = "customer_of_the_bench"

Told = dict[str, Any]
Customer = tuple[str, str, str, str, str, str, int, int]
"""A row, prepared."""


def upsert(ground: Ground) -> list[Row]:
    """One call after the other; beside the driver alone with as many prepared rows, a transaction a call."""
    size, calls = ground.plan.calls[-1]
    calls = -(-calls // 2)
    turns = [[told(range(n, n + size), visits=visits) for n in range(0, size * calls, size)] for visits in (0, 1)]
    with ground.bars.waiting("customers, by the driver alone"):
        alone = _driver_seconds(ground.url, [[_rows(each) for each in turn] for turn in turns])
    rows = []
    names = ("new", "one attribute changed")
    for what, turn, seconds in ground.bars.each(zip(names, turns, alone, strict=True), "customersUpsert", len(names)):
        inputs = [{"customers": each} for each in turn]
        window = ground.window(UPSERT, inputs, 1, warm_up=0.0, seconds=_LONGEST_CALL_SECONDS)
        rate, driver_rate = window.rate * size, size * calls / seconds
        rows.append(
            Row(
                what=f"customersUpsert, {size:,} a call, {what}",
                unit="customers",
                connections=1,
                rate=rate,
                p50_ms=window.p50_ms,
                p99_ms=window.p99_ms,
                cpu_us=window.cpu_us,
                yardstick=Yardstick(name="driver alone", rate=driver_rate, ratio=rate / driver_rate),
                targets=(at_least(rate, UPSERTED_A_SECOND, "customers"),),
            )
        )
    return rows


def told(numbers: range, *, visits: int) -> list[Told]:
    """Customers with twelve attributes each, as `customersUpsert` takes them."""
    return [
        {
            "id": f"person-{n:08}",
            "email": f"person.{n}@example{n % 50}.com",
            "phone": f"+1514555{n % 10_000:04}",
            "locale": ("fr-CA", "en-CA", "de-AT")[n % 3],
            "consent": [{"channel": "email", "given": n % 3 > 0}, {"channel": "sms", "given": n % 5 > 2}],
            "attributes": {
                "tier": ("gold", "silver", "bronze")[n % 3],
                "city": f"City {n % 97}",
                "name": f"Person {n}",
                "country": ("FR", "CA", "AT")[n % 3],
                "spent": n % 90_000 + 0.25,
                "visits": visits,
                "age": 18 + n % 70,
                "vip": n % 10 == 0,
                "newsletter": n % 2 == 0,
                "born": {"date": f"{1940 + n % 60}-{1 + n % 12:02}-{1 + n % 28:02}"},
                "seen": {"date": f"2026-{1 + n % 12:02}-{1 + n % 28:02}"},
                "likes": [f"sport {n % 7}", f"food {n % 5}"],
            },
        }
        for n in numbers
    ]


def _rows(customers: Sequence[Told]) -> list[Customer]:
    return [
        (
            one["id"],
            *(one[name] for name in _FIELDS),
            orjson.dumps({given["channel"]: given["given"] for given in one["consent"]}).decode(),
            orjson.dumps(one["attributes"]).decode(),
            1,
            1,
        )
        for one in customers
    ]


def _driver_seconds(url: str, turns: Sequence[Sequence[Sequence[Customer]]]) -> list[float]:
    """Adding the calls of the first turn, and writing those of the second over them."""
    added, changed = turns
    if url.startswith("sqlite"):
        return _sqlite_seconds(Path(url.removeprefix("sqlite:///")), added, changed)
    return asyncio.run(_postgres_seconds(url, added, changed))


def _sqlite_seconds(store: Path, *turns: Sequence[Sequence[Customer]]) -> list[float]:
    sets = ", ".join(f"{name} = ?{n}" for n, name in enumerate(_COLUMNS, 1))
    statements = (
        f"INSERT INTO customer ({', '.join(_COLUMNS)}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        f"UPDATE customer SET {sets} WHERE id = ?1",
    )
    taken = []
    with sqlite_copy(store, "customer") as copy:
        for statement, calls in zip(statements, turns, strict=True):
            began = perf_counter()
            for rows in calls:
                copy.execute("BEGIN")
                copy.executemany(statement, rows)
                copy.execute("COMMIT")
            taken.append(perf_counter() - began)
    return taken


async def _postgres_seconds(url: str, *turns: Sequence[Sequence[Customer]]) -> list[float]:
    """COPY; then one UPDATE a call from an array a column."""
    added, changed = turns
    sets = ", ".join(f"{name} = r.{name}" for name in _COLUMNS[1:])
    kinds = ("text", "text", "text", "text", "jsonb", "jsonb", "bigint", "bigint")
    arrays = ", ".join(f"${n}::{kind}[]" for n, kind in enumerate(kinds, 1))
    update = f"UPDATE {_TABLE} c SET {sets} FROM unnest({arrays}) r ({', '.join(_COLUMNS)}) WHERE c.id = r.id"
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(f"CREATE TABLE {_TABLE} (LIKE customer INCLUDING ALL)")
        began = perf_counter()
        for rows in added:
            await connection.copy_records_to_table(_TABLE, records=rows, columns=_COLUMNS)
        copied = perf_counter() - began
        await connection.execute(f"ANALYZE {_TABLE}")
        began = perf_counter()
        for rows in changed:
            await connection.execute(update, *zip(*rows, strict=True))
        updated = perf_counter() - began
        await connection.execute(f"DROP TABLE {_TABLE}")
        return [copied, updated]
    finally:
        await connection.close()
