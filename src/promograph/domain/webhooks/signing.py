"""Signatures and secrets as Standard Webhooks 1.0 writes them.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import hmac
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from datetime import datetime
from secrets import token_bytes

_PREFIX = "whsec_"
_BYTES = 32


def new_secret() -> str:
    """256 random bits."""
    return _PREFIX + b64encode(token_bytes(_BYTES)).decode()


def signed_headers(id_: str, at: datetime, body: bytes, secrets: Sequence[str]) -> Mapping[str, str]:
    """The three headers of one try. Each secret that a receiver may still have signs: one that fits is enough."""
    timestamp = str(int(at.timestamp()))
    content = b".".join([id_.encode(), timestamp.encode(), body])
    return {
        "webhook-id": id_,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{_signature(secret, content)}" for secret in secrets),
    }


def _signature(secret: str, content: bytes) -> str:
    return b64encode(hmac.digest(b64decode(secret.removeprefix(_PREFIX)), content, "sha256")).decode()
