"""Calls for many customers under one idempotency key."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NoReturn

from sqlalchemy import Connection

from promograph.domain.codes.words import OURS, Words
from promograph.domain.issuing import IssueOutcome, IssueRequest
from promograph.errors import BadInput
from promograph.store import issuances, issuing, tentative
from promograph.store.replays import Replays
from promograph.store.tables.instants import to_micros


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueCall:
    """The requests of one call, which carry no key of their own."""

    requests: Sequence[IssueRequest]
    idempotency_key: str | None = None


Answer = Sequence[IssueOutcome]


def _dump(answer: Answer) -> Any:
    if any(isinstance(outcome.problem, BadInput) for outcome in answer):
        return None
    return [issuances.dump_outcome(outcome) for outcome in answer]


def _load(kept: Any) -> Answer:
    return [issuances.load_outcome(outcome) for outcome in kept]


def _raise(problem: BadInput) -> NoReturn:
    raise problem


def issue_call(connection: Connection, call: IssueCall, now: datetime, words: Words = OURS) -> Answer:
    """An outcome a request, in their order; the first answer again where the key has one.

    BadInput (KEY_REUSED) where the key belongs to another call.
    """
    replays: Replays[IssueCall, Answer] = Replays(
        operation="codesIssue",
        dump=_dump,
        load=_load,
        turn_down=_raise,
        meant=lambda call: replace(call, requests=list(call.requests)),
    )
    answers = replays.answer(
        connection,
        [call],
        lambda calls: [issuing.issue(connection, one.requests, now, words) for one in calls],
        now=to_micros(now),
    )
    return tentative.without_returned(connection, answers[0]) if call.idempotency_key else answers[0]
