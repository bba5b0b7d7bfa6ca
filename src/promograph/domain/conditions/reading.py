"""Reading a condition from JSON data that anybody may have written: every complaint names the place.

A field that is null is as one left out.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeVar

from promograph.domain.conditions.values import ValueType
from promograph.domain.keys import LONGEST, checked_key
from promograph.errors import BadInput, InputProblem

Choice = TypeVar("Choice", bound=StrEnum)

MOST_MEMBERS = 5_000
"""How many members the lists of one piece of data may have together: each takes its time to read."""

_SHOWN = 40


@dataclass(slots=True)
class Room:
    """How many more members lists may have."""

    left: int = MOST_MEMBERS


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A piece of the data, and where it stands. `types`: those of the customers' attributes that are known.

    `room` is shared by all places of one piece of data.
    """

    data: object
    path: tuple[str, ...]
    types: Mapping[str, ValueType] = field(default_factory=dict)
    room: Room = field(default_factory=Room)

    @property
    def name(self) -> str:
        return self.path[-1] if self.path else "condition"

    def bad(self, sentence: str, problem: InputProblem = InputProblem.INVALID) -> BadInput:
        return BadInput(problem, sentence, field=self.path)

    def below(self, step: str, data: object) -> "Place":
        return Place(data=data, path=(*self.path, step), types=self.types, room=self.room)

    def fields(self, *known: str) -> dict[str, "Place"]:
        """The fields of an object that are not null; BadInput for any that is not `known`."""
        if not isinstance(self.data, Mapping):
            raise self.bad(f"{self.name} must be an object.")
        for key in self.data:
            if key not in known:
                raise self.bad(f"{self.name} has no {str(key)[:_SHOWN]!a}; it may have {', '.join(known)}.")
        return {key: self.below(key, data) for key, data in self.data.items() if data is not None}

    def needed(self, name: str, fields: Mapping[str, "Place"]) -> "Place":
        """That one of this object's `fields`."""
        if name not in fields:
            raise BadInput(InputProblem.REQUIRED, f"{self.name} needs {name}.", field=(*self.path, name))
        return fields[name]

    def items(self, *, most: int) -> list["Place"]:
        """The members of a list that is not empty."""
        if not isinstance(self.data, list | tuple):
            raise self.bad(f"{self.name} must be a list.")
        if not self.data:
            raise self.bad(f"{self.name} must not be empty.", InputProblem.REQUIRED)
        if len(self.data) > most:
            raise self.bad(f"{self.name} may hold at most {most:,}.", InputProblem.TOO_MANY)
        self.room.left -= len(self.data)
        if self.room.left < 0:
            raise self.bad(
                f"A condition lists at most {MOST_MEMBERS:,} texts and values in all.", InputProblem.TOO_MANY
            )
        return [self.below(str(place), data) for place, data in enumerate(self.data)]

    def text(self) -> str:
        if not isinstance(self.data, str):
            raise self.bad(f"{self.name} must be a text.")
        return self.data

    def key(self, *, longest: int = LONGEST) -> str:
        """A handle, a name, an id: see `keys`."""
        try:
            return checked_key(self.text(), self.name, longest=longest)
        except BadInput as bad:
            raise self.bad(str(bad), bad.problem) from None

    def keys(self, *, most: int) -> tuple[str, ...]:
        return tuple(item.key() for item in self.items(most=most))

    def choice(self, kind: type[Choice], among: Collection[Choice] | None = None) -> Choice:
        allowed = [each for each in kind if among is None or each in among]
        for each in allowed:
            if self.data == each:
                return each
        raise self.bad(f"{self.name} must be one of {', '.join(allowed)}.")

    def truth(self) -> bool:
        if not isinstance(self.data, bool):
            raise self.bad(f"{self.name} must be true or false.")
        return self.data

    def count(self, least: int, most: int) -> int:
        if isinstance(self.data, bool) or not isinstance(self.data, int):
            raise self.bad(f"{self.name} must be a whole number.")
        if not least <= self.data <= most:
            raise self.bad(f"{self.name} must be from {least:,} to {most:,}.", InputProblem.OUT_OF_RANGE)
        return self.data

    def instant(self) -> datetime:
        """In UTC, from RFC 3339 or from an instant as such."""
        try:
            found = self.data if isinstance(self.data, datetime) else datetime.fromisoformat(self.text()[:_SHOWN])
            if found.tzinfo is not None:
                return found.astimezone(UTC)
        except (ValueError, OverflowError):
            pass
        raise self.bad(f"{self.name} must be an instant with its offset, such as 2026-12-15T09:00:00Z.")
