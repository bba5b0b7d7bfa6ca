"""What shops send, as they publish it, signed by code that is not ours: Shopify's own package, that of Standard
Webhooks, and for WooCommerce, which has none, OpenSSL.
"""

import json
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from shopify_app.verify import verify_webhook_req
from standardwebhooks import Webhook

from promograph import ProviderRequest, Secret
from promograph_ecommerce import EcommerceSettings

SHOPIFY, WOOCOMMERCE = "hush-shopify-e3f93c", "hush-woo-b7b34b"
WEBHOOK = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SECRETS = (SHOPIFY, WOOCOMMERCE, WEBHOOK)
NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
PUBLISHED = Path(__file__).parent / "published"


def settings(**more: Any) -> EcommerceSettings:
    secrets = zip(("shopify_secret", "woocommerce_secret", "webhook_secret"), map(Secret, SECRETS), strict=True)
    return EcommerceSettings(**(dict(secrets) | more))


def request(body: bytes, headers: Mapping[str, str], at: datetime = NOW) -> ProviderRequest:
    return ProviderRequest(
        url="https://promograph.test/channels/ecommerce/events",
        headers=tuple({"Content-Type": "application/json", **headers}.items()),
        body=body,
        received_at=at,
    )


def openssl(secret: str, body: bytes) -> str:
    made = HMAC(secret.encode(), SHA256())
    made.update(body)
    return b64encode(made.finalize()).decode()


def shopify(told: Mapping[str, Any], topic: str = "orders/create", secret: str = SHOPIFY) -> ProviderRequest:
    """Shopify's own package says whether it is signed as Shopify signs."""
    body = json.dumps(told, ensure_ascii=False).encode()
    headers = {
        "X-Shopify-Topic": topic,
        "X-Shopify-Hmac-Sha256": openssl(secret, body),
        "X-Shopify-Shop-Domain": "example.myshopify.com",
        "X-Shopify-Event-Id": "98880550-7158-44d4-b7cd-2c97c8a091b5",
    }
    seen = verify_webhook_req(
        {"method": "POST", "headers": headers, "body": body.decode(), "url": "https://promograph.test"},
        {"client_id": "app", "client_secret": secret},
    )
    assert seen.ok, seen
    return request(body, headers)


def woocommerce(told: Mapping[str, Any], topic: str = "order.created", secret: str = WOOCOMMERCE) -> ProviderRequest:
    body = json.dumps(told, separators=(",", ":")).replace("/", "\\/").encode()  # as WordPress writes JSON
    headers = {
        "X-WC-Webhook-Source": "https://shop.example/",
        "X-WC-Webhook-Topic": topic,
        "X-WC-Webhook-Resource": topic.partition(".")[0],
        "X-WC-Webhook-Event": topic.partition(".")[2],
        "X-WC-Webhook-Signature": openssl(secret, body),
        "X-WC-Webhook-ID": "3",
        "X-WC-Webhook-Delivery-ID": "36e520ebabc2fa725092ff4a47acedf2",
    }
    return request(body, headers)


def any_shop(
    told: Mapping[str, Any], id_: str = "msg_1", secret: str = WEBHOOK, sent_at: datetime = NOW
) -> ProviderRequest:
    body = json.dumps({"type": "order", "timestamp": NOW.isoformat(), "data": told})
    headers = {
        "webhook-id": id_,
        "webhook-timestamp": str(int(sent_at.timestamp())),
        "webhook-signature": Webhook(secret).sign(id_, sent_at, body),
    }
    return request(body.encode(), headers)


def published(name: str) -> dict[str, Any]:
    """A body with every field that the provider publishes, in its types."""
    body: dict[str, Any] = json.loads((PUBLISHED / f"{name}.json").read_text())
    return body


def shopify_order(id_: int = 820982911946154508, **more: Any) -> dict[str, Any]:
    """An order of two lines, 24.00 and 6.00, with a code that took a tenth off both and 5.00 for shipping."""
    return published("shopify-order") | {"id": id_, "admin_graphql_api_id": f"gid://shopify/Order/{id_}"} | more


def shopify_refund(order: int = 820982911946154508, id_: int = 890088186047892319, **more: Any) -> dict[str, Any]:
    """One of the two articles of the first line goes back: 10.80, of which the code had taken 1.20 off."""
    return published("shopify-refund") | {"id": id_, "order_id": order} | more


def woocommerce_order(id_: int = 727, **more: Any) -> dict[str, Any]:
    """An order of 29.35 with a coupon that took 3.30 off with its tax."""
    return published("woocommerce-order") | {"id": id_, "number": str(id_)} | more


def own_order(order: str = "A-1001", **more: Any) -> dict[str, Any]:
    """In promograph's own event: 100.00 of which ONE took 10.00 off."""
    told = {
        "order": order,
        "state": "paid",
        "currency": "EUR",
        "total": "100.00",
        "codes": [{"code": "ONE", "discount": "10.00"}],
    }
    return told | more
