"""`promograph demo`."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Annotated

import typer
from rich.console import Console

from promograph.cli.common import told
from promograph.cli.demo_show import play
from promograph.cli.demo_stage import Stage
from promograph.errors import PromographError


def demo(
    once: Annotated[bool, typer.Option("--once", help="End when the story is told, instead of serving on.")] = False,
    members: Annotated[int, typer.Option(min=100, max=1_000_000, help="How many members, and codes.")] = 50_000,
) -> None:
    """Show a flash sale on a server and a store that are made for it, and leave nothing behind."""
    with told():
        status = run_demo(Stage(Console(highlight=False)), members=members, once=once)
    raise typer.Exit(status)


def run_demo(stage: Stage, *, members: int, once: bool) -> int:
    """The exit status: 0 when all was shown (a signal while it serves on is the regular end), else 128 + the signal.

    PromographError, with a sentence for people, where something went wrong.
    """
    caught: list[int] = []

    async def main() -> None:
        with _ended_by_signals(caught):
            await play(stage, members=members, once=once)

    try:
        asyncio.run(main())
    except asyncio.CancelledError:
        stage.say("\nStopped in the middle; nothing is left behind.")
        return 128 + caught[0]
    except OSError as failure:
        raise PromographError(f"The demo cannot go on: {failure}.") from failure
    if not once:
        stage.say("\nThe server has ended; nothing is left behind.")
    return 0


@contextmanager
def _ended_by_signals(caught: list[int]) -> Iterator[None]:
    """Cancel this task at the first signal that asks for an end; those after it must not disturb the tidying up."""
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    assert task is not None, "a context manager for tasks"

    def end(signum: int, _: FrameType | None) -> None:
        caught.append(signum)
        if len(caught) == 1:
            loop.call_soon_threadsafe(task.cancel)

    before = {each: signal.signal(each, end) for each in _signals()}
    try:
        yield
    finally:
        for each, handler in before.items():
            # Who presses Ctrl-C twice wants one end, not the traceback of a process on its way out.
            signal.signal(each, signal.SIG_IGN if caught else handler)


def _signals() -> list[signal.Signals]:
    """What ends the demo. The server has a session of its own, and would outlive a terminal that is closed."""
    hangup = getattr(signal, "SIGHUP", None)
    # Whoever said `nohup` meant it.
    hangups = [] if hangup is None or signal.getsignal(hangup) is signal.SIG_IGN else [hangup]
    return [signal.SIGINT, signal.SIGTERM, *hangups]
