"""What is asked of Twilio and Vonage, and what their answers mean."""

from base64 import b64decode
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qsl

import httpx2
import pytest

from promograph import Delivery, Message
from promograph_sms import SmsChannel

from .sms_stage import ACCOUNT, KEY, SECRET, TOKEN, URL, twilio_settings, vonage_settings

pytestmark = pytest.mark.anyio


class Provider:
    """Whatever is asked over HTTP: it gets `answer`, and is kept."""

    def __init__(self) -> None:
        self.answer: httpx2.Response | Exception = httpx2.Response(500)
        self.requests: list[httpx2.Request] = []

    async def handle(self, _: object, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Provider:
    made = Provider()

    async def handle(transport: object, request: httpx2.Request) -> httpx2.Response:
        return await made.handle(transport, request)

    monkeypatch.setattr(httpx2.AsyncHTTPTransport, "handle_async_request", handle)
    return made


TWILIO = f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
VONAGE = "https://rest.nexmo.com/sms/json"
MESSAGE = Message(key="send-1.7", to="+15005550002", text="Your code: Ü & 50 %")


async def delivered(channel: SmsChannel, message: Message = MESSAGE) -> Delivery:
    (answer,) = await channel.deliver([message])
    await channel.close()
    return answer


def form(request: httpx2.Request) -> dict[str, str]:
    return dict(parse_qsl(request.content.decode()))


async def test_what_twilio_is_asked(provider: Provider) -> None:
    provider.answer = httpx2.Response(201, json={"sid": "SM1"})
    answer = await delivered(SmsChannel(twilio_settings()))
    assert (answer.status, answer.provider_id) == ("ACCEPTED", "SM1")
    (request,) = provider.requests
    assert (request.method, str(request.url)) == ("POST", TWILIO)
    assert form(request) == {
        "To": "+15005550002",
        "From": "+15005550006",
        "Body": "Your code: Ü & 50 %",
        "StatusCallback": f"{URL}?key=send-1.7",
    }
    assert b64decode(request.headers["Authorization"].removeprefix("Basic ")).decode() == f"{ACCOUNT}:{TOKEN}"


async def test_a_messaging_service_of_twilios(provider: Provider) -> None:
    provider.answer = httpx2.Response(201, json={"sid": "SM1"})
    await delivered(SmsChannel(twilio_settings(sender="MG" + "0" * 32, callback_url=None)))
    (request,) = provider.requests
    assert set(form(request)) == {"To", "MessagingServiceSid", "Body"}


async def test_what_vonage_is_asked(provider: Provider) -> None:
    provider.answer = httpx2.Response(200, json={"messages": [{"status": "0", "message-id": "0A1"}] * 2})
    answer = await delivered(SmsChannel(vonage_settings()))
    assert (answer.status, answer.provider_id) == ("ACCEPTED", "0A1")
    (request,) = provider.requests
    assert (request.method, str(request.url)) == ("POST", VONAGE)
    assert form(request) == {
        "api_key": KEY,
        "api_secret": SECRET,
        "from": "Shop",
        "to": "15005550002",
        "text": "Your code: Ü & 50 %",
        "type": "text",
        "client-ref": "send-1.7",
        "callback": URL,
    }


@pytest.mark.parametrize(("text", "kind"), [("20 € für Dich {A}", "text"), ("`A`", "unicode"), ("Код A", "unicode")])
async def test_vonage_is_told_which_alphabet_a_text_is_in(provider: Provider, text: str, kind: str) -> None:
    provider.answer = httpx2.Response(200, json={"messages": [{"status": "0", "message-id": "0A1"}]})
    await delivered(SmsChannel(vonage_settings()), replace(MESSAGE, text=text))
    (request,) = provider.requests
    assert (form(request)["type"], form(request)["text"]) == (kind, text)


@pytest.mark.parametrize(
    ("status", "said", "wanted", "maybe_taken"),
    [
        (400, {"code": 21211, "message": "Invalid 'To' Phone Number"}, "REFUSED", False),
        (400, {"code": 21610, "message": "Attempt to send to unsubscribed recipient"}, "REFUSED", False),
        (400, {"code": 21606, "message": "The 'From' number is not valid"}, "TRY_AGAIN", False),
        (401, {"code": 20003, "message": "Authenticate"}, "TRY_AGAIN", False),
        (429, {"code": 20429, "message": "Too Many Requests"}, "TRY_AGAIN", False),
        (500, {}, "TRY_AGAIN", True),
        (502, {}, "TRY_AGAIN", True),
        (503, {}, "TRY_AGAIN", False),
        (400, {"error": "no code"}, "TRY_AGAIN", False),
        (201, {"status": "queued"}, "TRY_AGAIN", True),
        (201, ["sid"], "TRY_AGAIN", True),
    ],
)
async def test_twilios_answers(provider: Provider, status: int, said: Any, wanted: str, maybe_taken: bool) -> None:
    provider.answer = httpx2.Response(status, json=said)
    answer = await delivered(SmsChannel(twilio_settings()))
    assert (answer.status, answer.maybe_taken) == (wanted, maybe_taken)
    assert answer.why
    assert TOKEN not in answer.why


@pytest.mark.parametrize(
    ("statuses", "wanted", "maybe_taken"),
    [
        (["1"], "TRY_AGAIN", False),
        (["4"], "TRY_AGAIN", False),
        (["5"], "TRY_AGAIN", False),
        (["6"], "REFUSED", False),
        (["7"], "REFUSED", False),
        (["9"], "TRY_AGAIN", False),
        (["99"], "TRY_AGAIN", False),
        (["0", "6"], "TRY_AGAIN", True),
        ([], "TRY_AGAIN", True),
    ],
)
async def test_vonages_answers(provider: Provider, statuses: list[str], wanted: str, maybe_taken: bool) -> None:
    parts = [{"status": status, "message-id": "0A1", "error-text": "so it is"} for status in statuses]
    provider.answer = httpx2.Response(200, json={"messages": parts})
    answer = await delivered(SmsChannel(vonage_settings()))
    assert (answer.status, answer.maybe_taken) == (wanted, maybe_taken)


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [("7", 7, 7), ("99999999999999", 3600, 3600), ("soon", 5, 5), (None, 5, 5), ("date", 80, 90), ("past", 0, 0)],
)
async def test_when_to_come_again(provider: Provider, header: str | None, least: int, most: int) -> None:
    dates = {"date": timedelta(seconds=90), "past": timedelta(days=-1)}
    if header in dates:
        header = format_datetime(datetime.now(UTC) + dates[header], usegmt=True)
    provider.answer = httpx2.Response(429, headers={"Retry-After": header} if header else {})
    answer = await delivered(SmsChannel(twilio_settings()))
    assert answer.after is not None
    assert least <= answer.after.total_seconds() <= most


@pytest.mark.parametrize(
    ("failure", "maybe_taken"),
    [
        (httpx2.ConnectError("no route"), False),
        (httpx2.ConnectTimeout("no answer"), False),
        (httpx2.ReadTimeout("no answer"), True),
        (httpx2.RemoteProtocolError("hung up"), True),
    ],
)
async def test_lines_that_break(provider: Provider, failure: Exception, maybe_taken: bool) -> None:
    provider.answer = failure
    answer = await delivered(SmsChannel(twilio_settings()))
    assert (answer.status, answer.maybe_taken) == ("TRY_AGAIN", maybe_taken)
