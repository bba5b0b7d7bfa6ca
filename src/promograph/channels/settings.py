"""What a channel must be told by the operator: declared by the plugin, read and checked by promograph."""

from typing import Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, SecretStr


class ChannelSettings(BaseModel):
    """The base of a plugin's settings: a field each, with a type, a default where there is one, and a description.

    A field of type `Secret` shows itself as stars; `.get_secret_value()` is what it holds.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


Secret = SecretStr

S = TypeVar("S", bound=ChannelSettings)


class SettingsReader(Protocol):
    """Gives a plugin its settings: `settings("pigeons", PigeonSettings)` reads `PROMOGRAPH_PIGEONS__LOFT` and so on."""

    def __call__(self, section: str, model: type[S]) -> S:
        """ConfigError where a value is missing, wrong, or of no such name; let it pass, so that it is told."""
