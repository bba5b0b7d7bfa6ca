"""What the operator sets for each shop that is told of promotions: `PROMOGRAPH_SHOPIFY__URL` and so on."""

from typing import Self

from pydantic import Field, model_validator

from promograph import ChannelSettings, Secret

_ADDRESS = r"^https?://[^\s/?#]+(/[^\s?#]+)?$"


class ShopifySettings(ChannelSettings):
    """Without an address there is no such shop. The token is an app's, with the scopes read_discounts,
    write_discounts and read_orders.
    """

    url: str | None = Field(default=None, pattern=_ADDRESS, description="https://NAME.myshopify.com")
    token: Secret | None = Field(default=None, description="The Admin API's access token.")
    version: str = Field(default="2026-10", pattern=r"^\d{4}-\d{2}$", description="Of the Admin API.")
    timeout: float = Field(default=30, gt=0, le=100, description="Seconds to wait for an answer.")

    @model_validator(mode="after")
    def _check_whole(self) -> Self:
        if self.url is not None and self.token is None:
            raise ValueError("the shop's url needs a token too")
        return self


class WooCommerceSettings(ChannelSettings):
    """Without an address there is no such shop. The key is a REST API key of WooCommerce with read and write access."""

    url: str | None = Field(default=None, pattern=_ADDRESS, description="The address of the WordPress site.")
    consumer_key: str | None = Field(default=None, description="ck_…")
    consumer_secret: Secret | None = Field(default=None, description="cs_…")
    timeout: float = Field(default=60, gt=0, le=100, description="Seconds to wait for an answer.")

    @model_validator(mode="after")
    def _check_whole(self) -> Self:
        if self.url is not None and (self.consumer_key is None or self.consumer_secret is None):
            raise ValueError("the shop's url needs consumer_key and consumer_secret too")
        return self
