"""Act 5: the lobby, as a front end would show it."""

from collections.abc import Sequence
from typing import Any

from rich.console import Group
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from promograph.cli import demo_documents as documents
from promograph.cli.demo_world import Counted, World

_NARROWEST_TABLE = 80
_BAR = 13


async def show_lobby(world: World, counted: Sequence[Counted]) -> None:
    """Show every promotion; PromiseBroken where a number is not the one that was counted from outside."""
    data = await world.screen.ask(documents.LOBBY)
    promotions: list[dict[str, Any]] = data["promotions"]["nodes"]
    room = world.stage.console.width
    world.stage.show(_table(promotions) if room >= _NARROWEST_TABLE else _list(promotions))
    found = [_counted(promotion) for promotion in promotions]
    world.stage.promise(
        "Every number here is the one that the demo counted from outside.", holds=found == list(counted), found=found
    )


def _counted(promotion: dict[str, Any]) -> Counted:
    numbers = promotion["inventory"]
    return Counted(
        handle=promotion["handle"],
        total=numbers["total"],
        issued=numbers["issued"],
        redemptions=numbers["redemptions"],
        fallback_active=numbers["fallbackActive"],
    )


def _table(promotions: Sequence[dict[str, Any]]) -> Table:
    table = Table(
        "Promotion", "Status", "Codes", box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold underline"
    )
    table.add_column("Issued")
    table.add_column("Redeemed", justify="right")
    table.add_column("Fallback")
    for promotion in promotions:
        numbers = promotion["inventory"]
        table.add_row(
            Group(Text(promotion["name"]), Text(promotion["handle"], style="dim")),
            Text(promotion["status"], style="green"),
            promotion["codeKind"],
            Group(Text(_issued(numbers)), _bar(numbers)),
            f"{numbers['redemptions']:,}",
            _fallback(numbers),
        )
    table.add_row()
    return table


def _list(promotions: Sequence[dict[str, Any]]) -> Table:
    """For terminals that are too narrow for a table with columns."""
    lines = Table.grid()
    for promotion in promotions:
        numbers = promotion["inventory"]
        lines.add_row(Text(promotion["name"], style="bold"))
        lines.add_row(f"{promotion['status']} {promotion['codeKind']}")
        lines.add_row(f"issued {_issued(numbers)}")
        lines.add_row(_bar(numbers))
        lines.add_row(f"redeemed {numbers['redemptions']:,}")
        lines.add_row(Text.assemble("fallback ", _fallback(numbers)))
        lines.add_row()
    return lines


def _issued(numbers: dict[str, Any]) -> str:
    return f"{numbers['issued']:,}/{numbers['total']:,}"


def _bar(numbers: dict[str, Any]) -> ProgressBar:
    return ProgressBar(total=max(numbers["total"], 1), completed=numbers["issued"], width=_BAR)


def _fallback(numbers: dict[str, Any]) -> Text:
    return Text("on", style="bold yellow") if numbers["fallbackActive"] else Text("off")
