"""The protocol graphql-transport-ws: messages, closing codes, bounds."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from starlette.testclient import WebSocketTestSession
from starlette.websockets import WebSocketDisconnect

from .streaming import Streaming, Watched

PROTOCOL = "graphql-transport-ws"


@contextmanager
def connected(to: Streaming | None = None, payload: Any = None, **more: Any) -> Iterator[WebSocketTestSession]:
    to = to or Streaming()
    with to.client.websocket_connect("/graphql", subprotocols=[PROTOCOL], **more) as socket:
        socket.send_json({"type": "connection_init"} | ({} if payload is None else {"payload": payload}))
        assert socket.receive_json() == {"type": "connection_ack"}
        yield socket


def begin(socket: WebSocketTestSession, query: str, id_: str = "1", **payload: Any) -> None:
    socket.send_json({"type": "subscribe", "id": id_, "payload": {"query": query, **payload}})


def closed(socket: WebSocketTestSession) -> tuple[int, str]:
    with pytest.raises(WebSocketDisconnect) as end:
        socket.receive_json()
    return end.value.code, end.value.reason or ""


def test_a_subscription_runs_to_its_end_beside_queries_and_mutations() -> None:
    with connected() as socket:
        assert socket.accepted_subprotocol == PROTOCOL
        begin(socket, "subscription($n: Int!) { ticks(upto: $n) }", variables={"n": 2})
        assert [socket.receive_json() for _ in range(3)] == [
            {"id": "1", "type": "next", "payload": {"data": {"ticks": 0}}},
            {"id": "1", "type": "next", "payload": {"data": {"ticks": 1}}},
            {"id": "1", "type": "complete"},
        ]
        for query, data in (("{ greeting }", {"greeting": "Hello you"}), ("mutation { change }", {"change": 1})):
            begin(socket, query)
            assert socket.receive_json() == {"id": "1", "type": "next", "payload": {"data": data}}
            assert socket.receive_json() == {"id": "1", "type": "complete"}
        socket.send_json({"type": "ping"})
        assert socket.receive_json() == {"type": "pong"}
        socket.send_json({"type": "pong"})


def test_a_client_ends_what_it_began() -> None:
    with connected() as socket:
        begin(socket, "subscription { forever }")
        assert socket.receive_json()["payload"] == {"data": {"forever": 1}}
        assert Watched.open == 1
        socket.send_json({"type": "complete", "id": "1"})
        socket.send_json({"type": "complete", "id": "never begun"})
        begin(socket, "subscription { forever }")
        assert socket.receive_json()["payload"] == {"data": {"forever": 1}}
    assert Watched.open == 0


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{ greeting(", "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ greeting @skip(if: false)" + " @skip(if: false)" * 60 + " }", "DOCUMENT_TOO_LARGE"),
        ("{" + " ".join(f"a{n}: greeting" for n in range(31)) + "}", "DOCUMENT_TOO_LARGE"),
        ("subscription { secrets }", "UNAUTHENTICATED"),
        ("query A { greeting } query B { greeting }", "OPERATION_NAME_MISSING"),
    ],
)
def test_what_is_wrong_with_a_document_hurts_it_alone(query: str, code: str) -> None:
    with connected() as socket:
        begin(socket, query)
        answer = socket.receive_json()
        assert (answer["id"], answer["type"]) == ("1", "error")
        assert [error["extensions"]["code"] for error in answer["payload"]] == [code]
        begin(socket, "{ greeting }")
        assert socket.receive_json()["type"] == "next"


def test_an_operation_that_is_not_there() -> None:
    with connected() as socket:
        begin(socket, "query A { greeting }", operationName="B")
        (error,) = socket.receive_json()["payload"]
        assert error["extensions"]["code"] == "OPERATION_NOT_FOUND"


def test_faults_are_masked() -> None:
    with connected() as socket:
        begin(socket, "subscription { broken }")
        assert socket.receive_json()["payload"] == {"data": {"broken": 1}}
        answer = socket.receive_json()
        assert "password" not in str(answer)
        assert answer["payload"]["errors"][0]["extensions"]["code"] == "INTERNAL"


@pytest.mark.parametrize("name", ["Authorization", "authorization"])
def test_the_token_comes_with_the_introduction(name: str) -> None:
    with connected(payload={name: "Bearer codes:redeem"}) as socket:
        begin(socket, "{ secret }")
        assert socket.receive_json()["payload"] == {"data": {"secret": "x"}}


def test_the_token_may_come_as_a_header_and_the_introduction_counts_more() -> None:
    headers = {"Authorization": "Bearer codes:redeem"}
    with connected(headers=headers) as socket:
        begin(socket, "{ secret }")
        assert socket.receive_json()["payload"] == {"data": {"secret": "x"}}
    with connected(headers=headers, payload={"Authorization": "Bearer codes:issue"}) as socket:
        begin(socket, "{ secret }")
        assert socket.receive_json()["payload"][0]["extensions"]["code"] == "FORBIDDEN"


def test_an_unknown_token_is_turned_away() -> None:
    with Streaming().client.websocket_connect("/graphql", subprotocols=[PROTOCOL]) as socket:
        socket.send_json({"type": "connection_init", "payload": {"Authorization": "Bearer nonsense"}})
        assert closed(socket) == (4403, "This token is not known.")


def test_a_revoked_token_ends_what_it_opened() -> None:
    to = Streaming(recheck=0.02)
    with connected(to, payload={"Authorization": "Bearer codes:redeem"}) as socket:
        begin(socket, "subscription { forever }")
        assert socket.receive_json()["type"] == "next"
        to.door.revoked.add("codes:redeem")
        assert closed(socket)[0] == 4403
    assert Watched.open == 0


def test_a_stopping_server_says_so() -> None:
    to = Streaming()
    with connected(to) as socket:
        begin(socket, "subscription { forever }")
        assert socket.receive_json()["type"] == "next"
        to.live.stop()
        socket.send_json({"type": "ping"})  # the event was set outside of the loop, which this wakes
        while (message := socket.receive())["type"] != "websocket.close":
            pass
        assert message["code"] == 1012


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("nonsense", 4400),
        ("[]", 4400),
        ("{}", 4400),
        ('{"type": 1}', 4400),
        ('{"type": "surprise"}', 4400),
        ('{"type": "subscribe"}', 4400),
        ('{"type": "subscribe", "id": "1"}', 4400),
        ('{"type": "subscribe", "id": "1", "payload": []}', 4400),
        ('{"type": "subscribe", "id": "1", "payload": {"query": 3}}', 4400),
        ('{"type": "subscribe", "id": "1", "payload": {"query": "{ greeting }", "variables": []}}', 4400),
        ('{"type": "subscribe", "id": 1, "payload": {"query": "{ greeting }"}}', 4400),
        ('{"type": "complete"}', 4400),
        ('{"type": "connection_init"}', 4429),
        ('{"type": "ping", "payload": "' + "x" * 2000 + '"}', 1009),
    ],
)
def test_malformed_messages_end_the_connection(message: str, code: int) -> None:
    with connected(Streaming(message_bytes=1000)) as socket:
        socket.send_text(message)
        assert closed(socket)[0] == code


def test_bytes_are_no_message() -> None:
    with connected() as socket:
        socket.send_bytes(b'{"type": "ping"}')
        assert closed(socket)[0] == 4400


def test_an_id_is_used_once_at_a_time() -> None:
    with connected() as socket:
        begin(socket, "subscription { forever }")
        assert socket.receive_json()["type"] == "next"
        begin(socket, "{ greeting }")
        assert closed(socket) == (4409, "Subscriber for 1 already exists")
    assert Watched.open == 0


def test_nothing_before_the_introduction() -> None:
    client = Streaming().client
    with client.websocket_connect("/graphql", subprotocols=[PROTOCOL]) as socket:
        socket.send_json({"type": "ping"})
        assert socket.receive_json() == {"type": "pong"}
        begin(socket, "{ greeting }")
        assert closed(socket)[0] == 4401
    with client.websocket_connect("/graphql", subprotocols=[PROTOCOL]) as socket:
        socket.send_json({"type": "connection_init", "payload": "x"})
        assert closed(socket)[0] == 4400
    with Streaming(init=0.02).client.websocket_connect("/graphql", subprotocols=[PROTOCOL]) as socket:
        assert closed(socket)[0] == 4408


@pytest.mark.parametrize("offered", [None, ["graphql-ws"]])
def test_another_protocol_is_not_spoken(offered: list[str] | None) -> None:
    with Streaming().client.websocket_connect("/graphql", subprotocols=offered) as socket:
        assert closed(socket)[0] == 4406


def test_connections_and_operations_are_bounded() -> None:
    to = Streaming(connections=1, operations=2)
    with connected(to) as socket:
        with to.client.websocket_connect("/graphql", subprotocols=[PROTOCOL]) as other:
            assert closed(other)[0] == 1013
        for id_ in ("1", "2"):
            begin(socket, "subscription { forever }", id_)
            assert socket.receive_json()["type"] == "next"
        begin(socket, "{ greeting }", "3")
        answer = socket.receive_json()
        assert (answer["id"], answer["payload"][0]["extensions"]["code"]) == ("3", "TOO_MANY_OPERATIONS")
        socket.send_json({"type": "complete", "id": "1"})
        begin(socket, "{ greeting }", "3")
        assert socket.receive_json()["type"] == "next"
    with connected(to):
        pass
