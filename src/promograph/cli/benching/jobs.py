"""What the load client is asked to do, and what it says of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A window of load. Sending ends after `warm_up` + `seconds`, or earlier when the `inputs` are used up.

    With `cycle` they are sent again and again. `own`: the answers are to belong to the inputs; those of the
    do-nothing server do not. `together`: all connections send each input at once, and once all of them were answered
    they rest so many seconds before the next; sending then ends with the inputs alone.
    """

    port: int
    token: str
    operation: str
    inputs: Sequence[Any]
    connections: int
    seconds: float
    warm_up: float = 0.0
    cycle: bool = False
    own: bool = True
    path: str = "/graphql"
    together: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What came of a job. `rate` is answers a second after the warm-up; `used` is how many requests were sent.

    `cpu_us` is the processor time that the server took for each of them, in microseconds; the client does not know it.
    """

    rate: float
    p50_ms: float
    p99_ms: float
    used: int
    wrong: int
    first_wrong: str | None
    cpu_us: float | None = None
