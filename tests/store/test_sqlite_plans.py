"""No statement of the store walks the rows that come by the million, on SQLite, which plans without statistics.

Where one has to, it is named here.
"""

import pkgutil
import re
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

import promograph.store
from promograph.domain.clock import system_clock
from promograph.domain.webhooks.events import WebhookType
from promograph.services.app import Services
from promograph.store.databases.opening import open_database
from promograph.store.listing import Slice
from promograph.store.statements import Statement, driver_of
from promograph.store.webhooks import deliveries
from promograph.store.webhooks.deliveries import DeliveryQuery

pytestmark = pytest.mark.anyio

# Tables of which there is a row or more for each code, customer or use; and the aliases that statements give them.
_LARGE = (
    "code",
    "issuance",
    "redemption",
    "rollback",
    "hold",
    "customer",
    "audience_member",
    "replay",
    "code_event",
    "carried_code",
    "send_message",
    "shop_code",
)

_POSTGRES_ALONE = ("pg_", "SET LOCAL ", "clock_timestamp")

_ALLOWED = {
    "budget_changes._SPENT": "once, when a budget is set on a promotion that had none",
    "budget_changes._HELD": "the same; only open holds",
    "codes.exporting._USED": "the range of numbers that it is given",
    "histories._OF_SHARED": "from the last issuance backward; most of such a promotion are of the shared code",
    "limits._MOST_OF_A_CODE": "once, when a limit is lowered",
    "limits._MOST_OF_A_CUSTOMER": "the same",
    "shops.codes._ON_THEIR_WAY": "by an index of those alone",
    "shops.pushes._FORGET_CODES": "all of a shop's, which go",
    "shops.pushes._STAMPS": "the last one only, from the end of an index",
    "people.erasing._KNOWN": "erasing a person, rarely",
    "people.erasing._OLD_HOLDS": "the same",
    "people.erasing._ANSWERS[sqlite]": "the same",
}


def _statements() -> Iterator[tuple[str, Statement]]:
    prefix = "promograph.store."
    for found in pkgutil.walk_packages(promograph.store.__path__, prefix):
        if ".migrations" in found.name:
            continue
        place = found.name.removeprefix(prefix)
        for name, value in vars(import_module(found.name)).items():
            each = value.items() if isinstance(value, dict) else [(None, value)]
            for key, one in each:
                if isinstance(one, Statement) and key != "postgresql":
                    yield f"{place}.{name}" + (f"[{key}]" if key else ""), one


def _row(columns: Sequence[tuple[str, str]], number: int) -> list[Any]:
    """All of one promotion, so that it is handed over as a constant where there are many."""
    row: list[Any] = []
    for name, kind in columns:
        row.append(1 if name == "promotion_id" else f"x{number}" if kind == "text" else number)
    return row


def _walks(connection: Connection, statement: Statement, size: int) -> list[str]:
    """What the statement's plan says of walking large tables."""
    if any(word in statement._sqlite._sql for word in _POSTGRES_ALONE):
        return []
    compiled, params = statement._sqlite, dict[str, Any]()
    rows = [_row(compiled._columns, number) for number in range(size)] if compiled._columns else None
    text = compiled.text(rows, params)
    for name in re.findall(r"(?<![:\w]):(\w+)", text):
        params.setdefault(name, 1)
    aliases = dict(re.findall(rf"\b({'|'.join(_LARGE)})\b(?: AS)?(?: (\w+))?", text))
    large = {*aliases, *aliases.values()}
    steps = [row[3] for row in driver_of(connection).execute(f"EXPLAIN QUERY PLAN {text}", params)]
    found = re.compile(r"SCAN (\w+)|SEARCH (\w+) .*\((?:promotion_id|audience|send_id|push_id)=\?\)$")
    walked = [(step, found.match(step)) for step in steps]
    return [step for step, match in walked if match is not None and (match[1] or match[2]) in large]


@pytest.mark.parametrize("size", [4, 64])
async def test_no_statement_walks_a_large_table(tmp_path: Path, size: int) -> None:
    url = f"sqlite:///{tmp_path}/promograph.db"
    services = Services.open(url, system_clock)
    await services.prepare()
    await services.close()
    database = open_database(url)
    try:
        walks = await database.read(
            lambda connection: {name: _walks(connection, statement, size) for name, statement in _statements()}
        )
    finally:
        await database.close()
    assert len(walks) > 100
    assert {name: steps for name, steps in walks.items() if steps and name not in _ALLOWED} == {}


@pytest.mark.parametrize("webhook", [None, 1])
async def test_what_webhooks_were_told_of_one_kind_is_found_by_an_index(tmp_path: Path, webhook: int | None) -> None:
    database = open_database(f"sqlite:///{tmp_path}/promograph.db")
    await Services(database).prepare()
    query = DeliveryQuery(types=frozenset({WebhookType.WEBHOOK_TEST}), webhook_id=webhook)

    def plan(connection: Connection) -> str:
        driver, said = driver_of(connection), list[str]()
        driver.set_trace_callback(said.append)
        deliveries.page(connection, query, Slice(count=50))
        driver.set_trace_callback(None)
        (text,) = said
        return str([row[3] for row in driver.execute(f"EXPLAIN QUERY PLAN {text}")])

    try:
        told = await database.read(plan)
    finally:
        await database.close()
    assert "webhook_delivery_type" in told
    assert "TEMP B-TREE" not in told
