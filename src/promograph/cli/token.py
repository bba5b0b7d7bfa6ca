"""`promograph token`."""

from datetime import datetime
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from promograph.cli.common import StoreOption, err, run, show
from promograph.domain.access import Scope
from promograph.services.app import Services
from promograph.store.tokens import Token

_SCOPE = f"A right that it carries; give it several times. There are {', '.join(Scope)}."

app = typer.Typer(no_args_is_help=True, help="Make, list and revoke API tokens.")


@app.command("create")
def create(
    name: Annotated[str, typer.Argument(help="A name that no token had before.")],
    scope: Annotated[list[Scope], typer.Option("--scope", metavar="SCOPE", help=_SCOPE)],
    store: StoreOption = None,
) -> None:
    """Make a token. Its text goes to the standard output, alone; it is never shown again."""

    async def make(services: Services) -> str:
        text, _ = await services.access.create(name, scope)
        return text

    text = run(store, make)
    err.print(f"Token {name!r} made. Keep it: it is not shown again.", markup=False)
    typer.echo(text)


@app.command("list")
def list_tokens(store: StoreOption = None) -> None:
    """Show every token's name and rights."""

    async def every(services: Services) -> list[Token]:
        return await services.access.every()

    table = Table("Name", "Scopes", "Created", "Revoked")
    for token in run(store, every, creates=False):
        revoked = "" if token.revoked_at is None else _minute(token.revoked_at)
        table.add_row(escape(token.name), ", ".join(sorted(token.scopes)), _minute(token.created_at), revoked)
    show(table)


@app.command("revoke")
def revoke(name: Annotated[str, typer.Argument(help="The token's name.")], store: StoreOption = None) -> None:
    """Revoke a token for good; servers refuse it within two seconds."""

    async def end(services: Services) -> Token:
        return await services.access.revoke(name)

    run(store, end, creates=False)
    err.print(f"Token {name!r} is revoked.", markup=False)


def _minute(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M} UTC"
