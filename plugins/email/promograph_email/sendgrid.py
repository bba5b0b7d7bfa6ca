"""SendGrid's signed event webhook: ECDSA (P-256, SHA-256) over the timestamp's text and the raw body.

https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features
"""

import json
from base64 import b64decode
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from promograph import BadSignature, DeliveryEventKind, ProviderEvent, ProviderRequest

from .told import checked_age, key_in, objects, text_in

SIGNATURE = "X-Twilio-Email-Event-Webhook-Signature"
TIMESTAMP = "X-Twilio-Email-Event-Webhook-Timestamp"

_KINDS = {
    "processed": DeliveryEventKind.SENT,
    "deferred": DeliveryEventKind.DEFERRED,
    "delivered": DeliveryEventKind.DELIVERED,
    "bounce": DeliveryEventKind.BOUNCED,
    "dropped": DeliveryEventKind.SUPPRESSED,
    "open": DeliveryEventKind.OPENED,
    "click": DeliveryEventKind.OPENED,
    "spamreport": DeliveryEventKind.COMPLAINED,
    "unsubscribe": DeliveryEventKind.UNSUBSCRIBED,
    "group_unsubscribe": DeliveryEventKind.UNSUBSCRIBED,
}


def loaded_key(text: str) -> EllipticCurvePublicKey:
    """The key as SendGrid's settings page shows it (base64 of DER); ValueError where it is none."""
    key = load_der_public_key(b64decode(text, validate=True))
    if not isinstance(key, EllipticCurvePublicKey):
        raise ValueError("it is no elliptic curve key")
    return key


def received(request: ProviderRequest, key: EllipticCurvePublicKey, window: int) -> list[ProviderEvent]:
    timestamp = request.header(TIMESTAMP) or ""
    try:
        signature = b64decode(request.header(SIGNATURE) or "", validate=True)
        key.verify(signature, timestamp.encode() + request.body, ECDSA(SHA256()))
    except (InvalidSignature, ValueError):
        raise BadSignature("SendGrid's signature does not fit the body.") from None
    checked_age(timestamp, request.received_at, window)
    return [_event(said) for said in objects(json.loads(request.body))]


def _event(said: Mapping[str, Any]) -> ProviderEvent:
    word = text_in(said, "event") or ""
    kind = _KINDS.get(word, DeliveryEventKind.UNKNOWN)
    # A block is a mailbox that turns down for now, by SendGrid's own account.
    if kind is DeliveryEventKind.BOUNCED and text_in(said, "type") == "blocked":
        kind = DeliveryEventKind.DEFERRED
    at = said.get("timestamp")
    return ProviderEvent(
        id=text_in(said, "sg_event_id") or f"{text_in(said, 'sg_message_id')}:{word}:{at}",
        kind=kind,
        key=key_in(text_in(said, "smtp-id")),
        provider_id=text_in(said, "sg_message_id"),
        recipient=text_in(said, "email"),
        why=text_in(said, "reason") or text_in(said, "response"),
        happened_at=datetime.fromtimestamp(at, UTC) if isinstance(at, int) else None,
        raw=said,
    )
