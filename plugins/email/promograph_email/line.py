"""A line to a mail server that is ready for messages, and the few words of SMTP (RFC 5321) that they take.

aiosmtplib connects, encrypts, greets and logs in; from then on the line is ours. The library waits for each answer
before it says the next word. Where the server has PIPELINING (RFC 2920), and nearly all have, whom a message is from
and to is said at once: two waits a message in the place of four, and half of what sending costs.
"""

import asyncio
from dataclasses import dataclass
from typing import cast

import aiosmtplib
from aiosmtplib import SMTPDataError, SMTPRecipientRefused, SMTPSenderRefused

_LONGEST_ANSWER = 32_768
_NO_CODE = -1
_DONE = (250,)
_DONE_OR_PASSED_ON = (250, 251)
_GO_ON = (354,)
_GOOD = (_DONE, _DONE_OR_PASSED_ON, _GO_ON)
"""What may be said to MAIL, RCPT and DATA so that it goes on."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`code` is negative where the server said something that is no answer."""

    code: int
    text: str


class Line(asyncio.Protocol):
    """One message at a time, and each wait at most `seconds`, which raises TimeoutError; OSError where it is cut."""

    def __init__(self, transport: asyncio.WriteTransport, *, seconds: float, pipelining: bool) -> None:
        self._transport = transport
        self._seconds = seconds
        self._pipelining = pipelining
        self._got = bytearray()
        self._text: list[str] = []
        self._answers: list[Answer] = []
        self._wanted = 0
        self._waiter: asyncio.Future[None] | None = None
        self._is_cut = False

    @classmethod
    def of(cls, connection: aiosmtplib.SMTP, seconds: float) -> "Line":
        """That of a connection which has greeted, and is not to be used any more."""
        transport = cast(asyncio.WriteTransport, connection.transport)
        line = cls(transport, seconds=seconds, pipelining=connection.supports_extension("pipelining"))
        transport.set_protocol(line)
        return line

    @property
    def is_open(self) -> bool:
        return not self._is_cut and not self._transport.is_closing()

    async def address(self, sender: str, to: str) -> None:
        """Begin a message. SMTPSenderRefused, SMTPRecipientRefused, or SMTPDataError where it is not wanted."""
        words = (f"MAIL FROM:<{sender}>\r\n".encode(), f"RCPT TO:<{to}>\r\n".encode(), b"DATA\r\n")
        if self._pipelining:
            answers = await self._ask(b"".join(words), len(words))
        else:
            answers = []
            for word, good in zip(words, _GOOD, strict=True):
                answers += await self._ask(word)
                if answers[-1].code not in good:
                    break
        try:
            _check(answers, sender, to)
        except (SMTPSenderRefused, SMTPRecipientRefused):
            if answers[-1].code in _GO_ON:
                self.close()  # it waits for a message to nobody
            raise

    async def hand_over(self, content: bytes) -> None:
        """The message that was begun, with lines that end in CRLF. SMTPDataError."""
        end = b".\r\n" if content.endswith(b"\r\n") else b"\r\n.\r\n"
        (answer,) = await self._ask(content.replace(b"\r\n.", b"\r\n..") + end)
        if answer.code not in _DONE:
            raise SMTPDataError(answer.code, answer.text)

    async def is_reset(self) -> bool:
        """Whether it can be made ready for another message."""
        try:
            (answer,) = await self._ask(b"RSET\r\n")
        except OSError:
            return False
        return answer.code in _DONE

    async def end(self) -> None:
        """Say good-bye, and close it."""
        try:
            async with asyncio.timeout(1):
                await self._ask(b"QUIT\r\n")
        except OSError:
            pass
        finally:
            self.close()

    def close(self) -> None:
        self._transport.close()

    async def _ask(self, words: bytes, answers: int = 1) -> list[Answer]:
        """So many answers; fewer where the line was cut after some, which then say why."""
        if not self.is_open:
            raise ConnectionResetError("the line is cut")
        self._wanted = answers
        self._waiter = asyncio.get_running_loop().create_future()
        self._transport.write(words)
        try:
            async with asyncio.timeout(self._seconds):
                await self._waiter
        finally:
            self._waiter = None
        given, self._answers = self._answers, []
        return given

    def data_received(self, data: bytes) -> None:
        self._got += data
        while (end := self._got.find(b"\n")) >= 0:
            self._hear(bytes(self._got[:end]))
            del self._got[: end + 1]
        if self._waiter is None or len(self._answers) > self._wanted or len(self._got) > _LONGEST_ANSWER:
            self.close()  # nobody asked: the next answer would be taken for another's
        if self._waiter is not None and len(self._answers) >= self._wanted and not self._waiter.done():
            self._waiter.set_result(None)

    def connection_lost(self, error: Exception | None) -> None:
        self._is_cut = True
        if self._waiter is None or self._waiter.done():
            return
        if self._answers:
            self._waiter.set_result(None)
        else:
            self._waiter.set_exception(error or ConnectionResetError("the line is cut"))

    def _hear(self, line: bytes) -> None:
        """One line, which may be the last of an answer."""
        self._text.append(line[4:].decode("utf-8", "replace").strip())
        if line[3:4] == b"-" and len(self._text) < _LONGEST_ANSWER // 16:
            return
        code = int(line[:3]) if line[:3].isdigit() else _NO_CODE
        self._answers.append(Answer(code, "\n".join(self._text)))
        self._text = []


def _check(answers: list[Answer], sender: str, to: str) -> None:
    """Whether the message may follow: raises for the first answer that says no."""
    for place, (answer, good) in enumerate(zip(answers, _GOOD, strict=False)):
        if answer.code in good:
            continue
        if place == 0:
            raise SMTPSenderRefused(answer.code, answer.text, sender)
        if place == 1:
            raise SMTPRecipientRefused(answer.code, answer.text, to)
        raise SMTPDataError(answer.code, answer.text)
    if len(answers) < len(_GOOD):
        raise ConnectionResetError("the line is cut")
