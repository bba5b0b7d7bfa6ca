"""Bookings over the API."""

import pytest

from .asking import CHECKOUT, ISSUER, MARKETER, SENDER, Api

pytestmark = pytest.mark.anyio

BOOKING = "booking { id promotion send codes remaining createdAt releasedAt }"


async def test_a_booking_from_its_making_to_its_release(api: Api) -> None:
    promotion = await api.promotion(codes=5, onEmpty="REFUSE")
    handle = promotion["handle"]
    made = (await api.done("bookingCreate", fields=BOOKING, token=SENDER, promotion=handle, send="autumn", codes=3))[
        "booking"
    ]
    assert (made["promotion"], made["send"], made["codes"], made["remaining"]) == (handle, "autumn", 3, 3)
    await api.issue(promotion, "somebody", send="autumn", token=ISSUER)
    asked = await api.ask(
        "query ($handle: String!, $id: ID!) { promotion(handle: $handle) "
        "{ inventory { total available booked issued } } "
        "bookings(promotion: $handle) { id remaining } node(id: $id) { ... on Booking { send } } }",
        {"handle": handle, "id": made["id"]},
        token=MARKETER,
    )
    assert asked["promotion"]["inventory"] == {"total": 5, "available": 2, "booked": 2, "issued": 1}
    assert asked["bookings"] == [{"id": made["id"], "remaining": 2}]
    assert asked["node"] == {"send": "autumn"}
    released = (await api.done("bookingRelease", fields=BOOKING, token=SENDER, id=made["id"]))["booking"]
    assert (released["remaining"], released["releasedAt"] is None) == (2, False)
    payload = await api.do("bookingCreate", fields=BOOKING, token=SENDER, promotion=handle, send="b", codes=9)
    assert payload["userErrors"][0]["field"] == ["input", "codes"]
    assert await api.errors('{ bookings(promotion: "x") { id } }', token=CHECKOUT)
