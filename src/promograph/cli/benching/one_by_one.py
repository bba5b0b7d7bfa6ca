"""codeIssue, codeValidate and codeRedeem, a code a request: over many promotions, on one, and from memory.

The three take turns, and what is compared was measured side by side: the machine's moods then pass over all of them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from statistics import median
from typing import Any

from promograph.cli.benching.driving import Window
from promograph.cli.benching.figures import Row, Target, Yardstick, median_of, median_ratio
from promograph.cli.benching.ground import Ground
from promograph.cli.benching.operations import ISSUE, REDEEM, VALIDATE
from promograph.cli.benching.plan import Plan
from promograph.cli.benching.ruled import CART, to_redeem_with_carts
from promograph.cli.benching.supplies import HOT, Supply, to_issue, to_redeem, to_validate

OF_THE_YARDSTICK = {"sqlite": 2.5, "postgresql": 3.5}
OF_BARE = {"sqlite": 0.25, "postgresql": 0.35}
OF_SPREAD = 0.9
OF_THE_YARDSTICK_WITH_RULES = 0.5

_INPUTS_TO_CYCLE = 5_000

Load = Callable[[int], Window]
"""Puts load on a server over so many connections."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Supplies:
    """What can be sent once: new customers, and codes that were not redeemed; the rest is for the store alone."""

    issue_spread: Supply
    issue_hot: Supply
    redeem_spread: Supply
    redeem_hot: Supply
    redeem_ruled: Supply


@dataclass(frozen=True, slots=True, kw_only=True)
class Contest:
    """Three loads that take turns. `targets`: whether the comparison at the most connections has wanted outcomes."""

    what: str
    spread: Load
    idle: Load
    hot: Load
    targets: bool


def supplies(ground: Ground) -> Supplies:
    # One share more than there are windows: the store alone has the last.
    shares = sum(_rounds(ground.plan, count) for count in ground.plan.connections) + 1
    codes, stocked = ground.plan.codes, ground.stocked
    return Supplies(
        issue_spread=to_issue(stocked.spread, codes, shares=shares),
        issue_hot=to_issue((HOT,), codes, shares=shares),
        redeem_spread=to_redeem(stocked.held_spread, shares=shares),
        redeem_hot=to_redeem(stocked.held_hot, shares=shares),
        redeem_ruled=to_redeem_with_carts(stocked.held_ruled, shares=shares),
    )


def measure(ground: Ground, given: Supplies) -> list[Row]:
    """Validating comes before redeeming: a redeemed code is not valid any more."""
    stocked = ground.stocked
    spread, hot = (to_validate(held, _INPUTS_TO_CYCLE) for held in (stocked.held_spread, stocked.held_hot))
    contests = [
        Contest(
            what=ISSUE,
            spread=_once(ground, ISSUE, given.issue_spread),
            hot=_once(ground, ISSUE, given.issue_hot),
            idle=_cycled(ground, ISSUE, [_A_CUSTOMER], own=False),
            targets=True,
        ),
        Contest(
            what=VALIDATE,
            spread=_cycled(ground, VALIDATE, spread),
            hot=_cycled(ground, VALIDATE, hot),
            idle=_cycled(ground, VALIDATE, spread, own=False),
            targets=False,
        ),
        Contest(
            what=REDEEM,
            spread=_once(ground, REDEEM, given.redeem_spread),
            hot=_once(ground, REDEEM, given.redeem_hot),
            idle=_cycled(ground, REDEEM, [_A_CODE], own=False),
            targets=True,
        ),
    ]
    rows = list(chain.from_iterable(_rows(ground, contest) for contest in contests))
    return rows + _ruled_rows(ground, given.redeem_ruled)


_A_CUSTOMER = {"promotion": "spread-1", "customer": "customer-100000", "channel": "bench"}
_A_CODE = {"code": "7HXK2MQ9RT", "customer": "holder-100000", "order": "order-100000", "channel": "bench"}


def _once(ground: Ground, operation: str, supply: Supply) -> Load:
    def load(connections: int) -> Window:
        window = ground.window(operation, supply.offer(), connections)
        supply.used(window.used)
        return window

    return load


