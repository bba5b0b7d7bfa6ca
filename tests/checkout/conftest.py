"""promograph over HTTP on a port of this machine, for a checkout that is a program of its own.

It runs in a thread with a clock that the tests move; under /strict it takes the checkout's trusted documents and no
others. Whatever the tests of a file do, recounting must find nothing wrong.
"""

import asyncio
import socket
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from promograph.config import Settings
from promograph.domain.access import Scope as Right
from promograph.services.app import Services
from promograph.web.app import create_app

from .shop import DOCUMENTS, Clock, Shop

_databases = count(1)


@pytest.fixture(scope="module")
def shop(shared_store_url: str) -> Iterator[Shop]:
    with socket.socket() as sock, ThreadPoolExecutor(1) as thread:
        sock.bind(("127.0.0.1", 0))
        clock, ready, stop = Clock(), Future[Any](), Future[Any]()
        served = thread.submit(lambda: asyncio.run(_serve(shared_store_url, clock, sock, ready, stop)))
        served.add_done_callback(lambda done: ready.done() or ready.set_exception(done.exception() or RuntimeError()))
        tokens = ready.result(60)
        made = Shop(f"http://127.0.0.1:{sock.getsockname()[1]}", clock, **tokens)
        try:
            yield made
        finally:
            made.close()
            stop.set_result(None)
            assert served.result(60) == []


@pytest.fixture
def late(tmp_path: Path) -> Path:
    return tmp_path / "late.db"


async def _serve(store: str, clock: Clock, sock: socket.socket, ready: Future[Any], stop: Future[Any]) -> list[str]:
    """What recounting finds at the end."""
    services = Services.open(store, clock)
    try:
        await services.prepare()
        rights = {"admin": Right.ADMIN, "checkout": Right.CODES_REDEEM}
        tokens = {name: (await services.access.create(name, [right]))[0] for name, right in rights.items()}
        usual = create_app(Settings(store=store, trusted_documents=(str(DOCUMENTS / "documents.json"),)), services)
        only = Settings(
            store=store, trusted_documents=(str(DOCUMENTS / "documents.json"),), only_trusted_documents=True
        )
        app = _by_path(usual, create_app(only, services))
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off", timeout_keep_alive=1))
        serving = asyncio.create_task(server.serve([sock]))
        while not server.started:  # noqa: ASYNC110 (uvicorn tells of it in no other way)
            await asyncio.sleep(0.01)
        ready.set_result(tokens)
        await asyncio.wrap_future(stop)
        server.should_exit = True
        await serving
        return await services.verify()
    finally:
        await services.close()


def _by_path(usual: ASGIApp, strict: ASGIApp) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        path = str(scope["path"])
        if path.startswith("/strict"):
            await strict({**scope, "path": path.removeprefix("/strict")}, receive, send)
        else:
            await usual(scope, receive, send)

    return app
