"""Shopify and WooCommerce stand what every shop has to that is told of promotions."""

from collections.abc import Callable, Iterator

import pytest

from promograph import Secret, Shop
from promograph.testing.shop_conformance import CASES, Case, ShopStage, run
from promograph.testing.stages import Fault
from promograph_ecommerce import EcommerceSettings, Shopify, ShopifySettings, WooCommerce, WooCommerceSettings

from .standin import StandIn, open_shops

TIMEOUT = 60.0


class _Stage(ShopStage):
    bad_code = "IS-BAD"

    def __init__(self, there: StandIn) -> None:
        there.empty()
        self._there = there

    def behave(self, fault: Fault) -> None:
        faults = self._there.faults
        ways = {Fault.BUSY: "busy", Fault.BROKEN: "broken", Fault.LOST_ANSWER: "broken-after"}
        faults.every, faults.asked = (0 if fault is Fault.NONE else 1), 0
        faults.ways, faults.changes_only = (ways.get(fault, "busy"),), True

    def sell(self, order: int, code: str, *, is_cancelled: bool = False) -> None:
        self._there.sell(order, code, is_cancelled=is_cancelled)


class ShopifyStage(_Stage):
    def shop(self) -> Shop:
        settings = ShopifySettings(url=self._there.url, token=Secret("shpat_right"), timeout=TIMEOUT)
        return Shopify(settings, EcommerceSettings())

    def working(self) -> list[str]:
        shop = self._there.shopify
        return [text for owner, _, text in shop.owners.values() if shop.discounts[owner]["active"]]


class WooCommerceStage(_Stage):
    def shop(self) -> Shop:
        secret = Secret("cs_1")
        settings = WooCommerceSettings(
            url=self._there.url, consumer_key="ck_1", consumer_secret=secret, timeout=TIMEOUT
        )
        return WooCommerce(settings, EcommerceSettings())

    def working(self) -> list[str]:
        coupons = self._there.woocommerce.coupons.values()
        return [each["code"].upper() for each in coupons if each["status"] == "publish"]


@pytest.fixture(scope="module")
def there() -> Iterator[StandIn]:
    with open_shops() as shops:
        yield shops


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("stage", [ShopifyStage, WooCommerceStage])
def test_the_shops_conform(there: StandIn, stage: Callable[[StandIn], ShopStage], case: Case) -> None:
    run(case, lambda: stage(there))
