"""The application that a server runs."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from functools import partial
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from promograph.api.context import Context
from promograph.api.schema import build_schema
from promograph.channels import Channel, MessageChannel, ShopChannel
from promograph.config import Settings, load_settings
from promograph.domain.access import NOBODY, Caller
from promograph.errors import StoreError
from promograph.plugins import PluginManager
from promograph.services.app import Services
from promograph.services.webhooks.rules import WebhookRules
from promograph.web.bodies import BodyBounds
from promograph.web.channel_events import channel_routes
from promograph.web.downloads import downloads_route
from promograph.web.graphiql import graphiql_routes
from promograph.web.graphql import GraphQLEndpoint
from promograph.web.graphql_requests import operation_from
from promograph.web.graphql_socket import GraphQLSocket
from promograph.web.live import Live, LiveBounds
from promograph.web.trusted_documents import TrustedDocuments, read_manifests

_STOP_SECONDS = 5.0


class Application(Starlette):
    """Starlette; a request for one of `direct` goes there at once, past routing and middleware."""

    def __init__(self, *, direct: Mapping[str, ASGIApp], **others: Any) -> None:
        super().__init__(**others)
        self._direct = direct

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        direct = self._direct.get(scope["path"]) if scope["type"] == "http" and not scope.get("root_path") else None
        if direct is None:
            await super().__call__(scope, receive, send)
        else:
            await direct(scope, receive, send)


def create_app(settings: Settings | None = None, services: Services | None = None) -> Starlette:
    """The application for these settings (by default, those of the environment).

    It opens the store that they name and closes it when it stops, unless it is handed `services` that are open.
    `app.state.live.stop()` ends the connections that would otherwise hold up a stop.
    ConfigError where a plugin is broken.
    """
    settings = settings or load_settings()
    plugins = PluginManager.of(settings)
    used = services or Services.open(settings.store, words=settings.words)
    used.connect(plugins.channels())
    used.couriers.rules = _webhook_rules(settings)
    used.inbound.keep_for(timedelta(days=settings.event_days))
    used.orders.keep_for(timedelta(days=settings.event_days))
    if plugins.hears:
        used.telling.listen(plugins.tell)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        if services is None:
            await used.prepare()
        serving = [asyncio.create_task(work) for work in _work(used)]
        yield
        await _stopped(serving)
        await used.dispatcher.close()
        await used.couriers.close()
        await _closed(plugins.channels().values())
        if services is None:
            await used.close()

    get_context = _contexts(used)

    async def health(_: Request) -> Response:
        try:
            await asyncio.wait_for(used.check(), timeout=5)
        except (StoreError, TimeoutError) as failure:
            return JSONResponse({"status": "unavailable", "why": str(failure) or "The store does not answer."}, 503)
        return JSONResponse({"status": "ok"})

    bounds = BodyBounds(max_body_bytes=settings.max_body_bytes, max_upload_bytes=settings.max_upload_bytes)
    live = Live(LiveBounds(connections=settings.max_live_connections, message_bytes=settings.max_body_bytes))
    schema = build_schema(introspection=settings.introspection)
    trusted = TrustedDocuments(read_manifests(settings.trusted_documents), only=settings.only_trusted_documents)
    read = partial(operation_from, trusted=trusted)
    endpoint = GraphQLEndpoint(schema, get_context, bounds=bounds, live=live, graphiql=settings.graphiql, read=read)
    socket = GraphQLSocket(schema, get_context, live, read)
    routes: list[BaseRoute] = [
        Route("/graphql", endpoint),
        WebSocketRoute("/graphql", socket),
        *channel_routes(used, bounds),
        Route("/health", health),
        downloads_route(used),
        Route("/", _home),
    ]
    if settings.graphiql:
        routes += graphiql_routes()
    app = Application(routes=routes, lifespan=lifespan, direct={"/graphql": endpoint})
    app.state.live = live
    return app


def _work(services: Services) -> Iterable[Coroutine[Any, Any, None]]:
    """What a server does besides answering, until it is cancelled."""
    return (
        services.runner.serve(),
        services.inbound.serve(),
        services.orders.serve(),
        services.event_telling.serve(),
        services.dispatcher.serve(),
        services.shop_following.serve(),
        services.couriers.serve(),
    )


def _webhook_rules(settings: Settings) -> WebhookRules:
    return WebhookRules(
        over_http=settings.webhooks_over_http,
        to_private=settings.webhooks_to_private,
        seconds=settings.webhook_seconds,
        keep=timedelta(days=settings.webhook_keep_days),
    )


async def _stopped(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Have them end what they are in the middle of, for which they need the store."""
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks, timeout=_STOP_SECONDS)


async def _closed(channels: Iterable[Channel]) -> None:
    """Have channels give back their connections; one that fails or takes long holds up nobody."""
    known = list(channels)
    closing = [channel.close() for channel in known if isinstance(channel, MessageChannel)]
    closing += [
        shop.close() for channel in known if isinstance(channel, ShopChannel) for shop in channel.shops.values()
    ]
    with suppress(TimeoutError):
        await asyncio.wait_for(asyncio.gather(*closing, return_exceptions=True), timeout=3)


def _contexts(services: Services) -> Callable[[HTTPConnection], Awaitable[Context]]:
    shared: dict[object, object] = {}

    async def get_context(connection: HTTPConnection) -> Context:
        return Context(services, await _caller(services, connection), shared)

    return get_context


async def _caller(services: Services, connection: HTTPConnection) -> Caller:
    """Who sends this; 401 for a token that is not (or no longer) one, so that nobody mistakes it for no rights."""
    given = next((value for name, value in connection.scope["headers"] if name == b"authorization"), None)
    if given is None:
        return NOBODY
    header = given.decode("latin-1")
    scheme, _, token = header.partition(" ")
    caller = await services.access.caller(token.strip()) if scheme.lower() == "bearer" else NOBODY
    if not caller.is_known:
        raise HTTPException(
            401, "This token is not known: make one with `promograph token create`.", {"WWW-Authenticate": "Bearer"}
        )
    return caller


async def _home(_: Request) -> Response:
    return PlainTextResponse("promograph: the API is at /graphql, a page to try it at /graphiql/\n")
