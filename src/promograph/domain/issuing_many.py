"""Requests by the thousand that differ in the customer alone, and outcomes that are first issues one and all.

To make ten thousand requests and as many outcomes takes longer than to write them down, and most callers look at none
of them one by one. These are made when somebody does.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Generic, TypeVar, overload

from promograph.domain.issuing import Issuance, IssueOutcome, IssueRequest

T = TypeVar("T")


class _MadeWhenSeen(Sequence[T], ABC, Generic[T]):
    """All of them are made at the first look at one."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._made: list[T] | None = None

    @abstractmethod
    def _make(self) -> list[T]: ...

    def _all(self) -> list[T]:
        if self._made is None:
            self._made = self._make()
        return self._made

    def __len__(self) -> int:
        return self._size

    @overload
    def __getitem__(self, place: int) -> T: ...
    @overload
    def __getitem__(self, place: slice) -> list[T]: ...
    def __getitem__(self, place: int | slice) -> T | list[T]:
        return self._all()[place]

    def __iter__(self) -> Iterator[T]:
        return iter(self._all())


class Alike(_MadeWhenSeen[IssueRequest]):
    """A request like `like` for each of the customers; whose `like` itself is does not matter."""

    def __init__(self, like: IssueRequest, customers: Sequence[str]) -> None:
        super().__init__(len(customers))
        self.like = like
        self.customers = customers

    def _make(self) -> list[IssueRequest]:
        return [replace(self.like, customer=customer) for customer in self.customers]


class FirstIssues(_MadeWhenSeen[IssueOutcome]):
    """Codes of their own for customers, in their order, numbered on from `first`, the issuance of the first of them.

    A code is its number, its text and when it expires.
    """

    def __init__(
        self, first: Issuance, customers: Sequence[str], codes: Sequence[tuple[int, str, datetime | None]]
    ) -> None:
        super().__init__(len(customers))
        self._first = first
        self._customers = customers
        self._codes = codes

    @property
    def texts(self) -> list[str]:
        return [text for _, text, _ in self._codes]

    def _make(self) -> list[IssueOutcome]:
        first = self._first
        made = zip(self._customers, self._codes, strict=True)
        return [
            IssueOutcome(replace(first, number=number, seq=seq, text=text, customer=customer, expires_at=expires_at))
            for number, (customer, (seq, text, expires_at)) in enumerate(made, first.number)
        ]


def samples(requests: Sequence[IssueRequest]) -> Sequence[IssueRequest]:
    """All that has to be looked at to know what there is in any of them, whoever it is for."""
    return (requests.like,) if isinstance(requests, Alike) else requests
