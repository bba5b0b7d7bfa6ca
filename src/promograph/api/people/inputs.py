"""What `customersUpsert` takes, ten thousand customers at a time."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

import strawberry
from strawberry.types.base import StrawberryObjectDefinition

from promograph.api.scalars import Attributes
from promograph.domain.people.reading import MOST_CUSTOMERS


@strawberry.input(description="Whether a customer agreed to be written to in a channel.")
class ConsentInput:
    channel: str = strawberry.field(description="The channel, such as `email` or `sms`.")
    given: bool | None = strawberry.field(default=None, description="Whether they agreed; null: nobody asked them.")


@strawberry.input(
    description="A customer as you know them. What is left out stays as it is, for a new one it is nothing; null takes "
    "it away. Attributes and channels that are not named stay too."
)
class CustomerInput:
    id: strawberry.ID = strawberry.field(description="The customer, by your own id: at most 128 characters.")
    email: str | None = strawberry.field(default=strawberry.UNSET, description="The address of their e-mail.")
    phone: str | None = strawberry.field(
        default=strawberry.UNSET, description="The number of their phone in its international form: `+1 514 555 0100`."
    )
    locale: str | None = strawberry.field(
        default=strawberry.UNSET, description="Their language and country: a language tag such as `fr-CA`."
    )
    consent: list[ConsentInput] | None = strawberry.field(
        default=strawberry.UNSET, description="Where they agreed to be written to, by channel."
    )
    attributes: Attributes | None = strawberry.field(
        default=strawberry.UNSET, description="What else is known of them, at most 50 attributes in a call."
    )


@strawberry.input(description="Customers to make or change.")
class CustomersUpsertInput:
    customers: list[CustomerInput] = strawberry.field(
        description=f"The customers, at most {MOST_CUSTOMERS:,}. One who comes twice is changed twice, in order."
    )
    idempotency_key: str | None = strawberry.field(
        default=None,
        description="Repeat the call with the same key and you get the first answer: at most 128 characters.",
    )

    @property
    def told(self) -> list[dict[str, Any]]:
        """The customers as `people.upsert` reads them."""
        return cast(list[dict[str, Any]], self.customers)


def _as_sent(kind: type, value: Mapping[str, Any], _context: object) -> CustomersUpsertInput:
    """The customers as the objects that GraphQL has checked already.

    An instance of each of the types above for each customer takes ten times as long as all that is done with them.
    """
    customers = value["customers"]
    for customer in customers:
        consent = customer.get("consent")
        if consent is not None:
            customer["consent"] = {one["channel"]: one.get("given") for one in consent}
    return CustomersUpsertInput(customers=customers, idempotency_key=value.get("idempotencyKey"))


def _build(kind: type, build: Any) -> None:
    definition: StrawberryObjectDefinition = kind.__strawberry_definition__  # type: ignore[attr-defined]
    kind.__strawberry_definition__ = replace(definition, from_input=build)  # type: ignore[attr-defined]


_build(CustomersUpsertInput, _as_sent)
