"""Settings: where they come from, what they refuse, and that they keep the store's password to themselves."""

from pathlib import Path

import pytest

from promograph.config import PREFIX, Settings, load_settings
from promograph.domain.codes.words import ANY, OURS, Words
from promograph.errors import ConfigError

SECRET = "S3cret"


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"{PREFIX}{name.upper()}", raising=False)


def test_the_environment_is_read_and_what_is_handed_in_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMOGRAPH_PORT", "9000")
    monkeypatch.setenv("PROMOGRAPH_WORKERS", "2")
    monkeypatch.setenv("PROMOGRAPH_BLOCKED_PLUGINS", " sms, email,")
    monkeypatch.setenv("PROMOGRAPH_GRAPHIQL", "false")
    settings = load_settings(port=9001, workers=None)
    assert (settings.port, settings.workers) == (9001, 2)
    assert settings.blocked_plugins == ("sms", "email")
    assert not settings.graphiql


@pytest.mark.parametrize(
    ("store", "shown"),
    [
        (f"postgresql://app:{SECRET}@db:5432/promo", "postgresql://app:***@db:5432/promo"),
        (f"postgresql://app:x@{SECRET}@db/promo?sslmode=require", "postgresql://app:***@db/promo?sslmode=require"),
        ("postgresql://app@db/promo", "postgresql://app@db/promo"),
        ("sqlite:////var/lib/a@b.db", "sqlite:////var/lib/a@b.db"),
    ],
)
def test_the_password_is_neither_in_the_repr_nor_in_what_is_shown(store: str, shown: str) -> None:
    settings = load_settings(store=store)
    assert settings.store == store
    assert settings.shown_store == shown
    assert SECRET not in repr(settings) + str(settings)


@pytest.mark.parametrize(
    "store",
    [
        f"mysql://app:{SECRET}@db/promo",
        f"postgresql://app:a/{SECRET}@db/promo",
        f"postgresql://app:12/{SECRET}@db/promo",
        f"postgresql://app:a#{SECRET}@db/promo",
        f"postgresql://app:[{SECRET}@db/promo",
        f"postgresql://app:{SECRET}/promo",
        f"postgresql://db/promo?password={SECRET}",
        f"postgresql://app:{SECRET}@db",
    ],
)
def test_a_refused_store_is_named_but_not_quoted(store: str) -> None:
    with pytest.raises(ConfigError, match="PROMOGRAPH_STORE") as refusal:
        load_settings(store=store)
    assert SECRET not in str(refusal.value)
    assert refusal.value.__cause__ is None and refusal.value.__context__ is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("host", ""),
        ("port", "eighty"),
        ("port", "70000"),
        ("workers", "0"),
        ("max_body_bytes", "-1"),
        ("max_upload_bytes", "0"),
        ("introspection", "perhaps"),
        ("log_level", "loud"),
    ],
)
def test_a_value_of_no_use_names_its_setting(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"PROMOGRAPH_{name.upper()}", value)
    with pytest.raises(
        ConfigError, match=rf"The setting {name} \(PROMOGRAPH_{name.upper()}\) has no usable value: .+\.$"
    ):
        load_settings()


def test_a_setting_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ConfigError, match="no setting named prot"):
        load_settings(prot=80)


def test_a_list_of_words_of_one_s_own(tmp_path: Path) -> None:
    file = tmp_path / "words.txt"
    file.write_bytes("\ufeffMüll\r\n\r\n# a remark\r\n".encode())
    assert load_settings(offensive_words=file).words == Words.of(["müll"])
    file.write_bytes(b"")
    assert load_settings(offensive_words=file).words == ANY
    assert load_settings().words == OURS
    for content in (b"\xff\xfe\xfa", None):
        file.write_bytes(content) if content else file.unlink()
        with pytest.raises(ConfigError, match="PROMOGRAPH_OFFENSIVE_WORDS"):
            load_settings(offensive_words=file).words.are_in("")
