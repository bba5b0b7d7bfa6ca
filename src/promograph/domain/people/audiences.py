"""Audiences: who a send goes to."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

MOST_MEMBERS_AT_ONCE = 10_000
"""How many ids one call adds or removes."""

ADDRESSES: Mapping[str, str] = {"email": "email", "sms": "phone"}
"""Of the channels that carry messages, the field of a customer that has the address."""


class AudienceKind(StrEnum):
    """STATIC: its members are listed. DYNAMIC: whoever is in a segment when it is looked at."""

    STATIC = "STATIC"
    DYNAMIC = "DYNAMIC"


class AudienceSource(StrEnum):
    """Where the members of an audience came from first."""

    LIST = "LIST"
    SEGMENT = "SEGMENT"
    FILE = "FILE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """`segment` is the handle of the one that a DYNAMIC audience is made of, or that a STATIC one was frozen from.

    `size` counts the members of a STATIC one; a DYNAMIC one has to be counted.
    """

    id: int
    handle: str
    name: str
    kind: AudienceKind
    source: AudienceSource
    segment: str | None
    size: int | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Of an audience's members, how many a channel reaches.

    `addressed` have an address for it; of these `agreed` said yes, `refused` said no, and the others were not asked.
    """

    channel: str
    addressed: int
    agreed: int
    refused: int
