"""The plugin `sms` as promograph sees it: through its entry point, its hook, and the conformance kit."""

from importlib.metadata import entry_points

import pytest

import promograph_sms
from promograph import Capability, Message
from promograph.config import load_settings
from promograph.errors import ConfigError
from promograph.plugins import PluginManager
from promograph.testing.conformance import CASES, Case, run
from promograph_sms import SmsChannel, SmsSettings

from .sms_stage import ACCOUNT, TwilioStage, VonageStage


@pytest.mark.parametrize("stage", [TwilioStage, VonageStage])
@pytest.mark.parametrize("case", CASES)
def test_sms_conforms(case: Case, stage: type[TwilioStage | VonageStage]) -> None:
    run(case, stage)


def test_sms_is_found_through_its_entry_point() -> None:
    (entry,) = entry_points(group="promograph", name="sms")
    assert entry.load() is promograph_sms


def test_sms_registers_one_channel_that_describes_itself() -> None:
    channel = PluginManager.of(load_settings(sections={})).channels()["sms"]
    assert isinstance(channel, SmsChannel)
    assert channel.can == {Capability.SEND_MESSAGES, Capability.RECEIVE_EVENTS}


@pytest.mark.anyio
async def test_without_a_provider_everything_waits() -> None:
    channel = SmsChannel(SmsSettings())
    (answer,) = await channel.deliver([Message(key="k", to="+15005550002", text="x")])
    assert answer.status == "TRY_AGAIN"
    assert "PROMOGRAPH_SMS__PROVIDER" in str(answer.why)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"provider": "pigeons"}, "PROMOGRAPH_SMS__PROVIDER"),
        ({"provider": "twilio", "sender": "+1", "account_sid": ACCOUNT}, "twilio needs auth_token too"),
        ({"provider": "vonage"}, "vonage needs sender and api_key and api_secret too"),
        ({"account_sid": "AC1"}, "PROMOGRAPH_SMS__ACCOUNT_SID"),
        ({"callback_url": "https://x.example/a?b"}, "PROMOGRAPH_SMS__CALLBACK_URL"),
    ],
)
def test_settings_of_no_use_stop_the_start(settings: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        PluginManager.of(load_settings(sections={"sms": settings}))
