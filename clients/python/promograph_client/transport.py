"""Asking promograph over HTTP: bounded in time, repeated where that helps, and honest about what is not known."""

import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, TypedDict, Unpack

import httpx2

from promograph_client.operations import Operation, Out

# What promograph says where the store is away, is read only, or something broke: nobody knows what was done.
_FAULTS = {"UNAVAILABLE", "READ_ONLY", "INTERNAL"}
_BUSY = {429, 500, 502, 503, 504}
_FIRST_PAUSE_SECONDS = 0.05


class Unreachable(Exception):
    """No answer in good time. `maybe_done`: the question was sent, and may have been acted upon."""

    def __init__(self, message: str, *, maybe_done: bool) -> None:
        super().__init__(message)
        self.maybe_done = maybe_done


class Rejected(Exception):
    """promograph took the question for a mistake of the program: a wrong token, a document that it does not know."""


class Options(TypedDict, total=False):
    """`patience` (3 seconds) bounds a question with all of its repetitions, `seconds_each` (1) each of them. After a
    failure nobody is asked for `rest` (5) seconds: not every shopper is to wait while promograph is away.
    `by_id`: send the ids of documents and not their texts. `transport`: another way to the server.
    """

    patience: float
    seconds_each: float
    rest: float
    by_id: bool
    transport: httpx2.BaseTransport


class Transport:
    """Asks one server with one token; may be shared by threads."""

    def __init__(self, url: str, token: str, **options: Unpack[Options]) -> None:
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/graphql-response+json, application/json"}
        self._http = httpx2.Client(headers=headers, transport=options.get("transport"))
        self._url, self._by_id = url, options.get("by_id", False)
        self._patience, self._seconds_each = options.get("patience", 3.0), options.get("seconds_each", 1.0)
        self._rest, self._rests_until = options.get("rest", 5.0), 0.0

    def close(self) -> None:
        self._http.close()

    def ask(self, operation: Operation[Out], variables: Mapping[str, Any]) -> Out:
        """The answer; Unreachable, or Rejected. Repeats on its own only what may be repeated: everything here may."""
        if time.monotonic() < self._rests_until:
            raise Unreachable("promograph did not answer a moment ago", maybe_done=False)
        document = {"documentId": operation.id} if self._by_id else {"query": operation.text}
        body = {**document, "variables": to_json(variables), "operationName": operation.name}
        deadline = time.monotonic() + self._patience
        pause, maybe_done = _FIRST_PAUSE_SECONDS, False
        while True:
            try:
                left = max(deadline - time.monotonic(), 0.01)
                answer = self._http.post(self._url, json=body, timeout=min(self._seconds_each, left))
            except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout) as failure:
                said, asked_to_wait = str(failure), 0.0
            except httpx2.TransportError as failure:
                said, asked_to_wait, maybe_done = str(failure), 0.0, True
            else:
                if not _is_fault(answer):
                    return operation.read(_data(answer)[operation.field])
                said, asked_to_wait, maybe_done = f"status {answer.status_code}", _retry_after(answer), True
            # Shoppers that failed together are not to come back together.
            pause = max(asked_to_wait, min(pause * 2, 1.0) * random.uniform(0.5, 1.0))
            if time.monotonic() + pause >= deadline:
                self._rests_until = time.monotonic() + self._rest
                raise Unreachable(f"promograph gave no answer: {said}", maybe_done=maybe_done)
            time.sleep(pause)


def to_json(value: Any) -> Any:
    """Plain JSON data: camel case, without what is None; amounts and instants as texts."""
    if is_dataclass(value) and not isinstance(value, type):
        given = ((field.name, getattr(value, field.name)) for field in fields(value))
        return {_camel(name): to_json(each) for name, each in given if each is not None}
    if isinstance(value, Mapping):
        return {name: to_json(each) for name, each in value.items() if each is not None}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [to_json(each) for each in value]
    if isinstance(value, Decimal):
        return str(value)
    return value.isoformat() if isinstance(value, datetime) else value


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def _is_fault(answer: httpx2.Response) -> bool:
    if answer.status_code in _BUSY:
        return True
    return any(error.get("extensions", {}).get("code") in _FAULTS for error in _errors(answer))


def _data(answer: httpx2.Response) -> Any:
    errors = _errors(answer)
    if errors or not answer.is_success:
        said = errors[0].get("message") if errors else f"status {answer.status_code}"
        raise Rejected(f"promograph did not take the question: {said}")
    return answer.json()["data"]


def _errors(answer: httpx2.Response) -> list[dict[str, Any]]:
    try:
        return list(answer.json().get("errors", ()))
    except (ValueError, AttributeError):
        return [{"message": f"status {answer.status_code}, and no JSON: is this address promograph's?"}]


def _retry_after(answer: httpx2.Response) -> float:
    """In seconds; the form with a date is left to others."""
    said = answer.headers.get("Retry-After", "")
    return float(said) if said.isdigit() else 0.0
