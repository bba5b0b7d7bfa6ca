"""`promograph migrate` and `promograph verify`."""

import typer

from promograph.cli.common import StoreOption, err, out, run
from promograph.services.app import Services


def migrate(store: StoreOption = None) -> None:
    """Create the store's tables, or bring them up to date."""

    async def upgrade(services: Services) -> str:
        return await services.migrate()

    revision = run(store, upgrade, prepare=False)
    out.print(f"The tables are up to date (revision {revision}).")


def verify(store: StoreOption = None) -> None:
    """Recount every counter from its rows and check every limit. Status 1 and a line for each difference."""

    async def recount(services: Services) -> list[str]:
        return await services.verify()

    differences = run(store, recount, creates=False)
    for difference in differences:
        out.print(difference, markup=False)
    if differences:
        raise typer.Exit(1)
    err.print("Every counter agrees with its rows, and no limit is exceeded.")
