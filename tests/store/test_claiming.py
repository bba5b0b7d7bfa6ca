"""Exactly as many codes as were asked for, whatever the planner believes of the table."""

from collections import Counter

import pytest

from promograph.domain.issuing import IssueRequest
from promograph.domain.promotions import CodeKind, IssuePolicy, OnEmpty
from promograph.domain.redeeming import RedeemRequest
from promograph.domain.stock.changes import CodeChange
from promograph.store import issuing, redeeming
from promograph.store.databases.database import Connection

from .ground import Ground

pytestmark = pytest.mark.anyio

LARGE = [f"L-{n:05}" for n in range(20_000)]
SMALL = [f"S-{n:02}" for n in range(20)]


async def test_five_of_twenty_beside_twenty_thousand(ground: Ground) -> None:
    """The famous claim took twenty: statistics knew one large promotion only, and the plan locked row by row."""
    await ground.promotion("large", LARGE)
    await ground.say("ANALYZE")
    small = await ground.promotion("small", SMALL)
    texts = await ground.issue("small", *"abcde")
    assert texts == SMALL[:5]
    assert await ground.ask(f"SELECT count(*) FROM issuance WHERE promotion_id = {small.id}") == [(5,)]
    assert await ground.ask(f"SELECT head, available, issued FROM stock WHERE promotion_id = {small.id}") == [
        (6, 15, 5)
    ]
    assert await ground.services.verify() == []


async def test_five_of_the_returned_line_beside_a_long_one(ground: Ground) -> None:
    """Codes that come back are taken by another statement, which might take too many too."""
    large = await ground.promotion("large", LARGE[:3_000])
    await ground.services.changing.listed(LARGE[:2_990], CodeChange.BLOCK)
    await ground.issue("large", *(f"c{n}" for n in range(10)))
    await ground.services.changing.listed(LARGE[:2_990], CodeChange.UNBLOCK)
    await ground.say("ANALYZE")
    await ground.promotion("small", SMALL)
    await ground.services.changing.listed(SMALL[:18], CodeChange.BLOCK)
    await ground.issue("small", "x", "y")
    await ground.services.changing.listed(SMALL[:18], CodeChange.UNBLOCK)
    texts = await ground.issue("small", *"abcde")
    assert texts == SMALL[:5]
    left = await ground.ask("SELECT promotion_id, count(*) FROM returned_code GROUP BY promotion_id")
    assert Counter(dict(left)) == {large.id: 2_990, large.id + 1: 13}
    assert await ground.services.verify() == []


async def test_using_blocking_and_finding_touch_the_codes_named_and_no_others(ground: Ground) -> None:
    await ground.promotion("large", LARGE, code_kind=CodeKind.MULTIPLE, uses_per_customer=2)
    await ground.say("ANALYZE")
    await ground.promotion("small", SMALL, code_kind=CodeKind.MULTIPLE, uses_per_customer=2)
    assert await ground.redeem("S-03", "ann")
    assert await ground.services.changing.listed(["S-04", "L-00004"], CodeChange.BLOCK) == (2, [])
    await ground.issue("small", "ann")
    assert await ground.ask("SELECT key FROM code WHERE uses > 0") == [("S-03",)]
    assert sorted(await ground.ask("SELECT key FROM code WHERE blocked")) == [("L-00004",), ("S-04",)]
    assert await ground.ask("SELECT count(*) FROM issuance") == [(1,)]
    assert await ground.services.verify() == []


async def test_codes_made_on_demand_are_as_many_as_are_missing(ground: Ground) -> None:
    await ground.promotion("large", LARGE)
    await ground.say("ANALYZE")
    small = await ground.promotion("small", SMALL[:3], on_empty=OnEmpty.GENERATE, issue_policy=IssuePolicy.PER_SEND)
    texts = await ground.issue("small", *"abcde", send="s")
    assert texts[:3] == SMALL[:3]
    assert len(set(texts)) == 5
    assert await ground.ask(f"SELECT made, issued FROM stock WHERE promotion_id = {small.id}") == [(2, 5)]


# SQLite is told the order of the joins in the statement itself; to PostgreSQL the connection's settings tell it.
@pytest.mark.parametrize("prepared_url", ["postgresql"], indirect=True)
async def test_the_hot_statements_read_by_their_indexes(ground: Ground) -> None:
    """On tables that were filled a moment ago and of which no statistics were taken."""
    await ground.promotion("large", LARGE, code_kind=CodeKind.MULTIPLE, uses_per_customer=2)
    customers = [f"c{n}" for n in range(1_000)]
    await ground.issue("large", *customers)
    now = ground.services.clock()

    def scanned(connection: Connection) -> int:
        """How many rows of the large tables are read by no index."""
        question = "SELECT sum(seq_tup_read) FROM pg_stat_xact_user_tables WHERE relname IN ('code', 'issuance')"
        before = connection.exec_driver_sql(question).scalar_one()
        some = [*customers[:5], *"abcde"]
        issued = issuing.issue(connection, [IssueRequest(promotion="large", customer=each) for each in some], now)
        codes = [outcome.issuance.text for outcome in issued if outcome.issuance]
        used = redeeming.redeem(connection, [RedeemRequest(code=code, customer="ann") for code in codes], now)
        assert [outcome.redemption is not None for outcome in used] == [True] * 2 + [False] * 8
        return int(connection.exec_driver_sql(question).scalar_one() - before)

    assert await ground.database.write(scanned) == 0
