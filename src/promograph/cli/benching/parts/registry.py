"""The parts, by name."""

from promograph.cli.benching.parts.export import EXPORT
from promograph.cli.benching.parts.pages import PAGES
from promograph.cli.benching.parts.sends import SENDS

PARTS = {part.name: part for part in (PAGES, EXPORT, SENDS)}
