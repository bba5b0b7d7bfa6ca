"""Everything that is held of a person, for themselves."""

from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection

from promograph.domain.conditions.facts import Needs
from promograph.store.people import facts as customer_facts
from promograph.store.people import segments
from promograph.store.statements import Answer, Statement
from promograph.store.tables.instants import from_micros

_CUSTOMER = Statement(
    "SELECT c.email, c.phone, c.locale, CAST(c.consent AS text), CAST(c.attributes AS text), c.created_at, "
    "c.updated_at FROM customer c WHERE c.id = :id"
)
_TEXT = "(SELECT coalesce(c.text, c.key) FROM code c WHERE c.promotion_id = {0}.promotion_id AND c.seq = {0}.seq)"
_HANDLE = "(SELECT p.handle FROM promotion p WHERE p.id = {0}.promotion_id)"
_PARTS: dict[str, tuple[tuple[str, ...], Statement]] = {
    "issuances": (
        ("promotion", "code", "kind", "channel", "send", "issuedAt"),
        Statement(
            f"SELECT {_HANDLE.format('i')}, {_TEXT.format('i')}, i.kind, i.channel, i.send, i.issued_at "
            "FROM issuance i WHERE i.customer = :id ORDER BY i.issued_at, i.promotion_id, i.number"
        ),
    ),
    "redemptions": (
        (
            "promotion", "code", "channel", "order", "orderMinor", "orderCurrency", "discountMinor",
            "discountCurrency", "redeemedAt",
        ),
        Statement(
            f"SELECT {_HANDLE.format('d')}, {_TEXT.format('d')}, d.channel, d.order_ref, d.order_minor, "
            "d.order_currency, d.discount_minor, d.discount_currency, d.redeemed_at "
            "FROM redemption d WHERE d.customer = :id ORDER BY d.redeemed_at, d.promotion_id, d.number"
        ),
    ),
    "holds": (
        ("promotion", "code", "channel", "order", "ended", "heldAt"),
        Statement(
            f"SELECT {_HANDLE.format('h')}, {_TEXT.format('h')}, h.channel, h.order_ref, h.ended, h.held_at "
            "FROM hold h WHERE h.customer = :id ORDER BY h.held_at, h.promotion_id, h.number"
        ),
    ),
    "messages": (
        ("send", "channel", "status", "sentAt"),
        Statement(
            "SELECT s.key, s.channel, m.status, m.changed_at FROM send_message m JOIN send s ON s.id = m.send_id "
            "WHERE m.customer = :id ORDER BY m.changed_at, m.send_id, m.number"
        ),
    ),
    "orders": (
        ("channel", "shop", "order", "state", "heardAt"),
        Statement(
            "SELECT o.channel, o.shop, o.ref, o.state, o.heard_at FROM shop_order o WHERE o.customer = :id "
            "ORDER BY o.heard_at, o.id"
        ),
    ),
}  # fmt: skip
_AUDIENCES = Statement(
    "SELECT a.handle FROM audience a JOIN audience_member m ON m.audience_id = a.id AND m.customer = :id "
    "WHERE a.filling_at IS NULL ORDER BY a.handle"
)


def read(connection: Connection, id_: str, now: datetime) -> dict[str, Any]:
    """As plain JSON data. Attributes are as they are kept; money is in the smallest unit of its currency."""
    found = _CUSTOMER.fetch(connection, id=id_)
    parts = {
        part: [_named(names, row) for row in statement.fetch(connection, id=id_)]
        for part, (names, statement) in _PARTS.items()
    }
    known = segments.every(connection)
    needs = Needs(segments=frozenset(segment.handle for segment in known))
    facts = customer_facts.read(connection, {id_: needs}, now)[id_]
    return {
        "id": id_,
        "customer": _described(found) if found else None,
        **parts,
        "segments": sorted(facts.segments) if found else [],
        "audiences": [handle for (handle,) in _AUDIENCES.fetch(connection, id=id_)],
    }


def _described(found: Answer) -> dict[str, Any]:
    email, phone, locale, consent, attributes, created_at, updated_at = tuple(found[0])
    return {
        "email": email,
        "phone": phone,
        "locale": locale,
        "consent": orjson.loads(consent),
        "attributes": orjson.loads(attributes),
        "createdAt": from_micros(created_at).isoformat(),
        "updatedAt": from_micros(updated_at).isoformat(),
    }


def _named(names: tuple[str, ...], row: Any) -> dict[str, Any]:
    """The last is an instant."""
    *values, at = tuple(row)
    return dict(zip(names, [*values, from_micros(at).isoformat()], strict=True))
