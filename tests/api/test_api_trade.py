"""Two sends as the trade makes them, from the audience to who of it is written to in the end."""

from datetime import date, timedelta
from typing import Any

import pytest

from .asking import ISSUER, PEOPLE, SENDER, Api
from .test_api_customer_imports import send as send_file

pytestmark = pytest.mark.anyio

_COUNTS = "channel reached fallback codeSpent noCode noConsent noAddress unknownCustomer"
PLAN = f"""query ($input: SendPlanInput!) {{ sendPlan(input: $input) {{
    audience holding served needed buffer available booked shortfall joinersPerDay runsDryAt
    finalAudience {{ {_COUNTS} }} }} }}"""
STANDINGS = """query ($id: ID!, $send: StandingsInput!, $after: String) { node(id: $id) { ... on Audience {
    standings(send: $send, first: 2, after: $after) {
        nodes { customerId standing } pageInfo { hasNextPage endCursor } } } } }"""


async def plan(api: Api, audience: str, **more: Any) -> Any:
    return (await api.ask(PLAN, {"input": {"audience": audience, **more}}, token=SENDER))["sendPlan"]


async def standings(api: Api, audience: str, **send: Any) -> dict[str, str]:
    """Of all pages."""
    found: dict[str, str] = {}
    after = None
    while True:
        variables = {"id": audience, "send": {"channel": "email", **send}, "after": after}
        page = (await api.ask(STANDINGS, variables, token=PEOPLE))["node"]["standings"]
        found |= {node["customerId"]: node["standing"] for node in page["nodes"]}
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            return found


def counts(plan: Any, channel: str = "email") -> dict[str, int]:
    """Of a channel, those that are not 0."""
    (one,) = [one for one in plan["finalAudience"] if one["channel"] == channel]
    return {name: count for name, count in one.items() if count and name != "channel"}


async def test_everyone_who_purchased_a_season_pass_last_year(api: Api) -> None:
    """A file from the ticket desk: the audience stays as it is."""
    promotion = await api.promotion(codes=4, name="Season pass", onEmpty="REFUSE")
    handle, key = promotion["handle"], {"promotion": "season-pass", "send": "november"}
    rows = ["guest,mail,agrees,pass"] + [
        f"pass-{n},p{n}@example.com,{'no' if n == 6 else 'yes'},2025" for n in range(7)
    ]
    columns = {
        "id": "guest",
        "email": "mail",
        "consent": [{"channel": "email", "column": "agrees"}],
        "attributes": [{"name": "seasonPass", "column": "pass", "type": "NUMBER"}],
    }
    content = "\n".join([*rows, "pass-7,,yes,2025"]).encode()
    fields = "audience { id size kind source }"
    made = await send_file(api, "audienceImport", content, fields, name="Season pass 2025", columns=columns)
    audience = made["audience"]
    assert (audience["size"], audience["kind"], audience["source"]) == (8, "STATIC", "FILE")
    before = await plan(api, audience["id"], **key, channel="email")
    assert (before["audience"], before["needed"], before["buffer"], before["shortfall"]) == (6, 6, 1, 3)
    assert counts(before) == {"noCode": 6, "noConsent": 1, "noAddress": 1}
    await api.done("codesAdd", promotion=promotion["id"], codes="MORE-1\nMORE-2\nMORE-3")
    booked = await api.done("bookingCreate", fields="booking { id }", token=SENDER, codes=7, **key)
    again = await plan(api, audience["id"], **key, channel="email")
    assert (again["booked"], again["shortfall"]) == (7, 0)
    wanted = await standings(api, audience["id"], **key, standings=["NO_CODE"])
    assert sorted(wanted) == [f"pass-{n}" for n in range(6)]
    # One of them has none in the end: theirs is blocked before the message leaves.
    issued = await api.done("codesIssue", token=ISSUER, channel="email", customers=sorted(wanted), **key)
    texts = {one["customer"]: one["issuance"]["text"] for one in issued["results"]}
    assert len(set(texts.values())) == 6
    await api.done("codesBlock", codes=[texts["pass-3"]])
    final = await plan(api, audience["id"], **key, channel="email")
    assert (final["served"], final["holding"], final["needed"]) == (6, 5, 0)
    assert counts(final) == {"reached": 5, "codeSpent": 1, "noConsent": 1, "noAddress": 1}
    assert counts(final, "sms") == {"noAddress": 8}
    reached = await standings(api, audience["id"], **key)
    assert reached == {f"pass-{n}": "REACHED" for n in (0, 1, 2, 4, 5)}
    others = ["CODE_SPENT", "NO_CONSENT", "NO_ADDRESS"]
    assert await standings(api, audience["id"], **key, standings=others) == dict(
        zip(("pass-3", "pass-6", "pass-7"), others, strict=True)
    )
    released = await api.done(
        "bookingRelease", fields="booking { remaining }", token=SENDER, id=booked["booking"]["id"]
    )
    assert released["booking"]["remaining"] == 1
    assert (await api.numbers(promotion))["available"] == 1
    assert handle == "season-pass"


