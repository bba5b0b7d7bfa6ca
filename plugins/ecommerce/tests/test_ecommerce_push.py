"""The two shops over HTTP, against stand-ins that keep the providers' limits and go wrong as they are told."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from promograph import (
    AmountOff,
    CodeAnswer,
    FixedPrice,
    FreeShipping,
    Money,
    Offer,
    OfferGone,
    Percentage,
    Secret,
    Shop,
    ShopCode,
    ShopFault,
    ShopRefusal,
    Single,
)
from promograph_ecommerce import EcommerceSettings, Shopify, ShopifySettings, WooCommerce, WooCommerceSettings

from .standin import StandIn, open_shops

pytestmark = pytest.mark.anyio

TIMEOUT = 60.0
IMPATIENT = 2.0
"""Of who does not wait for a shop that is silent; as long as anything else may take then."""

ENDS = datetime(2027, 12, 16, 5, tzinfo=UTC)
OFFER = Offer(
    handle="winter",
    name="Winter",
    reward=Single(type="off", value=Percentage(basis_points=1_250)),
    ends_at=ENDS,
    minimum=Money(minor=5_000, currency="EUR"),
    uses_per_code=1,
)


@pytest.fixture(scope="module")
def running() -> Iterator[StandIn]:
    with open_shops() as shops:
        yield shops


@pytest.fixture
def there(running: StandIn) -> StandIn:
    running.empty()
    return running


def shopify_before(there: StandIn, timeout: float = TIMEOUT) -> Shopify:
    return Shopify(ShopifySettings(url=there.url, token=Secret("shpat_right"), timeout=timeout), EcommerceSettings())


def woocommerce_before(there: StandIn, timeout: float = TIMEOUT) -> WooCommerce:
    settings = WooCommerceSettings(url=there.url, consumer_key="ck_1", consumer_secret=Secret("cs_1"), timeout=timeout)
    return WooCommerce(settings, EcommerceSettings())


@pytest.fixture
async def shopify(there: StandIn, anyio_backend: str) -> AsyncIterator[Shopify]:
    made = shopify_before(there)
    yield made
    await made.close()


@pytest.fixture
async def woocommerce(there: StandIn, anyio_backend: str) -> AsyncIterator[WooCommerce]:
    made = woocommerce_before(there)
    yield made
    await made.close()


@pytest.fixture(params=["shopify", "woocommerce"])
def shop(request: pytest.FixtureRequest) -> Shop:
    made: Shop = request.getfixturevalue(request.param)
    return made


def codes(count: int, *more: str) -> list[ShopCode]:
    texts = [f"WINTER-{n:04}" for n in range(count)]
    return [ShopCode(text=text, uses=1, expires_at=ENDS) for text in (*texts, *more)]


async def opened(shop: Shop, offer: Offer = OFFER) -> str:
    """The offer in the shop, and with it the code FIRST where the shop needs one."""
    done = await shop.open(offer, ShopCode(text="FIRST", uses=1))
    assert done.remote is not None
    return done.remote


def working(there: StandIn, shop: Shop) -> set[str]:
    """The texts of the codes that work there."""
    if shop.name == "shopify":
        active = {id_ for id_, each in there.shopify.discounts.items() if each["active"]}
        return {text for owner, _, text in there.shopify.owners.values() if owner in active}
    return {each["code"].upper() for each in there.woocommerce.coupons.values() if each["status"] == "publish"}


async def test_what_a_shop_will_not_take_is_said_of_each_code(there: StandIn, shop: Shop) -> None:
    other = replace(OFFER, handle="other", name="Other")
    taken = await shop.open(other, ShopCode(text="TAKEN", uses=1))
    if taken.first is None:
        await shop.put("coupons", other, [ShopCode(text="TAKEN", uses=1)])
    remote = await opened(shop)
    answers = await shop.put(remote, OFFER, codes(2, "TAKEN", "IS-BAD"))
    assert [answer.why is None for answer in answers] == [True, True, False, False]
    assert answers[2].why is not None
    assert "has this code" in answers[2].why
    assert working(there, shop) - {"FIRST"} == {"WINTER-0000", "WINTER-0001", "TAKEN"}


async def test_an_answer_that_was_lost_is_found_out_about(there: StandIn, shop: Shop) -> None:
    remote, asked = await opened(shop), codes(20)
    impatient: Shop = (shopify_before if shop.name == "shopify" else woocommerce_before)(there, IMPATIENT)
    for way, asking in (("broken-after", shop), ("silent-after", impatient)):
        there.faults.ways, there.faults.silence = (way,), 2 * IMPATIENT
        there.faults.every = 1 if shop.name == "woocommerce" else 2  # the first is a question
        there.faults.asked = 0
        with pytest.raises(ShopFault) as lost:
            await asking.put(remote, OFFER, asked)
        assert lost.value.maybe_done
        there.faults.every = 0
        found = await shop.find(remote, OFFER, asked)
        missing = [code for code, answer in zip(asked, found, strict=True) if answer is None]
        if missing:
            assert shop.name == "shopify", "it does its bulk work when somebody looks"
            found = await shop.put(remote, OFFER, asked)
        assert all(answer is not None and answer.why is None and answer.remote for answer in found)
        assert len(there.state()[shop.name]) == len(working(there, shop)) == 20 + (shop.name == "shopify")
        (elsewhere,) = await shop.find("another", replace(OFFER, handle="another"), asked[:1])
        assert elsewhere is not None
        assert elsewhere.why is not None
    await impatient.close()


async def test_a_shop_that_is_busy_or_broken_is_asked_again(there: StandIn, shop: Shop) -> None:
    remote = await opened(shop)
    there.faults.every, there.faults.ways = 1, ("busy",)
    with pytest.raises(ShopFault) as busy:
        await shop.put(remote, OFFER, codes(1))
    assert busy.value.after == timedelta(milliseconds=50)
    assert not busy.value.maybe_done
    there.faults.ways = ("broken",)
    with pytest.raises(ShopFault):
        await shop.put(remote, OFFER, codes(1))
    there.faults.every = 0
    assert [answer.why for answer in await shop.put(remote, OFFER, codes(1))] == [None]


async def test_another_currency_is_turned_down(shop: Shop) -> None:
    dollars = Money(minor=500, currency="USD")
    for offer in (
        replace(OFFER, reward=Single(type="off", value=AmountOff(money=dollars)), minimum=None),
        replace(OFFER, minimum=dollars),
    ):
        with pytest.raises(ShopRefusal, match=r"currency is EUR, and the promotion names 5\.00 USD"):
            await opened(shop, offer)


async def test_what_a_shop_has_no_words_for_is_said_before(shop: Shop) -> None:
    assert shop.obstacles(OFFER) == []
    assert shop.obstacles(replace(OFFER, reward=Single(type="off", value=FreeShipping()))) == []
    price = Single(type="off", value=FixedPrice(money=Money(minor=1, currency="EUR")))
    capped = Single(type="off", value=Percentage(basis_points=1), maximum=Money(minor=1, currency="EUR"))
    for reward in (price, capped):
        (sentence,) = shop.obstacles(replace(OFFER, reward=reward))
        assert sentence.endswith(".")
    twice = shop.obstacles(replace(OFFER, uses_per_customer=2))
    assert bool(twice) is (shop.name == "shopify")


async def test_a_wrong_key_is_said(there: StandIn) -> None:
    wrong: list[Shop] = [
        Shopify(ShopifySettings(url=there.url, token=Secret("shpat_wrong")), EcommerceSettings()),
        WooCommerce(
            WooCommerceSettings(url=there.url, consumer_key="ck_1", consumer_secret=Secret("cs_wrong")),
            EcommerceSettings(),
        ),
    ]
    for shop in wrong:
        with pytest.raises(ShopRefusal, match="does not let us in") as refusal:
            await opened(shop)
        assert "wrong" not in str(refusal.value)
        await shop.close()


async def test_shopifys_points_are_waited_for(there: StandIn, shopify: Shopify) -> None:
    remote = await opened(shopify)
    there.shopify.points, there.shopify.restores = 30, 300
    for n in range(8):
        await shopify.put(remote, OFFER, [ShopCode(text=f"POINT-{n}", uses=1)])
    assert len(working(there, shopify)) == 9
    assert there.shopify.throttled <= 2, "it asks when there are points enough"


async def test_an_offer_that_was_made_unheard_is_found_by_its_first_code(there: StandIn, shopify: Shopify) -> None:
    remote = await opened(shopify)
    assert await opened(shopify) == remote
    assert len(there.shopify.discounts) == 1
    other = await shopify.open(replace(OFFER, handle="other"), ShopCode(text="FIRST", uses=1))
    assert other.remote is None
    assert other.first is not None
    there.shopify.discounts.clear()
    with pytest.raises(OfferGone):
        await shopify.put(remote, OFFER, codes(1))


async def test_shopify_has_one_limit_of_uses_for_all_codes_of_a_discount(shopify: Shopify) -> None:
    remote = await opened(shopify)
    single, fallback = await shopify.put(remote, OFFER, [ShopCode(text="ONE", uses=1), ShopCode(text="ALL")])
    assert single.why is None
    assert fallback.why is not None
    assert "fallback" in fallback.why


async def test_a_discount_of_shopify_is_as_the_promotion_says(there: StandIn, shopify: Shopify) -> None:
    await opened(shopify, replace(OFFER, uses_per_customer=1, combinable=True))
    (discount,) = there.shopify.discounts.values()
    assert discount == {
        "title": "Winter (winter)",
        "startsAt": "2020-01-01T00:00:00+00:00",
        "endsAt": "2027-12-16T05:00:00+00:00",
        "context": {"all": "ALL"},
        "usageLimit": 1,
        "appliesOncePerCustomer": True,
        "minimumRequirement": {"subtotal": {"greaterThanOrEqualToSubtotal": "50.00"}},
        "combinesWith": {"orderDiscounts": True, "productDiscounts": True, "shippingDiscounts": True},
        "customerGets": {"value": {"percentage": 0.125}, "items": {"all": True}},
        "active": True,
    }


async def test_a_coupon_of_woocommerce_is_as_the_promotion_says(there: StandIn, woocommerce: WooCommerce) -> None:
    await woocommerce.put("coupons", OFFER, codes(1))
    (coupon,) = there.woocommerce.coupons.values()
    assert coupon == {
        "id": coupon["id"],
        "code": "winter-0000",
        "discount_type": "percent",
        "amount": "12.50",
        "free_shipping": False,
        "status": "publish",
        "description": "Winter",
        "individual_use": True,
        "minimum_amount": "50.00",
        "usage_limit": 1,
        "usage_limit_per_user": 0,
        "date_expires": "2027-12-16T05:00:00Z",
        "meta_data": [{"key": "_promograph", "value": "winter"}],
    }


async def test_a_coupon_that_was_deleted_is_made_again(there: StandIn, woocommerce: WooCommerce) -> None:
    (answer,) = await woocommerce.put("coupons", OFFER, codes(1))
    there.woocommerce.coupons.clear()
    known = replace(codes(1)[0], remote=answer.remote)
    assert await woocommerce.stop("coupons", [known]) == [CodeAnswer()]
    (again,) = await woocommerce.put("coupons", OFFER, [known])
    assert again.remote is not None
    assert again.remote != answer.remote
    assert working(there, woocommerce) == {"WINTER-0000"}
