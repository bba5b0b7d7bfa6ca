"""Settings: the only reader of the environment."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from promograph.channels.settings import S
from promograph.domain.codes.words import OURS, Words
from promograph.errors import ConfigError

PREFIX = "PROMOGRAPH_"

LogLevel = Literal["debug", "info", "warning", "error", "critical"]


def environment(more: Mapping[str, str]) -> dict[str, str]:
    """This process's, and more, for a process that it begins."""
    return {**os.environ, **more}


def _sections() -> dict[str, dict[str, str]]:
    """What the environment holds for channels: `PROMOGRAPH_EMAIL__HOST` is `host` of `email`."""
    found: dict[str, dict[str, str]] = {}
    for variable, value in os.environ.items():
        section, mark, name = variable.removeprefix(PREFIX).lower().partition("__")
        if variable.startswith(PREFIX) and mark and value:
            found.setdefault(section, {})[name] = value
    return found


class Settings(BaseSettings):
    """Each field is read from `PROMOGRAPH_` + its name in capitals, where the caller of `load_settings` names no value.

    `store` may hold a password and is therefore missing from the repr; `shown_store` is fit for logs.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", hide_input_in_errors=True)

    store: str = Field(
        default="sqlite:///promograph.db",
        repr=False,
        description="Where everything is kept: sqlite:///path or postgresql://user:password@host:port/database.",
    )
    host: str = Field(default="127.0.0.1", min_length=1, description="The address to listen on.")
    port: int = Field(default=8000, ge=0, le=65_535, description="The TCP port to listen on; 0 takes a free one.")
    workers: int = Field(default=1, ge=1, description="The number of server processes.")
    max_body_bytes: int = Field(default=8 * 2**20, gt=0, description="The largest request body, uploads apart.")
    max_upload_bytes: int = Field(default=256 * 2**20, gt=0, description="The largest uploaded file.")
    max_live_connections: int = Field(
        default=1_000, ge=0, description="The most WebSockets and event streams that one server process keeps open."
    )
    introspection: bool = Field(default=True, description="Whether clients may ask for the schema.")
    graphiql: bool = Field(default=True, description="Whether a browser that opens /graphql gets GraphiQL.")
    blocked_plugins: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="The names of plugins that are not loaded, with commas between."
    )
    trusted_documents: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="Files of documents that clients may send by id, with commas between."
    )
    event_days: int = Field(
        default=90,
        ge=1,
        le=3_650,
        description="For how many days it is kept what providers and shops have told, once it has been worked on.",
    )
    only_trusted_documents: bool = Field(default=False, description="Whether no other documents are taken.")
    offensive_words: Path | None = Field(
        default=None,
        description="A file of words, one a line, that no made code may hold, in the place of ours; empty: none.",
    )
    webhooks_over_http: bool = Field(
        default=False, description="Whether webhooks may have http:// addresses, on which everybody can read along."
    )
    webhooks_to_private: bool = Field(
        default=False, description="Whether webhooks may be sent to addresses of private networks and of this machine."
    )
    webhook_seconds: float = Field(default=15, ge=1, le=60, description="How long a webhook's answer is waited for.")
    webhook_keep_days: int = Field(
        default=14, ge=1, le=3_650, description="For how many days what webhooks were told is kept, to be sent again."
    )
    log_level: LogLevel = Field(default="info", description="The least level that is logged.")
    sections: Annotated[Mapping[str, Mapping[str, str]], NoDecode] = Field(
        default_factory=_sections, repr=False, description="What channels are told, by section and name."
    )

    def section(self, section: str, model: type[S]) -> S:
        """The settings that a plugin declares by `model`; ConfigError with a sentence for each that cannot be used."""
        try:
            return model.model_validate(dict(self.sections.get(section_name(section), {})))
        except ValidationError as error:
            problems = error.errors(include_input=False, include_context=False)
            sentences = [
                _channel_sentence(section, str(each["loc"][0] if each["loc"] else ""), each) for each in problems
            ]
        raise ConfigError(" ".join(sentences))

    @property
    def words(self) -> Words:
        """The words that no made code may hold; ConfigError where their file cannot be read."""
        if self.offensive_words is None:
            return OURS
        try:
            return Words.of(self.offensive_words.read_text(encoding="utf-8-sig").splitlines())
        except (OSError, UnicodeDecodeError):
            raise ConfigError(
                f"The file of words {self.offensive_words} (PROMOGRAPH_OFFENSIVE_WORDS) cannot be read as UTF-8."
            ) from None

    @property
    def shown_store(self) -> str:
        """The store's address with its password, if any, replaced by `***`."""
        parts = urlsplit(self.store)
        if parts.password is None:
            return self.store
        user, _, host = parts.netloc.rpartition("@")
        return parts._replace(netloc=f"{user.partition(':')[0]}:***@{host}").geturl()

    @field_validator("store")
    @classmethod
    def _check_store(cls, store: str) -> str:
        if not store.startswith(("sqlite:///", "postgresql://")):
            raise ValueError("it must begin with sqlite:/// or postgresql://")
        if store.startswith("postgresql://"):
            _check_address(store)
        return store

    @field_validator("blocked_plugins", "trusted_documents", mode="before")
    @classmethod
    def _split(cls, names: object) -> object:
        if not isinstance(names, str):
            return names
        return tuple(stripped for name in names.split(",") if (stripped := name.strip()))

    @field_validator("log_level", mode="before")
    @classmethod
    def _lower(cls, level: object) -> object:
        return level.lower() if isinstance(level, str) else level


