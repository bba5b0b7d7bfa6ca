"""The yardstick of the one-by-one operations: the same fields, inputs and payloads, answered from memory.

What remains is HTTP, JSON, the GraphQL engine with its caches (no operation is compiled here) and our endpoint.
`/echo` leaves out GraphQL as well.
"""

import socket
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import strawberry
import typer
import uvicorn
from starlette.applications import Starlette
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send
from strawberry.schema.config import StrawberryConfig

from promograph.api.answering import Given
from promograph.api.connections import First
from promograph.api.documents import Documents
from promograph.api.documents.schema import Schema
from promograph.api.issuance import Issuance
from promograph.api.issue_mutations import CodeIssueInput, CodeIssuePayload
from promograph.api.nodes import global_id
from promograph.api.promotions.shared import PromotionConnection
from promograph.api.redeem_inputs import CodeRedeemInput, CodeValidateInput
from promograph.api.redeem_operations import CodeRedeemPayload, Validation
from promograph.api.redemption import Redemption
from promograph.api.rights import ISSUE, READ, REDEEM
from promograph.api.scalars import SCALARS
from promograph.cli.benching.idle_page import page_from_memory
from promograph.cli.memory import keep_what_is_loaded
from promograph.cli.serve import server_config
from promograph.config import load_settings
from promograph.domain import access
from promograph.domain.codes.placeholders import Purpose
from promograph.domain.issuing import IssuanceKind, IssuanceState
from promograph.web.bodies import BodyBounds
from promograph.web.graphql import GraphQLEndpoint

_NOW = datetime(2026, 1, 1, tzinfo=UTC)
_ISSUED = CodeIssuePayload(
    issuance=Issuance(
        id=global_id("Issuance", 1, 1),
        text="7HXK2MQ9RT",
        kind=IssuanceKind.INITIAL,
        promotion_handle="bench-1",
        customer="customer-1",
        issued_at=_NOW,
        expires_at=_NOW,
        channel="bench",
        send=None,
        purpose=Purpose.LIVE,
        state=IssuanceState.FINAL,
    ),
    replayed=False,
    user_errors=[],
)
_REDEEMED = CodeRedeemPayload(
    redemption=Redemption(
        id=global_id("Redemption", 1, 1),
        place=(1, 1),
        text="7HXK2MQ9RT",
        promotion_handle="bench-1",
        customer="customer-1",
        redeemed_at=_NOW,
        reported_at=None,
        order="order-1",
        order_amount=None,
        discount=None,
        taken=None,
        channel="bench",
    ),
    replayed=False,
    user_errors=[],
)
_VALID = Validation(
    is_valid=True,
    text="7HXK2MQ9RT",
    promotion_handle="bench-1",
    promotion_name="Bench 1",
    expires_at=_NOW,
    uses_left=1,
    discount=None,
    user_errors=[],
)

_PAGE = page_from_memory(_NOW)


@dataclass(frozen=True, slots=True)
class _Context:
    caller: access.Caller


_CONTEXT = _Context(access.Caller("bench", frozenset({access.Scope.ADMIN})))


async def _code_issue(input: Given[CodeIssueInput]) -> CodeIssuePayload:
    return _ISSUED


async def _code_redeem(input: Given[CodeRedeemInput]) -> CodeRedeemPayload:
    return _REDEEMED


async def _code_validate(input: Given[CodeValidateInput]) -> Validation:
    return _VALID


async def _promotions(first: First = None) -> PromotionConnection:
    return _PAGE


class _Query:
    promotions: PromotionConnection = strawberry.field(resolver=_promotions, directives=READ)
    code_validate: Validation = strawberry.field(resolver=_code_validate, directives=REDEEM)


class _Mutation:
    code_issue: CodeIssuePayload = strawberry.mutation(resolver=_code_issue, directives=ISSUE)
    code_redeem: CodeRedeemPayload = strawberry.mutation(resolver=_code_redeem, directives=REDEEM)


async def _context(_: HTTPConnection) -> _Context:
    return _CONTEXT


async def _health(_: Request) -> Response:
    return PlainTextResponse("ok")


class _Echo:
    """A bare ASGI answer, as long as one of codeIssue's."""

    _BODY = b'{"data":{"nothing":"' + b"." * 170 + b'"}}'

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body"):
            pass
        length = str(len(self._BODY)).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", length)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": self._BODY})


def idle_app() -> Starlette:
    """The product's application with nothing behind it."""
    settings = load_settings()
    schema = Schema(
        strawberry.type(_Query, name="Query"),
        mutation=strawberry.type(_Mutation, name="Mutation"),
        documents=Documents(),
        compiling=False,
        config=StrawberryConfig(scalar_map=SCALARS),
    )
    bounds = BodyBounds(max_body_bytes=settings.max_body_bytes, max_upload_bytes=settings.max_upload_bytes)
    endpoint: Any = GraphQLEndpoint(schema, _context, bounds=bounds)
    keep_what_is_loaded()
    return Starlette(routes=[Route("/graphql", endpoint), Route("/health", _health), Route("/echo", _Echo())])


def main() -> None:
    """Serve it with the settings of `promograph serve`, on a free port that the first line names."""
    config = server_config(load_settings(workers=1))
    config.app = idle_app
    with socket.create_server(("127.0.0.1", 0), backlog=2048) as sock:
        typer.echo(f"http://127.0.0.1:{sock.getsockname()[1]}/graphql", err=True)
        uvicorn.Server(config).run(sockets=[sock])


if __name__ == "__main__":
    main()
