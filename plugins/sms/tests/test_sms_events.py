"""Receipts of Twilio and Vonage, signed by their own libraries."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from promograph import BadSignature, ProviderRequest
from promograph_sms import SmsChannel

from .sms_stage import (
    URL,
    twilio_callback,
    twilio_json_callback,
    twilio_settings,
    vonage_callback,
    vonage_settings,
)

TWILIO = SmsChannel(twilio_settings())
VONAGE = SmsChannel(vonage_settings())


def refused(channel: SmsChannel, request: ProviderRequest) -> None:
    with pytest.raises(BadSignature):
        channel.receive(request)


@pytest.mark.parametrize(
    ("word", "error", "kind"),
    [
        ("queued", None, "SENT"),
        ("sent", None, "SENT"),
        ("delivered", None, "DELIVERED"),
        ("read", None, "OPENED"),
        ("undelivered", "30003", "BOUNCED"),
        ("failed", "30006", "BOUNCED"),
        ("failed", "21610", "SUPPRESSED"),
        ("beamed", None, "UNKNOWN"),
    ],
)
def test_twilios_words(word: str, error: str | None, kind: str) -> None:
    form = {"MessageSid": "SM1", "MessageStatus": word, "To": "+15005550002", "From": "Ünder & Söhne", "Empty": ""}
    (event,) = TWILIO.receive(twilio_callback(form | ({"ErrorCode": error} if error else {})))
    assert (event.kind, event.key, event.provider_id, event.id) == (kind, "send-1.7", "SM1", f"SM1:{word}")
    assert event.recipient == "+15005550002"
    assert event.raw["MessageStatus"] == word


def test_twilios_json_is_bound_to_its_signature_by_a_digest() -> None:
    good = twilio_json_callback({"MessageSid": "SM1", "MessageStatus": "delivered"})
    (event,) = TWILIO.receive(good)
    assert event.kind == "DELIVERED"
    refused(TWILIO, replace(good, body=good.body.replace(b"delivered", b"failed")))
    refused(TWILIO, replace(good, url=good.url.partition("&bodySHA256")[0]))
    refused(TWILIO, twilio_json_callback({"MessageSid": "SM1", "MessageStatus": "delivered"}, token="a guess"))


def test_a_changed_receipt_of_twilios_is_not_heard() -> None:
    good = twilio_callback({"MessageSid": "SM1", "MessageStatus": "delivered"})
    refused(TWILIO, replace(good, body=good.body + b"&ErrorCode=21610"))
    refused(TWILIO, replace(good, body=good.body.replace(b"delivered", b"failed")))
    refused(TWILIO, replace(good, url=good.url.replace("send-1.7", "send-1.8")))
    refused(TWILIO, replace(good, headers=good.headers[:1]))
    refused(TWILIO, replace(good, body=b"", headers=(("X-Twilio-Signature", good.headers[1][1]),)))


def test_behind_a_proxy_the_signature_is_for_the_address_outside() -> None:
    good = twilio_callback({"MessageSid": "SM1", "MessageStatus": "sent"})
    assert len(TWILIO.receive(replace(good, url="http://10.0.0.7:8000/channels/sms/events?key=send-1.7"))) == 1


@pytest.mark.parametrize("signed", [URL.replace(".example", ".example:443"), URL])
def test_twilio_signs_with_and_without_the_port(signed: str) -> None:
    good = twilio_callback({"MessageSid": "SM1", "MessageStatus": "sent"}, url=signed)
    assert len(TWILIO.receive(good)) == 1


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("submitted", "SENT"),
        ("accepted", "SENT"),
        ("buffered", "SENT"),
        ("delivered", "DELIVERED"),
        ("expired", "BOUNCED"),
        ("failed", "BOUNCED"),
        ("rejected", "BOUNCED"),
        ("unknown", "UNKNOWN"),
    ],
)
@pytest.mark.parametrize("form", [True, False])
def test_vonages_words(word: str, kind: str, form: bool) -> None:
    said = {"messageId": "0A1", "status": word, "client-ref": "send-1.7", "msisdn": "447700900000", "err-code": "0"}
    (event,) = VONAGE.receive(vonage_callback({**said, "scts": "a&b=c"}, form=form))
    assert (event.kind, event.key, event.provider_id, event.id) == (kind, "send-1.7", "0A1", f"0A1:{word}:0")


def test_a_changed_or_old_receipt_of_vonages_is_not_heard() -> None:
    said = {"messageId": "0A1", "status": "delivered", "client-ref": "send-1.7"}
    good = vonage_callback(said)
    assert len(VONAGE.receive(good)) == 1
    refused(VONAGE, replace(good, body=good.body.replace(b"delivered", b"rejected")))
    refused(VONAGE, replace(good, body=b"[]"))
    refused(VONAGE, vonage_callback(said, at=datetime.now(UTC) - timedelta(hours=26)))
    refused(SmsChannel(vonage_settings(signature_secret=None)), good)
