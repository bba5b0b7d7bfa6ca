"""From a global id to the object, as far as the caller may know that it is there."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from promograph.api.bookings import booking_node
from promograph.api.code import batch_node, code_node
from promograph.api.context import Asked
from promograph.api.events import event_node
from promograph.api.issuance import issuance_node
from promograph.api.jobs import job_node, visible_job
from promograph.api.nodes import Node, name_of_numbers
from promograph.api.people.audiences import audience_node
from promograph.api.people.customers import customer_node
from promograph.api.people.segments import segment_node
from promograph.api.promotions.promotion import promotion_node
from promograph.api.redemption import redemption_node
from promograph.api.sends.send import send_node
from promograph.api.shop_orders import shop_order_node
from promograph.api.token import token_node
from promograph.api.webhooks.deliveries import delivery_node
from promograph.api.webhooks.endpoints import webhook_node
from promograph.domain.access import Scope


async def _promotion(info: Asked, id_: int) -> Node | None:
    facts = await info.context.promotion(id_)
    return None if facts is None else promotion_node(facts, info.context.now)


async def _code(info: Asked, promotion_id: int, seq: int) -> Node | None:
    found = await info.context.services.lookup.code_at(promotion_id, seq)
    return None if found is None else code_node(found, info.context.now)


async def _batch(info: Asked, id_: int) -> Node | None:
    row = await info.context.services.lookup.batch(id_)
    return None if row is None else batch_node(row)


async def _issuance(info: Asked, promotion_id: int, number: int) -> Node | None:
    found = await info.context.services.lookup.issuance(promotion_id, number)
    return None if found is None else issuance_node(found)


async def _redemption(info: Asked, promotion_id: int, number: int) -> Node | None:
    found = await info.context.services.lookup.redemption(promotion_id, number)
    return None if found is None else redemption_node(found)


async def _token(info: Asked, id_: int) -> Node | None:
    tokens = await info.context.services.access.every()
    return next((token_node(token) for token in tokens if token.id == id_), None)


async def _event(info: Asked, id_: int) -> Node | None:
    found = await info.context.services.happenings.get(id_)
    return None if found is None else event_node(found)


async def _webhook(info: Asked, id_: int) -> Node | None:
    found = await info.context.webhook(id_)
    return None if found is None else webhook_node(found, info.context.now)


async def _webhook_delivery(info: Asked, id_: int) -> Node | None:
    found = await info.context.services.webhook_deliveries.get(id_)
    return None if found is None else delivery_node(found)


async def _shop_order(info: Asked, id_: int) -> Node | None:
    found = await info.context.services.orders.get(id_)
    return None if found is None else shop_order_node(found)


async def _segment(info: Asked, id_: int) -> Node | None:
    found = await info.context.services.segmenting.get(id_=id_)
    return None if found is None else segment_node(found)


async def _audience(info: Asked, id_: int) -> Node | None:
    found = await info.context.services.audiences.get(id_)
    return None if found is None else audience_node(found)


async def _booking(info: Asked, id_: int) -> Node | None:
    found = await info.context.services.bookings.get(id_)
    return None if found is None else booking_node(found)


async def _send(info: Asked, id_: int) -> Node | None:
    found = await info.context.services.sends.get(id_)
    return None if found is None else send_node(found)


async def _job(info: Asked, id_: int) -> Node | None:
    found = await visible_job(info, id_)
    return None if found is None else job_node(found)


async def _customer(info: Asked, *numbers: int) -> Node | None:
    own_id = name_of_numbers(numbers)
    found = None if own_id is None else await info.context.services.people.get(own_id)
    return None if found is None else customer_node(found)


@dataclass(frozen=True, slots=True)
class _Kind:
    """`scopes`: one of them is needed, as the type says of itself in the schema. `numbers`: how many; None: any."""

    find: Callable[..., Awaitable[Node | None]]
    numbers: int | None
    scopes: tuple[Scope, ...]


_KINDS = {
    "Promotion": _Kind(_promotion, 1, (Scope.INVENTORY_READ, Scope.PROMOTIONS_WRITE)),
    "Code": _Kind(_code, 2, (Scope.PROMOTIONS_WRITE,)),
    "Batch": _Kind(_batch, 1, (Scope.PROMOTIONS_WRITE,)),
    "Issuance": _Kind(_issuance, 2, (Scope.CODES_ISSUE, Scope.PROMOTIONS_WRITE)),
    "Redemption": _Kind(_redemption, 2, (Scope.CODES_REDEEM, Scope.PROMOTIONS_WRITE)),
    "Token": _Kind(_token, 1, ()),
    "Event": _Kind(_event, 1, ()),
    "Webhook": _Kind(_webhook, 1, ()),
    "WebhookDelivery": _Kind(_webhook_delivery, 1, ()),
    "ShopOrder": _Kind(_shop_order, 1, (Scope.PROMOTIONS_WRITE,)),
    "Segment": _Kind(_segment, 1, (Scope.CUSTOMERS_WRITE, Scope.PROMOTIONS_WRITE, Scope.SENDS_WRITE)),
    "Audience": _Kind(_audience, 1, (Scope.CUSTOMERS_WRITE, Scope.PROMOTIONS_WRITE, Scope.SENDS_WRITE)),
    "Booking": _Kind(_booking, 1, (Scope.PROMOTIONS_WRITE, Scope.SENDS_WRITE)),
    "Send": _Kind(_send, 1, (Scope.SENDS_WRITE,)),
    "Job": _Kind(_job, 1, (Scope.CUSTOMERS_WRITE, Scope.PROMOTIONS_WRITE)),
    "Customer": _Kind(_customer, None, (Scope.CUSTOMERS_WRITE,)),
}


async def found_node(info: Asked, id_kind: str, numbers: tuple[int, ...]) -> Node | None:
    """The object with the kind and the numbers of a global id."""
    kind = _KINDS.get(id_kind)
    if kind is None or kind.numbers not in (None, len(numbers)) or not info.context.caller.may(*kind.scopes):
        return None
    return await kind.find(info, *numbers)
