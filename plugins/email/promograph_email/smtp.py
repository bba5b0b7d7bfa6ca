"""Over SMTP, with a pool of connections that stay open between messages."""

import asyncio
import ssl
from collections.abc import Sequence
from datetime import timedelta

import aiosmtplib
from aiosmtplib import (
    SMTPAuthenticationError,
    SMTPDataError,
    SMTPException,
    SMTPHeloError,
    SMTPRecipientRefused,
    SMTPResponseException,
    SMTPSenderRefused,
)

from promograph import Delivery

from .line import Line
from .post import Letter
from .settings import EmailSettings
from .turns import Turns

_SOON = timedelta(seconds=5)
_LATER = timedelta(minutes=1)
_MUCH_LATER = timedelta(minutes=5)  # somebody has to change a setting first
_TOO_LARGE = 552
_CLOSING = 421


class Unreachable(Exception):
    """There is no connection to be had; `after` says when to ask again."""

    def __init__(self, why: str, after: timedelta) -> None:
        super().__init__(why)
        self.after = after


class SmtpPool:
    """At most `connections` of them, opened when they are needed and used for one message after another."""

    def __init__(self, settings: EmailSettings, sender: str) -> None:
        self._settings = settings
        self._sender = sender
        self._trust = _trusting(settings)
        self._idle: list[Line] = []
        self._turns = Turns(settings.connections)

    async def post(self, letters: Sequence[Letter]) -> list[Delivery]:
        """Every letter by whichever connection is free. Once no server answers, the rest are not tried."""
        waiting = list(enumerate(letters))
        waiting.reverse()
        answers: dict[int, Delivery] = {}
        down: list[Unreachable] = []

        async def tried(letter: Letter) -> Delivery:
            if not down:
                try:
                    return await self._post_one(letter)
                except Unreachable as problem:
                    down.append(problem)
            return _unreached(letter, down[0])

        place = self._turns.place(len(letters))

        async def work() -> None:
            while waiting:
                async with self._turns.taken(place):
                    while waiting and self._turns.is_next(place):
                        number, letter = waiting.pop()
                        answers[number] = await tried(letter)

        async with asyncio.TaskGroup() as group:
            for _ in range(min(len(letters), self._settings.connections)):
                group.create_task(work())
        return [answers[number] for number in range(len(letters))]

    async def close(self) -> None:
        while self._idle:
            await self._idle.pop().end()

    async def _post_one(self, letter: Letter) -> Delivery:
        while self._idle:
            line = self._idle.pop()
            # A server closes what has been idle for long, or has carried many messages: that says nothing of this one.
            if line.is_open:
                answer = await self._converse(line, letter)
                if answer is not None:
                    return answer
        answer = await self._converse(await self._connect(), letter)
        return answer or Delivery.try_again(letter.key, "The server hangs up on every message.", after=_LATER)

    async def _converse(self, line: Line, letter: Letter) -> Delivery | None:
        """What came of it; None where the server hung up before it could have taken anything."""
        is_given = False
        is_fit = False
        try:
            await line.address(self._sender, letter.to)
            is_given = True
            await line.hand_over(letter.content)
            is_fit = True
            return Delivery.accepted(letter.key, letter.message_id)
        except SMTPResponseException as refusal:
            if refusal.code == _CLOSING and not is_given:
                return None
            is_fit = await line.is_reset() if 400 <= refusal.code < 600 else False
            return _answered(letter, refusal, is_given=is_given)
        except (SMTPException, OSError, TimeoutError) as failure:
            if not is_given and not isinstance(failure, TimeoutError):
                return None
            return Delivery.try_again(
                letter.key, "The connection was lost in the middle of the message.", after=_SOON, maybe_taken=is_given
            )
        finally:
            # Not where somebody cancelled us in mid-sentence either: the next message would be part of this one.
            if is_fit:
                self._idle.append(line)
            else:
                line.close()

    async def _connect(self) -> Line:
        settings = self._settings
        connection = aiosmtplib.SMTP(
            hostname=settings.host,
            port=settings.port,
            username=settings.username,
            password=settings.password.get_secret_value() if settings.password else None,
            timeout=settings.timeout,
            use_tls=settings.security == "tls",
            start_tls=settings.security == "starttls",
            tls_context=self._trust,
            local_hostname=self._sender.rpartition("@")[2],
        )
        try:
            await connection.connect()
            if connection.is_ehlo_or_helo_needed:
                await _greet(connection)
            return Line.of(connection, settings.timeout)
        except SMTPAuthenticationError as refusal:
            raise Unreachable(f"The mail server does not let us in ({refusal.code}).", _MUCH_LATER) from refusal
        except (SMTPException, OSError, TimeoutError) as failure:
            if isinstance(failure, ssl.SSLError) or isinstance(failure.__cause__, ssl.SSLError):
                raise Unreachable("The mail server's certificate is not trusted.", _MUCH_LATER) from failure
            raise Unreachable(f"The mail server cannot be reached ({type(failure).__name__}).", _LATER) from failure


def _answered(letter: Letter, refusal: SMTPResponseException, *, is_given: bool) -> Delivery:
    why = f"The mail server said {refusal.code} {refusal.message}"[:300]
    if not 400 <= refusal.code < 600:
        # No answer that SMTP knows: it may have been to the whole message.
        return Delivery.try_again(letter.key, why, after=_SOON, maybe_taken=is_given)
    if refusal.code < 500:
        return Delivery.try_again(letter.key, why, after=_LATER)
    if isinstance(refusal, SMTPSenderRefused) and refusal.code != _TOO_LARGE:
        # About us, and so about every recipient: to call it final would end the whole send.
        return Delivery.try_again(letter.key, why, after=_MUCH_LATER)
    if isinstance(refusal, SMTPRecipientRefused | SMTPSenderRefused | SMTPDataError):
        return Delivery.refused(letter.key, why)
    return Delivery.try_again(letter.key, why, after=_LATER)


def _unreached(letter: Letter, problem: Unreachable) -> Delivery:
    return Delivery.try_again(letter.key, str(problem), after=problem.after)


async def _greet(connection: aiosmtplib.SMTP) -> None:
    try:
        try:
            await connection.ehlo()
        except SMTPHeloError:
            await connection.helo()
    except BaseException:
        connection.close()
        raise


def _trusting(settings: EmailSettings) -> ssl.SSLContext | None:
    if settings.security == "none":
        return None
    return ssl.create_default_context(cafile=str(settings.certificates) if settings.certificates else None)