async def test_anyone_who_departed_yesterday(api: Api) -> None:
    """Another audience each day, told from an attribute by a day that moves in the resort's own time zone."""
    promotion = await api.promotion(codes=3, name="Come back", onEmpty="FALLBACK", fallbackCode="COME-BACK")
    key = {"promotion": promotion["handle"], "send": "1 march"}
    today = api.clock.now.date()
    assert today == date(2027, 3, 1)
    customers = [
        {
            "id": f"left{day}-{n}",
            "email": f"left{day}-{n}@example.com",
            "consent": [{"channel": "email", "given": n != 3}],
            "attributes": {"departedOn": {"date": (today + timedelta(days=day)).isoformat()}},
        }
        for day in (-3, -1, 0)
        for n in range(4)
    ]
    await api.done("customersUpsert", fields="created", token=PEOPLE, customers=customers)
    yesterday = {"day": {"days": -1, "timeZone": "America/Montreal"}}
    condition = {"attribute": {"name": "departedOn", "op": "EQUALS", "value": yesterday}}
    await api.done("segmentCreate", fields="segment { id }", token=PEOPLE, name="Left yesterday", condition=condition)
    made = await api.done(
        "audienceCreate",
        fields="audience { id size }",
        token=PEOPLE,
        name="Daily",
        kind="DYNAMIC",
        segment="left-yesterday",
    )
    audience = made["audience"]["id"]
    assert made["audience"]["size"] == 4
    before = await plan(api, audience, **key)
    assert (before["audience"], before["needed"], before["shortfall"]) == (4, 4, 2)
    assert before["joinersPerDay"] == 4 / 7  # who were told of today; of days before, nobody is known
    booked = await api.done("bookingCreate", fields="booking { id }", token=SENDER, codes=3, **key)
    wanted = await standings(api, audience, **key, standings=["NO_CODE"])
    assert sorted(wanted) == ["left-1-0", "left-1-1", "left-1-2"]
    # The first has the pool's last code, another what everybody gets when there is none.
    await api.done(
        "codesIssue", token=ISSUER, customers=["x-1", "x-2", "left-1-0"], promotion=key["promotion"], send="1 march"
    )
    await api.done("codesIssue", token=ISSUER, customers=["left-1-1"], **key)
    final = await plan(api, audience, **key)
    assert counts(final) == {"reached": 1, "fallback": 1, "noCode": 1, "noConsent": 1}
    assert await standings(api, audience, **key, standings=["REACHED", "FALLBACK"]) == {
        "left-1-0": "REACHED",
        "left-1-1": "FALLBACK",
    }
    await api.done("bookingRelease", fields="booking { remaining }", token=SENDER, id=booked["booking"]["id"])
    api.clock.move(days=1)
    tomorrow = await plan(api, audience, **key | {"send": "2 march"})
    assert (tomorrow["audience"], tomorrow["served"], counts(tomorrow)) == (4, 0, {"noCode": 3, "noConsent": 1})
