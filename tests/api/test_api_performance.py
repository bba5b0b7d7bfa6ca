"""How well a promotion does, and how a job gets on, over the API."""

import json
from typing import Any

import pytest

from .asking import READER, Api

pytestmark = pytest.mark.anyio

PERFORMANCE = """query ($id: ID!, $by: PerformanceBy!) { promotion(id: $id) { performance(by: $by) {
    channel send day origin batch { channel size } issued redeemed redemptions rate
    discount { amount currency } orderValue { amount currency } } } }"""


async def groups(api: Api, made: dict[str, Any], by: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await api.ask(PERFORMANCE, {"id": made["id"], "by": by}))["promotion"]["performance"]
    return found


async def test_a_promotion_is_compared_by_channel_and_otherwise(api: Api) -> None:
    made = await api.promotion(codes=4)
    text = await api.issue(made, "ann", channel="e-mail", send="spring")
    await api.issue(made, "bob", channel="sms")
    eur = {"amount": "2.50", "currency": "EUR"}
    await api.done("codeRedeem", code=text, discount=eur, orderAmount={"amount": "20.00", "currency": "EUR"})
    by_channel = await groups(api, made, "CHANNEL")
    assert [(group["channel"], group["issued"], group["rate"]) for group in by_channel] == [
        ("e-mail", 1, 1.0),
        ("sms", 1, 0.0),
    ]
    assert by_channel[0]["discount"] == [eur]
    assert by_channel[0]["orderValue"] == [{"amount": "20.00", "currency": "EUR"}]
    assert [group["send"] for group in await groups(api, made, "SEND")] == ["spring", None]
    (batch,) = await groups(api, made, "BATCH")
    assert (batch["origin"], batch["batch"]["size"], batch["issued"]) == ("BATCH", 4, 2)
    (day,) = await groups(api, made, "DAY")
    assert (day["day"], day["redemptions"]) == (api.clock.now.date().isoformat(), 1)
    refused = await api.whole(PERFORMANCE, {"id": made["id"], "by": "DAY"}, token=READER)
    assert refused["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_a_job_that_is_not_there_is_not_watched(api: Api) -> None:
    body = {"query": 'subscription { jobProgress(job: "Sm9iOjQ3MTE") { status } }'}
    answer = await api.post(json=body, extra_headers={"Accept": "text/event-stream"})
    first = next(line for line in answer.text.splitlines() if line.startswith("data: {"))
    (error,) = json.loads(first[5:])["errors"]
    assert error["extensions"] == {"code": "NOT_FOUND", "field": ["job"]}
