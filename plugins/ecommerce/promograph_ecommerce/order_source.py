"""What a make of shops does that tells of its orders, and helpers to read what it says."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any, Protocol

from promograph import DeliveryEventKind, Money, OrderNews, ProviderEvent, ProviderRequest

Told = Mapping[str, Any]
"""A JSON object."""


class OrderSource(Protocol):
    """One make of shops: how its requests are told from others, what they say."""

    name: str

    def sent(self, request: ProviderRequest) -> bool:
        """Whether the request is one of these shops', going by its headers alone."""

    def receive(self, request: ProviderRequest) -> list[ProviderEvent]:
        """As `EventChannel.receive`. Of an order only what is needed is kept: no addresses, no names."""

    def news(self, told: Told, said_at: datetime) -> OrderNews | None:
        """What `receive` has kept, in promograph's words; None for what does not count. `said_at`: if it names none."""


def read(body: bytes) -> Told:
    """A JSON object; ValueError for anything else."""
    told = json.loads(body)
    if not isinstance(told, dict):
        raise ValueError("it is no JSON object")
    return told


def event(shop: str, id_: str, raw: Told, request: ProviderRequest) -> ProviderEvent:
    return ProviderEvent(
        id=f"{shop}:{id_}",
        kind=DeliveryEventKind.ORDER,
        happened_at=request.received_at,
        raw={"shop": shop, "told": raw},
    )


def id_of(request: ProviderRequest, *headers: str) -> str:
    """Of what is said, the same when it is said again. Headers are not signed, so that the body has to be in it."""
    parts = [request.header(header) or "" for header in headers]
    return sha256("\n".join(parts).encode("utf-8", "replace") + b"\n" + request.body).hexdigest()


def picked(told: Told, *names: str) -> dict[str, Any]:
    return {name: told[name] for name in names if told.get(name) is not None}


def objects(told: Told, name: str) -> list[Told]:
    """The objects in a list, whatever else it may hold; empty where there is none."""
    found = told.get(name)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def minor(amount: Any, currency: str | None) -> int | None:
    """In the smallest unit of the currency; None for what is no amount, or in no currency that anybody knows."""
    try:
        return None if amount is None or currency is None else Money.nearest(str(amount), currency).minor
    except ValueError:
        return None


def times(amount: Any, quantity: int) -> str | None:
    """A price for so many; None for what is no price."""
    try:
        return str(Decimal(str(amount)) * quantity)
    except ArithmeticError:
        return None


def whole(number: Any) -> int:
    """Of what should be one; 0 for anything else."""
    try:
        return int(number)
    except (TypeError, ValueError, OverflowError):
        return 0


def instant(text: Any) -> datetime | None:
    """An RFC 3339 instant, in UTC where it names no offset."""
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
