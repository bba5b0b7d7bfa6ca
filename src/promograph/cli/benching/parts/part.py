"""A part of the bench that runs only when it is asked for, and what it has to work with."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from promograph.cli.benching.driving import Job, LoadClient, Window
from promograph.cli.benching.figures import Row
from promograph.cli.benching.ground import Bars
from promograph.cli.benching.stores import is_sqlite


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """An empty store without tables, with nobody on it, and how much of it is to be measured.

    `folder` is the bench's own; `count` is what the part says of it; `quick` asks for short windows and few rounds.
    """

    url: str
    folder: Path
    count: int
    quick: bool
    client: LoadClient
    bars: Bars
    windows: list[Window] = field(default_factory=list)

    @property
    def is_sqlite(self) -> bool:
        return is_sqlite(self.url)

    def window(self, job: Job) -> Window:
        """One window of load; what was wrong in it is counted."""
        window = self.client.run(job)
        self.windows.append(window)
        return window


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What `--part NAME` measures. `full` and `quick` are its `Site.count`, whose unit it says in `about`.

    `measure` fills the store, begins and ends its own servers, and raises BenchFailed where an answer is wrong. The
    store is verified after it.
    """

    name: str
    about: str
    measure: Callable[[Site], list[Row]]
    full: int
    quick: int
