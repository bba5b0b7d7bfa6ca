"""Customers: told of by the thousand, and what is known of one."""

from datetime import datetime
from typing import Annotated

import strawberry
from strawberry.scalars import JSON

from promograph.api.answering import Given, answered
from promograph.api.context import Asked
from promograph.api.enums import described
from promograph.api.issuance import Issuance, issuance_node
from promograph.api.nodes import Node, global_id, numbers_of_name
from promograph.api.people.inputs import CustomersUpsertInput
from promograph.api.people.segments import Segment, segment_node
from promograph.api.redemption import Redemption, redemption_node
from promograph.api.rights import PEOPLE, SEGMENTS
from promograph.api.user_errors import UserError, user_error
from promograph.api.values import Value, shown_value
from promograph.domain.conditions.values import ValueType
from promograph.domain.people import customers
from promograph.errors import BadInput
from promograph.store.people.erasing import Erased

described(
    ValueType,
    "AttributeType",
    "What the values of an attribute are.",
    {
        "TEXT": "Texts, which have no order.",
        "NUMBER": "Numbers, to the last digit.",
        "BOOLEAN": "Yes or no.",
        "DATE": "Days.",
        "LIST": "Lists, each of values of one type.",
    },
)


@strawberry.type(description="An attribute that customers may have.", directives=SEGMENTS)
class Attribute:
    name: str = strawberry.field(description="Its name.")
    type: ValueType = strawberry.field(description="What its values are; settled by the first of them.")


@strawberry.type(description="What a customer is like in one respect.", directives=PEOPLE)
class CustomerAttribute:
    name: str = strawberry.field(description="The attribute's name.")
    value: Value = strawberry.field(description="Its value.")


@strawberry.type(description="Whether a customer agreed to be written to in a channel.", directives=PEOPLE)
class Consent:
    channel: str = strawberry.field(description="The channel.")
    given: bool = strawberry.field(description="Whether they agreed.")


@strawberry.type(description="A customer, and what they were given and used.", directives=PEOPLE)
class Customer(Node):
    own_id: str = strawberry.field(description="The caller's own id, by which everything else names the customer.")
    email: str | None = strawberry.field(description="The address of their e-mail.")
    phone: str | None = strawberry.field(description="The number of their phone, as E.164 writes it.")
    locale: str | None = strawberry.field(description="Their language and country.")
    consent: list[Consent] = strawberry.field(
        description="Where they agreed to be written to and where not; a channel that is missing was not asked about."
    )
    attributes: list[CustomerAttribute] = strawberry.field(description="What else is known of them, by name.")
    created_at: datetime = strawberry.field(description="When they were first told of.")
    updated_at: datetime = strawberry.field(description="When something of this last changed.")

    @strawberry.field(
        description="Everything that is held of them, for themselves: what they are like, all that they were given and "
        "used, the segments and audiences that they are in.",
        directives=PEOPLE,
    )
    async def export(self, info: Asked) -> JSON:
        return JSON(await info.context.services.erasing.dossier(self.own_id))

    @strawberry.field(description="The segments that they are in.", directives=PEOPLE)
    async def segments(self, info: Asked) -> list[Segment]:
        return [segment_node(one) for one in await info.context.services.people.segments_of(self.own_id)]

    @strawberry.field(
        description="The codes that they were given, first issues and repeats, the latest first, at most the last 100.",
        directives=PEOPLE,
    )
    async def issuances(self, info: Asked) -> list[Issuance]:
        return [issuance_node(one) for one in await info.context.services.people.issuances_of(self.own_id)]

    @strawberry.field(description="What they used, the latest first, at most the last 100.", directives=PEOPLE)
    async def redemptions(self, info: Asked) -> list[Redemption]:
        return [redemption_node(one) for one in await info.context.services.people.redemptions_of(self.own_id)]


