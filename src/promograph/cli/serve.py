"""`promograph serve`."""

import asyncio
import os
import signal
import socket
from functools import partial
from multiprocessing import parent_process
from multiprocessing.process import BaseProcess
from threading import Thread
from types import FrameType
from typing import Annotated, Any

import typer
import uvicorn
from starlette.applications import Starlette
from uvicorn.supervisors import Multiprocess

from promograph.cli.common import StoreOption, err, settings_for, told
from promograph.cli.memory import keep_what_is_loaded
from promograph.config import Settings
from promograph.errors import ConfigError
from promograph.plugins import PluginManager
from promograph.services.app import Services
from promograph.web.app import create_app
from promograph.web.live import Live


def serve(
    host: Annotated[str | None, typer.Option(help="The address to listen on; 127.0.0.1 if left out.")] = None,
    port: Annotated[int | None, typer.Option(help="The port to listen on; 8000 if left out.")] = None,
    store: StoreOption = None,
    workers: Annotated[int | None, typer.Option(help="How many processes; more than one needs PostgreSQL.")] = None,
) -> None:
    """Run the server. An empty store gets its tables by itself."""
    with told():
        settings = settings_for(host=host, port=port, store=store, workers=workers)
        if settings.workers > 1 and settings.store.startswith("sqlite"):
            raise ConfigError("SQLite has one writer: use --workers 1, or a PostgreSQL store.")
        # Here too, because a worker that cannot start would be started again and again, unheard.
        PluginManager.of(settings)
        asyncio.run(_prepare(settings))
        with _listening(settings) as sock:
            _welcome(settings, sock.getsockname()[1])
            _run(server_config(settings), sock)


def server_config(settings: Settings) -> uvicorn.Config:
    """A factory, so that each worker process makes its own application and opens its own store."""
    return uvicorn.Config(
        partial(_application, settings),
        factory=True,
        workers=settings.workers,
        log_level=settings.log_level,
        access_log=False,
        lifespan="on",
        timeout_graceful_shutdown=10,
        # A worker answers its supervisor only once it has been imported, which takes seconds where many start at once.
        timeout_worker_healthcheck=30,
        ws_max_size=settings.max_body_bytes,
        ws_per_message_deflate=False,  # it takes more memory a connection than everything else
    )


def _application(settings: Settings) -> Starlette:
    """The application of this process, which ends with the supervisor that started it.

    A supervisor that is killed takes nobody with it: its workers would hold the port, and serve on unsupervised.
    """
    supervisor = parent_process()
    if supervisor is not None:
        Thread(target=_end_after, args=(supervisor,), daemon=True).start()
    application = create_app(settings)
    _stop_streams_first(application.state.live)
    keep_what_is_loaded()
    return application


def _stop_streams_first(live: Live) -> None:
    """When the server is told to stop it waits for its answers to end, and event streams do not end by themselves."""
    loop = asyncio.get_running_loop()
    for stop in (signal.SIGINT, signal.SIGTERM):
        earlier = signal.getsignal(stop)

        def handle(number: int, frame: FrameType | None, earlier: Any = earlier) -> None:
            loop.call_soon_threadsafe(live.stop)
            if callable(earlier):
                earlier(number, frame)

        signal.signal(stop, handle)


def _end_after(supervisor: BaseProcess) -> None:
    supervisor.join()
    os.kill(os.getpid(), signal.SIGTERM)


def _run(config: uvicorn.Config, sock: socket.socket) -> None:
    if config.workers > 1:
        Multiprocess(config, sockets=[sock]).run()
        return
    server = uvicorn.Server(config)
    # At its end uvicorn raises the signal that stopped it once more; unhandled, a stop in good order would look like a
    # crash to whoever started us.
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, server.handle_exit)
    server.run(sockets=[sock])


async def _prepare(settings: Settings) -> None:
    """Find out what is wrong with the store before anybody is told that the server runs."""
    services = Services.open(settings.store, words=settings.words)
    try:
        await services.prepare()
        await services.check_clock()
    finally:
        await services.close()


def _listening(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((settings.host, settings.port))
        sock.listen(2048)
    except OSError as failure:
        sock.close()
        raise ConfigError(
            f"Cannot listen on {settings.host}:{settings.port} ({failure.strerror}): choose another --port or --host."
        ) from None
    return sock


def _welcome(settings: Settings, port: int) -> None:
    shown_host = f"[{settings.host}]" if ":" in settings.host else settings.host
    base = f"http://{shown_host}:{port}"
    err.print(f"promograph serves {settings.shown_store}", markup=False)
    err.print(f"  API       {base}/graphql", markup=False)
    if settings.graphiql:
        err.print(f"  GraphiQL  {base}/graphiql/", markup=False)
    err.print("  A token:  promograph token create NAME --scope admin", markup=False)
