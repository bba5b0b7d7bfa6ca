"""Webhooks as somebody sets them up."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from promograph.domain.storable import check_storable
from promograph.domain.webhooks.events import WebhookType
from promograph.errors import BadInput, InputProblem

MOST_WEBHOOKS = 50
MOST_OLD_SECRETS = 3
LONGEST_OVERLAP = timedelta(days=30)
_LONGEST_DESCRIPTION = 500

GONE = "It answered 410 Gone: it wants nothing more."
"""Why a webhook is off that nobody has switched off."""


@dataclass(frozen=True, slots=True)
class OldSecret:
    """One that a receiver may have until then."""

    text: str = field(repr=False)
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """`off_because`: why it is off, where an answer of its own has switched it off."""

    id: int
    url: str
    description: str
    types: frozenset[WebhookType]
    is_enabled: bool
    off_because: str | None
    secret: str
    old_secrets: tuple[OldSecret, ...]
    failures: int
    rests_until: datetime | None
    created_at: datetime
    updated_at: datetime

    def __repr__(self) -> str:
        return f"<Webhook {self.id}>"  # never a secret

    def valid_secrets(self, now: datetime) -> list[str]:
        """The newest first."""
        return [self.secret, *(old.text for old in self.old_secrets if now < old.until)]


def checked_types(types: Collection[WebhookType]) -> frozenset[WebhookType]:
    if not types:
        raise BadInput(InputProblem.REQUIRED, "Say what it is to be told of: at least one type.", field=("types",))
    return frozenset(types)


def checked_description(text: str) -> str:
    check_storable(text, "description")
    if len(text) > _LONGEST_DESCRIPTION:
        sentence = f"A description has at most {_LONGEST_DESCRIPTION} characters."
        raise BadInput(InputProblem.OUT_OF_RANGE, sentence, field=("description",))
    return text


def rotated(webhook: Webhook, overlap: timedelta, now: datetime) -> tuple[OldSecret, ...]:
    """The old secrets once another takes the place of the present one, which stays good for `overlap`."""
    if not timedelta() <= overlap <= LONGEST_OVERLAP:
        sentence = "The old secret stays good for 0 to 30 days, such as P1D."
        raise BadInput(InputProblem.OUT_OF_RANGE, sentence, field=("overlap",))
    good: Sequence[OldSecret] = [old for old in webhook.old_secrets if now < old.until]
    if len(good) >= MOST_OLD_SECRETS:
        until = min(old.until for old in good).isoformat(timespec="seconds")
        sentence = f"{MOST_OLD_SECRETS} old secrets are still good; the first of them until {until}."
        raise BadInput(InputProblem.STATE, sentence, field=("id",))
    return (OldSecret(webhook.secret, now + overlap), *good) if overlap else tuple(good)
