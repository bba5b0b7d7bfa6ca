"""From an order that a shop tells of to an e-mail with a code: one plugin's event, another plugin's message."""

import json
from datetime import datetime
from typing import Any

import pytest
from standardwebhooks import Webhook

from promograph import ProviderEvent, ProviderRequest, Secret
from promograph.domain.promotions import IssuePolicy
from promograph.domain.sending.sends import SendTerms
from promograph_ecommerce import EcommerceChannel, EcommerceSettings

from .sendings import TEXT, Post
from .world import World

pytestmark = pytest.mark.anyio

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def told(channel: EcommerceChannel, now: datetime, **order: Any) -> list[ProviderEvent]:
    """What an order's event means, as its shop signs it."""
    data = {"order": "A-1", "state": "paid", "placedAt": now.isoformat(), "customer": "c00001", **order}
    body = json.dumps({"type": "order", "timestamp": now.isoformat(), "data": data})
    signature = Webhook(SECRET).sign("msg_1", now, body)
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signature,
        "content-type": "application/json",
    }
    url = "https://promograph.test/channels/ecommerce/events"
    request = ProviderRequest(url=url, headers=tuple(headers.items()), body=body.encode(), received_at=now)
    return channel.receive(request)


async def test_an_order_is_thanked_for_once_with_a_code(world: World, caplog: pytest.LogCaptureFixture) -> None:
    post = Post(world)
    await world.promotion(handle="spring", codes=10, issue_policy=IssuePolicy.PER_MESSAGE)
    await post.people(1)
    terms = SendTerms(key="thanks", name="Thanks", channel="email", content=TEXT, promotion="spring")
    await world.services.sends.start((await world.services.sends.create(terms)).id)
    channel = EcommerceChannel(EcommerceSettings(webhook_secret=Secret(SECRET), thanks="thanks"))
    desk, now = world.services.desk("ecommerce"), world.services.clock()
    for order in (
        {},
        {},
        {"state": "placed"},
        {"order": "A-2"},
        {"order": "A-3", "state": "cancelled"},
        {"order": "A-4", "placedAt": "2020-01-01T00:00:00Z"},
        {"order": "A-5", "customer": "nobody"},
    ):
        await channel.handle(told(channel, now, **order), desk)
    await world.services.dispatcher.work()
    assert len(post.provider.taken) == 2
    assert len(post.codes["c00001@example.com"]) == 2
    assert [record.getMessage().partition(": ")[2] for record in caplog.records if "thanks" in record.getMessage()] == [
        "Nobody told of this customer; tell of them first."
    ]


async def test_a_send_that_is_not_there_is_logged_and_holds_nothing_up(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    channel = EcommerceChannel(EcommerceSettings(webhook_secret=Secret(SECRET), thanks="thanks"))
    await channel.handle(told(channel, world.services.clock()), world.services.desk("ecommerce"))
    assert "There is no send with the key 'thanks'." in caplog.text
