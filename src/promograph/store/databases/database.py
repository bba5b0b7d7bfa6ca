"""A brand's store behind one small port: run this work in a transaction.

Work is a plain function of a SQLAlchemy connection; it neither knows nor cares which store it runs on, nor that the
service around it is asynchronous. What it returns reaches the caller only after the commit is durable.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection

T = TypeVar("T")

__all__ = ["Connection", "Database", "Work"]
Work = Callable[[Connection], T]


class Database(ABC):
    """Every method raises `StoreError`s only; nothing of a transaction that raised remains."""

    dialect: str

    @abstractmethod
    async def write(self, work: Work[T], *, heavy: bool = False) -> T:
        """Run `work` in a write transaction. `heavy`: it takes more than a few milliseconds, keep others going."""

    @abstractmethod
    async def read(self, work: Work[T], *, heavy: bool = False) -> T:
        """Run `work`, which changes nothing. Without `heavy`, each statement may see a newer state than the last."""

    @abstractmethod
    async def snapshot(self, work: Work[T]) -> T:
        """Run `work`, which changes nothing and may take long, all of it on one state of the store."""

    @abstractmethod
    async def breathe(self) -> None:
        """Let the others in: called by a long load between two of its transactions."""

    @property
    @abstractmethod
    def piece(self) -> int:
        """How many rows a long load should write at a time, others considered."""

    @property
    @abstractmethod
    def is_wanted(self) -> bool:
        """Whether a long load should end its transaction after the piece at hand, others considered."""

    @abstractmethod
    async def close(self) -> None:
        """Give back every connection."""
