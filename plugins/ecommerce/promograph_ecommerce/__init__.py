"""The channel `ecommerce`: orders and refunds of online shops, where customers use their codes."""

from collections.abc import Callable

from promograph import Channel, SettingsReader, Shop, hookimpl

from .channel import EcommerceChannel
from .push_settings import ShopifySettings, WooCommerceSettings
from .settings import EcommerceSettings
from .shopify_push import Shopify
from .woocommerce_push import WooCommerce

__all__ = [
    "EcommerceChannel",
    "EcommerceSettings",
    "Shopify",
    "ShopifySettings",
    "WooCommerce",
    "WooCommerceSettings",
]


@hookimpl
def register_channels(register: Callable[[Channel], None], settings: SettingsReader) -> None:
    """Register the one channel of this plugin."""
    shopify, woocommerce = settings("shopify", ShopifySettings), settings("woocommerce", WooCommerceSettings)
    events = settings("ecommerce", EcommerceSettings)
    shops: dict[str, Shop] = {}
    if shopify.url is not None:
        shops[Shopify.name] = Shopify(shopify, events)
    if woocommerce.url is not None:
        shops[WooCommerce.name] = WooCommerce(woocommerce, events)
    register(EcommerceChannel(events, shops))
