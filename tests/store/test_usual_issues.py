"""Batches that are answered the short way are answered as the long way would have, in every row that is written."""

import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from promograph.domain.issuing import IssueOutcome, IssueRequest
from promograph.domain.promotions import CodeKind, IssuePolicy, OnEmpty
from promograph.domain.stock.changes import CodeChange
from promograph.store import issuing, usual_issues
from promograph.store.databases.database import Connection

from .ground import Ground

pytestmark = pytest.mark.anyio

USUAL: dict[str, dict[str, Any]] = {
    "plain": {},
    "lasting": {"valid_for": timedelta(days=3), "low_stock_threshold": 12},
    "paper": {"code_kind": CodeKind.MULTIPLE},
    "gaps": {"valid_for": timedelta(days=1)},
}
OTHER: dict[str, dict[str, Any]] = {
    "capped": {"audience_cap": 9},
    "by-send": {"issue_policy": IssuePolicy.PER_SEND},
    "shared": {"on_empty": OnEmpty.FALLBACK},
    "one": {"code_kind": CodeKind.SINGLE},
}
TABLES = {
    "issuance": "promotion_id, number",
    "stock": "promotion_id",
    "issue_mark": "promotion_id, marked_at",
    "carried_code": "promotion_id, seq",
    "returned_code": "id",
    "promotion": "id",
}

Rows = dict[str, list[tuple[Any, ...]]]


class _Undone(Exception):
    def __init__(self, outcomes: Sequence[IssueOutcome], rows: Rows) -> None:
        self.seen = ([repr(outcome) for outcome in outcomes], rows)


async def _stock(ground: Ground) -> None:
    for handle, terms in (USUAL | OTHER).items():
        has_shared = handle in ("shared", "one")
        codes = [] if handle == "one" else [f"{handle}-{n}" for n in range(8 if handle == "shared" else 40)]
        await ground.promotion(handle, codes, shared=f"{handle}-all" if has_shared else None, **terms)
    await ground.services.changing.listed([f"gaps-{n}" for n in (6, 7, 20)], CodeChange.BLOCK)
    await ground.say("UPDATE code SET expires_at = 1 WHERE key = 'LASTING-15'")
    await ground.say("UPDATE code SET expires_at = 1900000000000000 WHERE key = 'PLAIN-3'")
    assert await ground.redeem("paper-9")


def _batch(source: random.Random) -> list[IssueRequest]:
    handles = [*USUAL] if source.random() < 0.7 else [*USUAL, *OTHER, "nowhere"]
    return [
        IssueRequest(
            promotion=source.choice(handles),
            customer=f"c{source.randrange(1_000 if source.random() < 0.98 else 3)}",
            channel=source.choice([None, "email"]),
            send=source.choice([None, "s"]),
            message="m",
            tentative=source.random() < 0.01,
        )
        for _ in range(source.choice([1, 2, 5, 20]))
    ]


async def test_the_short_way_and_the_long_way_leave_the_same(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    await _stock(ground)
    source, now, short = random.Random(8), ground.services.clock(), 0

    def work(connection: Connection) -> None:
        outcomes = issuing.issue(connection, batch, now)
        rows = {
            table: [tuple(row) for row in connection.exec_driver_sql(f"SELECT * FROM {table} ORDER BY {order}")]
            for table, order in TABLES.items()
        }
        raise _Undone(outcomes, rows)

    async def seen() -> tuple[list[str], Rows]:
        with pytest.raises(_Undone) as undone:
            await ground.database.write(work)
        return undone.value.seen

    real = usual_issues.issue

    def counted(*given: Any) -> list[IssueOutcome] | None:
        nonlocal short
        answer = real(*given)
        short += answer is not None
        return answer

    for _ in range(40):
        batch = _batch(source)
        monkeypatch.setattr(usual_issues, "issue", lambda *_: None)
        long_way = await seen()
        monkeypatch.setattr(usual_issues, "issue", counted)
        assert await seen() == long_way
        await ground.services.issuing.issue_many(batch)
    assert 10 < short < 70
    assert await ground.services.verify() == []
