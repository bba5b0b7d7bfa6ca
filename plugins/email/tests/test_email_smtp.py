"""E-mail over a real SMTP server: connections, encryption, login, and what the server may say."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from promograph import Delivery, Message, Secret
from promograph.testing.conformance import Fault, messages
from promograph_email import EmailChannel, EmailSettings

from .email_stage import PASSWORD, EmailStage

pytestmark = pytest.mark.anyio


@pytest.fixture(params=[False, True], ids=["word by word", "pipelining"])
async def stage(anyio_backend: str, request: pytest.FixtureRequest) -> AsyncIterator[EmailStage]:
    async with EmailStage() as made:
        made.relay.pipelining = request.param
        yield made


async def sent(stage: EmailStage, count: int = 1, **settings: object) -> list[Delivery]:
    channel = EmailChannel(stage.settings(**settings))
    try:
        return await channel.deliver(messages(stage, count))
    finally:
        await channel.close()


async def test_no_more_connections_than_allowed_and_each_carries_many(stage: EmailStage) -> None:
    made = stage.connections
    answers = await sent(stage, 60, connections=3)
    assert {answer.status for answer in answers} == {"ACCEPTED"}
    assert stage.connections - made == 3


async def test_handfuls_go_one_after_the_other_and_a_lone_message_before_the_rest(stage: EmailStage) -> None:
    channel = EmailChannel(stage.settings(connections=2))

    def handful(name: str, count: int) -> list[Message]:
        return [Message(key=f"{name}.{number}", to=f"{name}@example.com", text="x") for number in range(count)]

    async def lone() -> None:
        await stage.relay.keeps(4)
        await channel.deliver(handful("lone", 1))

    large = [channel.deliver(handful(name, 20)) for name in ("first", "second")]
    await asyncio.gather(*large, lone())
    order = [to.partition("@")[0] for _, to, _ in stage.relay.kept]
    assert order.index("lone") < 12
    order.remove("lone")
    # The two connections may change places, no more.
    assert order[:19] == ["first"] * 19
    assert order[-19:] == ["second"] * 19
    await channel.close()


async def test_a_handful_that_is_given_up_leaves_its_turn_to_others(stage: EmailStage) -> None:
    channel = EmailChannel(stage.settings(connections=1))
    waiting = [asyncio.create_task(channel.deliver(messages(stage, 3))) for _ in range(3)]
    await stage.relay.keeps(1)
    for task in waiting[:2]:
        task.cancel()
    ended = await asyncio.gather(*waiting, return_exceptions=True)
    assert [isinstance(one, asyncio.CancelledError) for one in ended] == [True, True, False]
    answers = await channel.deliver(messages(stage, 2))
    assert [answer.status for answer in answers] == ["ACCEPTED"] * 2
    await channel.close()


async def test_connections_are_used_again_by_the_next_call(stage: EmailStage) -> None:
    channel = EmailChannel(stage.settings(connections=2))
    for _ in range(5):
        await channel.deliver(messages(stage, 4))
    assert stage.connections == 2
    await channel.close()


async def test_a_server_that_closes_idle_connections_costs_nobody_a_message(stage: EmailStage) -> None:
    channel = EmailChannel(stage.settings(connections=2))
    await channel.deliver(messages(stage, 4))
    stage.hang_up_on_all()
    answers = await channel.deliver(messages(stage, 4))
    assert [answer.status for answer in answers] == ["ACCEPTED"] * 4
    await channel.close()


@pytest.mark.parametrize(
    ("code", "status"), [(451, "TRY_AGAIN"), (452, "TRY_AGAIN"), (421, "TRY_AGAIN"), (550, "REFUSED"), (554, "REFUSED")]
)
async def test_what_the_server_says_to_the_message(stage: EmailStage, code: int, status: str) -> None:
    stage.relay.final_data_code = code
    (answer,) = await sent(stage)
    assert (answer.status, answer.maybe_taken) == (status, False)
    assert f"{code} said so" in str(answer.why)


async def test_a_sender_who_is_turned_down_is_no_fault_of_the_recipient(stage: EmailStage) -> None:
    stage.relay.sender_code = 553
    (answer,) = await sent(stage)
    assert answer.status == "TRY_AGAIN"
    stage.relay.sender_code = 552  # larger than the server takes
    (answer,) = await sent(stage)
    assert answer.status == "REFUSED"


async def test_no_server_is_asked_once_and_not_for_each(stage: EmailStage) -> None:
    stage.server.close()
    await stage.server.wait_closed()
    answers = await sent(stage, 50, connections=2)
    assert {(answer.status, answer.maybe_taken) for answer in answers} == {("TRY_AGAIN", False)}
    assert all(answer.after == timedelta(minutes=1) for answer in answers)


async def test_bounces_go_where_they_are_wanted(stage: EmailStage) -> None:
    await sent(stage, bounces="bounces@shop.example")
    ((sender, _, content),) = stage.relay.kept
    assert sender == "bounces@shop.example"
    assert b"From: Shop <offers@shop.example>" in content


def certificate(folder: Path) -> tuple[Path, Path]:
    """For 127.0.0.1, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    day = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(day - timedelta(days=1))
        .not_valid_after(day + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return folder / "cert.pem", folder / "key.pem"


def authenticated(server: SMTP, session: object, envelope: object, mechanism: str, data: object) -> AuthResult:
    assert isinstance(data, LoginPassword)
    return AuthResult(success=(data.login, data.password) == (b"relay", PASSWORD.encode()), handled=False)


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_encrypted_and_logged_in(stage: EmailStage, tmp_path: Path, security: str) -> None:
    cert, key = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    starts = security == "starttls"
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(
            stage.relay,
            hostname="relay.example",
            tls_context=context if starts else None,
            require_starttls=starts,
            authenticator=authenticated,
            auth_required=starts,
            auth_require_tls=starts,
        ),
        "127.0.0.1",
        0,
        ssl=None if starts else context,
    )
    stage.port = server.sockets[0].getsockname()[1]
    right = {"security": security, "username": "relay", "password": Secret(PASSWORD), "timeout": 10}
    (answer,) = await sent(stage, certificates=cert, **right)
    assert answer.status == "ACCEPTED", answer
    (answer,) = await sent(stage, certificates=cert, **{**right, "password": Secret("wrong")})
    assert (answer.status, answer.after) == ("TRY_AGAIN", timedelta(minutes=5))
    assert "wrong" not in str(answer)
    (answer,) = await sent(stage, **right)
    assert "certificate is not trusted" in str(answer.why)
    assert len(stage.relay.kept) == 1
    server.close()
    await server.wait_closed()


