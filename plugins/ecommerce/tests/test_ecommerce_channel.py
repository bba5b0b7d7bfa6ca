"""The plugin `ecommerce` as promograph sees it: through its entry point and its hook."""

from collections.abc import Mapping
from importlib.metadata import entry_points

import pytest

import promograph_ecommerce
from promograph import Capability, Channel, OrderChannel
from promograph.channels import ShopChannel
from promograph.config import Settings
from promograph.errors import ConfigError
from promograph.plugins.checking import check_channel

SHOPIFY = {"url": "https://a-shop.myshopify.com", "token": "shpat_secret"}
WOOCOMMERCE = {"url": "https://shop.example/blog", "consumer_key": "ck_1", "consumer_secret": "cs_secret"}


def registered(sections: Mapping[str, Mapping[str, str]]) -> Channel:
    channels: list[Channel] = []
    settings = Settings(sections=sections).section
    promograph_ecommerce.register_channels(channels.append, settings)
    (channel,) = channels
    return channel


def test_ecommerce_is_found_through_its_entry_point() -> None:
    (entry,) = entry_points(group="promograph", name="ecommerce")
    assert entry.load() is promograph_ecommerce


def test_ecommerce_registers_one_channel_that_describes_itself() -> None:
    channel = registered({})
    check_channel(channel, ())
    assert isinstance(channel, ShopChannel) and isinstance(channel, OrderChannel)
    assert channel.name == "ecommerce"
    assert channel.can == {Capability.RECEIVE_ORDERS, Capability.PUSH_CODES}
    assert channel.shops == {}


def test_the_shops_are_those_that_the_operator_has_set_up() -> None:
    channel = registered({"shopify": SHOPIFY, "woocommerce": WOOCOMMERCE})
    check_channel(channel, ())
    assert isinstance(channel, ShopChannel)
    assert [shop.title for shop in channel.shops.values()] == ["Shopify", "WooCommerce"]
    assert "secret" not in repr(channel)


@pytest.mark.parametrize("section", ["shopify", "woocommerce"])
def test_a_shop_without_its_keys_stops_the_start(section: str) -> None:
    with pytest.raises(ConfigError, match="needs"):
        registered({section: {"url": "https://shop.example"}})
