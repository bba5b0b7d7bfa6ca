"""The channels that a server has loaded, over HTTP."""

import pytest

from .asking import SENDER, Api

pytestmark = pytest.mark.anyio


async def test_the_shipped_channels_say_what_they_are_for(fresh: Api) -> None:
    query = "{ channels { name title description can } }"
    found = (await fresh.ask(query, token=SENDER))["channels"]
    assert [one["name"] for one in found] == sorted(one["name"] for one in found)
    by_name = {one["name"]: one for one in found}
    assert by_name["email"]["can"] == ["SEND_MESSAGES"]  # no provider is set up that would tell of anything
    assert by_name["sms"]["can"] == ["RECEIVE_EVENTS", "SEND_MESSAGES"]
    assert by_name["email"]["title"] == "E-mail"
    assert all(one["description"] for one in found)
