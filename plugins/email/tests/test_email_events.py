"""Events of SendGrid and Mailgun: real signatures, replays, and their words in ours."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sendgrid.helpers.eventwebhook import EventWebhook

from promograph import BadSignature, ProviderEvent, ProviderRequest, Secret
from promograph_email import EmailChannel, EmailSettings

from .provider_calls import MAILGUN_KEY, SENDGRID_KEY, mailgun_call, sendgrid_call

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
CHANNEL = EmailChannel(EmailSettings(sendgrid_public_key=SENDGRID_KEY, mailgun_signing_key=Secret(MAILGUN_KEY)))


def sendgrid(*said: dict[str, Any]) -> ProviderRequest:
    events = [{"sg_event_id": f"id-{n}", "smtp-id": "<send-1.7@shop.example>", **each} for n, each in enumerate(said)]
    # Spaces and line ends as SendGrid has them: it is the bytes that are signed.
    return sendgrid_call(json.dumps(events, indent=1).encode() + b"\r\n", now=NOW)


def refused(request: ProviderRequest) -> str:
    with pytest.raises(BadSignature) as stop:
        CHANNEL.receive(request)
    return str(stop.value)


def test_sendgrids_own_library_agrees_with_the_signatures_of_these_tests() -> None:
    request = sendgrid({"event": "delivered"})
    theirs = EventWebhook(SENDGRID_KEY)
    signature = request.header("X-Twilio-Email-Event-Webhook-Signature")
    timestamp = request.header("X-Twilio-Email-Event-Webhook-Timestamp")
    assert theirs.verify_signature(request.body.decode(), signature, timestamp)
    assert not theirs.verify_signature(request.body.decode() + " ", signature, timestamp)
    assert len(CHANNEL.receive(request)) == 1


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ({"event": "processed"}, "SENT"),
        ({"event": "deferred"}, "DEFERRED"),
        ({"event": "delivered"}, "DELIVERED"),
        ({"event": "bounce", "type": "bounce"}, "BOUNCED"),
        ({"event": "bounce", "type": "blocked"}, "DEFERRED"),
        ({"event": "dropped", "reason": "Unsubscribed Address"}, "SUPPRESSED"),
        ({"event": "open"}, "OPENED"),
        ({"event": "click"}, "OPENED"),
        ({"event": "spamreport"}, "COMPLAINED"),
        ({"event": "group_unsubscribe"}, "UNSUBSCRIBED"),
        ({"event": "levitated"}, "UNKNOWN"),
        ({}, "UNKNOWN"),
        ({"event": ["delivered"]}, "UNKNOWN"),
    ],
)
def test_sendgrids_words(said: dict[str, Any], kind: str) -> None:
    (event,) = CHANNEL.receive(sendgrid(said))
    assert (event.kind, event.key, event.id) == (kind, "send-1.7", "id-0")


def test_a_batch_of_sendgrids_with_all_that_it_says() -> None:
    bounce = {
        "event": "bounce",
        "email": "a@example.com",
        "timestamp": 1803902400,
        "reason": "550 5.1.1 No such user",
        "sg_message_id": "14c5d75ce93.dfd.64b469",
    }
    bounced, delivered = CHANNEL.receive(sendgrid(bounce, {"event": "delivered"}))
    assert bounced == ProviderEvent(
        id="id-0",
        kind=bounced.kind,
        key="send-1.7",
        provider_id="14c5d75ce93.dfd.64b469",
        recipient="a@example.com",
        why="550 5.1.1 No such user",
        happened_at=datetime.fromtimestamp(1803902400, UTC),
        raw={"sg_event_id": "id-0", "smtp-id": "<send-1.7@shop.example>", **bounce},
    )
    assert delivered.id == "id-1"


def test_sendgrids_signature_is_for_this_body_and_this_time() -> None:
    good = sendgrid({"event": "delivered"})
    refused(replace(good, body=good.body.replace(b"delivered", b"bounce")))
    refused(sendgrid_call(b"[]", now=NOW, signed=b"[ ]"))
    timestamp = str(int(NOW.timestamp()))
    headers = tuple((name, "1" + value if value == timestamp else value) for name, value in good.headers)
    refused(replace(good, headers=headers))
    garbled = tuple((name, "!" if "signature" in name else value) for name, value in good.headers)
    refused(replace(good, headers=garbled))


@pytest.mark.parametrize("age", [timedelta(hours=26), timedelta(hours=-26)])
def test_old_signatures_are_not_heard_again(age: timedelta) -> None:
    assert "too old" in refused(replace(sendgrid({"event": "delivered"}), received_at=NOW + age))
    assert "too old" in refused(replace(mailgun_call({}, now=NOW), received_at=NOW + age))


def test_a_signed_body_that_makes_no_sense_is_no_forgery() -> None:
    for body in (b"{}", b"[1]", b"nonsense", b"\xff"):
        with pytest.raises(ValueError, match=r".") as stop:
            CHANNEL.receive(sendgrid_call(body, now=NOW))
        assert not isinstance(stop.value, BadSignature)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ({"event": "accepted"}, "SENT"),
        ({"event": "delivered"}, "DELIVERED"),
        ({"event": "failed", "severity": "temporary"}, "DEFERRED"),
        ({"event": "failed", "severity": "permanent", "reason": "bounce"}, "BOUNCED"),
        ({"event": "failed", "severity": "permanent", "reason": "suppress-complaint"}, "SUPPRESSED"),
        ({"event": "rejected"}, "SUPPRESSED"),
        ({"event": "opened"}, "OPENED"),
        ({"event": "complained"}, "COMPLAINED"),
        ({"event": "unsubscribed"}, "UNSUBSCRIBED"),
        ({"event": "teleported"}, "UNKNOWN"),
        ({"event": 7}, "UNKNOWN"),
    ],
)
def test_mailguns_words(said: dict[str, Any], kind: str) -> None:
    message = {"headers": {"message-id": "send-1.7@shop.example"}}
    (event,) = CHANNEL.receive(mailgun_call({**said, "message": message}, now=NOW))
    assert (event.kind, event.key, event.id) == (kind, "send-1.7", "t" * 50)


def test_mailguns_published_way_of_signing() -> None:
    """hex of HMAC-SHA256 under the key, over timestamp and token one after the other."""
    request = mailgun_call({"event": "delivered"}, now=NOW)
    said = json.loads(request.body)
    assert len(CHANNEL.receive(request)) == 1
    for name, value in (("timestamp", "1803902401"), ("token", "u" * 50), ("signature", "0" * 64), ("signature", 7)):
        broken = {**said, "signature": {**said["signature"], name: value}}
        refused(replace(request, body=json.dumps(broken).encode()))
    refused(replace(request, body=json.dumps({"event-data": {}}).encode()))
    refused(replace(request, body=b"[]"))


def test_without_a_key_nobody_is_heard() -> None:
    deaf = EmailChannel(EmailSettings())
    for request in (sendgrid({"event": "delivered"}), mailgun_call({}, now=NOW)):
        with pytest.raises(BadSignature, match="is not set"):
            deaf.receive(request)
