"""A long look sees one moment, whatever is committed while it looks."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Connection

from promograph.domain.issuing import IssueRequest
from promograph.services.app import Services
from promograph.store.statements import Statement

from .ground import Ground

pytestmark = pytest.mark.anyio

ISSUED = Statement("SELECT count(*) FROM issuance")


async def test_a_snapshot_is_of_one_moment(ground: Ground, prepared_url: str) -> None:
    await ground.promotion("sale", ["A", "B"])

    async def issue() -> None:
        beside = Services.open(prepared_url)
        try:
            await beside.issuing.issue(IssueRequest(promotion="sale", customer="ann"))
        finally:
            await beside.close()

    def look(connection: Connection) -> list[int]:
        before = ISSUED.fetch(connection)[0][0]
        with ThreadPoolExecutor(1) as thread:
            thread.submit(lambda: asyncio.run(issue())).result()
        return [before, ISSUED.fetch(connection)[0][0]]

    assert await ground.database.snapshot(look) == [0, 0]
    assert await ground.database.read(lambda connection: ISSUED.fetch(connection)[0][0]) == 1
