"""What shops send, as they publish it, signed by code that is not ours: Shopify's own package, that of Standard
Webhooks, and for WooCommerce, which has none, OpenSSL.
"""

import json
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
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
    body = json.dumps(told, separators=(",", ":")).encode()
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


def money(amount: str, currency: str = "USD") -> dict[str, Any]:
    both = {"amount": amount, "currency_code": currency}
    return {"shop_money": both, "presentment_money": both}


def shopify_order(id_: int = 820982911946154508, **more: Any) -> dict[str, Any]:
    """An order of two lines, 24.00 and 6.00, with a code that took a tenth off both and 5.00 for shipping."""
    order = {
        "id": id_,
        "admin_graphql_api_id": f"gid://shopify/Order/{id_}",
        "cancel_reason": None,
        "cancelled_at": None,
        "confirmed": True,
        "contact_email": "jon@example.com",
        "created_at": "2027-03-01T06:58:14-05:00",
        "currency": "USD",
        "current_total_price": "32.00",
        "current_total_discounts": "3.00",
        "discount_codes": [{"code": "one", "amount": "3.00", "type": "percentage"}],
        "email": "jon@example.com",
        "financial_status": "paid",
        "name": "#1071",
        "order_number": 1071,
        "processed_at": "2027-03-01T06:58:13-05:00",
        "subtotal_price": "27.00",
        "taxes_included": False,
        "test": False,
        "total_discounts": "3.00",
        "total_price": "32.00",
        "total_price_set": money("32.00"),
        "updated_at": "2027-03-01T06:58:16-05:00",
        "billing_address": {"first_name": "Jon", "last_name": "Snow", "address1": "123 Billing Street"},
        "customer": {
            "id": 115310627314723954,
            "email": "jon@example.com",
            "first_name": "Jon",
            "phone": "+16135550123",
        },
        "discount_applications": [
            {
                "target_type": "line_item",
                "type": "automatic",
                "value": "0.0",
                "value_type": "fixed_amount",
                "allocation_method": "across",
                "target_selection": "all",
                "title": "Ours",
            },
            {
                "target_type": "line_item",
                "type": "discount_code",
                "value": "10.0",
                "value_type": "percentage",
                "allocation_method": "across",
                "target_selection": "all",
                "code": "one",
            },
        ],
        "line_items": [_shopify_line(1, 2, "12.00", "2.40"), _shopify_line(2, 1, "6.00", "0.60")],
        "refunds": [],
        "shipping_lines": [
            {"id": 271878346596884015, "price": "5.00", "title": "Standard", "discount_allocations": []}
        ],
    }
    return order | more


def _shopify_line(number: int, quantity: int, price: str, discount: str) -> dict[str, Any]:
    return {
        "id": number,
        "current_quantity": quantity,
        "name": f"Article {number}",
        "price": price,
        "quantity": quantity,
        "sku": f"SKU-{number}",
        "variant_id": 100 + number,
        "vendor": "Acme",
        "total_discount": "0.00",
        "discount_allocations": [{"amount": discount, "amount_set": money(discount), "discount_application_index": 1}],
    }


def shopify_refund(order: int = 820982911946154508, id_: int = 890088186047892319, **more: Any) -> dict[str, Any]:
    """One of the two articles of the first line goes back: 10.80, of which the code had taken 1.20 off."""
    refund = {
        "id": id_,
        "order_id": order,
        "created_at": "2027-03-02T06:58:14-05:00",
        "note": "wrong size",
        "processed_at": "2027-03-02T06:58:14-05:00",
        "restock": True,
        "refund_line_items": [
            {"id": 487817672276298627, "quantity": 1, "line_item_id": 1, "restock_type": "return", "subtotal": 10.8}
        ],
        "transactions": [
            {
                "id": 245135271310201194,
                "order_id": order,
                "kind": "refund",
                "status": "success",
                "amount": "10.80",
                "currency": "USD",
            }
        ],
        "order_adjustments": [],
    }
    return refund | more


def woocommerce_order(id_: int = 727, **more: Any) -> dict[str, Any]:
    """An order of 29.35 with a coupon that took 3.30 off with its tax."""
    order = {
        "id": id_,
        "parent_id": 0,
        "number": str(id_),
        "order_key": "wc_order_58d2d042d1d",
        "created_via": "checkout",
        "version": "9.9.0",
        "status": "processing",
        "currency": "USD",
        "date_created": "2027-03-01T08:58:02",
        "date_created_gmt": "2027-03-01T11:58:02",
        "date_modified": "2027-03-01T08:58:03",
        "date_modified_gmt": "2027-03-01T11:58:03",
        "discount_total": "3.00",
        "discount_tax": "0.30",
        "shipping_total": "10.00",
        "total": "29.35",
        "customer_id": 12,
        "billing": {
            "first_name": "John",
            "last_name": "Doe",
            "email": "john.doe@example.com",
            "phone": "(555) 555-5555",
        },
        "date_paid": "2027-03-01T08:58:03",
        "date_paid_gmt": "2027-03-01T11:58:03",
        "line_items": [
            {
                "id": 315,
                "name": "Woo Single #1",
                "product_id": 93,
                "quantity": 2,
                "subtotal": "6.00",
                "subtotal_tax": "0.45",
                "total": "6.00",
                "sku": "",
                "price": 3,
            }
        ],
        "coupon_lines": [{"id": 318, "code": "one", "discount": "3", "discount_tax": "0.3", "meta_data": []}],
        "refunds": [],
    }
    return order | more


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
