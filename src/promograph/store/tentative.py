"""Codes that are tentative, and the messages that carry them.

A code may be asked for again before it is known what became of the first message: by another message, which then
carries it too, or by somebody who shows it there and then, whereupon it is final. Whoever writes here has locked the
promotions' stocks.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection

from promograph.domain.issuing import Issuance, IssuanceState, IssueOutcome, IssueRequest
from promograph.domain.refusals import RefusalCode, refuse
from promograph.store.bulk import Insertion
from promograph.store.statements import Deletion, Statement

Place = tuple[int, int]
"""A promotion and the number of a code in it."""

Carried = tuple[int, int, str, str]
"""Promotion, number of the code, channel, message."""

_COLUMNS = "promotion_id bigint, seq bigint, channel text, message text"
_NEW = Insertion("carried_code", _COLUMNS)
_ALSO = Statement(
    "INSERT INTO carried_code (promotion_id, seq, channel, message) SELECT r.promotion_id, r.seq, r.channel, r.message "
    f"FROM @rows({_COLUMNS}) r WHERE EXISTS (SELECT 1 FROM issuance i @by(issuance_code) "
    "WHERE i.promotion_id = r.promotion_id AND i.seq = r.seq AND i.kind = 'INITIAL' AND i.seq <> 0 "
    "AND i.state = 'TENTATIVE') ON CONFLICT DO NOTHING"
)
# Joined, PostgreSQL takes the tentative ones for few and walks all issuances to find them.
_NUMBERS = Statement(
    "SELECT r.promotion_id, (SELECT i.number FROM issuance i @by(issuance_code) WHERE i.promotion_id = r.promotion_id "
    "AND i.seq = r.seq AND i.kind = 'INITIAL' AND i.seq <> 0 AND i.state = 'TENTATIVE') "
    "FROM @rows(promotion_id bigint, seq bigint) r"
)
_SETTLE = Statement(
    "UPDATE issuance SET state = :state FROM @rows(promotion_id bigint, number bigint) r "
    "WHERE issuance.promotion_id = r.promotion_id AND issuance.number = r.number"
)
_FORGET = Deletion("carried_code", "promotion_id bigint, seq bigint")
_STATES = Statement(
    "SELECT i.promotion_id, i.number, i.state FROM @rows(promotion_id bigint, number bigint) r JOIN issuance i "
    "ON i.promotion_id = r.promotion_id AND i.number = r.number"
)


@dataclass(slots=True)
class Carriers:
    """What one call learns of who carries which code, to be written once its issuances are."""

    _new: list[Carried] = field(default_factory=list)
    _more: set[Carried] = field(default_factory=set)
    _shown: set[Place] = field(default_factory=set)

    def begin(self, promotion_id: int, seq: int, request: IssueRequest) -> None:
        """A code is issued for this request, which is tentative."""
        self._new.append((promotion_id, seq, request.channel or "", request.message or ""))

    def join(self, issuance: Issuance, request: IssueRequest) -> Issuance:
        """This request is given a code that was tentative before; the issuance as it is then."""
        if issuance.state is not IssuanceState.TENTATIVE:
            return issuance
        if request.tentative:
            self._more.add((issuance.promotion_id, issuance.seq, request.channel or "", request.message or ""))
            return issuance
        self._shown.add((issuance.promotion_id, issuance.seq))
        return replace(issuance, state=IssuanceState.FINAL)

    def write(self, connection: Connection) -> None:
        if self._new:
            _NEW.run(connection, self._new)
        if self._more:
            _ALSO.run(connection, sorted(self._more))
        if self._shown:
            settle(connection, self._shown, None)


def settle(connection: Connection, places: Iterable[Place], state: IssuanceState | None) -> int:
    """Of these codes, those that are tentative are so no more: `state` is what they are then (None: final).

    How many they were.
    """
    asked = sorted(places)
    numbers = numbers_of(connection, asked)
    if numbers:
        _SETTLE.run(connection, numbers, state=state)
        forget(connection, asked)
    return len(numbers)


def numbers_of(connection: Connection, places: Sequence[Place]) -> list[tuple[int, int]]:
    """The issuances (promotion, number) of those of these codes that are tentative."""
    rows = _NUMBERS.fetch(connection, places) if places else []
    return [(row[0], row[1]) for row in rows if row[1] is not None]


def forget(connection: Connection, places: Iterable[Place]) -> None:
    """No message carries these codes any more, as far as it matters."""
    _FORGET.run(connection, sorted(places))


def without_returned(connection: Connection, outcomes: Sequence[IssueOutcome]) -> list[IssueOutcome]:
    """First answers to idempotency keys, but none with a code that has gone back since: it may be somebody else's."""
    repeated = {_act(one.issuance) for one in outcomes if one.replayed and one.issuance is not None}
    rows = _STATES.fetch(connection, sorted(repeated)) if repeated else []
    gone = {(row[0], row[1]) for row in rows if row[2] == IssuanceState.RETURNED}
    if not gone:
        return list(outcomes)
    none = IssueOutcome(problem=refuse(RefusalCode.CODE_RETURNED), replayed=True)
    return [
        none if one.replayed and one.issuance is not None and _act(one.issuance) in gone else one for one in outcomes
    ]


def _act(issuance: Issuance) -> Place:
    return issuance.promotion_id, issuance.number
