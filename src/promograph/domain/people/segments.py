"""Segments: saved conditions over customers, which may rest on one another."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from promograph.domain.conditions.nodes import AllOf, AnyOf, Condition, Not
from promograph.errors import BadInput, InputProblem

MOST_TOGETHER = 600
"""How many conditions a segment may hold together with those of the segments that it rests on, however often."""

DEEPEST_SEGMENTS = 8
"""How many segments may rest one on another."""

Conditions = Mapping[str, Condition]
"""The conditions of segments, by handle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A saved condition. `handle` is what conditions call it by, and never changes."""

    id: int
    handle: str
    name: str
    condition: Condition
    created_at: datetime
    updated_at: datetime


class UserKind(StrEnum):
    """What may rest on a segment."""

    SEGMENT = "SEGMENT"
    PROMOTION = "PROMOTION"
    AUDIENCE = "AUDIENCE"


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentUse:
    """Something that means a segment, by its id and by what people call it."""

    kind: UserKind
    id: int
    handle: str
    name: str


def check_about_customers(condition: Condition, *, path: Sequence[str] = ("condition",)) -> None:
    """BadInput naming the first part that asks about a cart or the clock: a segment has neither."""
    for place, leaf in _leaves(condition, tuple(path)):
        needs = leaf.needs()
        if needs.cart or needs.clock:
            about = "a cart" if needs.cart else "the clock"
            [kind] = leaf.dump()
            raise BadInput(
                InputProblem.INVALID,
                f"A segment is about customers, and {kind} is about {about}: put it into a promotion's condition.",
                field=(*place, kind),
            )


def check_together(conditions: Conditions) -> None:
    """BadInput where a segment rests on itself, on too many others in a row, or on too much altogether."""
    sizes: dict[str, tuple[int, int]] = {}
    for handle in conditions:
        _measure(handle, conditions, (), sizes)


def in_order(handles: frozenset[str], conditions: Conditions) -> list[str]:
    """These segments and all that they rest on, each after those that it rests on itself; unknown ones left out."""
    ordered: dict[str, None] = {}

    def visit(handle: str) -> None:
        if handle in ordered or handle not in conditions:
            return
        for below in sorted(conditions[handle].needs().segments):
            visit(below)
        ordered[handle] = None

    for handle in sorted(handles):
        visit(handle)
    return list(ordered)


def size_of(condition: Condition) -> int:
    """How many conditions it is made of, itself counted; a segment in it counts as one."""
    match condition:
        case AllOf(conditions=inner) | AnyOf(conditions=inner):
            return 1 + sum(map(size_of, inner))
        case Not(condition=only):
            return 1 + size_of(only)
        case _:
            return 1


def _measure(
    handle: str, conditions: Conditions, above: tuple[str, ...], sizes: dict[str, tuple[int, int]]
) -> tuple[int, int]:
    """How many conditions the segment comes to, and how many segments lie one under another in it."""
    if handle in above:
        round_ = " → ".join([*above[above.index(handle) :], handle])
        raise _bad(InputProblem.INVALID, f"A segment cannot rest on itself: {round_}.")
    if handle in sizes:
        return sizes[handle]
    if len(above) >= DEEPEST_SEGMENTS:
        raise _bad(InputProblem.OUT_OF_RANGE, f"At most {DEEPEST_SEGMENTS} segments rest one on another.")
    if handle not in conditions:
        return 1, 0
    condition = conditions[handle]
    size, depth = size_of(condition), 1
    for _, leaf in _leaves(condition, ()):
        for below in leaf.needs().segments:
            more, deeper = _measure(below, conditions, (*above, handle), sizes)
            size, depth = size + more, max(depth, deeper + 1)
    if depth > DEEPEST_SEGMENTS:
        raise _bad(InputProblem.OUT_OF_RANGE, f"At most {DEEPEST_SEGMENTS} segments rest one on another.")
    if size > MOST_TOGETHER:
        raise _bad(
            InputProblem.TOO_MANY,
            f"With the segments that it rests on, {handle!r} would hold {size:,} conditions; at most {MOST_TOGETHER}.",
        )
    sizes[handle] = size, depth
    return sizes[handle]


def _leaves(condition: Condition, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Condition]]:
    """Those that are not made of others, and where they stand."""
    match condition:
        case AllOf(conditions=inner) | AnyOf(conditions=inner):
            [kind] = condition.dump()
            for place, each in enumerate(inner):
                yield from _leaves(each, (*path, kind, str(place)))
        case Not(condition=only):
            yield from _leaves(only, (*path, "not"))
        case _:
            yield path, condition


def _bad(problem: InputProblem, sentence: str) -> BadInput:
    return BadInput(problem, sentence, field=("condition",))
