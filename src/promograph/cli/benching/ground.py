"""What every measurement of one store shares."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from rich.progress import Progress

from promograph.cli.benching.driving import Job, LoadClient, Window
from promograph.cli.benching.plan import Plan
from promograph.cli.benching.processes import Server
from promograph.cli.benching.supplies import Stocked

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """One store, stocked, with the server on it and the one that does nothing; what was seen goes into `windows`."""

    url: str
    folder: Path
    plan: Plan
    stocked: Stocked
    server: Server
    idle: Server
    client: LoadClient
    bare: float
    """Answers a second of a bare ASGI application, at the most connections."""
    bars: "Bars"
    windows: list[Window] = field(default_factory=list)

    def window(self, operation: str, inputs: list[Any], connections: int, *, own: bool = True, **more: Any) -> Window:
        """One window of the plan's length; `own` or of the do-nothing server."""
        given = {"seconds": self.plan.seconds, "warm_up": self.plan.warm_up, "own": own, **more}
        server = self.server if own else self.idle
        job = Job(
            port=server.port,
            token=self.stocked.token,
            operation=operation,
            inputs=inputs,
            connections=connections,
            **given,
        )
        before = server.cpu_seconds
        window = self.client.run(job)
        after = server.cpu_seconds
        if before is not None and after is not None:
            window = replace(window, cpu_us=(after - before) / window.used * 1e6)
        self.windows.append(window)
        return window

    @property
    def wrong(self) -> int:
        """How many answers were wrong so far."""
        return sum(window.wrong for window in self.windows)

    @property
    def first_wrong(self) -> str | None:
        return next((window.first_wrong for window in self.windows if window.first_wrong), None)


class Bars:
    """A bar for whatever takes over a second; it goes when it is done."""

    def __init__(self, progress: Progress, store: str) -> None:
        self._progress = progress
        self._store = store

    def each(self, things: Iterable[T], what: str, total: int) -> Iterator[T]:
        yield from self._progress.track(things, total=total, description=f"{self._store}: {what}")

    @contextmanager
    def waiting(self, what: str) -> Iterator[None]:
        task = self._progress.add_task(f"{self._store}: {what}", total=None)
        try:
            yield
        finally:
            self._progress.remove_task(task)
