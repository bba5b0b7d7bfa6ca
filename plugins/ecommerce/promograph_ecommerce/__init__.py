"""The channel `ecommerce`: orders and refunds of an online shop, where customers use their codes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from promograph import Capability, Channel, SettingsReader, Shop, hookimpl

from .push_settings import ShopifySettings, WooCommerceSettings
from .shopify_push import Shopify
from .woocommerce_push import WooCommerce

__all__ = ["EcommerceChannel", "Shopify", "ShopifySettings", "WooCommerce", "WooCommerceSettings"]


@dataclass(frozen=True)
class EcommerceChannel:
    """How the channel describes itself."""

    name: str = "ecommerce"
    title: str = "Online shop"
    description: str = "Orders and refunds of an online shop, where customers use their codes."
    can: frozenset[Capability] = frozenset({Capability.RECEIVE_ORDERS, Capability.PUSH_CODES})
    shops: Mapping[str, Shop] = field(default_factory=dict)


@hookimpl
def register_channels(register: Callable[[Channel], None], settings: SettingsReader) -> None:
    """Register the one channel of this plugin."""
    shopify, woocommerce = settings("shopify", ShopifySettings), settings("woocommerce", WooCommerceSettings)
    shops: dict[str, Shop] = {}
    if shopify.url is not None:
        shops[Shopify.name] = Shopify(shopify)
    if woocommerce.url is not None:
        shops[WooCommerce.name] = WooCommerce(woocommerce)
    register(EcommerceChannel(shops=shops))