async def test_a_server_without_encryption_gets_nothing_unless_that_is_meant(stage: EmailStage) -> None:
    (answer,) = await sent(stage, security="starttls")
    assert answer.status == "TRY_AGAIN"
    assert not stage.relay.kept


async def test_a_message_lost_in_the_middle_comes_again_with_its_message_id(stage: EmailStage) -> None:
    stage.behave(Fault.LOST_ANSWER)
    (first,) = await sent(stage)
    stage.behave(Fault.NONE)
    (second,) = await sent(stage)
    assert (first.status, first.maybe_taken, second.status) == ("TRY_AGAIN", True, "ACCEPTED")
    assert {taken.key for taken in stage.taken()} == {"<send-1.1@shop.example>"} == {second.provider_id}


async def test_lines_that_begin_with_a_dot_arrive(stage: EmailStage) -> None:
    channel = EmailChannel(stage.settings())
    await channel.deliver([Message(key="k", to="a@example.com", text=".\n..two\r\n.three\rfour")])
    (taken,) = stage.taken()
    assert taken.text.splitlines() == [".", "..two", ".three", "four"]
    await channel.close()


class Odd(asyncio.Protocol):
    """A server with pipelining that wants a message although it knows nobody whom it is for, as it may."""

    begun = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        Odd.begun += 1
        self.transport: Any = transport
        self.transport.write(b"220 odd.example\r\n")

    def data_received(self, data: bytes) -> None:
        if data.startswith(b"EHLO"):
            self.transport.write(b"250-odd.example\r\n250 PIPELINING\r\n")
        elif b"nobody@" in data:
            self.transport.write(b"250 OK\r\n550 No such user\r\n354 Go on\r\n")
        else:
            # In pieces, as a network may bring them.
            for piece in (b"250 OK\r\n250-O", b"dd\r\n250 OK\r", b"\n354 Go on\r\n"):
                self.transport.write(piece)
            self.data_received = self.take  # type: ignore[method-assign]

    def take(self, data: bytes) -> None:
        self.transport.write(b"250 OK\r\n" if data.endswith(b"\r\n.\r\n") else b"221 Bye\r\n")


async def test_a_message_to_nobody_is_not_said_into_the_next() -> None:
    server = await asyncio.get_running_loop().create_server(Odd, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    settings = EmailSettings(sender="a@shop.example", host="127.0.0.1", port=port, security="none", connections=1)
    channel = EmailChannel(settings)
    letters = [Message(key=to, to=f"{to}@example.com", text="x") for to in ("nobody", "somebody")]
    first, second = await channel.deliver(letters)
    assert (first.status, second.status) == ("REFUSED", "ACCEPTED")
    assert "550 No such user" in str(first.why)
    assert Odd.begun == 2
    await channel.close()
    server.close()
    await server.wait_closed()
