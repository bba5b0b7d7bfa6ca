"""What happened, for those who run the service."""

from datetime import datetime
from typing import Annotated

import strawberry
from strawberry.scalars import JSON

from promograph.api.connections import After, Before, Connection, First, Last, connection_of, slice_of
from promograph.api.context import Asked
from promograph.api.enums import described
from promograph.api.nodes import Node, global_id, read_number
from promograph.api.promotions.promotion import Promotion, promotion_node
from promograph.api.rights import ADMIN
from promograph.domain import events
from promograph.domain.events import EventKind
from promograph.errors import BadInput, InputProblem
from promograph.store.events import EventQuery

described(
    EventKind,
    "EventKind",
    "What can happen. What is told of stock is told once, until there are enough codes again: more than the threshold.",
    {
        "STOCK_LOW": "An active promotion's pool has come down to its threshold.",
        "STOCK_EMPTY": "Its pool is empty.",
        "FALLBACK_ON": "Its pool is empty, and customers get the fallback code.",
        "STOCK_REFILLED": "There are enough codes again.",
        "PROMOTION_ENDED": "A promotion was ended, by hand or by a limit that it has reached; not by the clock.",
        "SALE_REFUSED": "A sale that was reported late could not be redeemed: its discount counts nowhere.",
    },
)


@strawberry.type(description="Something that happened, written together with it, once.", directives=ADMIN)
class Event(Node):
    promotion_id: strawberry.Private[int | None]

    kind: EventKind = strawberry.field(description="What happened.")
    data: JSON = strawberry.field(
        description='The numbers at that moment; of stock `{"available": 3, "threshold": 10}`, of an end its `reason`, '
        "of a sale its `key`, `soldAt`, `refusals`, and what was sold."
    )
    happened_at: datetime = strawberry.field(description="When it happened.")

    @strawberry.field(description="The promotion that it is about, if any.", directives=ADMIN)
    async def promotion(self, info: Asked) -> Promotion | None:
        facts = None if self.promotion_id is None else await info.context.promotion(self.promotion_id)
        return None if facts is None else promotion_node(facts, info.context.now)


@strawberry.input(description="Which events: all that is given must hold.")
class EventFilter:
    kinds: list[EventKind] | None = strawberry.field(default=None, description="One of these kinds.")
    promotion: strawberry.ID | None = strawberry.field(default=None, description="About this promotion.")
    since: datetime | None = strawberry.field(default=None, description="Happened then or later.")


@strawberry.type
class EventQueries:
    @strawberry.field(
        description="What happened, the latest first; `last` and `before` lead from an event to those after it.",
        directives=ADMIN,
    )
    async def events(
        self,
        info: Asked,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        filter: Annotated[EventFilter | None, strawberry.argument(description="Conditions.")] = None,
    ) -> Connection[Event]:
        part = slice_of(first, after, last, before, list_name="events")
        page = await info.context.services.happenings.page(_query(filter or EventFilter()), part)
        return connection_of(page, "events", event_node)


def event_node(event: events.Event) -> Event:
    return Event(
        id=global_id("Event", event.id),
        promotion_id=event.promotion_id,
        kind=event.kind,
        data=JSON(dict(event.data)),
        happened_at=event.happened_at,
    )


def _query(filter: EventFilter) -> EventQuery:
    if filter.since is not None and filter.since.utcoffset() is None:
        sentence = "An instant needs its offset, such as 2026-12-01T09:00:00Z."
        raise BadInput(InputProblem.INVALID, sentence, field=("filter", "since"))
    return EventQuery(
        kinds=frozenset(filter.kinds or ()),
        promotion_id=None if filter.promotion is None else read_number(filter.promotion, "Promotion", "filter"),
        since=filter.since,
    )
