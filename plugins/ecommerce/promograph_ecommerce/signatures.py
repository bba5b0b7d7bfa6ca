"""Signatures over the raw body, compared in constant time."""

import binascii
import hmac
from base64 import b64decode, b64encode
from collections.abc import Iterable

from promograph import BadSignature, ProviderRequest, Secret

_PREFIX = "whsec_"


def check_body(request: ProviderRequest, header: str, secret: Secret | None, shop: str) -> None:
    """As Shopify and WooCommerce sign: the base64 of HMAC-SHA256 over the body, under the secret as it is written."""
    if secret is None:
        raise BadSignature(f"There is no secret of {shop}.")
    keys = (one.encode() for one in secret.get_secret_value().split())
    if not _fits((hmac.digest(key, request.body, "sha256") for key in keys), [request.header(header) or ""]):
        raise BadSignature(f"The signature of {shop} does not fit.")


def check_standard(request: ProviderRequest, secret: Secret | None, window: int) -> str:
    """As Standard Webhooks has it (https://www.standardwebhooks.com), of its symmetric signatures; the message's id."""
    if secret is None:
        raise BadSignature("There is no secret of webhooks.")
    id_, sent_at = request.header("webhook-id") or "", request.header("webhook-timestamp") or ""
    given = [
        signature
        for version, _, signature in (
            each.partition(",") for each in (request.header("webhook-signature") or "").split()
        )
        if version == "v1"
    ]
    signed = b".".join((id_.encode("utf-8", "replace"), sent_at.encode("utf-8", "replace"), request.body))
    keys = (_key(one) for one in secret.get_secret_value().split())
    if not id_ or not _fits((hmac.digest(key, signed, "sha256") for key in keys), given):
        raise BadSignature("The signature of a webhook does not fit.")
    # Signed with it, so that it is a number; who replays a message has no newer one.
    if not sent_at.isdecimal() or abs(request.received_at.timestamp() - int(sent_at)) > window:
        raise BadSignature("The webhook was not sent just now.")
    return id_


def is_standard_secret(text: str) -> bool:
    try:
        return bool(_key(text))
    except binascii.Error:
        return False


def _key(secret: str) -> bytes:
    return b64decode(secret.removeprefix(_PREFIX), validate=True)


def _fits(wanted: Iterable[bytes], given: Iterable[str]) -> bool:
    texts = [each.encode("utf-8", "replace") for each in given]
    # All of them are compared, so that how long it takes says nothing of which one fits.
    return sum([hmac.compare_digest(b64encode(digest), text) for digest in wanted for text in texts]) > 0
