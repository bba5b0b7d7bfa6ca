"""What conditions ask about customers, read for a whole batch at once.

A statement for each kind of fact that anybody asks for, however many customers there are, and none where nobody asks.
Segments are worked out here from the other facts, so that they agree with what the same condition would say in place.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from promograph.domain import conditions
from promograph.domain.conditions.facts import CustomerFacts, Facts, IssuedKey, Needs
from promograph.domain.conditions.values import Value
from promograph.domain.people.segments import Conditions, in_order
from promograph.store.people import segments
from promograph.store.people.condition_sql import FIRST_ISSUED, SHARED_USES, usable
from promograph.store.people.values import load_json, value_of
from promograph.store.redemptions import STANDING
from promograph.store.statements import Statement
from promograph.store.tables.instants import to_micros

_ATTRIBUTES = Statement("SELECT c.id, CAST(c.attributes AS text) FROM @rows(id text) r JOIN customer c ON c.id = r.id")
# The sum keeps planners from walking all of a promotion's rows: a customer has few.
_ISSUED = Statement(
    "SELECT r.ord, (SELECT count(*) FROM issuance i WHERE i.customer = r.customer "
    "AND (r.promotion IS NULL OR i.promotion_id + 0 = p.id) AND (r.since IS NULL OR i.issued_at >= r.since) "
    f"AND {FIRST_ISSUED}) FROM @rows(ord bigint, customer text, promotion text, since bigint) r "
    "LEFT JOIN promotion p ON p.handle = r.promotion"
)
# For one row at a time: left to itself, PostgreSQL would first gather the uses of every shared code there is.
_USABLE = usable(f"(SELECT d.number {SHARED_USES} LIMIT 1) IS NULL")
_HELD = Statement(
    "SELECT r.ord FROM @rows(ord bigint, customer text, promotion text) r JOIN promotion p ON p.handle = r.promotion "
    "WHERE EXISTS (SELECT 1 FROM issuance i JOIN code k ON k.promotion_id = i.promotion_id AND k.seq = i.seq "
    f"WHERE i.customer = r.customer AND i.promotion_id + 0 = p.id AND {FIRST_ISSUED} AND {_USABLE})"
)
_REDEEMED = Statement(
    "SELECT r.ord FROM @rows(ord bigint, customer text, promotion text) r JOIN promotion p ON p.handle = r.promotion "
    "WHERE EXISTS (SELECT 1 FROM redemption d "
    f"WHERE d.customer = r.customer AND d.promotion_id + 0 = p.id AND {STANDING})"
)

_NOTHING = CustomerFacts()


def read(connection: Connection, wanted: Mapping[str, Needs], now: datetime) -> dict[str, CustomerFacts]:
    """What each customer's conditions look at, by the customer's own id.

    Of somebody who was never upserted the attributes are missing, and nothing else: they may have been issued codes.
    """
    asking = {customer: needs for customer, needs in wanted.items() if needs.customer}
    if not asking:
        return dict.fromkeys(wanted, _NOTHING)
    meant = frozenset[str]().union(*(needs.segments for needs in asking.values()))
    known = segments.reached_from(connection, meant)
    orders = {needs.segments: in_order(needs.segments, known) for needs in asking.values()} if known else {}
    whole = {customer: _with_segments(needs, orders, known) for customer, needs in asking.items()}
    attributes = _attributes(connection, whole)
    issued = _issued(connection, whole)
    held = _having(connection, _HELD, {customer: needs.held for customer, needs in whole.items()})
    redeemed = _having(connection, _REDEEMED, {customer: needs.redeemed for customer, needs in whole.items()})
    facts = dict.fromkeys(wanted, _NOTHING)
    for customer, needs in asking.items():
        found = CustomerFacts(
            attributes=attributes.get(customer, {}),
            issued=issued.get(customer, {}),
            held=held.get(customer, frozenset()),
            redeemed=redeemed.get(customer, frozenset()),
        )
        facts[customer] = _with_membership(found, orders.get(needs.segments, ()), known, now)
    return facts


def _with_segments(needs: Needs, orders: Mapping[frozenset[str], Sequence[str]], known: Conditions) -> Needs:
    """With all that the segments look at too."""
    for handle in orders.get(needs.segments, ()):
        needs |= known[handle].needs()
    return needs


def _with_membership(facts: CustomerFacts, order: Sequence[str], known: Conditions, now: datetime) -> CustomerFacts:
    """Which segments the customer is in follows from the rest, one segment after those that it rests on."""
    for handle in order:
        if conditions.holds(known[handle], Facts(now=now, customer=facts)):
            facts = replace(facts, segments=facts.segments | {handle})
    return facts


def _attributes(connection: Connection, wanted: Mapping[str, Needs]) -> dict[str, dict[str, Value]]:
    asking = [(customer,) for customer, needs in wanted.items() if needs.attributes]
    if not asking:
        return {}
    return {
        customer: _chosen(text, wanted[customer].attributes) for customer, text in _ATTRIBUTES.fetch(connection, asking)
    }


def _chosen(text: str, names: Iterable[str]) -> dict[str, Value]:
    data = load_json(text)
    return {name: value_of(data[name]) for name in names if name in data}


def _issued(connection: Connection, wanted: Mapping[str, Needs]) -> dict[str, dict[IssuedKey, int]]:
    asking = [(customer, key) for customer, needs in wanted.items() for key in needs.issued]
    if not asking:
        return {}
    rows = [
        (ord_, customer, key.promotion, None if key.since is None else to_micros(key.since))
        for ord_, (customer, key) in enumerate(asking)
    ]
    counts: dict[str, dict[IssuedKey, int]] = {}
    for ord_, count in _ISSUED.fetch(connection, rows):
        customer, key = asking[ord_]
        counts.setdefault(customer, {})[key] = count
    return counts


def _having(
    connection: Connection, statement: Statement, wanted: Mapping[str, frozenset[str]]
) -> dict[str, frozenset[str]]:
    """Of the promotions that each customer is asked about, those of which the statement finds something."""
    asking = [(customer, handle) for customer, handles in wanted.items() for handle in handles]
    if not asking:
        return {}
    rows = [(ord_, customer, handle) for ord_, (customer, handle) in enumerate(asking)]
    found: dict[str, frozenset[str]] = {}
    for (ord_,) in statement.fetch(connection, rows):
        customer, handle = asking[ord_]
        found[customer] = found.get(customer, frozenset()) | {handle}
    return found
