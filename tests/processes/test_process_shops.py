"""A server hears every make of shops: bodies as they are published, signed by code that is not ours."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from plugins.ecommerce.tests import shop_calls as calls

from promograph import ProviderRequest

from .asking import Client, tell
from .conftest import NewServer
from .servers import Server, poll, running
from .stores import differences, new_token, sql

SETTINGS = {
    "PROMOGRAPH_ECOMMERCE__SHOPIFY_SECRET": calls.SHOPIFY,
    "PROMOGRAPH_ECOMMERCE__WOOCOMMERCE_SECRET": calls.WOOCOMMERCE,
    "PROMOGRAPH_ECOMMERCE__WEBHOOK_SECRET": calls.WEBHOOK,
}
SIGNATURES = {"x-shopify-hmac-sha256", "x-wc-webhook-signature", "webhook-signature"}
WRITTEN = "SELECT (SELECT count(*) FROM inbound_event) + (SELECT count(*) FROM shop_order) + count(*) FROM redemption"
# By shop: what became of the code, what it took off, what of that came back.
STANDS = (
    "SELECT o.shop, c.state, d.discount_minor, (SELECT sum(b.minor) FROM rollback b "
    "WHERE b.promotion_id = d.promotion_id AND b.number = d.number) FROM shop_order o "
    "JOIN order_code c ON c.order_id = o.id LEFT JOIN redemption d "
    "ON d.promotion_id = c.promotion_id AND d.number = c.redemption ORDER BY o.shop"
)


def sold() -> list[ProviderRequest]:
    now = datetime.now(UTC)
    return [
        calls.any_shop(calls.own_order(), sent_at=now),
        calls.shopify(calls.shopify_order(), "orders/create"),
        calls.woocommerce(calls.woocommerce_order(), "order.created"),
    ]


def refunded() -> list[ProviderRequest]:
    """30.00 of 100.00, one of two articles, 10.00 of 29.35."""
    own = calls.own_order(refunds=[{"id": "r1", "amount": "30.00"}])
    woo = calls.woocommerce_order(
        refunds=[{"id": 728, "reason": "wrong size", "total": "-10.00"}],
        date_modified_gmt="2027-03-02T11:58:03",
    )
    return [
        calls.any_shop(own, "msg_2", sent_at=datetime.now(UTC)),
        calls.shopify(calls.shopify_refund(), "refunds/create"),
        calls.woocommerce(woo, "order.updated"),
    ]


def cancelled() -> list[ProviderRequest]:
    over = "2027-03-03T11:58:03"
    shopify = calls.shopify_order(
        cancelled_at=f"{over}Z",
        cancel_reason="customer",
        financial_status="refunded",
        refunds=[calls.shopify_refund()],
        updated_at=f"{over}Z",
    )
    return [
        calls.any_shop(calls.own_order(state="cancelled"), "msg_3", sent_at=datetime.now(UTC)),
        calls.shopify(shopify, "orders/cancelled"),
        calls.woocommerce(calls.woocommerce_order(status="cancelled", date_modified_gmt=over), "order.updated"),
    ]


def spoilt(request: ProviderRequest) -> list[ProviderRequest]:
    """The same with one bit of the body or of the signature another one."""
    places = (0, len(request.body) // 2, len(request.body) - 1)
    bodies = [request.body[:n] + bytes([request.body[n] ^ 1]) + request.body[n + 1 :] for n in places]
    forged = [
        (name, text[:-5] + ("A" if text[-5] != "A" else "B") + text[-4:] if name.lower() in SIGNATURES else text)
        for name, text in request.headers
    ]
    assert forged != list(request.headers)
    return [*(replace(request, body=body) for body in bodies), replace(request, headers=tuple(forged))]


def test_what_shops_publish_is_taken_as_signed_and_with_a_bit_flipped_nothing_is_written(
    new_store: Callable[[str], str], new_server: NewServer
) -> None:
    store = new_store("sqlite")
    token, server = new_token(store), new_server(store, settings=SETTINGS)
    with running([server]):
        asyncio.run(_prepare(server, token))
        for request in (*sold(), *refunded(), *cancelled()):
            assert [_told(server, each) for each in spoilt(request)] == [401] * 4
        assert sql(store, WRITTEN) == [(0,)]
        stages = [
            (sold(), [("REDEEMED", 1000, None), ("REDEEMED", 300, None), ("REDEEMED", 330, None)]),
            (refunded(), [("REDEEMED", 1000, 300), ("REDEEMED", 300, 120), ("REDEEMED", 330, 112)]),
            (cancelled(), [("ROLLED_BACK", 1000, 1000), ("ROLLED_BACK", 300, 300), ("ROLLED_BACK", 330, 330)]),
        ]
        for requests, wanted in stages:
            assert [_told(server, each) for each in (*requests, *requests)] == [200] * 6
            stands = [(shop, *one) for shop, one in zip(("shop", "shopify", "woocommerce"), wanted, strict=True)]
            poll(lambda stands=stands: sql(store, STANDS) == stands, f"{stands} is not reached")
        assert sql(store, "SELECT count(*) FROM inbound_event") == [(9,)], "each delivery once"
    assert differences(store) == []


async def _prepare(server: Server, token: str) -> None:
    async with Client(server.base, token) as client:
        await client.promotion("orders", ["ONE"], codeKind="MULTIPLE", usesPerCode=3)


def _told(server: Server, request: ProviderRequest) -> int:
    return tell(server, request.body, dict(request.headers))
