"""Connections that stay open, WebSockets and event streams alike: how many, how long, and what ends them all."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from typing import Any

from starlette.exceptions import HTTPException

from promograph.errors import PromographError


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveBounds:
    """`connections` counts those of one process, `operations` those under way on one WebSocket.

    A message has at most `message_bytes`. Times are in seconds: `init` until a WebSocket has introduced itself, `send`
    until a client has taken in what it is sent, `recheck` between two looks at its token, `ping` between two signs of
    life on a stream that has nothing to say (WebSockets are pinged by the server program).
    """

    connections: int = 1_000
    operations: int = 100
    message_bytes: int = 8 * 2**20
    init: float = 10.0
    send: float = 30.0
    recheck: float = 5.0
    ping: float = 15.0


class Over(Enum):
    """Why a connection ends that its client would have kept."""

    STOPPING = "The server is stopping; connect again."
    REVOKED = "The token is no longer known."


class TooManyConnections(Exception):
    """Too many clients are connected; try again later."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


class Live:
    """The live connections of one process."""

    def __init__(self, bounds: LiveBounds) -> None:
        self.bounds = bounds
        self._count = 0
        self._stopping = False
        self._ends = set[asyncio.Event]()

    @contextmanager
    def admitted(self) -> Iterator[None]:
        """One connection, counted while it lasts; TooManyConnections where there is no place for it."""
        if self._count >= self.bounds.connections:
            raise TooManyConnections
        self._count += 1
        try:
            yield
        finally:
            self._count -= 1

    def stop(self) -> None:
        """End all of them, and each that comes later."""
        self._stopping = True
        for end in self._ends:
            end.set()

    async def until_over(self, look: Callable[[], Awaitable[Any]]) -> Over:
        """Wait for the end. `look` finds the caller again and raises HTTPException once there is none.

        A store that cannot be asked ends nothing: it has revoked nothing either.
        """
        end = asyncio.Event()
        self._ends.add(end)
        try:
            while not self._stopping:
                with suppress(TimeoutError):
                    await asyncio.wait_for(end.wait(), self.bounds.recheck)
                    break
                with suppress(PromographError):
                    await look()
        except HTTPException:
            return Over.REVOKED
        finally:
            self._ends.discard(end)
        return Over.STOPPING
