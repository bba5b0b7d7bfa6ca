"""The parts, by name."""

from promograph.cli.benching.parts.part import Part

PARTS: dict[str, Part] = {part.name: part for part in list[Part]()}
