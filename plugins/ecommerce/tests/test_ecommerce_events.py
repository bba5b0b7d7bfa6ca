"""What shops say, in their words and in ours."""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from promograph import BadSignature, OrderNews, OrderState, ProviderRequest, Secret
from promograph.testing.fake_desk import FakeDesk
from promograph_ecommerce import EcommerceChannel
from promograph_ecommerce.any_shop import OrderEvent

from .shop_calls import (
    NOW,
    SHOPIFY,
    WEBHOOK,
    any_shop,
    own_order,
    request,
    settings,
    shopify,
    shopify_order,
    shopify_refund,
    woocommerce,
    woocommerce_order,
)

pytestmark = pytest.mark.anyio

DOCS = Path(__file__).parent.parent.parent.parent / "docs"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Notes(FakeDesk):
    """Keeps the news as they come."""

    def __init__(self) -> None:
        super().__init__()
        self.news: list[OrderNews] = []

    async def report_orders(self, news: Any) -> Any:
        self.news += news
        return [None for _ in news]


async def said(told: ProviderRequest, **more: Any) -> OrderNews:
    """The one thing that is said."""
    channel, desk = EcommerceChannel(settings(**more)), Notes()
    await channel.handle(channel.receive(told), desk)
    (news,) = desk.news
    return news


async def test_shopify_tells_what_each_code_took_off_each_line() -> None:
    news = await said(shopify(shopify_order()))
    assert (news.shop, news.order, news.said_at.isoformat()) == (
        "shopify",
        "820982911946154508",
        "2027-03-01T06:58:16-05:00",
    )
    order = news.standing
    assert order is not None
    assert (order.name, order.customer, order.total, order.shipping) == ("#1071", "115310627314723954", 3200, 500)
    assert [(line.sku, line.quantity, line.amount, dict(line.discounts)) for line in order.lines] == [
        ("SKU-1", 2, 2400, {"one": 240}),
        ("SKU-2", 1, 600, {"one": 60}),
        (None, 1, 0, {}),
    ]
    (refund,) = (await said(shopify(shopify_refund(), "refunds/create"))).refunds
    assert (refund.id, refund.amount, refund.lines) == ("890088186047892319", 1080, {"1": 1})
    (same,) = (await said(shopify(shopify_order(refunds=[shopify_refund()])))).refunds
    assert same == refund


async def test_woocommerce_tells_of_coupons_with_their_tax_and_of_refunds() -> None:
    news = await said(woocommerce(woocommerce_order(refunds=[{"id": 9, "reason": "", "total": "-10.00"}])))
    order = news.standing
    assert order is not None
    assert (news.shop, news.order, news.said_at.isoformat()) == ("woocommerce", "727", "2027-03-01T11:58:03+00:00")
    assert [(code.code, code.discount) for code in order.codes] == [("one", 330)]
    assert [(line.sku, line.quantity, line.amount) for line in order.lines] == [("93", 2, 645)]
    assert [(refund.id, refund.amount) for refund in news.refunds] == [("9", 1000)]


SHOPIFY_STATES = [
    ({"financial_status": "pending"}, "SOLD", "WAITING"),
    ({"financial_status": "authorized"}, "SOLD", "WAITING"),
    ({"financial_status": "paid"}, "SOLD", "SOLD"),
    ({"financial_status": "partially_refunded"}, "SOLD", "SOLD"),
    ({"financial_status": "refunded"}, "CANCELLED", "CANCELLED"),
    ({"cancelled_at": "2027-03-01T12:00:00Z"}, "CANCELLED", "CANCELLED"),
]
WOO_STATES = [
    ({"status": "pending", "date_paid_gmt": None}, "SOLD", "WAITING"),
    ({"status": "on-hold", "date_paid_gmt": None}, "SOLD", "WAITING"),
    ({"status": "my-own", "date_paid_gmt": None}, "SOLD", "WAITING"),
    ({"status": "my-own"}, "SOLD", "SOLD"),
    ({"status": "completed"}, "SOLD", "SOLD"),
    *(({"status": gone}, "CANCELLED", "CANCELLED") for gone in ("cancelled", "refunded", "failed", "trash")),
]


@pytest.mark.parametrize(
    ("told", "created", "paid"),
    [
        *((shopify(shopify_order(**more)), *states) for more, *states in SHOPIFY_STATES),
        *((woocommerce(woocommerce_order(**more)), *states) for more, *states in WOO_STATES),
        (any_shop(own_order(state="placed")), "SOLD", "WAITING"),
        (any_shop(own_order(state="cancelled")), "CANCELLED", "CANCELLED"),
    ],
)
async def test_from_when_on_codes_count_is_a_setting(told: ProviderRequest, created: str, paid: str) -> None:
    for when, wanted in (("created", created), ("paid", paid)):
        standing = (await said(told, redeem_when=when)).standing
        assert standing is not None and standing.state == wanted


