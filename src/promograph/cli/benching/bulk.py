"""Many codes at once: generating, importing a file, issuing thousands in a call; and what asking for numbers costs."""

import json
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import httpx2

from promograph.cli.benching.failures import BenchFailed, expect
from promograph.cli.benching.figures import Row, Target, Yardstick, at_least, median_of, median_ratio
from promograph.cli.benching.ground import Ground
from promograph.cli.benching.operations import INVENTORY, ISSUE_MANY
from promograph.cli.benching.supplies import LARGE, SMALL

GENERATED_A_SECOND = 150_000
IMPORTED_A_SECOND = 100_000
ISSUED_A_SECOND = 50_000
FLAT = 1.1
"""Medians of a few thousand requests differ by less than this when nothing differs."""

_LONGEST_CALL_SECONDS = 300.0
_SEVERAL = 4

_GENERATE = (
    "mutation($input: CodesGenerateInput!) { codesGenerate(input: $input) { batch { size } userErrors { message } } }"
)
_IMPORT = (
    "mutation($input: CodesImportInput!) { codesImport(input: $input) {"
    " report { read added bad repeated } userErrors { message } } }"
)


def generate(ground: Ground, driver_seconds: float) -> Row:
    """One call for all of them."""
    count = ground.plan.bulk
    wanted = {"promotion": ground.stocked.large_id, "count": count, "waitSeconds": int(_LONGEST_CALL_SECONDS)}
    with ground.bars.waiting(f"generating {count:,} codes"):
        data, seconds = _call(ground, json={"query": _GENERATE, "variables": {"input": wanted}})
    payload = data["codesGenerate"]
    expect(payload["userErrors"] == [] and payload["batch"]["size"] == count, "A bulk load", payload)
    return _load_row(ground, f"codesGenerate, {count:,}", seconds, driver_seconds, GENERATED_A_SECOND)


def import_file(ground: Ground, file: Path, driver_seconds: float) -> Row:
    """One multipart upload of a file with a code a line."""
    count = ground.plan.bulk
    variables = {"input": {"promotion": ground.stocked.imported_id, "file": None}}
    parts = {
        "operations": json.dumps({"query": _IMPORT, "variables": variables}),
        "map": json.dumps({"0": ["variables.input.file"]}),
    }
    with ground.bars.waiting(f"importing {count:,} rows"), file.open("rb") as body:
        data, seconds = _call(ground, data=parts, files={"0": (file.name, body, "text/csv")})
    payload = data["codesImport"]
    expect(payload["userErrors"] == [] and payload["report"]["added"] == count, "A bulk load", payload)
    return _load_row(ground, f"codesImport, {count:,} rows of CSV", seconds, driver_seconds, IMPORTED_A_SECOND)


def issue_many(ground: Ground) -> list[Row]:
    """Calls of thousands of customers, on the large promotion; one after the other, and several at a time."""
    turns = [(size, calls, connections) for size, calls in ground.plan.calls for connections in (1, _SEVERAL)]
    rows = []
    first = 0
    for size, calls, connections in ground.bars.each(turns, "codesIssue", len(turns)):
        inputs = [
            {
                "promotion": LARGE,
                "customers": [f"member-{number}" for number in range(start, start + size)],
                "channel": "bench",
            }
            for start in range(first, first + size * calls, size)
        ]
        first += size * calls
        # So many calls, however long they take, rather than a window: a call may be a good part of one.
        window = ground.window(ISSUE_MANY, inputs, connections, warm_up=0.0, seconds=_LONGEST_CALL_SECONDS)
        rate = window.rate * size
        rows.append(
            Row(
                what=f"codesIssue, {size:,} a call",
                unit="codes",
                connections=connections,
                promotions=1,
                rate=rate,
                p50_ms=window.p50_ms,
                p99_ms=window.p99_ms,
                targets=(at_least(rate, ISSUED_A_SECOND, "codes"),),
            )
        )
    return rows


def inventory(ground: Ground) -> list[Row]:
    """The same query of a small promotion and of the large one, in turn, one at a time."""
    small, large = [], []
    for _ in ground.bars.each(range(ground.plan.rounds), "inventory", ground.plan.rounds):
        small.append(ground.window(INVENTORY, [SMALL], 1, cycle=True))
        large.append(ground.window(INVENTORY, [LARGE], 1, cycle=True))
    ratio = median_ratio([window.p50_ms for window in large], [window.p50_ms for window in small])
    flat = Target(wanted=f"as fast as with {ground.plan.small:,} (p50: {ratio:.2f} times)", reached=ratio <= FLAT)
    return [
        Row(
            what=f"inventory of {count:,} codes",
            unit="requests",
            connections=1,
            promotions=1,
            rate=median(window.rate for window in windows),
            p50_ms=median(window.p50_ms for window in windows),
            p99_ms=median(window.p99_ms for window in windows),
            cpu_us=median_of(window.cpu_us for window in windows),
            targets=targets,
        )
        for count, windows, targets in ((ground.plan.small, small, ()), (ground.plan.bulk, large, (flat,)))
    ]


def _call(ground: Ground, **request: Any) -> tuple[dict[str, Any], float]:
    """The data of one request that takes seconds, and how many it took."""
    headers = {"Authorization": f"Bearer {ground.stocked.token}"}
    ground.server.forget_peak()
    began = perf_counter()
    try:
        url = f"http://127.0.0.1:{ground.server.port}/graphql"
        answer = httpx2.post(url, headers=headers, timeout=_LONGEST_CALL_SECONDS, trust_env=False, **request)
    except httpx2.HTTPError as failure:
        raise BenchFailed(f"A bulk load broke off: {failure!r}.") from None
    seconds = perf_counter() - began
    expect(answer.status_code == 200 and "errors" not in answer.json(), "A bulk load", answer.text)
    data: dict[str, Any] = answer.json()["data"]
    return data, seconds


def _load_row(ground: Ground, what: str, seconds: float, driver_seconds: float, wanted: int) -> Row:
    count = ground.plan.bulk
    return Row(
        what=what,
        unit="codes",
        connections=1,
        promotions=1,
        rate=count / seconds,
        seconds=seconds,
        peak_mb=ground.server.peak_mb,
        yardstick=Yardstick(name="driver alone", rate=count / driver_seconds, ratio=driver_seconds / seconds),
        targets=(at_least(count / seconds, wanted, "codes"),),
    )
