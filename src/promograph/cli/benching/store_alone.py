"""The store without HTTP and GraphQL: the same transactions, 64 requests in each, one after the other."""

import asyncio
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any

from sqlalchemy import Connection

from promograph.cli.benching.failures import BenchFailed
from promograph.cli.benching.figures import Row, percentile
from promograph.cli.benching.ground import Ground
from promograph.cli.benching.one_by_one import Supplies
from promograph.cli.benching.operations import ISSUE, REDEEM
from promograph.cli.benching.supplies import Supply
from promograph.domain.clock import system_clock
from promograph.domain.issuing import IssueRequest
from promograph.domain.redeeming import RedeemRequest
from promograph.store import issuing, redeeming
from promograph.store.databases.database import Database
from promograph.store.databases.opening import open_database

BATCH = 64

Act = Callable[[Connection, Sequence[Any]], int]
"""Answers a batch of requests; how many of them it refused."""


def measure(ground: Ground, given: Supplies) -> list[Row]:
    """Once every other measurement is over: it takes what is left of the supplies."""
    many = ground.plan.promotions
    contests: list[tuple[str, int, Supply, Callable[..., Any], Act]] = [
        (ISSUE, many, given.issue_spread, IssueRequest, _issue),
        (ISSUE, 1, given.issue_hot, IssueRequest, _issue),
        (REDEEM, many, given.redeem_spread, RedeemRequest, _redeem),
        (REDEEM, 1, given.redeem_hot, RedeemRequest, _redeem),
    ]
    rows = []
    for what, promotions, supply, request, act in ground.bars.each(contests, "the store alone", len(contests)):
        requests = [request(**fields) for fields in supply.offer()]
        batches = [requests[start : start + BATCH] for start in range(0, len(requests), BATCH)]
        times = asyncio.run(_timed(ground.url, batches, act, ground.plan.seconds))
        rows.append(_row(what, promotions, times))
    return rows


def _row(what: str, promotions: int, times: list[float]) -> Row:
    ascending = sorted(times)
    return Row(
        what=f"store alone: {what}, {BATCH} a transaction",
        unit="requests",
        promotions=promotions,
        rate=len(times) * BATCH / sum(times),
        p50_ms=percentile(ascending, 0.5) * 1000,
        p99_ms=percentile(ascending, 0.99) * 1000,
    )


async def _timed(url: str, batches: Sequence[Sequence[Any]], act: Act, seconds: float) -> list[float]:
    """How long each batch took, in seconds; as many of them as the time allows, the first left out."""
    database = open_database(url)
    try:
        times, end = list[float](), perf_counter() + seconds
        for batch in batches:
            began = perf_counter()
            await _done(database, batch, act)
            times.append(perf_counter() - began)
            if perf_counter() > end:
                break
        return times[1:] or times
    finally:
        await database.close()


async def _done(database: Database, batch: Sequence[Any], act: Act) -> None:
    refused = await database.write(lambda connection: act(connection, batch))
    if refused:
        raise BenchFailed(f"The store refused {refused} of {len(batch)} requests that it should have answered.")


def _issue(connection: Connection, requests: Sequence[IssueRequest]) -> int:
    return sum(outcome.issuance is None for outcome in issuing.issue(connection, requests, system_clock()))


def _redeem(connection: Connection, requests: Sequence[RedeemRequest]) -> int:
    return sum(outcome.redemption is None for outcome in redeeming.redeem(connection, requests, system_clock()))
