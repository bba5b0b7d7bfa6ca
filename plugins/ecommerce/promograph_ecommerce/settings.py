"""What the operator sets: `PROMOGRAPH_ECOMMERCE__SHOPIFY_SECRET` and so on."""

from typing import Literal

from pydantic import Field

from promograph import ChannelSettings, Secret


class EcommerceSettings(ChannelSettings):
    """A shop without its secret is not heard. Where a secret holds several with spaces between, each of them fits:
    the old one and the new one, while they change.
    """

    shopify_secret: Secret | None = Field(
        default=None, description="Of Shopify's webhooks: the app's client secret, or the one under Notifications."
    )
    woocommerce_secret: Secret | None = Field(default=None, description="Of WooCommerce's webhooks.")
    webhook_secret: Secret | None = Field(default=None, description="Of any other shop's webhooks: whsec_….")
    redeem_when: Literal["created", "paid"] = Field(
        default="created", description="From when on an order's codes count as used."
    )
    customer: Literal["id", "email", "none"] = Field(
        default="id", description="What of an order is the customer's id here: the shop's own id, the e-mail address."
    )
    thanks: str | None = Field(
        default=None, description="The key of a triggered send: whose message goes to the customer of each order sold."
    )
    test_orders: bool = Field(default=False, description="Whether Shopify's test orders count.")
    event_window: int = Field(
        default=300, gt=0, description="How many seconds old a signed message of any other shop may be."
    )
