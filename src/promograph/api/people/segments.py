"""Segments: saved conditions over customers."""

from datetime import datetime
from typing import Any

import strawberry

from promograph.api.answering import KEY, Given, answered
from promograph.api.conditions import Condition, ConditionInput, read_condition, shown_condition
from promograph.api.context import Asked
from promograph.api.enums import described
from promograph.api.nodes import Node, global_id, read_number
from promograph.api.rights import PEOPLE, SEGMENTS
from promograph.api.user_errors import UserError
from promograph.domain.conditions import nodes as condition_nodes
from promograph.domain.people import segments
from promograph.domain.people.segments import UserKind
from promograph.services.segmenting import NewSegment
from promograph.store.people.segment_members import Match

described(
    UserKind,
    "SegmentUserKind",
    "What may rest on a segment.",
    {
        "SEGMENT": "Another segment.",
        "PROMOTION": "A promotion: it is for those who are in the segment, or not in it.",
        "AUDIENCE": "A dynamic audience: it is whoever is in the segment.",
    },
)


@strawberry.type(description="Something that means a segment.", directives=SEGMENTS)
class SegmentUse:
    kind: UserKind = strawberry.field(description="What it is.")
    handle: str = strawberry.field(description="Its handle.")
    name: str = strawberry.field(description="Its name.")


@strawberry.type(description="A customer for whom a condition holds.", directives=PEOPLE)
class SegmentMatch:
    customer: str = strawberry.field(description="The customer, by the caller's own id.")
    reasons: list[str] = strawberry.field(description="What makes it hold for them, in words.")


@strawberry.type(description="For whom a condition holds now.", directives=PEOPLE)
class SegmentPreview:
    condition: strawberry.Private[condition_nodes.Condition]

    @strawberry.field(description="How many customers.", directives=PEOPLE)
    async def count(self, info: Asked) -> int:
        return await info.context.services.segmenting.count(self.condition)

    @strawberry.field(description="The first twenty of them, by their ids.", directives=PEOPLE)
    async def matches(self, info: Asked) -> list[SegmentMatch]:
        return [_match(one) for one in await info.context.services.segmenting.preview(self.condition)]


@strawberry.type(description="A saved condition over customers.", directives=SEGMENTS)
class Segment(Node):
    facts: strawberry.Private[segments.Segment]

    handle: str = strawberry.field(description="The unique name for programs and conditions; it never changes.")
    name: str = strawberry.field(description="The name for people.")
    created_at: datetime = strawberry.field(description="When it was set up.")
    updated_at: datetime = strawberry.field(description="When it was last changed.")

    @strawberry.field(description="Who is in it.", directives=SEGMENTS)
    async def condition(self, info: Asked) -> Condition:
        condition = self.facts.condition
        return shown_condition(condition, names=await info.context.services.segmenting.names(condition))

    @strawberry.field(description="How many customers are in it now; counted when asked for.", directives=SEGMENTS)
    async def count(self, info: Asked) -> int:
        return await info.context.services.segmenting.count(self.facts.condition)

    @strawberry.field(description="Who is in it now, and why.", directives=PEOPLE)
    def preview(self) -> SegmentPreview:
        return SegmentPreview(condition=self.facts.condition)

    @strawberry.field(description="What rests on it; while there is any, it cannot be deleted.", directives=SEGMENTS)
    async def uses(self, info: Asked) -> list[SegmentUse]:
        found = await info.context.services.segmenting.uses(self.facts.id)
        return [SegmentUse(kind=use.kind, handle=use.handle, name=use.name) for use in found]


_CONDITION = "Who is in it. A segment is about customers: it cannot ask about a cart or the clock."


@strawberry.input(description="A segment to set up.")
class SegmentCreateInput:
    name: str = strawberry.field(description="The name for people, at most 200 characters.")
    condition: ConditionInput = strawberry.field(description=_CONDITION)
    handle: str | None = strawberry.field(
        default=None, description="The unique name for programs, at most 64 characters; made from the name if left out."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="Which segment to change, and how. What is left out stays.")
class SegmentUpdateInput:
    id: strawberry.ID = strawberry.field(description="The segment.")
    name: str | None = strawberry.field(default=None, description="Its new name for people.")
    condition: ConditionInput | None = strawberry.field(default=None, description=_CONDITION)


