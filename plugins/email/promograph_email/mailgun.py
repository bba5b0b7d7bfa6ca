"""Mailgun's webhooks: HMAC-SHA256 over timestamp and token, which the body itself brings along.

https://documentation.mailgun.com/docs/mailgun/user-manual/events/webhooks

The signature does not cover what is said. The token does once: it is the event's id, so that a body with a used token
is a repeat and changes nothing.
"""

import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from promograph import BadSignature, DeliveryEventKind, ProviderEvent, ProviderRequest

from .told import checked_age, key_in, mapping_in, text_in

_KINDS = {
    "accepted": DeliveryEventKind.SENT,
    "delivered": DeliveryEventKind.DELIVERED,
    "failed": DeliveryEventKind.BOUNCED,
    "rejected": DeliveryEventKind.SUPPRESSED,
    "opened": DeliveryEventKind.OPENED,
    "clicked": DeliveryEventKind.OPENED,
    "complained": DeliveryEventKind.COMPLAINED,
    "unsubscribed": DeliveryEventKind.UNSUBSCRIBED,
}


def received(request: ProviderRequest, key: str, window: int) -> list[ProviderEvent]:
    try:
        body = json.loads(request.body)
    except ValueError:
        raise BadSignature("There is no signature of Mailgun's in the body.") from None
    proof = mapping_in(body, "signature")
    timestamp, token = text_in(proof, "timestamp") or "", text_in(proof, "token") or ""
    wanted = hmac.digest(key.encode(), f"{timestamp}{token}".encode(), "sha256").hex()
    if not token or not hmac.compare_digest(wanted.encode(), (text_in(proof, "signature") or "").encode()):
        raise BadSignature("Mailgun's signature does not fit its token.")
    checked_age(timestamp, request.received_at, window)
    return [_event(mapping_in(body, "event-data"), token)]


def _event(said: Mapping[str, Any], token: str) -> ProviderEvent:
    status = mapping_in(said, "delivery-status")
    at = said.get("timestamp")
    return ProviderEvent(
        id=token,
        kind=_kind(said),
        key=key_in(text_in(mapping_in(mapping_in(said, "message"), "headers"), "message-id")),
        provider_id=text_in(said, "id"),
        recipient=text_in(said, "recipient"),
        why=text_in(status, "message") or text_in(status, "description") or text_in(said, "reason"),
        happened_at=datetime.fromtimestamp(at, UTC) if isinstance(at, int | float) else None,
        raw=said,
    )


def _kind(said: Mapping[str, Any]) -> DeliveryEventKind:
    kind = _KINDS.get(text_in(said, "event") or "", DeliveryEventKind.UNKNOWN)
    if kind is not DeliveryEventKind.BOUNCED:
        return kind
    if text_in(said, "severity") == "temporary":
        return DeliveryEventKind.DEFERRED
    # Mailgun refuses by itself whom it knows as bounced, complaining or unsubscribed.
    is_known = (text_in(said, "reason") or "").startswith("suppress-")
    return DeliveryEventKind.SUPPRESSED if is_known else DeliveryEventKind.BOUNCED
