"""A message to whoever ordered, by a channel that carries messages: thanks, with a code for the next time."""

import logging
from collections.abc import Sequence
from datetime import timedelta

from promograph import Desk, MessageTrigger, OrderNews, OrderState

logger = logging.getLogger("promograph_ecommerce")

_FRESH = timedelta(days=7)
"""Shops tell of old orders too, when somebody touches them or when they are connected."""


async def thank(send: str, news: Sequence[OrderNews], desk: Desk) -> None:
    """One message an order, however often the shop tells of it; an order that nobody can be thanked for is logged."""
    triggers = [trigger for one in news if (trigger := _trigger(send, one)) is not None]
    if not triggers:
        return
    for trigger, outcome in zip(triggers, await desk.trigger_messages(triggers), strict=True):
        if outcome.key is None:
            logger.warning("no thanks for the order %s: %s", trigger.message, outcome.why)


def _trigger(send: str, news: OrderNews) -> MessageTrigger | None:
    standing = news.standing
    if standing is None or standing.state is not OrderState.SOLD or standing.customer is None:
        return None
    if standing.sold_at is not None and news.said_at - standing.sold_at > _FRESH:
        return None
    return MessageTrigger(send=send, customer=standing.customer, message=f"{news.shop}.{news.order}")
