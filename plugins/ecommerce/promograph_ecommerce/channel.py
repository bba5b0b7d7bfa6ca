"""The channel: what shops send, told apart, kept, and handed to promograph in its words."""

from collections.abc import Mapping, Sequence
from typing import Final

from promograph import BadSignature, Capability, Desk, ProviderEvent, ProviderRequest, Shop

from .any_shop import AnyShop
from .order_source import OrderSource
from .settings import EcommerceSettings
from .shopify_orders import ShopifyOrders
from .thanks import thank
from .woocommerce_orders import WooCommerceOrders


class EcommerceChannel:
    """Orders and refunds of online shops; `shops` are those that are told of promotions and their codes."""

    name: Final = "ecommerce"
    title: Final = "Online shop"
    description: Final = "Orders and refunds of an online shop, where customers use their codes."
    can: Final = frozenset({Capability.RECEIVE_ORDERS, Capability.PUSH_CODES})

    def __init__(self, settings: EcommerceSettings, shops: Mapping[str, Shop] | None = None) -> None:
        self.shops: Final[Mapping[str, Shop]] = shops or {}
        sources: tuple[OrderSource, ...] = (ShopifyOrders(settings), WooCommerceOrders(settings), AnyShop(settings))
        self._thanks = settings.thanks
        self._sources = {source.name: source for source in sources}

    def receive(self, request: ProviderRequest) -> list[ProviderEvent]:
        for source in self._sources.values():
            if source.sent(request):
                return source.receive(request)
        raise BadSignature("It bears no signature of any shop.")

    async def handle(self, events: Sequence[ProviderEvent], desk: Desk) -> None:
        said = []
        for event in events:
            assert event.happened_at is not None, "they are made here"
            news = self._sources[event.raw["shop"]].news(event.raw["told"], event.happened_at)
            if news is not None:
                said.append(news)
        await desk.report_orders(said)
        if self._thanks is not None:
            await thank(self._thanks, said, desk)
