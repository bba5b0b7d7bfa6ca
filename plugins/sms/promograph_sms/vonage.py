"""Vonage's SMS API: https://developer.vonage.com/en/messaging/sms/overview; receipts signed by SHA-256 HMAC.

It knows no idempotency keys either.
"""

import hmac
from collections.abc import Mapping
from datetime import timedelta
from json import loads
from typing import Any
from urllib.parse import parse_qsl

import httpx2

from promograph import (
    BadSignature,
    Delivery,
    DeliveryEventKind,
    Message,
    ProviderEvent,
    ProviderRequest,
    SmsEncoding,
    sms_size,
)

from .asking import MUCH_LATER
from .settings import SmsSettings

_SEND = "https://rest.nexmo.com/sms/json"

# https://developer.vonage.com/api-errors/sms
_BUSY = frozenset({"1", "5", "10"})
_FINAL = frozenset({"3", "6", "7", "12", "22", "29", "33"})

_KINDS = {
    "submitted": DeliveryEventKind.SENT,
    "accepted": DeliveryEventKind.SENT,
    "buffered": DeliveryEventKind.SENT,
    "delivered": DeliveryEventKind.DELIVERED,
    "expired": DeliveryEventKind.BOUNCED,
    "failed": DeliveryEventKind.BOUNCED,
    "rejected": DeliveryEventKind.BOUNCED,
}


class Vonage:
    """`settings` have passed their own check: what Vonage needs is there."""

    def __init__(self, settings: SmsSettings) -> None:
        self._key = settings.api_key or ""
        self._secret = settings.api_secret.get_secret_value() if settings.api_secret else ""
        self._signature_secret = settings.signature_secret
        self._sender = settings.sender or ""
        self._callback = settings.callback_url
        self._window = settings.event_window

    def request(self, message: Message) -> dict[str, Any]:
        form = {
            "api_key": self._key,
            "api_secret": self._secret,
            "from": self._sender,
            "to": message.to.removeprefix("+"),
            "text": message.text,
            # A text of the GSM alphabet costs half as many segments; of any other, Vonage would send question marks.
            "type": "text" if sms_size(message.text).encoding is SmsEncoding.GSM_7 else "unicode",
            "client-ref": message.key,
        }
        if self._callback is not None:
            form["callback"] = self._callback
        return {"url": _SEND, "data": form}

    def answered(self, message: Message, response: httpx2.Response) -> Delivery:
        if response.status_code in (401, 403):
            return Delivery.try_again(message.key, "Vonage does not let us in.", after=MUCH_LATER)
        parts = response.json()["messages"]
        failed = next((part for part in parts if part["status"] != "0"), None)
        if failed is None:
            return Delivery.accepted(message.key, str(parts[0]["message-id"]))
        why = f"Vonage said {failed['status']}: {failed.get('error-text', '')}"[:300]
        # Of a long text, some parts may be on their way.
        maybe_taken = any(part["status"] == "0" for part in parts)
        if failed["status"] in _FINAL and not maybe_taken:
            return Delivery.refused(message.key, why)
        after = timedelta(seconds=1) if failed["status"] in _BUSY else MUCH_LATER
        return Delivery.try_again(message.key, why, after=after, maybe_taken=maybe_taken)

    def receive(self, request: ProviderRequest) -> list[ProviderEvent]:
        said = _parameters(request)
        self._check(said, request)
        sid, word, error = said["messageId"], said["status"], said.get("err-code", "0")
        event = ProviderEvent(
            id=f"{sid}:{word}:{error}",
            kind=_KINDS.get(word, DeliveryEventKind.UNKNOWN),
            key=said.get("client-ref"),
            provider_id=sid,
            recipient=said.get("msisdn"),
            why=None if error == "0" else f"Vonage's error {error}",
            raw=said,
        )
        return [event]

    def _check(self, said: Mapping[str, str], request: ProviderRequest) -> None:
        if self._signature_secret is None:
            raise BadSignature("Vonage's signature secret is not set.")
        signed = "".join(
            f"&{name}={said[name].replace('&', '_').replace('=', '_')}" for name in sorted(said) if name != "sig"
        )
        wanted = hmac.digest(self._signature_secret.get_secret_value().encode(), signed.encode(), "sha256").hex()
        if not hmac.compare_digest(wanted.encode(), said.get("sig", "").lower().encode()):
            raise BadSignature("Vonage's signature does not fit.")
        at = said.get("timestamp", "")
        if not at.isdecimal() or abs(request.received_at.timestamp() - int(at)) > self._window:
            raise BadSignature("Vonage's signature is too old, or of a time to come.")


def _parameters(request: ProviderRequest) -> dict[str, str]:
    """The signature is one of the parameters, so that they have to be taken apart first, and no further."""
    try:
        if (request.header("content-type") or "").lower().startswith("application/json"):
            return {str(name): str(value) for name, value in loads(request.body).items()}
        return dict(parse_qsl(request.body.decode(), keep_blank_values=True))
    except (ValueError, AttributeError):
        raise BadSignature("There is no signature of Vonage's in the body.") from None
