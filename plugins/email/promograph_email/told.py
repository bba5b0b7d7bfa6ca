"""Reading what a provider says: other people's JSON, of which nothing is certain."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from promograph import BadSignature


def checked_age(timestamp: str, now: datetime, window: int) -> None:
    """BadSignature where the time that was signed is not within `window` seconds of now."""
    if not timestamp.isdecimal() or abs(now.timestamp() - int(timestamp)) > window:
        raise BadSignature("The signature is too old, or of a time to come.")


def objects(said: object) -> list[Mapping[str, Any]]:
    """ValueError where it is no list of objects."""
    if not isinstance(said, list) or not all(isinstance(each, dict) for each in said):
        raise ValueError("the body is no list of objects")
    return said


def mapping_in(said: object, name: str) -> Mapping[str, Any]:
    found = said.get(name) if isinstance(said, Mapping) else None
    return found if isinstance(found, dict) else {}


def text_in(said: Mapping[str, Any], name: str) -> str | None:
    found = said.get(name)
    return found if isinstance(found, str) and found else None


def key_in(message_id: str | None) -> str | None:
    """Of one of our messages: what stands before the @ of its Message-ID."""
    return message_id.strip("<> ").rpartition("@")[0] or None if message_id else None
