"""Idempotency keys: the first answer is kept in the transaction that made it, and given again ever after.

Two servers that get the same key at once both find nothing here; the later one then fails on the table's key, its
transaction is undone, and run again it finds the first one's answer.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any, Generic, Protocol, TypeVar

import orjson
from sqlalchemy import Connection

from promograph.errors import BadInput, InputProblem
from promograph.store.statements import Statement


class Keyed(Protocol):
    """A request that may carry an idempotency key."""

    @property
    def idempotency_key(self) -> str | None: ...


Req = TypeVar("Req", bound=Keyed)
Out = TypeVar("Out")


def _whole(request: object) -> object:
    return request


Kept = tuple[str, str]
"""A request's fingerprint, and the answer that it had, as JSON."""

_FIND = Statement(
    "SELECT y.key, y.fingerprint, y.answer FROM @rows(operation text, key text) r "
    "JOIN replay y ON y.operation = r.operation AND y.key = r.key"
)
_KEEP = Statement(
    "INSERT INTO replay (operation, key, fingerprint, answer, answered_at) "
    "SELECT :operation, r.key, r.fingerprint, r.answer, :now FROM @rows(key text, fingerprint text, answer text) r"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replays(Generic[Req, Out]):
    """How one operation's answers are kept. `dump` gives None for an answer that is not to be kept (bad input).

    `meant` is what of a request a key stands for: all of it, unless told.
    """

    operation: str
    dump: Callable[[Out], Any]
    load: Callable[[Any], Out]
    turn_down: Callable[[BadInput], Out]
    meant: Callable[[Req], object] = _whole

    def answer(
        self,
        connection: Connection,
        requests: Sequence[Req],
        run: Callable[[Sequence[Req]], Sequence[Out]],
        *,
        now: int,
    ) -> list[Out]:
        """The answers in the order of `requests`; `run` sees only those that have not been answered before."""
        if not any(request.idempotency_key for request in requests):
            return list(run(requests))
        kept = self._kept(connection, requests)
        first: dict[str, int] = {}  # of each key not answered before, the place of its first request
        fresh: list[int] = []
        for place, request in enumerate(requests):
            key = request.idempotency_key
            if key is None or (key not in kept and key not in first):
                fresh.append(place)
                if key is not None:
                    first[key] = place
        outcomes = dict(zip(fresh, run([requests[place] for place in fresh]), strict=True))
        kept |= self._keep(connection, {key: (requests[place], outcomes[place]) for key, place in first.items()}, now)
        for place, request in enumerate(requests):
            if place in outcomes:
                continue
            key = str(request.idempotency_key)
            fingerprint, answer = kept[key] if key in kept else (self._fingerprint(requests[first[key]]), None)
            if fingerprint != self._fingerprint(request):
                outcomes[place] = self.turn_down(_reused())
            else:
                # A repeat is told the same, as a repeat, whether the first came long ago or in this very batch.
                outcomes[place] = outcomes[first[key]] if answer is None else self.load(orjson.loads(answer))
        return [outcomes[place] for place in range(len(requests))]

    def _fingerprint(self, request: Req) -> str:
        return _fingerprint(self.meant(request))

    def _kept(self, connection: Connection, requests: Sequence[Req]) -> dict[str, Kept]:
        keys = sorted({request.idempotency_key for request in requests if request.idempotency_key})
        rows = _FIND.fetch(connection, [(self.operation, key) for key in keys])
        return {key: (fingerprint, answer) for key, fingerprint, answer in rows}

    def _keep(self, connection: Connection, answers: dict[str, tuple[Req, Out]], now: int) -> dict[str, Kept]:
        """What was kept of these answers, by key."""
        dumped = {key: (self._fingerprint(request), self.dump(outcome)) for key, (request, outcome) in answers.items()}
        kept = {
            key: (fingerprint, orjson.dumps(answer).decode())
            for key, (fingerprint, answer) in sorted(dumped.items())
            if answer is not None
        }
        if kept:
            _KEEP.run(connection, [(key, *one) for key, one in kept.items()], operation=self.operation, now=now)
        return kept


def is_known(connection: Connection, operation: str, key: str) -> bool:
    """Whether something was kept under this key."""
    return bool(_FIND.fetch(connection, [(operation, key)]))


def recall(connection: Connection, operation: str, key: str, request: object) -> Any:
    """What `remember` kept under this key, or None; BadInput (KEY_REUSED) where that was for another request."""
    rows = _FIND.fetch(connection, [(operation, key)])
    if not rows:
        return None
    _, fingerprint, answer = rows[0]
    if fingerprint != _fingerprint(request):
        raise _reused()
    return orjson.loads(answer)


def remember(connection: Connection, operation: str, key: str, request: object, answer: object, now: int) -> None:
    """Keep the answer in the transaction that made it."""
    row = (key, _fingerprint(request), orjson.dumps(answer).decode())
    _KEEP.run(connection, [row], operation=operation, now=now)


def _fingerprint(request: object) -> str:
    return sha256(orjson.dumps(request, default=_plain, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _plain(value: object) -> str:
    """What JSON has no word for, such as how long a hold lasts."""
    if isinstance(value, timedelta):
        return str(value)
    raise TypeError


def _reused() -> BadInput:
    return BadInput(
        InputProblem.KEY_REUSED,
        "This idempotencyKey was used for another request; a new request needs a new key.",
        field=("idempotencyKey",),
    )