@strawberry.input(description="Which segment to delete.")
class SegmentDeleteInput:
    id: strawberry.ID = strawberry.field(description="The segment; nothing may rest on it.")


@strawberry.input(description="A condition to look at before it is saved.")
class SegmentPreviewInput:
    condition: ConditionInput = strawberry.field(description=_CONDITION)


@strawberry.type(description="The new segment.", directives=SEGMENTS)
class SegmentCreatePayload:
    segment: Segment | None = strawberry.field(description="The segment; none when something was wrong.")
    user_errors: list[UserError] = strawberry.field(description="What was wrong; then nothing was changed.")


@strawberry.type(description="The segment as changed.", directives=SEGMENTS)
class SegmentUpdatePayload:
    segment: Segment | None = strawberry.field(description="The segment; none when something was wrong.")
    user_errors: list[UserError] = strawberry.field(description="What was wrong; then nothing was changed.")


@strawberry.type(description="The segment that was.", directives=SEGMENTS)
class SegmentDeletePayload:
    segment: Segment | None = strawberry.field(description="The segment; none when something was wrong.")
    user_errors: list[UserError] = strawberry.field(description="What was wrong; then nothing was changed.")


@strawberry.type
class SegmentQueries:
    @strawberry.field(description="All segments, the oldest first.", directives=SEGMENTS)
    async def segments(self, info: Asked) -> list[Segment]:
        return [segment_node(one) for one in await info.context.services.segmenting.every()]

    @strawberry.field(description="For whom a condition holds, before it is saved.", directives=PEOPLE)
    async def segment_preview(self, info: Asked, input: Given[SegmentPreviewInput]) -> SegmentPreview:
        return SegmentPreview(condition=await _read(info, input.condition))


@strawberry.type
class SegmentMutations:
    @strawberry.mutation(description="Save a condition over customers.", directives=PEOPLE)
    async def segment_create(self, info: Asked, input: Given[SegmentCreateInput]) -> SegmentCreatePayload:
        return SegmentCreatePayload(**_shown(*await answered(_create(info, input))))

    @strawberry.mutation(description="Change a segment's name or condition.", directives=PEOPLE)
    async def segment_update(self, info: Asked, input: Given[SegmentUpdateInput]) -> SegmentUpdatePayload:
        return SegmentUpdatePayload(**_shown(*await answered(_update(info, input))))

    @strawberry.mutation(description="Delete a segment on which nothing rests.", directives=PEOPLE)
    async def segment_delete(self, info: Asked, input: Given[SegmentDeleteInput]) -> SegmentDeletePayload:
        return SegmentDeletePayload(**_shown(*await answered(_delete(info, input))))


async def _create(info: Asked, input: SegmentCreateInput) -> segments.Segment:
    condition = await _read(info, input.condition)
    new = NewSegment(name=input.name, condition=condition, handle=input.handle)
    return await info.context.services.segmenting.create(new, key=input.idempotency_key)


async def _update(info: Asked, input: SegmentUpdateInput) -> segments.Segment:
    id_ = read_number(input.id, "Segment")
    condition = None if input.condition is None else await _read(info, input.condition)
    return await info.context.services.segmenting.update(id_, name=input.name, condition=condition)


async def _delete(info: Asked, input: SegmentDeleteInput) -> segments.Segment:
    return await info.context.services.segmenting.delete(read_number(input.id, "Segment"))


async def _read(info: Asked, input: ConditionInput) -> condition_nodes.Condition:
    """With the types of the attributes, so that comparing one with another type is told."""
    return read_condition(input, types=await info.context.services.people.types())


def segment_node(segment: segments.Segment) -> Segment:
    return Segment(
        id=global_id("Segment", segment.id),
        facts=segment,
        handle=segment.handle,
        name=segment.name,
        created_at=segment.created_at,
        updated_at=segment.updated_at,
    )


def _match(match: Match) -> SegmentMatch:
    return SegmentMatch(customer=match.customer, reasons=list(match.reasons))


def _shown(segment: segments.Segment | None, errors: list[UserError]) -> dict[str, Any]:
    """The fields of a payload."""
    return {"segment": None if segment is None else segment_node(segment), "user_errors": errors}
