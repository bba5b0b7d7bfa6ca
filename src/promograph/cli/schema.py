"""`promograph schema` and `promograph plugins`."""

import typer
from rich.markup import escape
from rich.table import Table

from promograph.api.schema import schema_text
from promograph.channels import Channel
from promograph.cli.common import settings_for, show, told
from promograph.plugins import PluginManager


def schema() -> None:
    """Print the GraphQL schema."""
    typer.echo(schema_text(), nl=False)


def plugins() -> None:
    """Show the plugins that are loaded and the channels that they bring."""
    with told():
        manager = PluginManager(blocked=settings_for().blocked_plugins)
        manager.load()
    table = Table("Plugin", "From", "Channels")
    for plugin in manager.loaded():
        table.add_row(plugin.name, plugin.distribution, "\n".join(_shown(channel) for channel in plugin.channels))
    show(table)


def _shown(channel: Channel) -> str:
    can = ", ".join(sorted(capability.value for capability in channel.can))
    return escape(f"{channel.name}: {channel.title} ({can})")
