"""What the commands share: the store's option, running use cases, turning what went wrong into a sentence."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from promograph.config import Settings, load_settings
from promograph.errors import ConfigError, PromographError
from promograph.services.app import Services

T = TypeVar("T")

StoreOption = Annotated[
    str | None,
    typer.Option(
        "--store",
        metavar="URL",
        help="sqlite:///FILE or postgresql://USER@HOST/DATABASE; sqlite:///promograph.db otherwise.",
    ),
]

out = Console(soft_wrap=True, highlight=False)
err = Console(stderr=True, soft_wrap=True, highlight=False)


_WIDE = 1_000


def show(table: Table) -> None:
    """Print a table. A pipe has no width of its own: it gets one in which no cell is broken over lines."""
    console = out if out.is_terminal else Console(width=_WIDE)
    console.print(table)


@contextmanager
def told() -> Iterator[None]:
    """End with status 1 and a sentence, not a traceback, when something goes wrong that the user can mend."""
    try:
        yield
    except PromographError as error:
        err.print(f"promograph: {error}", style="red", markup=False)
        raise typer.Exit(1) from None


def settings_for(**options: Any) -> Settings:
    """The settings, with those options that were given instead of the environment's."""
    return load_settings(**options)


def run(store: str | None, use: Callable[[Services], Awaitable[T]], *, prepare: bool = True, creates: bool = True) -> T:
    """Run a use case on the store and close it; with `creates`, one that is not there, or is empty, is made."""

    async def main() -> T:
        settings = settings_for(store=store)
        address = settings.store
        if not creates:
            _check_there(address)
        services = Services.open(address, words=settings.words)
        try:
            if prepare:
                await services.prepare(creates=creates)
            return await use(services)
        finally:
            await services.close()

    with told():
        return asyncio.run(main())


def _check_there(store: str) -> None:
    """Opening a SQLite file that is not there makes an empty one, in which every counter agrees."""
    path = store.removeprefix("sqlite:///")
    if path != store and not Path(path).exists():
        raise ConfigError(f"There is no store at {path}: name it with --store or PROMOGRAPH_STORE.")