async def test_what_is_deleted_is_cancelled_and_what_comes_back_is_not() -> None:
    gone = await said(woocommerce({"id": 727}, "order.deleted"))
    assert (gone.order, gone.said_at, gone.standing and gone.standing.state) == ("727", NOW, OrderState.CANCELLED)
    back = await said(woocommerce(woocommerce_order(), "order.restored"))
    assert back.standing is not None and back.standing.state is OrderState.SOLD


@pytest.mark.parametrize(
    ("who", "ids"),
    [
        ("id", ["115310627314723954", "12"]),
        ("email", ["jon@example.com", "john.doe@example.com"]),
        ("none", [None, None]),
    ],
)
async def test_who_the_customer_is_is_a_setting(who: str, ids: list[str | None]) -> None:
    calls = (shopify(shopify_order()), woocommerce(woocommerce_order()))
    found = [(await said(told, customer=who)).standing for told in calls]
    assert [order and order.customer for order in found] == ids
    guests = (
        shopify(shopify_order(customer=None, email="")),
        woocommerce(woocommerce_order(customer_id=0, billing={})),
    )
    assert all(
        order and order.customer is None for order in [(await said(told, customer=who)).standing for told in guests]
    )


@pytest.mark.parametrize("told", [shopify(shopify_order()), woocommerce(woocommerce_order())])
async def test_of_people_nothing_is_kept_but_who_they_are(told: ProviderRequest) -> None:
    (event,) = EcommerceChannel(settings()).receive(told)
    kept = json.dumps(event.raw)
    assert not re.search(r"Jon|Snow|Doe|@|\+1613|555|Billing", kept), kept


@pytest.mark.parametrize(
    "told",
    [
        shopify({"id": 1, "title": "A product", "variants": []}, "products/update"),
        shopify({"id": 1, "order_id": 2, "status": "success", "line_items": []}, "fulfillments/create"),
        shopify({"id": 1, "token": "t", "discount_codes": [], "line_items": []}, "checkouts/create"),
        woocommerce({"id": 1, "name": "A product"}, "product.updated"),
        request(b"webhook_id=3", {"Content-Type": "application/x-www-form-urlencoded"}),
    ],
)
async def test_what_is_no_order_is_heard_and_left(told: ProviderRequest) -> None:
    assert EcommerceChannel(settings()).receive(told) == []


async def test_test_orders_count_where_that_is_wanted() -> None:
    told, desk = shopify(shopify_order(test=True)), Notes()
    channel = EcommerceChannel(settings())
    await channel.handle(channel.receive(told), desk)
    assert not desk.news
    assert (await said(told, test_orders=True)).standing is not None


@pytest.mark.parametrize(
    "told",
    [
        shopify({"discount_codes": [], "financial_status": "paid"}),
        shopify([]),  # type: ignore[arg-type]
        woocommerce({"order": {"id": 1}}),
        any_shop({"state": "paid"}),
        any_shop(own_order(total="-1")),
        any_shop(own_order(shop="shopify")),
        any_shop(own_order(surprise=1)),
    ],
)
async def test_a_signed_body_that_makes_no_sense_is_said_to(told: ProviderRequest) -> None:
    with pytest.raises(ValueError):
        EcommerceChannel(settings()).receive(told)


async def test_odd_things_in_an_order_do_not_lose_it() -> None:
    odd = {
        "discount_codes": [{"code": "one", "amount": "?"}, 7],
        "line_items": [None, {"quantity": "x"}],
        "refunds": {},
    }
    order = (await said(shopify(shopify_order(currency="XYZ", **odd)))).standing
    assert order is not None and [(code.code, code.discount) for code in order.codes] == [("one", None)]


async def test_an_old_secret_fits_beside_the_new_one() -> None:
    both = Secret(f"the-new-one {SHOPIFY}")
    assert EcommerceChannel(settings(shopify_secret=both)).receive(shopify(shopify_order()))
    both = Secret(f"whsec_YSBndWVzcyB0aGF0IGlzIHdyb25nLi4u {WEBHOOK}")
    assert EcommerceChannel(settings(webhook_secret=both)).receive(any_shop(own_order()))


@pytest.mark.parametrize("told", [shopify(shopify_order()), woocommerce(woocommerce_order()), any_shop(own_order())])
async def test_without_its_secret_a_shop_is_not_heard(told: ProviderRequest) -> None:
    missing = settings(shopify_secret=None, woocommerce_secret=None, webhook_secret=None)
    with pytest.raises(BadSignature):
        EcommerceChannel(missing).receive(told)


@pytest.mark.parametrize("seconds", [-301, 301])
async def test_what_was_not_sent_just_now_is_not_heard(seconds: int) -> None:
    with pytest.raises(BadSignature):
        EcommerceChannel(settings()).receive(any_shop(own_order(), sent_at=NOW + timedelta(seconds=seconds)))


async def test_the_docs_have_the_schema_and_an_event_that_fits_it() -> None:
    schema = json.loads((DOCS / "shop-order-event.schema.json").read_text())
    assert schema == OrderEvent.model_json_schema(), "write docs/shop-order-event.schema.json anew"
    (event,) = re.findall(r"```json\n(.*?)```", (DOCS / "shops.md").read_text(), re.DOTALL)
    assert OrderEvent.model_validate_json(event).data.refunds
