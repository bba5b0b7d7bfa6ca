"""Requests that arrive while a transaction is being committed share the next one.

Nobody waits on purpose: a lone request runs at once, and under load the batches grow by themselves.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from promograph.errors import StoreError

Req = TypeVar("Req")
Out = TypeVar("Out")


class Gatherer(Generic[Req, Out]):
    """Hands single requests to `run` in batches of at most `limit`, one batch at a time, each caller its own answer.

    When a batch fails as a whole its requests are run one by one, once, so that what poisons one hurts it alone. A
    store that cannot be reached fails them all: asking it again for each would only make everybody wait.
    A caller that goes away does not undo what may be durable already.
    """

    def __init__(self, run: Callable[[Sequence[Req]], Awaitable[Sequence[Out]]], *, limit: int = 256) -> None:
        self._run = run
        self._limit = limit
        self._queue: deque[tuple[Req, asyncio.Future[Out]]] = deque()
        self._worker: asyncio.Task[None] | None = None

    async def submit(self, request: Req) -> Out:
        future: asyncio.Future[Out] = asyncio.get_running_loop().create_future()
        self._queue.append((request, future))
        if self._worker is None:
            self._worker = asyncio.create_task(self._work())
        return await future

    async def _work(self) -> None:
        try:
            # One turn of the loop, so that whatever has arrived already comes along.
            await asyncio.sleep(0)
            while self._queue:
                count = min(len(self._queue), self._limit)
                await self._answer([self._queue.popleft() for _ in range(count)])
        finally:
            self._worker = None

    async def _answer(self, batch: list[tuple[Req, "asyncio.Future[Out]"]], *, again: bool = False) -> None:
        try:
            outcomes = await self._run([request for request, _ in batch])
            if len(outcomes) != len(batch):
                raise RuntimeError(f"{len(batch)} requests were given {len(outcomes)} answers")
        except Exception as failure:
            if again or isinstance(failure, StoreError):
                _fail(batch, failure)
                return
            for one in batch:
                await self._answer([one], again=True)
            return
        for (_, future), outcome in zip(batch, outcomes, strict=True):
            if not future.done():
                future.set_result(outcome)


def _fail(batch: list[tuple[Req, "asyncio.Future[Out]"]], failure: Exception) -> None:
    for _, future in batch:
        if not future.done():
            future.set_exception(failure)
