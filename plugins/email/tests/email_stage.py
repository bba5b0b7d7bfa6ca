"""The e-mail channel before a real SMTP server on this machine, which does as it is told."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from types import TracebackType
from typing import Any, Self

from aiosmtpd.smtp import SMTP, Envelope, Session

from promograph import DeliveryEventKind, MessageChannel, ProviderRequest
from promograph.testing.conformance import Fault, Stage, Taken
from promograph_email import EmailChannel, EmailSettings

from .provider_calls import MAILGUN_KEY, SENDGRID_KEY, mailgun_call

PASSWORD = "pass-w0rd-of-the-relay"
IMPATIENT = 2.0
"""Seconds until the channel gives up; nothing that is not meant to be slow takes so long, on any machine."""


def parsed(content: bytes) -> EmailMessage:
    message = message_from_bytes(content, policy=default)
    assert isinstance(message, EmailMessage)
    return message


class Relay:
    """aiosmtpd's handler: keeps each message, or does what `fault` says."""

    def __init__(self) -> None:
        self.pipelining = False
        self.fault = Fault.NONE
        self.kept: list[tuple[str, str, bytes]] = []
        self._arrived = asyncio.Event()
        self.refused = "nobody@example.com"
        self.final_data_code: int | None = None
        self.sender_code: int | None = None

    async def keeps(self, count: int) -> None:
        """Wait until it has so many."""
        while len(self.kept) < count:
            self._arrived.clear()
            await self._arrived.wait()

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        # As aiosmtpd works: it reads what is next when it has answered what was before.
        return ["250-PIPELINING", *responses] if self.pipelining else responses

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.sender_code is not None:
            return f"{self.sender_code} not you"
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.fault is Fault.BUSY:
            return "451 4.7.1 Greylisted, come again"
        if self.fault is Fault.BROKEN:
            hang_up(server)
        if address == self.refused:
            return "550 5.1.1 No such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.final_data_code is not None:
            return f"{self.final_data_code} said so"
        if self.fault is Fault.SLOW:
            await asyncio.sleep(2 * IMPATIENT)
            return "451 too late"
        assert isinstance(envelope.content, bytes)
        assert envelope.mail_from is not None
        self.kept.append((envelope.mail_from, envelope.rcpt_tos[0], envelope.content))
        self._arrived.set()
        if self.fault is Fault.LOST_ANSWER:
            hang_up(server)
        return "coo coo coo" if self.fault is Fault.GARBAGE else "250 OK"


def hang_up(server: SMTP) -> None:
    transport: Any = server.transport
    transport.abort()


class EmailStage(Stage):
    """What becomes of the provider's events is Mailgun's here; SendGrid has tests of its own."""

    bad_address = "nobody@example.com"
    secrets = (PASSWORD, MAILGUN_KEY, SENDGRID_KEY)

    def __init__(self) -> None:
        self.relay = Relay()
        self.port = 0
        self._servers: list[SMTP] = []

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self.server = await loop.create_server(self._accept, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.server.close()
        await self.server.wait_closed()

    def _accept(self) -> SMTP:
        self._servers.append(SMTP(self.relay, hostname="relay.example"))
        return self._servers[-1]

    @property
    def connections(self) -> int:
        """How many have been made so far."""
        return len(self._servers)

    def hang_up_on_all(self) -> None:
        for server in self._servers:
            if server.transport is not None:
                hang_up(server)

    def settings(self, **more: Any) -> EmailSettings:
        given = {
            "sender": "Shop <offers@shop.example>",
            "host": "127.0.0.1",
            "port": self.port,
            "security": "none",
            "timeout": IMPATIENT,
            "mailgun_signing_key": MAILGUN_KEY,
        }
        return EmailSettings(**{**given, **more})

    def channel(self) -> MessageChannel:
        return EmailChannel(self.settings())

    def address(self, number: int) -> str:
        return f"somebody-{number}@example.com"

    def behave(self, fault: Fault) -> None:
        self.relay.fault = fault

    def taken(self) -> Sequence[Taken]:
        read = [(to, parsed(content)) for _, to, content in self.relay.kept]
        return [Taken(message["Message-ID"], to, message.get_content()) for to, message in read]

    def callback(self, key: str, kind: DeliveryEventKind, *, forged: bool = False) -> ProviderRequest:
        words = {"SENT": "accepted", "DELIVERED": "delivered", "BOUNCED": "failed", "UNKNOWN": "teleported"}
        secret = "a guess" if forged else MAILGUN_KEY
        token = f"{key}-{kind}".ljust(50, "x")
        said = {
            "event": words[kind],
            "severity": "permanent",
            "message": {"headers": {"message-id": f"{key}@shop.example"}},
        }
        return mailgun_call(said, secret=secret, token=token, now=datetime.now(UTC))
