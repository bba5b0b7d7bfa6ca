"""How much is measured, and for how long."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Sizes of one run. The last of `connections` is where the product is compared with its yardstick, `rounds` times.

    `calls` are the sizes of bulk issues (customers a call) and how many calls of each are made.
    """

    seconds: float
    warm_up: float
    rounds: int
    connections: tuple[int, ...]
    promotions: int
    """How many promotions "spread" means."""
    codes: int
    """Codes prepared for issuing, as many for redeeming; for the spread promotions, and again for the hot one."""
    bulk: int
    """Codes that are generated, and rows that are imported."""
    small: int
    """Codes of the promotion whose inventory is compared with the large one's."""
    calls: tuple[tuple[int, int], ...]


FULL = Plan(
    seconds=1.0,
    warm_up=0.3,
    rounds=3,
    connections=(1, 16, 64),
    promotions=100,
    codes=100_000,
    bulk=1_000_000,
    small=1_000,
    calls=((1_000, 60), (10_000, 6)),
)

QUICK = Plan(
    seconds=0.2,
    warm_up=0.1,
    rounds=3,
    connections=(1, 64),
    promotions=100,
    codes=8_000,
    bulk=60_000,
    small=1_000,
    calls=((1_000, 10), (10_000, 2)),
)
