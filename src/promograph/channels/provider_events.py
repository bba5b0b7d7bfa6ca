"""What providers and shops call us with, and what they say."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from promograph.domain.sending.deliveries import DeliveryEventKind


class BadSignature(Exception):
    """The request is not from whom it says, or too old. The text is for the operator's log, without secrets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderRequest:
    """A request to `/channels/NAME/events` as it came: the whole URL, every header, the body's bytes.

    Behind a proxy the URL may not be the one that the provider called: a channel that needs that one asks for it in its
    settings. `received_at` is aware and says what time it is.
    """

    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    received_at: datetime

    def header(self, name: str) -> str | None:
        """The first header of that name, in whatever case it was written."""
        wanted = name.lower()
        return next((value for each, value in self.headers if each.lower() == wanted), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderEvent:
    """One thing said. `id` is unique within the channel and the same when the provider says it again (200 characters).

    `key` is the key of the message, `provider_id` the provider's own; `raw` is all that was said, as JSON can say it.
    """

    id: str
    kind: DeliveryEventKind
    key: str | None = None
    provider_id: str | None = None
    recipient: str | None = None
    why: str | None = None
    happened_at: datetime | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)
