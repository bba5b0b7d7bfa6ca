"""The operations under way on one WebSocket, each a task of its own."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Any

import orjson
import strawberry
from graphql import GraphQLError
from starlette.exceptions import HTTPException
from starlette.websockets import WebSocketDisconnect
from strawberry.types.execution import PreExecutionError
from strawberry.types.graphql import OperationType

from promograph.api.documents.masking import error_outside
from promograph.web.graphql_requests import Operation
from promograph.web.graphql_streams import formatted, payload_of, results_of


class Operations:
    """By the ids that the client gave them. `broken` says why the connection cannot go on, once that is so: a code
    and a reason to close it with.
    """

    def __init__(
        self,
        schema: strawberry.Schema,
        get_context: Callable[[], Awaitable[Any]],
        send: Callable[[dict[str, Any]], Awaitable[None]],
        *,
        most: int,
    ) -> None:
        self._schema = schema
        self._get_context = get_context
        self._send = send
        self._most = most
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self.broken: asyncio.Future[tuple[int, str]] = asyncio.get_running_loop().create_future()

    def __contains__(self, id_: str) -> bool:
        return id_ in self._tasks

    async def begin(self, id_: str, operation: Operation) -> None:
        if len(self._tasks) < self._most:
            self._tasks[id_] = asyncio.create_task(self._run(id_, operation))
            return
        message = f"A connection has at most {self._most} operations at a time: end one, or open another connection."
        await self._fail(id_, [GraphQLError(message, extensions={"code": "TOO_MANY_OPERATIONS"})])

    def end(self, id_: str) -> None:
        """End one if it is under way; its id is free at once."""
        task = self._tasks.pop(id_, None)
        if task is not None:
            task.cancel()
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)

    async def stop(self) -> None:
        """End all of them, and wait until they are."""
        for id_ in list(self._tasks):
            self.end(id_)
        if self._ending:
            await asyncio.wait(set(self._ending))

    async def _run(self, id_: str, operation: Operation) -> None:
        try:
            await self._answer(id_, operation)
        except HTTPException as error:
            self._break(4403, error.detail)
        except TimeoutError:
            self._break(1008, "The client takes nothing in.")
        except (WebSocketDisconnect, OSError, RuntimeError):
            return  # the client has gone, as the connection's own task finds out too
        finally:
            self._forget(id_)

    async def _answer(self, id_: str, operation: Operation) -> None:
        try:
            await self._stream(id_, operation)
        except (HTTPException, WebSocketDisconnect, OSError):
            raise
        except Exception as error:
            await self._fail(id_, [error_outside(error)])

    async def _stream(self, id_: str, operation: Operation) -> None:
        context = await self._get_context()
        async with aclosing(await results_of(self._schema, operation, context, OperationType)) as results:
            async for result in results:
                if isinstance(result, PreExecutionError):
                    await self._fail(id_, result.errors or [])
                    return
                await self._send({"id": id_, "type": "next", "payload": orjson.Fragment(payload_of(result))})
        # Before the last message, so that a client that reads it may use the id again.
        self._forget(id_)
        await self._send({"id": id_, "type": "complete"})

    async def _fail(self, id_: str, errors: list[GraphQLError]) -> None:
        self._forget(id_)
        await self._send({"id": id_, "type": "error", "payload": formatted(errors)})

    def _break(self, code: int, reason: str) -> None:
        if not self.broken.done():
            self.broken.set_result((code, reason))

    def _forget(self, id_: str) -> None:
        if self._tasks.get(id_) is asyncio.current_task():
            del self._tasks[id_]
