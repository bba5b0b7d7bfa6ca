"""Whether anything takes longer with ten million codes in one promotion than with ten thousand.

Each use case is called on the small promotion and on the large one in turns, without HTTP and GraphQL: these would take
the same time for both, and hide a difference.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from itertools import count
from statistics import median
from time import perf_counter
from typing import Any

from promograph.cli.benching.failures import expect
from promograph.cli.benching.figures import Row, Target, Yardstick, median_ratio, percentile
from promograph.cli.benching.parts.part import Part, Site
from promograph.cli.benching.parts.twins import Twin, made
from promograph.cli.benching.stores import settle
from promograph.domain.codes.states import CodeState
from promograph.domain.issuing import IssueRequest
from promograph.domain.redeeming import RedeemRequest, ValidateRequest
from promograph.domain.stock.selections import CodeSelection
from promograph.services.app import Services
from promograph.store.listing import Slice

AS_LONG = 1.3
SMALL = 10_000
PAGE = 50

_ROUNDS = 41
_QUICK_ROUNDS = 5
_SECONDS_EACH = 10.0
"""No operation is measured for longer, however few rounds that makes."""

Operation = Callable[[Twin], Awaitable[int]]
"""Does it once, and counts what it gave, which is as much for the large promotion as for the small one."""


def measure(site: Site) -> list[Row]:
    return asyncio.run(_measured(site))


async def _measured(site: Site) -> list[Row]:
    services = Services.open(site.url)
    try:
        await services.prepare()
        small = min(SMALL, site.count // 2)
        with site.bars.waiting(f"generating {site.count:,} codes"):
            twins = [
                await made(services, name, size, small=small)
                for name, size in (("small", small), ("large", site.count))
            ]
            await settle(site.url, "code")
        operations = {**_one_by_one(services), **_pages(services)}
        rounds = _QUICK_ROUNDS if site.quick else _ROUNDS
        each = site.bars.each(operations.items(), "in turns", len(operations))
        return [await _row(what, operation, twins, rounds) for what, operation in each]
    finally:
        await services.close()


async def _row(what: str, operation: Operation, twins: list[Twin], rounds: int) -> Row:
    taken: list[list[float]] = [[] for _ in twins]
    end = perf_counter() + _SECONDS_EACH
    for number in range(rounds + 1):
        given = []
        for twin, times in zip(twins, taken, strict=True):
            began = perf_counter()
            given.append(await operation(twin))
            if number:  # what comes first finds nothing in memory, or no plan
                times.append(perf_counter() - began)
        expect(given[0] == given[1], what, f"{given[0]} of the small promotion and {given[1]} of the large one")
        if perf_counter() > end and number:
            break
    small, large = taken
    ratio = median_ratio(large, small)
    return Row(
        what=what,
        unit="requests",
        rate=1 / median(large),
        p50_ms=median(large) * 1000,
        p99_ms=percentile(sorted(large), 0.99) * 1000,
        yardstick=Yardstick(name=f"with {twins[0].size:,}", rate=1 / median(small), ratio=1 / ratio),
        targets=(
            Target(
                wanted=f"≤ {AS_LONG:g} times as long as with {twins[0].size:,} ({ratio:.2f})", reached=ratio <= AS_LONG
            ),
        ),
    )


def _one_by_one(services: Services) -> dict[str, Operation]:
    customers, uses = count(), defaultdict[str, Iterator[int]](count)

    async def inventory(twin: Twin) -> int:
        return len(await services.lobby.inventories([twin.promotion.id]))

    async def issue(twin: Twin) -> int:
        outcome = await services.issuing.issue(IssueRequest(promotion=twin.name, customer=f"new-{next(customers)}"))
        expect(outcome.issuance is not None, "issue", outcome)
        return 1

    async def validate(twin: Twin) -> int:
        answer = await services.redeeming.validate(ValidateRequest(code=twin.held[-1]))
        expect(answer.is_valid, "validate", answer)
        return 1

    async def validate_unknown(twin: Twin) -> int:
        answer = await services.redeeming.validate(ValidateRequest(code=f"{twin.name}NOPE"))
        expect(not answer.is_valid, "validate", answer)
        return 1

    async def redeem(twin: Twin) -> int:
        outcome = await services.redeeming.redeem(RedeemRequest(code=twin.held[next(uses[twin.name])]))
        expect(outcome.redemption is not None, "redeem", outcome)
        return 1

    async def code(twin: Twin) -> int:
        standing = await services.lookup.code(twin.held[-2])
        expect(standing is not None and standing.text == twin.held[-2], "code", standing)
        return 1

    async def batches(twin: Twin) -> int:
        return len((await services.stocking.batches(twin.promotion.id, Slice(count=PAGE))).rows)

    each = (inventory, issue, validate, validate_unknown, redeem, code, batches)
    return {act.__name__.replace("_", " "): act for act in each}


def _pages(services: Services) -> dict[str, Operation]:
    def page(*states: CodeState, batch: int | None = None, holder: int | None = None, **asked: Any) -> Operation:
        part = {name: asked.pop(name) for name in ("backward",) if name in asked}
        halfway = asked.pop("halfway", False)

        async def operation(twin: Twin) -> int:
            selection = CodeSelection(
                promotion=twin.promotion,
                states=frozenset(states),
                batch_id=None if batch is None else twin.batches[batch],
                customer=None if holder is None else twin.holder(holder),
                **asked,
            )
            start = (twin.size // 2,) if halfway else None
            rows = (await services.stocking.codes(selection, Slice(count=PAGE, start=start, **part))).rows
            now = services.clock()
            for _, standing in rows:
                expect(not states or standing.state(now) in states, "a page", standing)
            return len(rows)

        return operation

    operations = {
        "page of all, first": page(),
        "page of all, last": page(backward=True),
        "page of all, halfway": page(halfway=True),
        "page by channel": page(channel="sms"),
        "page by batch": page(batch=1),
        "page by customer": page(holder=7),
    }
    for state in CodeState:
        operations[f"page of {state}, first"] = page(state)
        operations[f"page of {state}, last"] = page(state, backward=True)
    return operations | {
        "page of EXPIRED or VOID": page(CodeState.EXPIRED, CodeState.VOID),
        "page of BLOCKED of a batch": page(CodeState.BLOCKED, batch=0),
        "page of EXPIRED by channel": page(CodeState.EXPIRED, channel="web"),
    }


PAGES = Part(
    name="pages",
    about="inventory, issue, validate, redeem and any page of codes with 10,000,000 codes in one promotion, against "
    "10,000 (about eight minutes a store)",
    measure=measure,
    full=10_000_000,
    quick=200_000,
)