def load_settings(**overrides: Any) -> Settings:
    """The settings of this process: `overrides` first (None means *not given*), then the environment, then defaults.

    Raises ConfigError with a sentence for each setting that has no usable value; the values themselves are not in it.
    """
    try:
        return Settings(**{name: value for name, value in overrides.items() if value is not None})
    except ValidationError as error:
        sentences = [_sentence(str(problem["loc"][0]), problem["msg"]) for problem in error.errors(include_input=False)]
    raise ConfigError(" ".join(sentences))


def _check_address(store: str) -> None:
    """Refuse what a parser would cut at the wrong place: a password would pass for a path or a port, and be shown."""
    try:
        parts = urlsplit(store)
        named = parts.path.strip("/") and (parts.port is None or parts.port > 0)
    # The parser's own words quote the address.
    except ValueError:
        named = False
    if not named:
        raise ValueError("it must have the form postgresql://user:password@host:port/database")
    if "@" in parts.path + parts.query + parts.fragment or "password=" in parts.query:
        raise ValueError("a password stands before the @, and its characters / ? # @ : are written %2F %3F %23 %40 %3A")


def section_name(section: str) -> str:
    """As the environment can say it: the channel `my-shop` is `my_shop`."""
    return section.lower().replace("-", "_")


def variable(section: str, name: str) -> str:
    """The environment's name for a setting of a channel."""
    return f"{PREFIX}{section}__{name}".upper().replace("-", "_")


def _channel_sentence(section: str, name: str, problem: Any) -> str:
    if not name:
        return f"The settings {variable(section, '*')} do not go together: {_plain(problem['msg'])}."
    if problem["type"] == "extra_forbidden":
        return f"The channel {section} has no setting {variable(section, name)}."
    if problem["type"] == "missing":
        return f"The channel {section} needs the setting {variable(section, name)}."
    return f"The setting {variable(section, name)} has no usable value: {_plain(problem['msg'])}."


def _plain(problem: str) -> str:
    text = problem.removeprefix("Value error, ")
    return f"{text[0].lower()}{text[1:]}".removesuffix(".")


def _sentence(name: str, problem: str) -> str:
    if name not in Settings.model_fields:
        return f"There is no setting named {name}."
    return f"The setting {name} ({PREFIX}{name.upper()}) has no usable value: {_plain(problem)}."
