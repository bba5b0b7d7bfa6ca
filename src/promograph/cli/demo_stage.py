"""How the demo speaks: headings, promises, bars. In a terminal with colour and movement, elsewhere in plain lines."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from time import perf_counter

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn
from rich.table import Table
from rich.text import Text

from promograph.errors import PromographError

_SECONDS_BETWEEN_LINES = 2.0
_LONGEST_BAR = 40
_BESIDE_THE_BAR = 32


class PromiseBroken(PromographError):
    """The demo found something else than what it is about to say."""


class Stage:
    """Where the demo's lines go. `promises` counts those that were kept."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.promises = 0

    def heading(self, text: str) -> None:
        self.say(f"\n{text}", style="bold")

    def say(self, text: str, *, style: str = "", whole: bool = False) -> None:
        """Say something; only a screen wraps it, and not what is to stay `whole` so that it can be copied."""
        self.console.print(Text(text, style=style), soft_wrap=whole or not self.console.is_terminal)

    def show(self, shown: RenderableType) -> None:
        self.console.print(Padding(shown, (0, 0, 0, 2), expand=False))

    def promise(self, sentence: str, *, holds: bool, found: object = None) -> None:
        """Say a sentence that is true; PromiseBroken, with what was found instead, where it is not."""
        if not holds:
            instead = "" if found is None else f" Found instead: {found!r}"
            raise PromiseBroken(f"This is not true: {sentence}{instead}")
        self.promises += 1
        if not self.console.is_terminal:
            self.console.print(Text(f"  ok  {sentence}"), soft_wrap=True)
            return
        line = Table.grid(padding=(0, 2, 0, 0))
        line.add_row(Text("ok", style="green"), Text(sentence, overflow="fold"))
        self.show(line)

    def waiting(self, what: str) -> AbstractContextManager[object]:
        """Something moves in the terminal until the block ends."""
        return self.console.status(Text(what)) if self.console.is_interactive else nullcontext()

    @contextmanager
    def bar(self, what: str, total: int) -> Iterator["Pace"]:
        """A bar over `total` things; it disappears when they are done, and the promise after it says how it went."""
        if not self.console.is_interactive:
            yield _PacedByLines(self.console, what, total)
            return
        with self._progress(what) as progress:
            yield _PacedByBar(progress, progress.add_task(what, total=total))

    def _progress(self, what: str) -> Progress:
        room = self.console.width - len(what) - _BESIDE_THE_BAR
        columns: list[ProgressColumn] = [TextColumn("  {task.description}", markup=False)]
        if room > 0:
            columns.append(BarColumn(bar_width=min(room, _LONGEST_BAR)))
        return Progress(*columns, _Count(), console=self.console, transient=True)


class Pace:
    """How far something has got: `done` counts, `seconds` and `rate` measure since it began."""

    def __init__(self) -> None:
        self._began = perf_counter()
        self.count = 0

    def done(self, count: int = 1) -> None:
        self.count += count

    @property
    def seconds(self) -> float:
        return perf_counter() - self._began

    @property
    def rate(self) -> float:
        """Things a second."""
        return self.count / max(self.seconds, 1e-9)


class _PacedByBar(Pace):
    def __init__(self, progress: Progress, task: TaskID) -> None:
        super().__init__()
        self._progress = progress
        self._task = task

    def done(self, count: int = 1) -> None:
        super().done(count)
        self._progress.advance(self._task, count)


class _PacedByLines(Pace):
    """Says nothing of what is soon over: a file or a pipe is read afterwards, and needs the outcome only."""

    def __init__(self, console: Console, what: str, total: int) -> None:
        super().__init__()
        self._console = console
        self._what = what
        self._total = total
        self._silent_until = _SECONDS_BETWEEN_LINES

    def done(self, count: int = 1) -> None:
        super().done(count)
        if self.seconds < self._silent_until or self.count >= self._total:
            return
        self._silent_until = self.seconds + _SECONDS_BETWEEN_LINES
        self._console.print(Text(f"      {self._what}: {self.count:,} of {self._total:,}"), soft_wrap=True)


class _Count(ProgressColumn):
    """`12,500/50,000 at 31,000/s`."""

    def render(self, task: Task) -> Text:
        pace = f" at {task.speed:,.0f}/s" if task.speed else ""
        return Text(f"{task.completed:,.0f}/{task.total or 0:,.0f}{pace}", no_wrap=True)
