"""What the operator lets webhooks do."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookRules:
    """`seconds` is how long an answer is waited for; `keep`, for how long what was told is kept."""

    over_http: bool = False
    to_private: bool = False
    seconds: float = 15.0
    keep: timedelta = timedelta(days=14)
