"""The parts, by name."""

from promograph.cli.benching.parts.export import EXPORT
from promograph.cli.benching.parts.pages import PAGES

PARTS = {part.name: part for part in (PAGES, EXPORT)}