@strawberry.type(
    description="How many customers were made and changed. Those that user errors name, by their place in "
    "`customers`, were left as they are; the others are done.",
    directives=PEOPLE,
)
class CustomersUpsertPayload:
    created: int = strawberry.field(description="How many are new.")
    updated: int = strawberry.field(description="How many were there already, changed or not.")
    replayed: bool = strawberry.field(description="Whether this answer was given before.")
    user_errors: list[UserError] = strawberry.field(description="What was wrong: of the whole call, or of customers.")


@strawberry.input(description="Whom to erase.")
class CustomerEraseInput:
    id: strawberry.ID = strawberry.field(description="The customer, by your own id.")


@strawberry.type(
    description="In how many rows the customer's id stood; a keyed hash stands there now. All are 0 where nothing was "
    "known of them.",
    directives=PEOPLE,
)
class CustomerErasePayload:
    erased: bool = strawberry.field(description="Whether there was anything to erase.")
    issuances: int = strawberry.field(description="Codes given to them.")
    redemptions: int = strawberry.field(description="Uses by them.")
    holds: int = strawberry.field(description="Uses set aside for them, ended ones too.")
    audiences: int = strawberry.field(description="Static audiences that they were in, and are in no more.")
    user_errors: list[UserError] = strawberry.field(description="What was wrong; then nothing was changed.")


@strawberry.type
class CustomerQueries:
    @strawberry.field(description="A customer, by your own id; none where nobody told of them.", directives=PEOPLE)
    async def customer(
        self, info: Asked, id: Annotated[strawberry.ID, strawberry.argument(description="Your own id of them.")]
    ) -> Customer | None:
        found = await info.context.services.people.get(id)
        return None if found is None else customer_node(found)

    @strawberry.field(
        description="The attributes that customers have, by name: what conditions may ask about.", directives=SEGMENTS
    )
    async def attributes(self, info: Asked) -> list[Attribute]:
        found = await info.context.services.people.attributes()
        return [Attribute(name=attribute.name, type=attribute.type) for attribute in found]


@strawberry.type
class CustomerMutations:
    @strawberry.mutation(
        description="Tell of customers: make those that are new, change those that are there.", directives=PEOPLE
    )
    async def customers_upsert(self, info: Asked, input: Given[CustomersUpsertInput]) -> CustomersUpsertPayload:
        act = info.context.services.people.upsert(input.told, key=input.idempotency_key)
        answer, errors = await answered(act)
        if answer is None:
            return CustomersUpsertPayload(created=0, updated=0, replayed=False, user_errors=errors)
        return CustomersUpsertPayload(
            created=answer.created,
            updated=answer.updated,
            replayed=answer.replayed,
            user_errors=[_error_at(place, problem) for place, problem in answer.problems],
        )

    @strawberry.mutation(
        description="Erase a customer for good: what described them goes, and their id becomes a keyed hash wherever "
        "it stands, so that counts stay right and limits hold should they come back. Doing it again is fine.",
        directives=PEOPLE,
    )
    async def customer_erase(self, info: Asked, input: Given[CustomerEraseInput]) -> CustomerErasePayload:
        found, errors = await answered(info.context.services.erasing.erase(input.id))
        rows = found or Erased()
        return CustomerErasePayload(
            erased=bool(rows),
            issuances=rows.issuances,
            redemptions=rows.redemptions,
            holds=rows.holds,
            audiences=rows.audiences,
            user_errors=errors,
        )


def _error_at(place: int, problem: BadInput) -> UserError:
    # The rules know consent by its channels; in the input it is a list.
    path = problem.field[:1] if problem.field[:1] == ("consent",) else problem.field
    return user_error(BadInput(problem.problem, str(problem), field=path), "customers", str(place))


def customer_node(customer: customers.Customer) -> Customer:
    return Customer(
        id=global_id("Customer", *numbers_of_name(customer.id)),
        own_id=customer.id,
        email=customer.email,
        phone=customer.phone,
        locale=customer.locale,
        consent=[Consent(channel=channel, given=given) for channel, given in sorted(customer.consent.items())],
        attributes=[
            CustomerAttribute(name=name, value=shown_value(value))
            for name, value in sorted(customer.attributes.items())
        ],
        created_at=customer.created_at,
        updated_at=customer.updated_at,
    )
