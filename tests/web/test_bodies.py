"""Bounds on bodies: announced and streamed, whatever the application makes of it."""

from collections.abc import AsyncIterator

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from promograph.web.bodies import BodyBounds, BoundedBodies

BOUNDS = BodyBounds(max_body_bytes=100, max_upload_bytes=1000)
UPLOAD = {"content-type": "multipart/form-data; boundary=x"}


async def length_of(request: Request) -> PlainTextResponse:
    return PlainTextResponse(str(len(await request.body())))


async def swallowing(request: Request) -> PlainTextResponse:
    try:
        return PlainTextResponse(str(len(await request.body())))
    except Exception:
        return PlainTextResponse("whatever")


async def failing(request: Request) -> PlainTextResponse:
    try:
        await request.body()
    except Exception as error:
        raise ValueError("something else") from error
    raise ValueError("a fault of its own")


async def early(request: Request) -> StreamingResponse:
    async def answer() -> AsyncIterator[bytes]:
        yield b"begun "
        async for _chunk in request.stream():
            pass

    return StreamingResponse(answer())


ROUTES = [
    Route("/", length_of, methods=["POST", "GET"]),
    Route("/swallowing", swallowing, methods=["POST"]),
    Route("/failing", failing, methods=["POST"]),
    Route("/early", early, methods=["POST"]),
]
INSIDE = Starlette(routes=ROUTES, middleware=[Middleware(BoundedBodies, bounds=BOUNDS)])
AROUND = BoundedBodies(Starlette(routes=ROUTES), BOUNDS)

both_places = pytest.mark.parametrize("app", [INSIDE, AROUND], ids=["inside", "around"])


def client(app: ASGIApp) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://test")


async def streamed(size: int) -> AsyncIterator[bytes]:
    for _ in range(size // 10):
        yield b"x" * 10


@both_places
@pytest.mark.anyio
@pytest.mark.parametrize("path", ["/", "/swallowing", "/failing"])
@pytest.mark.parametrize("is_streamed", [False, True], ids=["announced", "streamed"])
async def test_a_body_over_the_bound_is_413(app: ASGIApp, path: str, is_streamed: bool) -> None:
    async with client(app) as asking:
        response = await asking.post(path, content=streamed(110) if is_streamed else b"x" * 101)
    assert response.status_code == 413
    assert response.headers["connection"] == "close"
    (error,) = response.json()["errors"]
    assert "100 bytes" in error["message"]
    assert error["extensions"] == {"code": "BODY_TOO_LARGE"}


@both_places
@pytest.mark.anyio
@pytest.mark.parametrize("is_streamed", [False, True], ids=["announced", "streamed"])
async def test_a_body_at_the_bound_is_fine(app: ASGIApp, is_streamed: bool) -> None:
    async with client(app) as asking:
        response = await asking.post("/", content=streamed(100) if is_streamed else b"x" * 100)
    assert (response.status_code, response.text) == (200, "100")


@both_places
@pytest.mark.anyio
async def test_uploads_have_a_bound_of_their_own(app: ASGIApp) -> None:
    async with client(app) as asking:
        assert (await asking.post("/", content=streamed(1000), headers=UPLOAD)).text == "1000"
        assert (await asking.post("/", content=streamed(1010), headers=UPLOAD)).status_code == 413
        assert (await asking.post("/", content=b"x" * 1001, headers=UPLOAD)).status_code == 413


@pytest.mark.anyio
@pytest.mark.parametrize(("expect", "read"), [([], 3), ([(b"expect", b"100-continue")], 0)])
async def test_a_body_refused_is_read_to_its_end_unless_it_was_not_sent(
    expect: list[tuple[bytes, bytes]], read: int
) -> None:
    coming: list[Message] = [
        {"type": "http.request", "body": b"x" * 60, "more_body": more} for more in (True, True, False)
    ]
    taken = 0
    taken_before_answer: list[int] = []

    async def receive() -> Message:
        nonlocal taken
        taken += 1
        return coming[taken - 1]

    async def send(message: Message) -> None:
        taken_before_answer.append(taken)

    headers = [(b"content-length", b"180"), *expect]
    await AROUND({"type": "http", "method": "POST", "path": "/", "headers": headers}, receive, send)
    assert taken_before_answer == [read, read]


@pytest.mark.anyio
async def test_a_lie_about_the_length_does_not_help() -> None:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"x" * 60, "more_body": True}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"content-length", b"10")]
    scope = {"type": "http", "method": "POST", "path": "/", "headers": headers, "query_string": b""}
    await AROUND(scope, receive, send)
    assert sent[0]["status"] == 413


@both_places
@pytest.mark.anyio
async def test_a_fault_of_the_application_stays_one(app: ASGIApp) -> None:
    async with client(app) as asking:
        with pytest.raises(ValueError, match="a fault of its own"):
            await asking.post("/failing", content=b"x")


@pytest.mark.anyio
async def test_an_answer_that_has_begun_goes_on() -> None:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"x" * 60, "more_body": True}

    async def send(message: Message) -> None:
        sent.append(message)

    async def answering(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(2):
            try:
                await receive()
            except Exception:
                await send({"type": "http.response.body", "body": b"end"})

    await BoundedBodies(answering, BOUNDS)({"type": "http", "headers": []}, receive, send)
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]


@pytest.mark.anyio
async def test_other_scopes_pass() -> None:
    seen: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["type"])

    async def nothing(*_: Message) -> Message:  # pragma: no cover
        return {}

    await BoundedBodies(app, BOUNDS)({"type": "lifespan"}, nothing, nothing)
    assert seen == ["lifespan"]
