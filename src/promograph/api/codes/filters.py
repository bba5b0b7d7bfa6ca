"""Which codes of a promotion are meant, for changes of many and exports."""

from datetime import datetime

import strawberry

from promograph.api.context import Asked
from promograph.api.nodes import read_number
from promograph.api.promotions.reading import in_utc
from promograph.domain.codes.states import CodeState
from promograph.domain.stock.selections import CodeSelection
from promograph.domain.storable import is_storable
from promograph.errors import BadInput, InputProblem


@strawberry.input(description="Codes for which all of this holds; what is left out asks for nothing.")
class CodeFilterInput:
    states: list[CodeState] | None = strawberry.field(default=None, description="They are in one of these states.")
    batch: strawberry.ID | None = strawberry.field(default=None, description="They came with this batch.")
    channel: str | None = strawberry.field(default=None, description="They came with a batch that has this label.")
    customer: str | None = strawberry.field(default=None, description="This customer has them, by your own id.")
    added_from: datetime | None = strawberry.field(default=None, description="They were added then or later.")
    added_until: datetime | None = strawberry.field(default=None, description="They were added before.")
    issued_from: datetime | None = strawberry.field(default=None, description="They were issued then or later.")
    issued_until: datetime | None = strawberry.field(default=None, description="They were issued before.")


async def selection_of(info: Asked, promotion: str, filter: CodeFilterInput | None) -> CodeSelection:
    """BadInput for a promotion that is not there, and for instants without an offset."""
    found = await info.context.services.lobby.get(id_=read_number(promotion, "Promotion", "promotion"))
    if found is None:
        raise BadInput(InputProblem.NOT_FOUND, "No promotion has this id.", field=("promotion",))
    if filter is None:
        return CodeSelection(promotion=found)
    return CodeSelection(
        promotion=found,
        states=frozenset(filter.states or ()),
        batch_id=None if filter.batch is None else _batch(filter.batch),
        channel=_text(filter.channel, "channel"),
        customer=_text(filter.customer, "customer"),
        added_from=in_utc(filter.added_from, ("filter", "addedFrom")),
        added_until=in_utc(filter.added_until, ("filter", "addedUntil")),
        issued_from=in_utc(filter.issued_from, ("filter", "issuedFrom")),
        issued_until=in_utc(filter.issued_until, ("filter", "issuedUntil")),
    )


def _batch(id_: str) -> int:
    try:
        return read_number(id_, "Batch", "batch")
    except BadInput as problem:
        raise BadInput(problem.problem, str(problem), field=("filter", *problem.field)) from None


def _text(text: str | None, name: str) -> str | None:
    if text is not None and not is_storable(text):
        raise BadInput(InputProblem.NOT_FOUND, f"No code has this {name}.", field=("filter", name))
    return text
