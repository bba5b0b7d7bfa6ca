"""Audiences: who a send goes to."""

from datetime import datetime
from typing import Annotated, Any

import strawberry

from promograph.api.answering import KEY, Given, answered
from promograph.api.connections import After, Before, Connection, First, Last, connection_of, slice_of
from promograph.api.context import Asked
from promograph.api.enums import described
from promograph.api.nodes import Node, global_id, read_number
from promograph.api.people.customers import Customer, customer_node
from promograph.api.people.standings import AudienceStanding, AudienceStandingConnection, StandingsInput, standing_of
from promograph.api.rights import PEOPLE, SEGMENTS
from promograph.api.user_errors import UserError
from promograph.domain.people import audiences
from promograph.domain.people.audiences import MOST_MEMBERS_AT_ONCE, AudienceKind, AudienceSource
from promograph.services.audiences import AudienceChange, NewAudience
from promograph.services.sending.plans import PlanRequest

described(
    AudienceKind,
    "AudienceKind",
    "Whether the members of an audience come and go by themselves.",
    {"STATIC": "They are listed, and stay as they are.", "DYNAMIC": "They are whoever is in a segment at the time."},
)
described(
    AudienceSource,
    "AudienceSource",
    "Where the members of an audience came from first.",
    {"LIST": "A list of ids.", "SEGMENT": "A segment.", "FILE": "A file."},
)

_MEMBERS = "audience.members"


@strawberry.type(description="How many of an audience's members a channel reaches.", directives=SEGMENTS)
class AudienceReach:
    channel: str = strawberry.field(description="The channel: `email` or `sms`.")
    addressed: int = strawberry.field(description="How many have an address for it.")
    reachable: int = strawberry.field(description="How many of these agreed to be written to there.")
    refused: int = strawberry.field(description="How many of these said no; the others were not asked.")


@strawberry.type(description="Somebody in an audience.", directives=PEOPLE)
class AudienceMember:
    customer_id: str = strawberry.field(description="The customer, by the caller's own id.")

    @strawberry.field(description="What is known of them; none where nobody told of them.", directives=PEOPLE)
    async def customer(self, info: Asked) -> Customer | None:
        found = await info.context.customer(self.customer_id)
        return None if found is None else customer_node(found)


@strawberry.type(description="One page of an audience's members.", directives=PEOPLE)
class AudienceMemberConnection(Connection[AudienceMember]):
    pass


