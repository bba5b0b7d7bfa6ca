"""Looking again and again at what somebody watches, once for all who watch.

A store is looked at, and not listened to: any process may have changed it, and a look at a row is cheap.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Generic, TypeVar

from promograph.errors import StoreError

K = TypeVar("K")
V = TypeVar("V")

_MOST_AT_ONCE = 500
_AFTER_FAILURE = 2.0


class Poller(Generic[K, V]):
    """Reads everything that is watched each `every` seconds, and nothing while nobody watches.

    A watcher is given the newest value when it asks for the next one, and none that it has been given already: who is
    slow misses what was in between, and nothing piles up. `moved(given, newest)` tells whether it is worth telling.
    While the store is away nothing is told.
    """

    def __init__(
        self,
        read: Callable[[list[K]], Awaitable[dict[K, V]]],
        *,
        every: float,
        moved: Callable[[V, V], bool] = lambda given, newest: given != newest,
    ) -> None:
        self._read = read
        self._every = every
        self._moved = moved
        self._watchers: dict[K, set[_Watcher[V]]] = {}
        self._task: asyncio.Task[None] | None = None

    async def watch(self, key: K) -> AsyncGenerator[V, None]:
        """The value now, and then whenever it has moved; ends where there is none, or none any more."""
        given = (await self._read([key])).get(key)
        if given is None:
            return
        watcher = self._begin(key)
        try:
            yield given
            async for newest in watcher:
                if self._moved(given, newest):
                    given = newest
                    yield newest
        finally:
            self._end(key, watcher)

    async def close(self) -> None:
        """Look no more."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    def _begin(self, key: K) -> "_Watcher[V]":
        watcher = _Watcher[V]()
        self._watchers.setdefault(key, set()).add(watcher)
        if self._task is None:
            self._task = asyncio.create_task(self._look_on())
        return watcher

    def _end(self, key: K, watcher: "_Watcher[V]") -> None:
        self._watchers[key].discard(watcher)
        if not self._watchers[key]:
            del self._watchers[key]
        if not self._watchers and self._task is not None:
            self._task.cancel()
            self._task = None

    async def _look_on(self) -> None:
        while True:
            await asyncio.sleep(self._every)
            try:
                watched = list(self._watchers)
                for start in range(0, len(watched), _MOST_AT_ONCE):
                    keys = watched[start : start + _MOST_AT_ONCE]
                    self._tell(keys, await self._read(keys))
            except StoreError:
                await asyncio.sleep(_AFTER_FAILURE)
            except Exception as failure:
                self._fail(failure)

    def _tell(self, keys: list[K], found: dict[K, V]) -> None:
        for key in keys:
            for watcher in self._watchers.get(key, ()):
                watcher.tell(found.get(key))

    def _fail(self, failure: Exception) -> None:
        for watchers in self._watchers.values():
            for watcher in watchers:
                watcher.fail(failure)


class _Watcher(Generic[V]):
    """The newest value, for one who may be slow to ask for it."""

    def __init__(self) -> None:
        self._newest: V | None = None
        self._failure: Exception | None = None
        self._is_new = asyncio.Event()

    def tell(self, newest: V | None) -> None:
        self._newest = newest
        self._is_new.set()

    def fail(self, failure: Exception) -> None:
        self._failure = failure
        self._is_new.set()

    def __aiter__(self) -> "_Watcher[V]":
        return self

    async def __anext__(self) -> V:
        await self._is_new.wait()
        self._is_new.clear()
        if self._failure is not None:
            raise self._failure
        if self._newest is None:
            raise StopAsyncIteration
        return self._newest