def _cycled(ground: Ground, operation: str, inputs: list[dict[str, Any]], *, own: bool = True) -> Load:
    return lambda connections: ground.window(operation, inputs, connections, cycle=True, own=own)


def _rounds(plan: Plan, connections: int) -> int:
    return plan.rounds if connections == plan.connections[-1] else 1


def _rows(ground: Ground, contest: Contest) -> list[Row]:
    plan, rows = ground.plan, list[Row]()
    turns = [count for count in plan.connections for _ in range(_rounds(plan, count))]
    seen: dict[int, list[tuple[Window, Window, Window]]] = {count: [] for count in plan.connections}
    for count in ground.bars.each(turns, f"{contest.what}, one by one", len(turns)):
        seen[count].append((contest.spread(count), contest.idle(count), contest.hot(count)))
    for count, rounds in seen.items():
        rows += _compared(contest, count, rounds, ground)
    return rows


def _ruled_rows(ground: Ground, supply: Supply) -> list[Row]:
    """One hot promotion with a budget, a cap a customer and three conditions, beside the same input for nothing."""
    plan, rows = ground.plan, list[Row]()
    own = _once(ground, REDEEM, supply)
    idle = _cycled(ground, REDEEM, [_A_CODE | {"cart": CART}], own=False)
    for count in ground.bars.each(plan.connections, f"{REDEEM} with rules", len(plan.connections)):
        rounds = [(own(count), idle(count)) for _ in range(_rounds(plan, count))]
        windows, idle_windows = (list(each) for each in zip(*rounds, strict=True))
        ratio = median_ratio(_rates(windows), _rates(idle_windows))
        wanted = Target(
            wanted=f"≥ {OF_THE_YARDSTICK_WITH_RULES} of do-nothing", reached=ratio >= OF_THE_YARDSTICK_WITH_RULES
        )
        counts = count == plan.connections[-1]
        rows.append(_row(f"{REDEEM}, with rules", count, 1, windows, idle_windows, (wanted,) if counts else ()))
    return rows


def _compared(
    contest: Contest, connections: int, rounds: list[tuple[Window, Window, Window]], ground: Ground
) -> tuple[Row, Row]:
    spread, idle, hot = (list(windows) for windows in zip(*rounds, strict=True))
    plan, store = ground.plan, ground.url.partition(":")[0]
    counts = contest.targets and connections == plan.connections[-1]
    ratio = median_ratio(_rates(spread), _rates(idle))
    of_bare = median(_rates(spread)) / ground.bare
    evenness = median_ratio(_rates(hot), _rates(spread))
    wanted = (
        Target(wanted=f"≥ {OF_THE_YARDSTICK[store]} of do-nothing", reached=ratio >= OF_THE_YARDSTICK[store]),
        Target(wanted=f"≥ {OF_BARE[store]} of bare ASGI ({of_bare:.2f})", reached=of_bare >= OF_BARE[store]),
    )
    even = Target(wanted=f"≥ {OF_SPREAD} of spread ({evenness:.2f})", reached=evenness >= OF_SPREAD)
    return (
        _row(contest.what, connections, plan.promotions, spread, idle, wanted if counts else ()),
        _row(contest.what, connections, 1, hot, idle, (even,) if counts else ()),
    )


def _row(
    what: str, connections: int, promotions: int, own: list[Window], idle: list[Window], targets: tuple[Target, ...]
) -> Row:
    return Row(
        what=what,
        unit="requests",
        connections=connections,
        promotions=promotions,
        rate=median(_rates(own)),
        p50_ms=median(window.p50_ms for window in own),
        p99_ms=median(window.p99_ms for window in own),
        cpu_us=median_of(window.cpu_us for window in own),
        yardstick=Yardstick(
            name="do-nothing",
            rate=median(_rates(idle)),
            ratio=median_ratio(_rates(own), _rates(idle)),
            cpu_us=median_of(window.cpu_us for window in idle),
        ),
        targets=targets,
    )


def _rates(windows: list[Window]) -> list[float]:
    return [window.rate for window in windows]
