"""A page of 50 promotions with their numbers: what a lobby asks for, again and again."""

from statistics import median

from promograph.cli.benching.figures import Row, Target, Yardstick, median_of, median_ratio
from promograph.cli.benching.ground import Ground
from promograph.cli.benching.operations import PAGE

OF_THE_YARDSTICK = 6.0
SIZE = 50


def page(ground: Ground) -> Row:
    """The first page at the most connections, beside the same page from memory, by the engine."""
    rounds, connections = ground.plan.rounds, ground.plan.connections[-1]
    own, idle = [], []
    for _ in ground.bars.each(range(rounds), "promotions, a page", rounds):
        own.append(ground.window(PAGE, [SIZE], connections, cycle=True))
        idle.append(ground.window(PAGE, [SIZE], connections, cycle=True, own=False))
    ratio = median_ratio([window.rate for window in own], [window.rate for window in idle])
    wanted = Target(wanted=f"≥ {OF_THE_YARDSTICK:g} of do-nothing", reached=ratio >= OF_THE_YARDSTICK)
    return Row(
        what=f"promotions, a page of {SIZE}",
        unit="requests",
        connections=connections,
        promotions=ground.plan.promotions,
        rate=median(window.rate for window in own),
        p50_ms=median(window.p50_ms for window in own),
        p99_ms=median(window.p99_ms for window in own),
        cpu_us=median_of(window.cpu_us for window in own),
        yardstick=Yardstick(
            name="do-nothing",
            rate=median(window.rate for window in idle),
            ratio=ratio,
            cpu_us=median_of(window.cpu_us for window in idle),
        ),
        targets=(wanted,),
    )
