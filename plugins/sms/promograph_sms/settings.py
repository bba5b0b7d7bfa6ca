"""What the operator sets: `PROMOGRAPH_SMS__PROVIDER` and so on."""

from typing import Literal, Self

from pydantic import Field, model_validator

from promograph import ChannelSettings, Secret


class SmsSettings(ChannelSettings):
    """Which of the others are needed depends on the provider; without one, nothing is sent and everything waits."""

    provider: Literal["twilio", "vonage"] | None = None
    sender: str | None = Field(
        default=None, description="A number, a name, or at Twilio the id of a messaging service (MG…)."
    )
    callback_url: str | None = Field(
        default=None,
        pattern=r"^https?://[^\s?#]+$",
        description="How the provider reaches /channels/sms/events of this server from outside.",
    )
    account_sid: str | None = Field(default=None, pattern=r"^AC[0-9a-fA-F]{32}$", description="Twilio's.")
    auth_token: Secret | None = Field(default=None, description="Twilio's.")
    api_key: str | None = Field(default=None, description="Vonage's.")
    api_secret: Secret | None = Field(default=None, description="Vonage's.")
    signature_secret: Secret | None = Field(
        default=None, description="Vonage's, for receipts signed by the method SHA-256 HMAC."
    )
    connections: int = Field(default=10, ge=1, le=100, description="How many messages are on their way at a time.")
    timeout: float = Field(default=10, gt=0, le=120, description="Seconds to wait for an answer.")
    event_window: int = Field(default=25 * 3600, gt=0, description="How many seconds old a signed receipt may be.")

    @model_validator(mode="after")
    def _check_provider(self) -> Self:
        needed = {"twilio": ("sender", "account_sid", "auth_token"), "vonage": ("sender", "api_key", "api_secret")}
        missing = [name for name in needed.get(self.provider or "", ()) if getattr(self, name) is None]
        if missing:
            raise ValueError(f"{self.provider} needs {' and '.join(missing)} too")
        return self
