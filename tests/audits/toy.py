"""A small application to run the audits against where there is no other: `uvicorn --app-dir tests/audits toy:app`."""

from dataclasses import dataclass

import strawberry
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route

from promograph.api.documents import Documents
from promograph.api.documents_schema import Schema
from promograph.api.scopes import Needs
from promograph.domain.access import NOBODY, Caller
from promograph.web.graphiql import graphiql_routes
from promograph.web.graphql import GraphQLEndpoint


@dataclass(frozen=True)
class Context:
    caller: Caller


async def context_of(_request: Request) -> Context:
    return Context(NOBODY)


@strawberry.input
class RedeemInput:
    code: str
    customer: str
    subtotal: int
    idempotency_key: str


@strawberry.type(directives=[Needs(any=[])])
class UserError:
    code: str
    field: list[str]
    message: str


@strawberry.type(directives=[Needs(any=[])])
class Redemption:
    id: strawberry.ID
    code: str
    discount: str
    state: str


@strawberry.type(directives=[Needs(any=[])])
class RedeemPayload:
    redemption: Redemption | None
    user_errors: list[UserError]


@strawberry.type
class Query:
    @strawberry.field(directives=[Needs(any=[])])
    def greeting(self) -> str:
        return "Hello"


@strawberry.type
class Mutation:
    @strawberry.mutation(directives=[Needs(any=[])])
    async def redeem_nothing(self, input: RedeemInput) -> RedeemPayload:
        redemption = Redemption(id=strawberry.ID("1"), code=input.code, discount="1.00", state="OPEN")
        return RedeemPayload(redemption=redemption, user_errors=[])


def create_app() -> Starlette:
    schema = Schema(Query, mutation=Mutation, documents=Documents())
    endpoint = GraphQLEndpoint(schema, context_of, graphiql=True)
    return Starlette(routes=[Route("/graphql", endpoint), *graphiql_routes()])


app = create_app()
