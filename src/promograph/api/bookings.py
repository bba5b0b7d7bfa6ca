"""Bookings: codes of a pool set aside for one send."""

from datetime import datetime
from typing import Annotated, Any

import strawberry

from promograph.api.answering import KEY, Given, answered
from promograph.api.context import Asked
from promograph.api.nodes import Node, global_id, read_number
from promograph.api.rights import PLANS
from promograph.api.user_errors import UserError
from promograph.domain.sending import bookings
from promograph.services.bookings import NewBooking


@strawberry.type(description="Codes of a promotion's pool that are set aside for one send.", directives=PLANS)
class Booking(Node):
    promotion: str = strawberry.field(description="The promotion's handle.")
    send: str = strawberry.field(description="The send's key: what is issued with it takes from the booking first.")
    codes: int = strawberry.field(description="How many were set aside.")
    remaining: int = strawberry.field(
        description="How many of them the send has not taken; once released, how many went back."
    )
    created_at: datetime = strawberry.field(description="When they were set aside.")
    released_at: datetime | None = strawberry.field(description="When what remained went back; none: it has not.")


@strawberry.input(description="Codes to set aside for a send.")
class BookingCreateInput:
    promotion: str = strawberry.field(description="The promotion's handle.")
    send: str = strawberry.field(description="The send's key, at most 128 characters: of your own choice.")
    codes: int = strawberry.field(description="How many; they must be free, all of them.")
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="Which booking to release.")
class BookingReleaseInput:
    id: strawberry.ID = strawberry.field(description="The booking.")


@strawberry.type(description="The new booking.", directives=PLANS)
class BookingCreatePayload:
    booking: Booking | None = strawberry.field(description="The booking; none when something was wrong.")
    user_errors: list[UserError] = strawberry.field(description="What was wrong; then nothing was changed.")


@strawberry.type(description="The booking as released.", directives=PLANS)
class BookingReleasePayload:
    booking: Booking | None = strawberry.field(description="The booking; none when something was wrong.")
    user_errors: list[UserError] = strawberry.field(description="What was wrong; then nothing was changed.")


@strawberry.type
class BookingQueries:
    @strawberry.field(
        description=f"The bookings of a promotion that were not released, by send; at most {bookings.MOST_OPEN:,}.",
        directives=PLANS,
    )
    async def bookings(
        self, info: Asked, promotion: Annotated[str, strawberry.argument(description="The promotion's handle.")]
    ) -> list[Booking]:
        return [booking_node(one) for one in await info.context.services.bookings.every_open(promotion)]


@strawberry.type
class BookingMutations:
    @strawberry.mutation(
        description="Set codes of a promotion's pool aside for one send. Others are not issued them; what is issued "
        "with the send's key takes from them first.",
        directives=PLANS,
    )
    async def booking_create(self, info: Asked, input: Given[BookingCreateInput]) -> BookingCreatePayload:
        new = NewBooking(promotion=input.promotion, send=input.send, codes=input.codes)
        act = info.context.services.bookings.create(new, key=input.idempotency_key)
        return BookingCreatePayload(**_shown(*await answered(act)))

    @strawberry.mutation(description="Give back what remains of a booking; doing it again is fine.", directives=PLANS)
    async def booking_release(self, info: Asked, input: Given[BookingReleaseInput]) -> BookingReleasePayload:
        return BookingReleasePayload(**_shown(*await answered(_release(info, input))))


async def _release(info: Asked, input: BookingReleaseInput) -> bookings.Booking:
    return await info.context.services.bookings.release(read_number(input.id, "Booking"))


def booking_node(booking: bookings.Booking) -> Booking:
    return Booking(
        id=global_id("Booking", booking.id),
        promotion=booking.handle,
        send=booking.send,
        codes=booking.codes,
        remaining=booking.remaining,
        created_at=booking.created_at,
        released_at=booking.released_at,
    )


def _shown(booking: bookings.Booking | None, errors: list[UserError]) -> dict[str, Any]:
    """The fields of a payload."""
    return {"booking": None if booking is None else booking_node(booking), "user_errors": errors}
