"""Plans of sends over the API."""

import pytest

from .asking import PEOPLE, READER, SENDER, Api

pytestmark = pytest.mark.anyio

PLAN = """query ($input: SendPlanInput!) { sendPlan(input: $input) {
    audience holding served needed buffer available booked shortfall onEmpty joinersPerDay runsDryAt } }"""


async def test_a_plan(api: Api) -> None:
    promotion = await api.promotion(codes=3, onEmpty="REFUSE")
    payload = await api.done(
        "audienceCreate", fields="audience { id }", token=PEOPLE, name="Plan", customers=["a", "b", "c"]
    )
    await api.issue(promotion, "a")
    input = {"audience": payload["audience"]["id"], "promotion": promotion["handle"], "send": "s", "bufferPercent": 50}
    assert (await api.ask(PLAN, {"input": input}, token=SENDER))["sendPlan"] == {
        "audience": 3,
        "holding": 1,
        "served": 1,
        "needed": 2,
        "buffer": 1,
        "available": 2,
        "booked": 0,
        "shortfall": 1,
        "onEmpty": "REFUSE",
        "joinersPerDay": None,
        "runsDryAt": None,
    }
    assert await api.errors(PLAN, {"input": input}, token=READER)
    for bad in ({"audience": "x"}, {"promotion": "nowhere"}, {"channel": "pigeons"}, {"bufferPercent": -1}):
        (error,) = (await api.whole(PLAN, {"input": {**input, **bad}}))["errors"]
        assert error["extensions"]["code"] not in ("INTERNAL", None), error
