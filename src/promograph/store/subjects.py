"""What requests of a checkout are about: codes, promotions without one, holds; and what is known of each.

Everything is read for a whole batch at once. With the promotions locked, whatever is read afterwards (codes, holds,
uses, the promotions themselves) can no longer change under us: whoever changes it locks the same stock rows.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Connection

from promograph.domain import conditions
from promograph.domain.carts import Cart, Money
from promograph.domain.codes import normalise
from promograph.domain.conditions.facts import CustomerFacts, Needs
from promograph.domain.decisions import CodeFacts
from promograph.domain.periods import period_of
from promograph.domain.promotions import Promotion
from promograph.domain.redeeming import Hold
from promograph.store import holds, locking, places, promotions
from promograph.store.locking import Locked
from promograph.store.people import erasures
from promograph.store.people import facts as customer_facts
from promograph.store.people.erasures import Aliases
from promograph.store.places import Place
from promograph.store.redemptions import STANDING
from promograph.store.statements import Statement
from promograph.store.stock import Stock
from promograph.store.tables.instants import from_micros, to_micros

_FACTS = Statement(
    "SELECT c.promotion_id, c.seq, coalesce(c.text, c.key), c.blocked, c.void, c.uses, "
    "c.expires_at, i.customer, i.issued_at "
    "FROM @rows(promotion_id bigint, seq bigint) r JOIN code c ON c.promotion_id = r.promotion_id AND c.seq = r.seq "
    "LEFT JOIN issuance i ON i.promotion_id = c.promotion_id AND i.seq = c.seq AND i.kind = 'INITIAL' AND i.seq <> 0 "
    "AND c.seq <> 0"
)
_USES = Statement(
    "SELECT d.promotion_id, d.customer, count(*), "
    "sum(CASE WHEN d.redeemed_at >= r.since AND d.redeemed_at < r.until THEN 1 ELSE 0 END) "
    "FROM @rows(promotion_id bigint, customer text, since bigint, until bigint) r "
    "JOIN redemption d @by(redemption_customer) ON d.customer = r.customer AND d.promotion_id@aside = r.promotion_id "
    f"WHERE {STANDING} GROUP BY d.promotion_id, d.customer"
)


class Wanted(Protocol):
    """A request as far as deciding goes."""

    @property
    def code(self) -> str | None: ...
    @property
    def promotion(self) -> str | None: ...
    @property
    def customer(self) -> str | None: ...
    @property
    def cart(self) -> Cart | None: ...
    @property
    def discount(self) -> Money | None: ...
    @property
    def token(self) -> str | None:
        """Of the hold that it brings along."""


@dataclass(slots=True)
class Subject:
    """What a request is about. `fresh_uses`: how often this batch has used the code."""

    promotion: Promotion
    stock: Stock
    code: CodeFacts | None = None
    holders: int = 0
    held_until: datetime | None = None
    fresh_uses: int = 0


CodeRow = Sequence[Any]
"""A code: promotion, number, text, whether it is blocked, and void; uses, own expiry, holder, when it was issued."""

Who = tuple[int, str]
"""A promotion, and a customer of it."""


@dataclass(slots=True)
class Subjects:
    """What a batch is about, and the facts of it. `changed` are stocks in which lapsed holds were ended.

    `sold_at` is the instant as of which is decided: `now`, unless the sales are reported late.
    """

    connection: Connection
    now: datetime
    sold_at: datetime
    is_late: bool = False
    by_promotion: dict[int, Locked] = field(default_factory=dict)
    changed: dict[int, Stock] = field(default_factory=dict)
    coded: dict[Place, Subject] = field(default_factory=dict)
    codeless: dict[int, Subject] = field(default_factory=dict)
    owned: dict[str, Hold] = field(default_factory=dict)
    uses: Counter[Who] = field(default_factory=Counter)
    uses_in_period: Counter[Who] = field(default_factory=Counter)
    held_by: Counter[Who] = field(default_factory=Counter)
    known: Mapping[str, CustomerFacts] = field(default_factory=dict)
    aliases: Aliases = field(default_factory=dict)
    _keys: dict[str, str] = field(default_factory=dict)
    _places: dict[str, Place] = field(default_factory=dict)
    _rows: dict[Place, CodeRow] = field(default_factory=dict)
    _handles: dict[str, int] = field(default_factory=dict)

    @classmethod
    def locked(
        cls, connection: Connection, requests: Sequence[Wanted], now: datetime, sold_at: datetime | None = None
    ) -> "Subjects":
        """With every promotion locked, in the order of their ids."""
        found = cls.under_lock(connection, requests, now, sold_at)
        found.learn(requests)
        return found

    @classmethod
    def under_lock(
        cls, connection: Connection, requests: Sequence[Wanted], now: datetime, sold_at: datetime | None = None
    ) -> "Subjects":
        """The same with no more than the rows of promotions and codes; whatever else deciding takes is to `learn`."""
        found = cls(connection, now, sold_at or now, sold_at is not None)
        ids = found._find(requests)
        found.by_promotion = locking.by_id(connection, ids) if ids else {}
        stocks = [stock for _, stock in found.by_promotion.values()]
        found.changed = {stock.promotion_id: stock for stock in holds.lapse(connection, stocks, now)}
        if found.owned:
            found.owned = holds.by_token(connection, sorted(found.owned))  # as they are under the lock
        found._read_rows()
        return found

    @classmethod
    def looked_at(cls, connection: Connection, requests: Sequence[Wanted], now: datetime) -> "Subjects":
        """Without a lock: to tell what would be, and change nothing.

        The same statements run whether a code is there or not, so that the time taken tells a guesser nothing.
        """
        found = cls(connection, now, now)
        found.by_promotion = locking.look(connection, found._find(requests))
        holds.leave_out_lapsed(connection, [stock for _, stock in found.by_promotion.values()], now)
        found._read_rows()
        found.learn(requests)
        return found

    def of(self, request: Wanted) -> Subject | None:
        """What the request is about; None where there is no such thing."""
        if request.code is not None:
            place = self._places.get(self._keys[request.code])
            return None if place is None else self.coded.get(place)
        if request.promotion is not None:
            id_ = self._handles.get(request.promotion)
            return None if id_ is None else self.codeless.get(id_)
        own = self.own_hold(request)
        if own is None:
            return None
        return self.codeless[own.promotion_id] if own.seq is None else self.coded.get((own.promotion_id, own.seq))

    def row_of(self, text: str | None) -> CodeRow | None:
        """The row of the code with this text, where there is one."""
        place = None if text is None else self._places.get(self._keys[text])
        return None if place is None else self._rows.get(place)

    def is_asked_by_handle(self, promotion_id: int) -> bool:
        return bool(self._handles) and promotion_id in self._handles.values()

    def customer_of(self, request: Wanted, subject: Subject) -> str | None:
        """Who asks: somebody who was erased, and whom the promotion knew, is who they were."""
        if request.customer is None or not subject.stock.erased:
            return request.customer
        return self.aliases.get((subject.promotion.id, request.customer), request.customer)

    def own_hold(self, request: Wanted) -> Hold | None:
        """The hold that the request brings along: to redeem it, or to put another in its place."""
        return None if request.token is None else self.owned.get(request.token)

    def _find(self, requests: Sequence[Wanted]) -> list[int]:
        """Where codes, handles and tokens lead: the ids of the promotions, in their order."""
        texts = {request.code for request in requests if request.code is not None}
        self._keys = {text: normalise(text) for text in texts}
        self._places = places.by_key(self.connection, self._keys.values())
        handles = sorted({request.promotion for request in requests if request.promotion is not None})
        if handles:
            named = promotions.by_handle(self.connection, handles)
            self._handles = {handle: promotion.id for handle, promotion in named.items()}
        tokens = sorted({request.token for request in requests if request.token is not None})
        if tokens:
            self.owned = holds.by_token(self.connection, tokens)
        ids = {place[0] for place in self._places.values()} | set(self._handles.values())
        return sorted(ids | {hold.promotion_id for hold in self.owned.values()})

    def learn(self, requests: Sequence[Wanted]) -> None:
        """What deciding these takes."""
        customers = (request.customer for request in requests if request.customer is not None)
        self.aliases = erasures.aliases(self.connection, customers, (stock for _, stock in self.by_promotion.values()))
        self._make_subjects()
        self._read_holds(requests)
        self._read_uses(requests)
        self._read_customers(requests)

    def _read_rows(self) -> None:
        asked = set(self._places.values())
        asked |= {(hold.promotion_id, hold.seq) for hold in self.owned.values() if hold.seq is not None}
        self._rows = {(row[0], row[1]): row for row in _FACTS.fetch(self.connection, sorted(asked))}

    def _make_subjects(self) -> None:
        for place, row in self._rows.items():
            promotion, stock = self.by_promotion[place[0]]
            self.coded[place] = Subject(promotion, stock, _code_of(row))
        for id_ in {*self._handles.values(), *(hold.promotion_id for hold in self.owned.values() if hold.seq is None)}:
            self.codeless[id_] = Subject(*self.by_promotion[id_])

    def _read_holds(self, requests: Sequence[Wanted]) -> None:
        holding = {id_ for id_, (_, stock) in self.by_promotion.items() if stock.holds}
        if not holding:
            return
        asked = [place for place in self.coded if place[0] in holding]
        for place, held in holds.of_codes(self.connection, asked, self.now).items():
            self.coded[place].holders, self.coded[place].held_until = held.count, held.until
        customers = {(id_, customer) for id_, customer in self._customers(requests) if id_ in holding}
        self.held_by.update(holds.of_customers(self.connection, customers, self.now))

    def _read_uses(self, requests: Sequence[Wanted]) -> None:
        asked = []
        for id_, customer in sorted(set(self._customers(requests))):
            terms = self.by_promotion[id_][0].terms
            if terms.uses_per_period is not None:
                since, until = period_of(self.sold_at, terms.uses_per_period.period, terms.window.time_zone)
                asked.append((id_, customer, to_micros(since), to_micros(until)))
            elif terms.uses_per_customer is not None:
                asked.append((id_, customer, 0, 0))
        for id_, customer, ever, in_period in _USES.fetch(self.connection, asked) if asked else ():
            self.uses[id_, customer] = ever
            self.uses_in_period[id_, customer] = int(in_period)

    def _read_customers(self, requests: Sequence[Wanted]) -> None:
        conditioned = {
            id_: conditions.needs(promotion.terms.condition)
            for id_, (promotion, _) in self.by_promotion.items()
            if promotion.terms.condition is not None
        }
        asking = {id_: needs for id_, needs in conditioned.items() if needs.customer}
        if not asking:
            return
        # What is known of somebody who was erased and came back stands under the id with which they came back.
        told = {hash_: customer for (_, customer), hash_ in self.aliases.items()}
        wanted: dict[str, Needs] = {}
        for id_, customer in self._customers(requests):
            if id_ in asking:
                name = told.get(customer, customer)
                wanted[name] = wanted.get(name, Needs()) | asking[id_]
        if wanted:
            found = customer_facts.read(self.connection, wanted, self.now)
            self.known = found | {hash_: found[name] for hash_, name in told.items() if name in found}

    def _customers(self, requests: Iterable[Wanted]) -> Iterable[tuple[int, str]]:
        """The promotions that requests are about, each with who asks."""
        for request in requests:
            own = self.own_hold(request)
            subject = self.of(request)
            if subject is None:
                continue
            customer = self.customer_of(request, subject) or (None if own is None else own.customer)
            if customer is not None:
                yield subject.promotion.id, customer


def _code_of(row: CodeRow) -> CodeFacts:
    _, seq, text, blocked, void, uses, expires_at, holder, issued_at = row
    return CodeFacts(
        seq=seq,
        text=text,
        blocked=bool(blocked),
        void=bool(void),
        uses=uses,
        expires_at=None if expires_at is None else from_micros(expires_at),
        holder=holder,
        issued_at=None if issued_at is None else from_micros(issued_at),
    )
