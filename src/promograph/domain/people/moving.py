"""Segments whose days move with the clock, over several days at once."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from promograph.domain.conditions.attributes import AttributeIs
from promograph.domain.conditions.customers import InSegment
from promograph.domain.conditions.days import MovingDay
from promograph.domain.conditions.nodes import AllOf, AnyOf, Condition, Not
from promograph.domain.conditions.values import Op
from promograph.domain.people.segments import Conditions


def ever(
    condition: Condition, segments: Conditions, instants: Sequence[datetime], *, loosely: bool = True
) -> Condition:
    """Without days that move: what holds of everybody for whom the condition holds at one of the instants.

    It may hold of others too: it is for leaving out, at one look, those of whom nothing more need be asked. `segments`
    stand in it with their own conditions. Not `loosely`: what holds of nobody for whom the condition does not hold at
    each of the instants, which is what is asked of whatever stands in a Not.
    """
    match condition:
        case AllOf(conditions=inner):
            return AllOf(tuple(ever(each, segments, instants, loosely=loosely) for each in inner))
        case AnyOf(conditions=inner):
            return AnyOf(tuple(ever(each, segments, instants, loosely=loosely) for each in inner))
        case Not(condition=only):
            return Not(ever(only, segments, instants, loosely=not loosely))
        case InSegment(segment=handle) if handle in segments:
            return ever(segments[handle], segments, instants, loosely=loosely)
        case AttributeIs(value=MovingDay() as day):
            return _ever_so(condition, day, instants, loosely)
        case _:
            return condition


def _ever_so(leaf: AttributeIs, day: MovingDay, instants: Sequence[datetime], loosely: bool) -> Condition:
    days = sorted({day.on(instant) for instant in instants})
    if leaf.op is Op.EQUALS and len(days) > 1:
        return replace(leaf, op=Op.IN, value=tuple(days)) if loosely else AnyOf(())
    is_before = leaf.op in (Op.LT, Op.LTE)
    return replace(leaf, value=days[-1] if is_before is loosely else days[0])
