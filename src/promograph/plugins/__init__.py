"""Finding, loading and isolating plugins: the three that are shipped come through the same door as a stranger's."""

from promograph.plugins.loading import LoadedPlugin, PluginManager

__all__ = ["LoadedPlugin", "PluginManager"]
