"""What happened, read page by page by those who run the service."""

import pytest

from .asking import MARKETER, Api

pytestmark = pytest.mark.anyio

EVENTS = """query ($first: Int, $after: String, $last: Int, $before: String, $filter: EventFilter) {
    events(first: $first, after: $after, last: $last, before: $before, filter: $filter) {
        nodes { id kind data promotion { handle } } pageInfo { hasNextPage endCursor startCursor } } }"""


async def test_events_are_listed_the_latest_first(fresh: Api) -> None:
    made = await fresh.promotion(codes=3, lowStockThreshold=1)
    other = await fresh.promotion(codes=1)
    for customer in ("ann", "bob", "cy"):
        await fresh.issue(made, customer)
    await fresh.issue(other, "ann")
    events = (await fresh.ask(EVENTS))["events"]
    assert [(event["kind"], event["promotion"]["handle"], event["data"]) for event in events["nodes"]] == [
        ("STOCK_EMPTY", other["handle"], {"available": 0, "threshold": None}),
        ("STOCK_EMPTY", made["handle"], {"available": 0, "threshold": 1}),
        ("STOCK_LOW", made["handle"], {"available": 1, "threshold": 1}),
    ]
    page = (await fresh.ask(EVENTS, {"first": 1}))["events"]
    rest = (await fresh.ask(EVENTS, {"after": page["pageInfo"]["endCursor"]}))["events"]
    assert page["pageInfo"]["hasNextPage"] and page["nodes"] + rest["nodes"] == events["nodes"]
    newer = (await fresh.ask(EVENTS, {"last": 5, "before": rest["pageInfo"]["startCursor"]}))["events"]
    assert newer["nodes"] == page["nodes"]
    some = (await fresh.ask(EVENTS, {"filter": {"promotion": made["id"], "kinds": ["STOCK_LOW"]}}))["events"]
    assert some["nodes"] == events["nodes"][2:]
    late = (await fresh.ask(EVENTS, {"filter": {"since": "2040-01-01T00:00:00Z"}}))["events"]
    assert late["nodes"] == []
    node = "query ($id: ID!) { node(id: $id) { id ... on Event { kind } } }"
    found = (await fresh.ask(node, events["nodes"][0]))["node"]
    assert found == {"id": events["nodes"][0]["id"], "kind": "STOCK_EMPTY"}
    assert (await fresh.whole(EVENTS, token=MARKETER))["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_a_filter_that_cannot_be_meant(api: Api) -> None:
    for filter, field in (({"promotion": "x"}, ["filter"]), ({"since": "2040-01-01T00:00:00"}, ["filter", "since"])):
        assert await api.errors(EVENTS, {"filter": filter}) == [("INVALID", field)]


async def test_a_threshold_is_set_shown_and_taken_away(api: Api) -> None:
    made = await api.promotion(codes=2, lowStockThreshold=2)
    numbers = await api.numbers(made)
    assert (numbers["lowStock"], numbers["runsOutAt"]) == (True, None)
    await api.issue(made, "ann")
    assert (await api.numbers(made))["runsOutAt"] is not None
    changed = await api.done("promotionUpdate", id=made["id"], lowStockThreshold=None, fields="promotion { id }")
    assert changed["promotion"]["id"] == made["id"]
    assert (await api.state(made))["lowStockThreshold"] is None
    assert not (await api.numbers(made))["lowStock"]
    assert await api.no("promotionUpdate", id=made["id"], lowStockThreshold=0) == [
        ("OUT_OF_RANGE", "input.lowStockThreshold")
    ]
