"""Twilio: https://www.twilio.com/docs/messaging/api/message-resource and .../docs/usage/security.

It knows no idempotency keys: a message that is tried again after a lost answer may arrive twice, with the same code.
"""

import hmac
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from json import loads
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import httpx2

from promograph import BadSignature, Delivery, DeliveryEventKind, Message, ProviderEvent, ProviderRequest

from .asking import MUCH_LATER
from .settings import SmsSettings

_SEND = "https://api.twilio.com/2010-04-01/Accounts/{}/Messages.json"

# https://www.twilio.com/docs/api/errors: those that belong to this recipient or this text, and stay.
_FINAL = frozenset({21211, 21214, 21217, 21265, 21408, 21602, 21604, 21608, 21610, 21612, 21614, 21617, 21635})
_UNSUBSCRIBED = "21610"

_KINDS = {
    "accepted": DeliveryEventKind.SENT,
    "scheduled": DeliveryEventKind.SENT,
    "queued": DeliveryEventKind.SENT,
    "sending": DeliveryEventKind.SENT,
    "sent": DeliveryEventKind.SENT,
    "delivered": DeliveryEventKind.DELIVERED,
    "partially_delivered": DeliveryEventKind.DELIVERED,
    "read": DeliveryEventKind.OPENED,
    "undelivered": DeliveryEventKind.BOUNCED,
    "failed": DeliveryEventKind.BOUNCED,
    "canceled": DeliveryEventKind.SUPPRESSED,
}


class Twilio:
    """`settings` have passed their own check: what Twilio needs is there."""

    def __init__(self, settings: SmsSettings) -> None:
        self._account = settings.account_sid or ""
        self._token = settings.auth_token.get_secret_value() if settings.auth_token else ""
        self._sender = settings.sender or ""
        self._callback = settings.callback_url

    def request(self, message: Message) -> dict[str, Any]:
        form = {"To": message.to, "Body": message.text}
        form["MessagingServiceSid" if self._sender.startswith("MG") else "From"] = self._sender
        if self._callback is not None:
            form["StatusCallback"] = f"{self._callback}?key={quote(message.key)}"
        return {"url": _SEND.format(self._account), "data": form, "auth": (self._account, self._token)}

    def answered(self, message: Message, response: httpx2.Response) -> Delivery:
        said = response.json()
        if response.is_success:
            return Delivery.accepted(message.key, str(said["sid"]))
        why = f"Twilio said {said['code']}: {said.get('message', '')}"[:300]
        if said["code"] in _FINAL:
            return Delivery.refused(message.key, why)
        return Delivery.try_again(message.key, why, after=MUCH_LATER)

    def receive(self, request: ProviderRequest) -> list[ProviderEvent]:
        asked = urlsplit(request.url)
        form = _form(request)
        self._check(request, asked.query, form)
        said: Mapping[str, Any] = {name: values[0] for name, values in form.items()} if form else loads(request.body)
        sid, word = str(said["MessageSid"]), str(said["MessageStatus"])
        error = said.get("ErrorCode")
        kind = _KINDS.get(word, DeliveryEventKind.UNKNOWN)
        if error == _UNSUBSCRIBED:
            kind = DeliveryEventKind.SUPPRESSED
        event = ProviderEvent(
            id=f"{sid}:{word}",
            kind=kind,
            key=next(iter(parse_qs(asked.query).get("key", [])), None),
            provider_id=sid,
            recipient=said.get("To"),
            why=f"Twilio's error {error}" if error else None,
            raw=said,
        )
        return [event]

    def _check(self, request: ProviderRequest, query: str, form: Mapping[str, list[str]]) -> None:
        """Signed are the URL as Twilio called it, which behind a proxy is not as it came to us, and the sorted form."""
        given = (request.header("X-Twilio-Signature") or "").encode()
        base = self._callback or request.url.partition("?")[0]
        url = f"{base}?{query}" if query else base
        pairs = "".join(f"{name}{value}" for name in sorted(form) for value in sorted(set(form[name])))
        fits = [hmac.compare_digest(self._signature(each + pairs), given) for each in _with_and_without_port(url)]
        if not any(fits):
            raise BadSignature("Twilio's signature does not fit.")
        if not form:
            wanted = next(iter(parse_qs(query).get("bodySHA256", [])), "")
            if not hmac.compare_digest(sha256(request.body).hexdigest().encode(), wanted.lower().encode()):
                raise BadSignature("The body is not the one that Twilio signed.")

    def _signature(self, text: str) -> bytes:
        return b64encode(hmac.digest(self._token.encode(), text.encode(), "sha1"))


def _form(request: ProviderRequest) -> dict[str, list[str]]:
    if not (request.header("content-type") or "").lower().startswith("application/x-www-form-urlencoded"):
        return {}
    try:
        return parse_qs(request.body.decode(), keep_blank_values=True)
    except ValueError:
        raise BadSignature("The body is no form, and nothing that Twilio signs.") from None


def _with_and_without_port(url: str) -> list[str]:
    """Twilio signs some URLs with the port that is understood, and some without the one that is written."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2].partition(":")[0]
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return [url, *(parts._replace(netloc=netloc).geturl() for netloc in (host, f"{host}:{port}"))]
