"""A server and shops: it hears bodies as they are published, signed by code that is not ours; and it reads a shop's
orders, through a kill.
"""

import asyncio
import csv
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from plugins.ecommerce.tests import shop_calls as calls
from plugins.ecommerce.tests.standin import StandIn, open_shops

from promograph import ProviderRequest
from promograph_ecommerce import EcommerceSettings
from promograph_ecommerce.shopify_orders import ShopifyOrders

from .asking import Client, tell
from .commands import PATIENCE_SECONDS
from .conftest import NewServer
from .servers import Server, poll, running
from .stores import differences, new_token, sql, using

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
        asyncio.run(_prepare(server, token, ["ONE"]))
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


async def _prepare(server: Server, token: str, codes: Sequence[str]) -> None:
    async with Client(server.base, token) as client:
        await client.promotion("orders", codes, codeKind="MULTIPLE", usesPerCode=3)


def _told(server: Server, request: ProviderRequest) -> int:
    return tell(server, request.body, dict(request.headers))


ORDERS = 450
MENDED = {"NOT_REDEEMED_HERE", "CANCELLED_THERE"}


def test_mending_what_a_shop_says_differently_survives_a_kill(
    new_store: Callable[[str], str], new_server: NewServer
) -> None:
    """Of 450 orders the shop never told of each seventh; of the others each fifth was cancelled there since."""
    store = new_store("postgresql")
    token = new_token(store)
    with open_shops() as shops:
        settings = {"PROMOGRAPH_SHOPIFY__URL": shops.url, "PROMOGRAPH_SHOPIFY__TOKEN": "shpat_right"}
        server = new_server(store, settings=SETTINGS | settings)
        with running([server]):
            asyncio.run(_prepare(server, token, [f"SOLD-{n}" for n in range(1, ORDERS + 1)]))
            _sell(shops, store)
            shops.shopify.waits_at = 200
            job = asyncio.run(_begun(server, token))
            poll(lambda: sql(store, "SELECT id FROM job WHERE done = 200") != [], "it does not get to the third page")
            server.kill()
            shops.shopify.go_on.set()
            server.start()
            poll(lambda: sql(store, "SELECT id FROM job WHERE finished_at IS NULL") == [], "nobody goes on with it")
            shown = asyncio.run(_shown(server, token, job))
    wanted = {str(n): _difference(n) for n in range(1, ORDERS + 1) if _difference(n)}
    assert (shown["status"], shown["done"], shown["failed"]) == ("DONE", ORDERS, 0), shown
    head, *lines = shown["file"]
    assert {line[1]: line[0] for line in lines} == wanted
    assert len(lines) == len(wanted)
    assert {line[head.index("mended")] for line in lines} == {"yes"}
    redeemed = sum(_difference(n) != "CANCELLED_THERE" for n in range(1, ORDERS + 1))
    assert sql(store, "SELECT sum(redemptions) FROM stock") == [(redeemed,)]
    assert differences(store) == []


def _difference(number: int) -> str | None:
    if number % 7 == 0:
        return "NOT_REDEEMED_HERE"
    return "CANCELLED_THERE" if number % 5 == 0 else None


def _sell(shops: StandIn, store: str) -> None:
    """What the shop sold and told of; and what it cancelled since, of which it told nothing."""
    for number in range(1, ORDERS + 1):
        shops.sell(number, f"SOLD-{number}")
    source, now = ShopifyOrders(EcommerceSettings()), datetime.now(UTC)
    told = [order for order in shops.shopify.orders if _difference(order["id"]) != "NOT_REDEEMED_HERE"]
    news = [one for order in told if (one := source.listed(order, now)) is not None]
    using(store, lambda services: services.orders.report("ecommerce", news))
    for order in shops.shopify.orders:
        if _difference(order["id"]) == "CANCELLED_THERE":
            order["cancelled_at"] = order["updated_at"]


async def _begun(server: Server, token: str) -> str:
    async with Client(server.base, token) as client:
        given = {"shop": "shopify", "since": "2026-01-01T00:00:00Z", "mend": True}
        payload = await client.mutate("shopReconcile", "job { id } userErrors { message }", **given)
        return str(payload["job"]["id"])


async def _shown(server: Server, token: str, id_: str) -> dict[str, Any]:
    """A job that is over, with the lines of its file."""
    document = "query($id: ID!) { node(id: $id) { ... on Job { status done failed error download { url } } } }"
    async with Client(server.base, token) as client:
        job = (await client.ask(document, {"id": id_})).body["data"]["node"]
    address = urlsplit(server.base)
    connection = HTTPConnection(str(address.hostname), address.port, timeout=PATIENCE_SECONDS)
    connection.request("GET", job["download"]["url"])
    text = connection.getresponse().read().decode("utf-8-sig")
    connection.close()
    return {**job, "file": list(csv.reader(text.splitlines()))}
