"""A schema with something to watch, and who asks it."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

import strawberry
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient

from promograph.api.documents import Documents
from promograph.api.documents.schema import Schema
from promograph.api.scopes import Needs
from promograph.domain.access import NOBODY, Caller, Scope
from promograph.web.graphql import GraphQLEndpoint
from promograph.web.graphql_socket import GraphQLSocket
from promograph.web.live import Live, LiveBounds

OPEN = [Needs(any=[])]
SECRET = [Needs(any=[Scope.CODES_REDEEM])]


@dataclass
class Context:
    caller: Caller


@strawberry.type
class Query:
    @strawberry.field(directives=OPEN)
    def greeting(self, name: str = "you") -> str:
        return f"Hello {name}"

    @strawberry.field(directives=SECRET)
    def secret(self) -> str:
        return "x"


@strawberry.type
class Mutation:
    @strawberry.mutation(directives=OPEN)
    def change(self) -> int:
        return 1


class Watched:
    """How many streams of `forever` are open."""

    open = 0


@strawberry.type
class Subscription:
    @strawberry.subscription(directives=OPEN)
    async def ticks(self, upto: int = 3) -> AsyncGenerator[int, None]:
        for n in range(upto):
            yield n

    @strawberry.subscription(directives=OPEN)
    async def forever(self) -> AsyncGenerator[int, None]:
        Watched.open += 1
        try:
            yield 1
            await asyncio.Event().wait()
        finally:
            Watched.open -= 1

    @strawberry.subscription(directives=OPEN)
    async def broken(self) -> AsyncGenerator[int, None]:
        yield 1
        raise RuntimeError("postgresql://user:password@host")

    @strawberry.subscription(directives=SECRET)
    async def secrets(self) -> AsyncGenerator[int, None]:
        yield 1


class Door:
    """Tokens are the names of scopes; a `revoked` one is none any more."""

    def __init__(self) -> None:
        self.revoked: set[str] = set()

    async def context(self, connection: HTTPConnection) -> Context:
        token = connection.headers.get("authorization", "").removeprefix("Bearer ")
        if not token:
            return Context(NOBODY)
        if token in self.revoked or token not in {scope.value for scope in Scope}:
            raise HTTPException(401, "This token is not known.")
        return Context(Caller(token, frozenset({Scope(token)})))


class Streaming:
    """An application with both transports, within `bounds`."""

    def __init__(self, **bounds: Any) -> None:
        self.door = Door()
        self.live = Live(LiveBounds(**bounds))
        schema = Schema(Query, mutation=Mutation, subscription=Subscription, documents=Documents())
        endpoint = GraphQLEndpoint(schema, self.door.context, live=self.live)
        socket = GraphQLSocket(schema, self.door.context, self.live)
        self.app = Starlette(routes=[Route("/graphql", endpoint), WebSocketRoute("/graphql", socket)])
        self.client = TestClient(self.app)
