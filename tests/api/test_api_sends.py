"""Sends over the API, from the draft to the last message."""

from typing import Any

import pytest

from promograph.testing.fake_channel import FakeChannel, FakeProvider

from .asking import SENDER, Api

pytestmark = pytest.mark.anyio

SEND = (
    "send { id key name status channel promotion campaign fallback messagesPerSecond content { subject text html } "
    "audience { handle } startedAt finishedAt progress { status planned recipients open accepted delivered bounced "
    "refused skipped skippedBecause { reason count } cancelled problem } }"
)


async def ground(api: Api, count: int) -> tuple[FakeProvider, dict[str, Any]]:
    """A provider, and what a send to so many customers is told."""
    provider = FakeProvider()
    api.services.carriers.connect({"email": FakeChannel(provider, name="email")})
    promotion = await api.promotion(codes=count)
    name = promotion["handle"]
    ids = [f"{name}-{n}" for n in range(count)]
    told = [{"id": id_, "email": f"{id_}@example.com", "consent": [{"channel": "email", "given": True}]} for id_ in ids]
    await api.done("customersUpsert", fields="created", customers=told)
    audience = await api.done("audienceCreate", fields="audience { id }", name=name, customers=[*ids, "unknown"])
    content = {"subject": "For you", "text": "{{ promocode }}"}
    return provider, {
        "name": f"Letter of {name}",
        "channel": "email",
        "content": content,
        "promotion": name,
        "audience": audience["audience"]["id"],
    }


async def test_a_send_from_its_draft_to_its_last_message(api: Api) -> None:
    provider, told = await ground(api, 5)
    made = (await api.done("sendCreate", fields=SEND, token=SENDER, **told))["send"]
    assert (made["status"], made["content"]["text"], made["fallback"]) == ("DRAFT", "{{ promocode }}", True)
    named = await api.done("sendUpdate", fields=SEND, token=SENDER, id=made["id"], name="Other", campaign="c-1")
    assert (named["send"]["name"], named["send"]["campaign"], named["send"]["key"]) == ("Other", "c-1", made["key"])
    started = (await api.done("sendStart", fields=SEND, token=SENDER, id=made["id"]))["send"]
    assert (started["status"], started["progress"]["planned"]) == ("RUNNING", 6)
    await api.services.dispatcher.work()
    query = (
        f"query ($id: ID!) {{ {SEND.replace('send {', 'send(id: $id) {', 1)} sends(first: 1) {{ nodes {{ id }} }} }}"
    )
    shown = await api.ask(query, {"id": made["id"]}, token=SENDER)
    assert shown["sends"]["nodes"] == [{"id": made["id"]}]
    progress = shown["send"]["progress"]
    assert (progress["status"], progress["recipients"], progress["accepted"], progress["open"]) == ("DONE", 6, 5, 0)
    assert progress["skippedBecause"] == [{"reason": "UNKNOWN_CUSTOMER", "count": 1}]
    assert len({taken.text for taken in provider.taken}) == 5
    node = "query ($id: ID!) { node(id: $id) { ... on Send { name } } }"
    assert (await api.ask(node, {"id": made["id"]}, token=SENDER))["node"] == {"name": "Other"}
    assert await api.no("sendStart", fields=SEND, id=made["id"]) == [("STATE", None)]


async def test_what_is_wrong_with_a_send_is_told_where_it_stands(api: Api) -> None:
    _, told = await ground(api, 1)
    for change, path in (
        ({"content": {"subject": "x", "text": "{{ promcode }}"}}, "input.content.text"),
        ({"content": {"text": "x"}}, "input.content.subject"),
        ({"channel": "pigeon"}, "input.channel"),
        ({"messagesPerSecond": 0}, "input.messagesPerSecond"),
        ({"name": ""}, "input.name"),
    ):
        (problem,) = await api.no("sendCreate", fields=SEND, **{**told, **change})
        assert problem[1] == path
    made = (await api.done("sendCreate", fields=SEND, key="own-key", **told))["send"]
    assert await api.no("sendCreate", fields=SEND, key="own-key", **told) == [("TAKEN", "input.key")]
    draft = await api.draft()
    await api.done("sendUpdate", fields=SEND, id=made["id"], promotion=draft["handle"])
    assert await api.no("sendStart", fields=SEND, id=made["id"]) == [("STATE", None)]
    await api.done("sendCancel", fields=SEND, id=made["id"])
    assert await api.no("sendPause", fields=SEND, id=made["id"]) == [("STATE", None)]


async def test_a_message_is_triggered_and_a_send_tried_out(api: Api) -> None:
    provider, told = await ground(api, 2)
    trial = await api.done("sendCreate", fields=SEND, token=SENDER, **{**told, "audience": None})
    send = trial["send"]["id"]
    tried = await api.done(
        "sendTest", fields="results { to accepted why }", token=SENDER, id=send, to=["a@example.com"]
    )
    assert tried["results"] == [{"to": "a@example.com", "accepted": True, "why": None}]
    customer = f"{told['promotion']}-0"
    fields = "replayed message { key customer messageKey status why tries changedAt }"
    asked = {"send": send, "customer": customer, "messageKey": "order-1"}
    assert await api.no("messageTrigger", fields=fields, **asked) == [("STATE", "input.send")]
    await api.done("sendStart", fields=SEND, id=send)
    first = await api.done("messageTrigger", fields=fields, token=SENDER, **asked)
    assert (first["replayed"], first["message"]["status"], first["message"]["tries"]) == (False, "WAITING", 0)
    await api.services.dispatcher.work()
    again = await api.done("messageTrigger", fields=fields, token=SENDER, **asked)
    assert (again["replayed"], again["message"]["status"]) == (True, "ACCEPTED")
    assert again["message"]["key"] == first["message"]["key"] == provider.taken[-1].key
    query = "query ($id: ID!) { send(id: $id) { codes { promotion issued fallback returned redeemed } } }"
    (codes,) = (await api.ask(query, {"id": send}, token=SENDER))["send"]["codes"]
    assert (codes["promotion"], codes["issued"], codes["redeemed"]) == (told["promotion"], 1, 0)
    assert len(provider.taken) == 2
