"""The channel: messages to the server or the folder, and providers' events to promograph's words."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

from promograph import BadSignature, Capability, Delivery, Message, ProviderEvent, ProviderRequest

from . import mailgun, sendgrid
from .folder import Folder
from .mime import Envelope, Unsendable, composed, recipient
from .post import Letter, Post
from .settings import EmailSettings
from .smtp import SmtpPool


def _now() -> datetime:
    return datetime.now(UTC)


class EmailChannel:
    """E-mail over one SMTP server, or into a folder while there is none."""

    name: Final = "email"
    title: Final = "E-mail"
    description: Final = "Messages to customers by e-mail."

    def __init__(self, settings: EmailSettings, *, clock: Callable[[], datetime] = _now) -> None:
        """ValueError where SendGrid's key is none."""
        self._settings = settings
        self._clock = clock
        self._envelope = Envelope.of(settings.sender, settings.bounces, settings.unsubscribe)
        self._post: Post = (
            SmtpPool(settings, self._envelope.sender) if settings.host is not None else Folder(settings.folder)
        )
        key = settings.sendgrid_public_key
        self._sendgrid_key = None if key is None else sendgrid.loaded_key(key)
        hears = key is not None or settings.mailgun_signing_key is not None
        # A server that nobody tells of bounces has said all there is to say when it takes a message.
        self.can = frozenset({Capability.SEND_MESSAGES, *([Capability.RECEIVE_EVENTS] if hears else [])})

    async def deliver(self, messages: Sequence[Message]) -> list[Delivery]:
        now = self._clock()
        answers: list[Delivery | None] = []
        letters: list[Letter] = []
        for message in messages:
            try:
                letters.append(self._letter(message, now))
                answers.append(None)
            except Unsendable as problem:
                answers.append(Delivery.refused(message.key, str(problem)))
        posted = iter(await self._post.post(letters))
        return [next(posted) if answer is None else answer for answer in answers]

    async def close(self) -> None:
        await self._post.close()

    def receive(self, request: ProviderRequest) -> list[ProviderEvent]:
        window = self._settings.event_window
        if request.header(sendgrid.SIGNATURE) is not None:
            if self._sendgrid_key is None:
                raise BadSignature("SendGrid's public key is not set.")
            return sendgrid.received(request, self._sendgrid_key, window)
        if self._settings.mailgun_signing_key is None:
            raise BadSignature("Mailgun's signing key is not set.")
        return mailgun.received(request, self._settings.mailgun_signing_key.get_secret_value(), window)

    def _letter(self, message: Message, now: datetime) -> Letter:
        to = recipient(message.to)
        content = composed(message, to, self._envelope, now)
        return Letter(message.key, self._envelope.message_id(message.key), to, content)
