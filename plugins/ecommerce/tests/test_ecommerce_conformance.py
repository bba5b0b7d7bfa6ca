"""Each make of shops stands the conformance kit, and the kit sees what a channel does wrong."""

from collections.abc import Sequence
from contextlib import suppress

import pytest

from promograph import Desk, OrderChannel, ProviderEvent, ProviderRequest
from promograph.testing.order_conformance import CASES, CODE, Case, OrderStage, run
from promograph_ecommerce import EcommerceChannel

from .shop_calls import (
    SECRETS,
    any_shop,
    own_order,
    settings,
    shopify,
    shopify_order,
    shopify_refund,
    woocommerce,
    woocommerce_order,
)

LATER = "2027-03-05T12:00:00Z"


class Stage(OrderStage):
    secrets = SECRETS

    def channel(self) -> OrderChannel:
        return EcommerceChannel(settings())


class ShopifyStage(Stage):
    def told(self, secret: str = SECRETS[0], **more: object) -> ProviderRequest:
        codes = [{"code": CODE, "amount": "10.00", "type": "fixed_amount"}]
        order = {"discount_codes": codes, "discount_applications": [], "total_price": "100.00"}
        return shopify(shopify_order(**(order | {"updated_at": "2027-03-01T12:00:00Z"} | more)), secret=secret)

    def sold(self) -> ProviderRequest:
        return self.told()

    def refunded(self) -> ProviderRequest:
        back = [{"kind": "refund", "status": "success", "amount": "30.00", "currency": "USD"}]
        return shopify(shopify_refund(transactions=back), "refunds/create")

    def cancelled(self) -> ProviderRequest:
        return self.told(cancelled_at=LATER, cancel_reason="customer", updated_at=LATER)

    def forged(self) -> ProviderRequest:
        return self.told("a guess")


class WooCommerceStage(Stage):
    def told(self, secret: str = SECRETS[1], **more: object) -> ProviderRequest:
        coupons = [{"id": 318, "code": CODE.lower(), "discount": "10.00", "discount_tax": "0.00"}]
        return woocommerce(woocommerce_order(total="100.00", coupon_lines=coupons, **more), secret=secret)

    def sold(self) -> ProviderRequest:
        return self.told()

    def refunded(self) -> ProviderRequest:
        return self.told(refunds=[{"id": 1, "reason": "", "total": "-30.00"}], date_modified_gmt="2027-03-02T12:00:00")

    def cancelled(self) -> ProviderRequest:
        return self.told(status="cancelled", date_modified_gmt=LATER[:-1])

    def forged(self) -> ProviderRequest:
        return self.told("a guess")


class AnyShopStage(Stage):
    def told(self, id_: str, secret: str = SECRETS[2], **more: object) -> ProviderRequest:
        codes = [{"code": CODE, "discount": "10.00"}]
        return any_shop(own_order(codes=codes, **more), id_, secret)

    def sold(self) -> ProviderRequest:
        return self.told("msg_1")

    def refunded(self) -> ProviderRequest:
        return any_shop({"order": "A-1001", "currency": "EUR", "refunds": [{"id": "r1", "amount": "30.00"}]}, "msg_2")

    def cancelled(self) -> ProviderRequest:
        return self.told("msg_3", state="cancelled")

    def forged(self) -> ProviderRequest:
        return self.told("msg_1", "whsec_YSBndWVzcyB0aGF0IGlzIHdyb25nLi4u")


@pytest.mark.parametrize("stage", [ShopifyStage, WooCommerceStage, AnyShopStage])
@pytest.mark.parametrize("case", CASES)
def test_shops_conform(case: Case, stage: type[Stage]) -> None:
    run(case, stage)


class Trusting(EcommerceChannel):
    def receive(self, request: ProviderRequest) -> list[ProviderEvent]:
        return []


class Careless(EcommerceChannel):
    async def handle(self, events: Sequence[ProviderEvent], desk: Desk) -> None:
        with suppress(ConnectionError):
            await super().handle(events, desk)


class Forgetful(EcommerceChannel):
    async def handle(self, events: Sequence[ProviderEvent], desk: Desk) -> None:
        await super().handle([event for event in events if "refund" not in event.raw["told"]], desk)


@pytest.mark.parametrize("wrong", [Trusting, Careless, Forgetful])
def test_the_kit_sees_what_is_wrong(wrong: type[EcommerceChannel]) -> None:
    class WrongStage(ShopifyStage):
        def channel(self) -> OrderChannel:
            return wrong(settings())

    fallen = []
    for case in CASES:
        try:
            run(case, WrongStage)
        except (AssertionError, ValueError):
            fallen.append(case)
    assert fallen
