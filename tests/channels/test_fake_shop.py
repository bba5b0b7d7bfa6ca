"""The shop in memory stands what every shop has to, with the offer on its codes and without."""

from datetime import UTC, datetime

import pytest

from promograph import OrderCode, OrderNews, OrderStanding, OrderState
from promograph.channels import Shop
from promograph.testing.fake_shop import FakeShop
from promograph.testing.shop_conformance import CASES, Case, ShopStage, run
from promograph.testing.stages import Fault

_FAULTS = {Fault.BUSY: "busy", Fault.BROKEN: "broken", Fault.LOST_ANSWER: "lost"}


class FakeShopStage(ShopStage):
    bad_code = "BAD"

    def __init__(self, *, offer_on_codes: bool = False) -> None:
        self._shop = FakeShop(refused={self.bad_code}, offer_on_codes=offer_on_codes)

    def shop(self) -> Shop:
        return self._shop

    def behave(self, fault: Fault) -> None:
        self._shop.faults = [_FAULTS[fault]] if fault in _FAULTS else []

    def sell(self, order: int, code: str, *, is_cancelled: bool = False) -> None:
        standing = OrderStanding(
            state=OrderState.CANCELLED if is_cancelled else OrderState.SOLD,
            codes=(OrderCode(code=code, discount=500),),
            currency="EUR",
            total=4_000,
        )
        at = datetime(2027, 3, 1, 12, tzinfo=UTC)
        self._shop.sold.append(OrderNews(shop=self._shop.name, order=str(order), said_at=at, standing=standing))

    def working(self) -> list[str]:
        is_open = {id_ for id_, offer in self._shop.offers.items() if offer.is_open}
        return [text for text, offer in self._shop.codes.items() if offer in is_open]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("offer_on_codes", [False, True])
def test_the_fake_shop_conforms(case: Case, offer_on_codes: bool) -> None:
    run(case, lambda: FakeShopStage(offer_on_codes=offer_on_codes))