@strawberry.type(description="Who a send goes to.", directives=SEGMENTS)
class Audience(Node):
    facts: strawberry.Private[audiences.Audience]

    handle: str = strawberry.field(description="The unique name for programs; it never changes.")
    name: str = strawberry.field(description="The name for people.")
    kind: AudienceKind = strawberry.field(description="Whether its members come and go by themselves.")
    source: AudienceSource = strawberry.field(description="Where its members came from first.")
    segment: str | None = strawberry.field(
        description="The handle of the segment that it is made of, or that it was frozen from."
    )
    created_at: datetime = strawberry.field(description="When it was set up.")
    updated_at: datetime = strawberry.field(description="When it, or the list of its members, was last changed.")

    @strawberry.field(
        description="How many members it has now; those of a dynamic one are counted.", directives=SEGMENTS
    )
    async def size(self, info: Asked) -> int:
        return await info.context.services.audiences.count(self.facts)

    @strawberry.field(description="How many of them each channel reaches; counted when asked for.", directives=SEGMENTS)
    async def reach(self, info: Asked) -> list[AudienceReach]:
        return [
            AudienceReach(channel=one.channel, addressed=one.addressed, reachable=one.agreed, refused=one.refused)
            for one in await info.context.services.audiences.reach(self.facts)
        ]

    @strawberry.field(description="Its members, by their ids.", directives=PEOPLE)
    async def members(
        self, info: Asked, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> AudienceMemberConnection:
        list_name = f"{_MEMBERS}.{self.facts.id}"
        part = slice_of(first, after, last, before, list_name=list_name, sorted_by=(str,))
        page = await info.context.services.audiences.members(self.facts, part)
        found: Connection[AudienceMember] = connection_of(
            page, list_name, lambda row: AudienceMember(customer_id=row[0])
        )
        return AudienceMemberConnection(edges=found.edges, nodes=found.nodes, page_info=found.page_info)

    @strawberry.field(
        description="Its members, by their ids, with how they stand to a send: the final audience, or those who are "
        "left out of it.",
        directives=PEOPLE,
    )
    async def standings(
        self,
        info: Asked,
        send: Annotated[StandingsInput, strawberry.argument(description="Which send.")],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> AudienceStandingConnection:
        list_name = f"audience.standings.{self.facts.id}"
        part = slice_of(first, after, last, before, list_name=list_name, sorted_by=(str,))
        asked = PlanRequest(audience=self.facts.id, promotion=send.promotion, send=send.send, channel=send.channel)
        page = await info.context.services.send_plans.standings(asked, send.standings, part)
        found: Connection[AudienceStanding] = connection_of(page, list_name, standing_of)
        return AudienceStandingConnection(edges=found.edges, nodes=found.nodes, page_info=found.page_info)


@strawberry.type(description="One page of the audiences.", directives=SEGMENTS)
class AudienceConnection(Connection[Audience]):
    pass


_CUSTOMERS = f"by your own ids, at most {MOST_MEMBERS_AT_ONCE:,}; nobody needs to have told of them"


@strawberry.input(description="An audience to set up.")
class AudienceCreateInput:
    name: str = strawberry.field(description="The name for people, at most 200 characters.")
    kind: AudienceKind = strawberry.field(
        default=AudienceKind.STATIC, description="Whether its members come and go by themselves."
    )
    handle: str | None = strawberry.field(
        default=None, description="The unique name for programs, at most 64 characters; made from the name if left out."
    )
    customers: list[strawberry.ID] | None = strawberry.field(
        default=None, description=f"The members of a static one, {_CUSTOMERS}. More can be added later."
    )
    segment: str | None = strawberry.field(
        default=None,
        description="The handle of a segment. A dynamic audience is whoever is in it at the time, a static one whoever "
        "is in it now.",
    )
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="Which audience to change, and how. What is left out stays.")
class AudienceUpdateInput:
    id: strawberry.ID = strawberry.field(description="The audience.")
    name: str | None = strawberry.field(default=None, description="Its new name for people.")
    segment: str | None = strawberry.field(
        default=None, description="The handle of the segment that a dynamic one is to be made of."
    )
    add: list[strawberry.ID] | None = strawberry.field(
        default=None, description=f"Customers who are to be in a static one, {_CUSTOMERS}."
    )
    remove: list[strawberry.ID] | None = strawberry.field(
        default=None, description="Customers who are to be in a static one no more. Who is in both lists is out."
    )


@strawberry.input(description="Which audience to delete.")
class AudienceDeleteInput:
    id: strawberry.ID = strawberry.field(description="The audience.")


@strawberry.type(description="The new audience.", directives=SEGMENTS)
class AudienceCreatePayload:
    audience: Audience | None = strawberry.field(description="The audience; none when something was wrong.")
    user_errors: list[UserError] = strawberry.field(description="What was wrong; then nothing was changed.")


@strawberry.type(description="The audience as changed.", directives=SEGMENTS)
class AudienceUpdatePayload:
    audience: Audience | None = strawberry.field(description="The audience; none when something was wrong.")
    user_errors: list[UserError] = strawberry.field(description="What was wrong; then nothing was changed.")


@strawberry.type(description="The audience that was.", directives=SEGMENTS)
class AudienceDeletePayload:
    deleted: str | None = strawberry.field(description="Its handle; none when something was wrong.")
    user_errors: list[UserError] = strawberry.field(description="What was wrong; then nothing was changed.")


@strawberry.type
class AudienceQueries:
    @strawberry.field(description="All audiences, the latest first.", directives=SEGMENTS)
    async def audiences(
        self, info: Asked, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> AudienceConnection:
        part = slice_of(first, after, last, before, list_name="audiences")
        page = await info.context.services.audiences.page(part)
        found: Connection[Audience] = connection_of(page, "audiences", audience_node)
        return AudienceConnection(edges=found.edges, nodes=found.nodes, page_info=found.page_info)


@strawberry.type
class AudienceMutations:
    @strawberry.mutation(
        description="Set up who a send goes to: a list of customers, those who are in a segment now, or whoever is in "
        "it at the time.",
        directives=PEOPLE,
    )
    async def audience_create(self, info: Asked, input: Given[AudienceCreateInput]) -> AudienceCreatePayload:
        new = NewAudience(
            name=input.name,
            kind=input.kind,
            handle=input.handle,
            segment=input.segment,
            customers=input.customers,
        )
        act = info.context.services.audiences.create(new, key=input.idempotency_key)
        return AudienceCreatePayload(**_shown(*await answered(act)))

    @strawberry.mutation(description="Change an audience: its name, its members, its segment.", directives=PEOPLE)
    async def audience_update(self, info: Asked, input: Given[AudienceUpdateInput]) -> AudienceUpdatePayload:
        return AudienceUpdatePayload(**_shown(*await answered(_update(info, input))))

    @strawberry.mutation(description="Delete an audience; its customers stay.", directives=PEOPLE)
    async def audience_delete(self, info: Asked, input: Given[AudienceDeleteInput]) -> AudienceDeletePayload:
        deleted, errors = await answered(_delete(info, input))
        return AudienceDeletePayload(deleted=None if deleted is None else deleted.handle, user_errors=errors)


async def _update(info: Asked, input: AudienceUpdateInput) -> audiences.Audience:
    change = AudienceChange(name=input.name, segment=input.segment, add=input.add or (), remove=input.remove or ())
    return await info.context.services.audiences.update(read_number(input.id, "Audience"), change)


async def _delete(info: Asked, input: AudienceDeleteInput) -> audiences.Audience:
    return await info.context.services.audiences.delete(read_number(input.id, "Audience"))


def audience_node(audience: audiences.Audience) -> Audience:
    return Audience(
        id=global_id("Audience", audience.id),
        facts=audience,
        handle=audience.handle,
        name=audience.name,
        kind=audience.kind,
        source=audience.source,
        segment=audience.segment,
        created_at=audience.created_at,
        updated_at=audience.updated_at,
    )


def _shown(audience: audiences.Audience | None, errors: list[UserError]) -> dict[str, Any]:
    """The fields of a payload."""
    return {"audience": None if audience is None else audience_node(audience), "user_errors": errors}
