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
    rests: float
    """How many times as long as it has worked a long load rests while others ask."""

    @abstractmethod
    async def write(self, work: Work[T], *, heavy: bool = False) -> T:
        """Run `work` in a write transaction. `heavy`: it takes more than a few milliseconds, keep others going."""

    @abstractmethod
    async def read(self, work: Work[T], *, heavy: bool = False) -> T:
        """Run `work`, which changes nothing. Without `heavy`, each statement may see a newer state than the last."""

    @abstractmethod
    async def snapshot(self, work: Work[T]) -> T:
        """Run `work`, which changes nothing and may take long, all of it on one state of the store."""

    @property
    @abstractmethod
    def piece(self) -> int:
        """How many rows a long load should write at a time, others considered."""

    @property
    @abstractmethod
    def load_piece(self) -> int:
        """How many new codes it should write with one statement."""

    @property
    @abstractmethod
    def is_waited_for(self) -> bool:
        """Whether somebody waits just now for what a long load holds: it ends its transaction, and need not rest."""

    @property
    @abstractmethod
    def is_wanted(self) -> bool:
        """Whether others ask for the store just now, so that a long load takes little at a time, and rests."""

    @abstractmethod
    async def settle(self) -> None:
        """Put what a load has written where it belongs, beside the others, who else might have to wait for that."""

    @abstractmethod
    async def close(self) -> None:
        """Give back every connection."""
