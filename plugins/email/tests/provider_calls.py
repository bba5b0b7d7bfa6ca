"""Requests as SendGrid and Mailgun send them, signed by means that are not the plugin's own."""

import hashlib
import json
from base64 import b64encode
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from promograph import ProviderRequest

URL = "https://promo.example/channels/email/events"
MAILGUN_KEY = "key-3ax6xnjp29jd6fds4gc373sgvjxteol0"

_private = ec.generate_private_key(ec.SECP256R1())
SENDGRID_KEY = b64encode(_private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


def hmac_by_hand(secret: bytes, text: bytes) -> str:
    """RFC 2104, written out, so that the test does not lean on what it tests."""
    key = secret.ljust(64, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in key) + text).digest()
    return hashlib.sha256(bytes(byte ^ 0x5C for byte in key) + inner).hexdigest()


def mailgun_call(
    said: Mapping[str, Any], *, now: datetime, secret: str = MAILGUN_KEY, token: str = "t" * 50
) -> ProviderRequest:
    timestamp = str(int(now.timestamp()))
    signature = hmac_by_hand(secret.encode(), f"{timestamp}{token}".encode())
    proof = {"timestamp": timestamp, "token": token, "signature": signature}
    body = json.dumps({"signature": proof, "event-data": said}).encode()
    return ProviderRequest(url=URL, headers=(("Content-Type", "application/json"),), body=body, received_at=now)


def sendgrid_call(body: bytes, *, now: datetime, signed: bytes | None = None, at: str | None = None) -> ProviderRequest:
    """`signed` is the body that the signature is for, and `at` the time, where they are not the ones that are sent."""
    timestamp = at or str(int(now.timestamp()))
    text = timestamp.encode() + (body if signed is None else signed)
    signature = b64encode(_private.sign(text, ec.ECDSA(SHA256()))).decode()
    headers = (
        ("content-type", "application/json"),
        ("x-twilio-email-event-webhook-signature", signature),
        ("X-Twilio-Email-Event-Webhook-Timestamp", timestamp),
    )
    return ProviderRequest(url=URL, headers=headers, body=body, received_at=now)
