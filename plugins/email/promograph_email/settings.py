"""What the operator sets: `PROMOGRAPH_EMAIL__HOST` and so on."""

from email.utils import parseaddr
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from promograph import ChannelSettings, Secret


class EmailSettings(ChannelSettings):
    """Without a `host`, messages become files in `folder`, and leave the machine in no other way."""

    sender: str = Field(default="promograph <promograph@localhost>", description="Whom messages are from.")
    bounces: str | None = Field(default=None, description="The address that bounces go to; the sender's if left out.")
    folder: Path = Field(default=Path("outbox"), description="Where messages are put when there is no server.")
    host: str | None = Field(default=None, min_length=1, description="The SMTP server.")
    port: int | None = Field(default=None, ge=1, le=65_535, description="587, 465 with TLS, 25 without, if left out.")
    security: Literal["starttls", "tls", "none"] = Field(default="starttls", description="How the line is protected.")
    certificates: Path | None = Field(default=None, description="A file of authorities to trust instead of the usual.")
    username: str | None = None
    password: Secret | None = None
    connections: int = Field(default=8, ge=1, le=100, description="How many connections are open at most.")
    timeout: float = Field(default=30, gt=0, le=600, description="Seconds to wait for an answer.")
    sendgrid_public_key: str | None = Field(default=None, description="Of SendGrid's signed event webhook.")
    mailgun_signing_key: Secret | None = Field(default=None, description="Of Mailgun's webhooks.")
    unsubscribe: str | None = Field(
        default=None,
        description="Where recipients unsubscribe: https and mailto addresses with blanks between; {to} is the "
        "recipient's address there, {key} the message's key.",
    )
    event_window: int = Field(
        default=25 * 3600, gt=0, description="How many seconds old an event may be; providers repeat for a day."
    )

    @field_validator("unsubscribe")
    @classmethod
    def _check_unsubscribe(cls, value: str | None) -> str | None:
        for place in (value or "").split():
            bare = place.replace("{to}", "").replace("{key}", "")
            if (
                not bare.startswith(("https://", "mailto:"))
                or not bare.isascii()
                or any(mark in bare for mark in "<>{},")
            ):
                raise ValueError("it must be https:// or mailto: addresses; {to} and {key} are all that is filled in")
        return value

    @field_validator("sender", "bounces")
    @classmethod
    def _check_address(cls, value: str | None) -> str | None:
        if value is not None:
            address = parseaddr(value)[1]
            if not address.isascii() or address.count("@") != 1 or any(mark in value for mark in "\r\n"):
                raise ValueError("it must be an address, or a name and an address in angle brackets")
        return value
