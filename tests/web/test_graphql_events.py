"""GraphQL over server-sent events: when they are chosen, what they say, how they end."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import pytest

from .streaming import Streaming, Watched

EVENTS = "text/event-stream"
MODERN = "application/graphql-response+json"
PLAIN = "application/json"


def post(query: str, accept: str = EVENTS, to: Streaming | None = None, **more: Any) -> Any:
    return (to or Streaming()).client.post("/graphql", json={"query": query}, headers={"accept": accept, **more})


def events(text: str) -> list[tuple[str, Any]]:
    """Names and data; comments are left out."""
    assert "\r" not in text
    found = []
    for block in text.split("\n\n"):
        fields = dict(line.split(":", 1) for line in block.splitlines() if not line.startswith(":"))
        if fields:
            data = fields["data"].strip()
            found.append((fields["event"].strip(), orjson.loads(data) if data else None))
    return found


def test_a_subscription_is_a_stream_of_events() -> None:
    answer = post("subscription { ticks(upto: 2) }")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert events(answer.text) == [
        ("next", {"data": {"ticks": 0}}),
        ("next", {"data": {"ticks": 1}}),
        ("complete", None),
    ]


def test_queries_and_mutations_are_one_event() -> None:
    assert events(post("{ greeting }").text) == [("next", {"data": {"greeting": "Hello you"}}), ("complete", None)]
    assert events(post("mutation { change }").text) == [("next", {"data": {"change": 1}}), ("complete", None)]


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (EVENTS, EVENTS),
        (f"{EVENTS}, {PLAIN}", EVENTS),
        (f"{PLAIN};q=0.5, {EVENTS}", EVENTS),
        # What urql sends with everything it asks.
        (f"{MODERN}, application/graphql+json, {PLAIN}, {EVENTS}, multipart/mixed", MODERN),
        (f"{PLAIN}, {EVENTS}", PLAIN),
        (f"{EVENTS};q=0.9, */*", PLAIN),
        (f"{EVENTS};q=0, {MODERN}", MODERN),
    ],
)
def test_events_are_chosen_only_where_they_are_wanted_most(accept: str, chosen: str) -> None:
    assert post("{ greeting }", accept).headers["content-type"].startswith(chosen)


def test_who_wants_no_events_is_told_where_subscriptions_are() -> None:
    answer = post("subscription { ticks }", MODERN)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["extensions"]["code"] == "SUBSCRIPTION_NOT_HERE"
    assert EVENTS in answer.json()["errors"][0]["message"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{ greeting(", "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("{" + " ".join(f"a{n}: greeting" for n in range(31)) + "}", "DOCUMENT_TOO_LARGE"),
        ("subscription { secrets }", "UNAUTHENTICATED"),
    ],
)
def test_what_is_wrong_with_the_document_is_an_event(query: str, code: str) -> None:
    answer = post(query)
    (name, payload), end = events(answer.text)
    assert (answer.status_code, name, end) == (200, "next", ("complete", None))
    assert "data" not in payload
    assert payload["errors"][0]["extensions"]["code"] == code


def test_what_is_wrong_with_the_request_is_not() -> None:
    client = Streaming().client
    for answer, status in (
        (post("subscription { secrets }", authorization="Bearer nonsense"), 401),
        (client.post("/graphql", content=b"nonsense", headers={"accept": EVENTS, "content-type": PLAIN}), 400),
        (client.post("/graphql", content=b"x", headers={"accept": EVENTS, "content-type": "text/plain"}), 415),
        (post("{ greeting }", to=Streaming(connections=0)), 503),
    ):
        assert answer.status_code == status
        assert answer.headers["content-type"].startswith(PLAIN)
        assert answer.json()["errors"]


def test_a_get_changes_nothing() -> None:
    client = Streaming().client
    answer = client.get("/graphql", params={"query": "subscription { ticks(upto: 1) }"}, headers={"accept": EVENTS})
    assert events(answer.text) == [("next", {"data": {"ticks": 0}}), ("complete", None)]
    answer = client.get("/graphql", params={"query": "mutation { change }"}, headers={"accept": EVENTS})
    assert events(answer.text)[0][1]["errors"][0]["extensions"]["code"] == "METHOD_NOT_ALLOWED"


def test_faults_are_masked() -> None:
    answer = post("subscription { broken }")
    assert "password" not in answer.text
    assert events(answer.text)[1][1]["errors"][0]["extensions"]["code"] == "INTERNAL"


async def stream(to: Streaming, act: Callable[[], None] | None, token: str = "") -> list[bytes]:
    """What is sent on `subscription { forever }`, with `act` done after its first event, to the stream's end.

    Without an `act` the client goes away, once it has seen a few signs of life.
    """
    sent: list[bytes] = []
    body = orjson.dumps({"query": "subscription { forever }"})
    first, alive, gone = asyncio.Event(), asyncio.Event(), asyncio.Event()
    asked = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def receive() -> Any:
        message = next(asked, None)
        if message is None:
            await gone.wait()
        return message or {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message.get("body", b""))
        if b"next" in sent[-1]:
            first.set()
        if sent.count(b":\n\n") > 2:
            alive.set()

    headers = [(b"accept", EVENTS.encode()), (b"content-type", PLAIN.encode())]
    headers += [(b"authorization", f"Bearer {token}".encode())] if token else []
    scope = {"type": "http", "method": "POST", "path": "/graphql", "query_string": b"", "headers": headers}
    app: Callable[..., Awaitable[None]] = to.app
    running = asyncio.ensure_future(app(scope, receive, send))
    await asyncio.wait_for(first.wait(), 300)
    assert Watched.open == 1
    if act is None:
        await asyncio.wait_for(alive.wait(), 300)
        gone.set()
    else:
        act()
    await asyncio.wait_for(running, 300)
    assert Watched.open == 0
    return sent


@pytest.mark.anyio
async def test_a_client_that_goes_away_ends_its_stream() -> None:
    sent = await stream(Streaming(ping=0.02), None)
    assert sent.count(b":\n\n") > 2, "signs of life while there is nothing to say"


@pytest.mark.anyio
async def test_a_stopping_server_breaks_off_without_an_end() -> None:
    to = Streaming()
    sent = await stream(to, to.live.stop)
    assert b"complete" not in b"".join(sent)


@pytest.mark.anyio
async def test_a_revoked_token_ends_its_stream() -> None:
    to = Streaming(recheck=0.02)
    sent = await stream(to, lambda: to.door.revoked.add("codes:redeem"), "codes:redeem")
    last = events(b"".join(sent).decode())[-2:]
    assert last[0][1]["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert last[1] == ("complete", None)
