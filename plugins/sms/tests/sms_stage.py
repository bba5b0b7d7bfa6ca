"""The SMS channel before its providers, as their published contracts describe them."""

import asyncio
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from types import TracebackType
from typing import Self
from urllib.parse import parse_qsl, urlencode

import httpx2
from twilio.request_validator import RequestValidator
from vonage_http_client.auth import Auth

from promograph import DeliveryEventKind, MessageChannel, ProviderRequest, Secret
from promograph.testing.conformance import Fault, Stage, Taken
from promograph_sms import SmsChannel, SmsSettings

URL = "https://promo.example/channels/sms/events"
ACCOUNT = "AC" + "0123456789abcdef" * 2
TOKEN = "t0ken-of-twilio"
KEY, SECRET, SIGNATURE_SECRET = "abcd1234", "s3cret-of-vonage", "s1gnature-of-vonage"


def twilio_settings(**more: object) -> SmsSettings:
    given: dict[str, object] = {
        "provider": "twilio",
        "sender": "+15005550006",
        "account_sid": ACCOUNT,
        "auth_token": Secret(TOKEN),
        "callback_url": URL,
        "timeout": 0.2,
    }
    return SmsSettings.model_validate({**given, **more})


def vonage_settings(**more: object) -> SmsSettings:
    given: dict[str, object] = {
        "provider": "vonage",
        "sender": "Shop",
        "api_key": KEY,
        "api_secret": Secret(SECRET),
        "signature_secret": Secret(SIGNATURE_SECRET),
        "callback_url": URL,
        "timeout": 0.2,
    }
    return SmsSettings.model_validate({**given, **more})


def twilio_callback(
    form: dict[str, str], *, query: str = "key=send-1.7", token: str = TOKEN, url: str = URL
) -> ProviderRequest:
    """Signed by Twilio's own library."""
    signature = RequestValidator(token).compute_signature(f"{url}?{query}", form)
    headers = (("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8"), ("X-Twilio-Signature", signature))
    body = urlencode(form).encode()
    return ProviderRequest(url=f"{url}?{query}", headers=headers, body=body, received_at=datetime.now(UTC))


def twilio_json_callback(said: dict[str, str], *, token: str = TOKEN) -> ProviderRequest:
    body = json.dumps(said).encode()
    url = f"{URL}?key=send-1.7&bodySHA256={sha256(body).hexdigest()}"
    signature = RequestValidator(token).compute_signature(url, {})
    headers = (("Content-Type", "application/json"), ("X-Twilio-Signature", signature))
    return ProviderRequest(url=url, headers=headers, body=body, received_at=datetime.now(UTC))


def vonage_callback(
    said: dict[str, str], *, secret: str = SIGNATURE_SECRET, form: bool = False, at: datetime | None = None
) -> ProviderRequest:
    """Signed by Vonage's own library."""
    now = datetime.now(UTC)
    signed = {**said, "timestamp": str(int((at or now).timestamp())), "nonce": "aaaa-bbbb"}
    auth = Auth(api_key=KEY, api_secret=SECRET, signature_secret=secret, signature_method="sha256")
    signed["sig"] = auth.sign_params(dict(signed))
    kind = "application/x-www-form-urlencoded" if form else "application/json"
    body = urlencode(signed) if form else json.dumps(signed)
    return ProviderRequest(url=URL, headers=(("Content-Type", kind),), body=body.encode(), received_at=now)


class SmsStage(Stage):
    """What both have in common; the provider is a transport of httpx2."""

    bad_address = "+15005550001"
    secrets = (TOKEN, SECRET, SIGNATURE_SECRET)
    settings: SmsSettings

    def __init__(self) -> None:
        self.fault = Fault.NONE
        self.kept: list[Taken] = []
        self._patch = httpx2.AsyncHTTPTransport.handle_async_request

    async def __aenter__(self) -> Self:
        stage = self

        async def answer(_: httpx2.AsyncHTTPTransport, request: httpx2.Request) -> httpx2.Response:
            response = await stage.answer(request)
            response.request = request
            return response

        httpx2.AsyncHTTPTransport.handle_async_request = answer  # type: ignore[method-assign]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        httpx2.AsyncHTTPTransport.handle_async_request = self._patch  # type: ignore[method-assign]

    def channel(self) -> MessageChannel:
        return SmsChannel(self.settings)

    def address(self, number: int) -> str:
        return f"+1416555{number:04}"

    def behave(self, fault: Fault) -> None:
        self.fault = fault

    def taken(self) -> Sequence[Taken]:
        return self.kept

    async def answer(self, request: httpx2.Request) -> httpx2.Response:
        form = dict(parse_qsl(request.content.decode()))
        if self.fault is Fault.BUSY:
            return httpx2.Response(429, headers={"Retry-After": "7"}, json={"code": 20429, "message": "Too many"})
        if self.fault is Fault.BROKEN:
            return httpx2.Response(500, text="<h1>Oops</h1>")
        if self.fault is Fault.SLOW:
            await asyncio.sleep(0.2)
            raise httpx2.ReadTimeout("slow", request=request)
        taken = self.read(form)
        if taken.to == self.bad_address:
            return self.refusal()
        self.kept.append(taken)
        if self.fault is Fault.LOST_ANSWER:
            raise httpx2.ReadError("hung up", request=request)
        if self.fault is Fault.GARBAGE:
            return httpx2.Response(200, text="<html>")
        return self.acceptance(f"SM{len(self.kept):032}")

    def read(self, form: dict[str, str]) -> Taken:
        raise NotImplementedError

    def refusal(self) -> httpx2.Response:
        raise NotImplementedError

    def acceptance(self, sid: str) -> httpx2.Response:
        raise NotImplementedError


class TwilioStage(SmsStage):
    settings = twilio_settings()

    def read(self, form: dict[str, str]) -> Taken:
        return Taken(form["StatusCallback"], form["To"], form["Body"])

    def refusal(self) -> httpx2.Response:
        return httpx2.Response(400, json={"code": 21211, "message": "Invalid 'To' Phone Number", "status": 400})

    def acceptance(self, sid: str) -> httpx2.Response:
        return httpx2.Response(201, json={"sid": sid, "status": "queued", "error_code": None})

    def callback(self, key: str, kind: DeliveryEventKind, *, forged: bool = False) -> ProviderRequest:
        words = {"SENT": "sent", "DELIVERED": "delivered", "BOUNCED": "undelivered", "UNKNOWN": "teleported"}
        form = {"MessageSid": f"SM{key}", "MessageStatus": words[kind], "To": "+15005550002"}
        return twilio_callback(form, query=f"key={key}", token="a guess" if forged else TOKEN)


class VonageStage(SmsStage):
    settings = vonage_settings()

    def read(self, form: dict[str, str]) -> Taken:
        return Taken(form["client-ref"], f"+{form['to']}", form["text"])

    def refusal(self) -> httpx2.Response:
        part = {"status": "6", "error-text": "Unroutable"}
        return httpx2.Response(200, json={"message-count": "1", "messages": [part]})

    def acceptance(self, sid: str) -> httpx2.Response:
        return httpx2.Response(200, json={"message-count": "1", "messages": [{"status": "0", "message-id": sid}]})

    def callback(self, key: str, kind: DeliveryEventKind, *, forged: bool = False) -> ProviderRequest:
        words = {"SENT": "submitted", "DELIVERED": "delivered", "BOUNCED": "rejected", "UNKNOWN": "teleported"}
        said = {"messageId": f"0A{key}", "status": words[kind], "client-ref": key, "msisdn": "447700900000"}
        return vonage_callback(said, secret="a guess" if forged else SIGNATURE_SECRET)
