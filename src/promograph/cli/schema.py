"""`promograph schema` and `promograph plugins`."""

import typer
from rich.markup import escape
from rich.table import Table

from promograph.api.schema import schema_text
from promograph.channels import Channel
from promograph.cli.common import settings_for, show, told
from promograph.plugins import LoadedPlugin, PluginManager


def schema() -> None:
    """Print the GraphQL schema."""
    typer.echo(schema_text(), nl=False)


def plugins() -> None:
    """Show the plugins that are loaded, what each brings and can do, and the settings that it reads."""
    with told():
        manager = PluginManager.of(settings_for())
    table = Table("Plugin", "From", "Brings", "Settings")
    for plugin in manager.loaded():
        table.add_row(plugin.name, plugin.distribution, "\n".join(_brought(plugin)), "\n".join(plugin.settings))
    show(table)


def _brought(plugin: LoadedPlugin) -> list[str]:
    lines = [_shown(channel) for channel in plugin.channels]
    if plugin.functions:
        lines.append(f"template functions: {', '.join(sorted(plugin.functions))}")
    if plugin.hears:
        lines.append("hears what happens")
    return lines


def _shown(channel: Channel) -> str:
    can = ", ".join(sorted(capability.value for capability in channel.can))
    return escape(f"{channel.name}: {channel.title} ({can})")
