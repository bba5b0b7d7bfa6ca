"""The list of promotions: searched, filtered, sorted, and read page by page while others add to it."""

from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest

from .asking import READER, Api

pytestmark = pytest.mark.anyio

LOBBY = """query ($first: Int, $after: String, $last: Int, $before: String, $search: String, $filter: PromotionFilter,
        $sort: PromotionSort! = CREATED_AT, $descending: Boolean! = false) {
    promotions(first: $first, after: $after, last: $last, before: $before, search: $search, filter: $filter,
            sort: $sort, descending: $descending) {
        totalCount nodes { name } edges { cursor node { name } }
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""


def marked(value: str) -> dict[str, Any]:
    """The filter that keeps a test's promotions apart from those of others."""
    return {"properties": [{"name": "test", "value": value}]}


async def make(api: Api, mark: str, *names: str, **more: Any) -> None:
    for name in names:
        await api.draft(name=name, handle=f"{mark}-{len(name)}-{name.encode().hex()[:40]}", properties=[
            {"name": "test", "value": mark}
        ], **more)  # fmt: skip


async def page(api: Api, **variables: Any) -> dict[str, Any]:
    found: dict[str, Any] = (await api.ask(LOBBY, variables, token=READER))["promotions"]
    assert [edge["node"] for edge in found["edges"]] == found["nodes"]
    cursors = [edge["cursor"] for edge in found["edges"]]
    info = found["pageInfo"]
    assert (info["startCursor"], info["endCursor"]) == (
        cursors[0] if cursors else None,
        cursors[-1] if cursors else None,
    )
    return found


async def names(api: Api, **variables: Any) -> list[str]:
    return [node["name"] for node in (await page(api, **variables))["nodes"]]


async def walk(api: Api, size: int, *, backward: bool = False, **variables: Any) -> AsyncIterator[list[str]]:
    """Page by page, until there is no more."""
    count, place, more, end = ("last", "before", "hasPreviousPage", "startCursor") if backward else (
        "first", "after", "hasNextPage", "endCursor"
    )  # fmt: skip
    cursor = None
    for _ in range(50):
        found = await page(api, **variables, **{count: size, place: cursor})
        yield [node["name"] for node in found["nodes"]]
        if not found["pageInfo"][more]:
            return
        cursor = found["pageInfo"][end]
    raise AssertionError("the list never ends")


async def test_an_empty_lobby(fresh: Api) -> None:
    found = await page(fresh, first=10)
    assert found["pageInfo"] == {"hasNextPage": False, "hasPreviousPage": False, "startCursor": None, "endCursor": None}
    assert (found["nodes"], found["totalCount"]) == ([], 0)


async def test_the_whole_lobby_in_the_order_of_making_unless_told(fresh: Api) -> None:
    for name in ("b", "a", "c"):
        await fresh.draft(name=name)
    assert await names(fresh) == ["b", "a", "c"]
    assert await names(fresh, descending=True) == ["c", "a", "b"]
    assert (await page(fresh, first=1))["totalCount"] == 3


async def test_a_page_has_twenty_unless_told(api: Api) -> None:
    await make(api, "twenty", *(f"T{n:02}" for n in range(22)))
    found = await page(api, filter=marked("twenty"))
    assert (len(found["nodes"]), found["totalCount"], found["pageInfo"]["hasNextPage"]) == (20, 22, True)
    assert await names(api, filter=marked("twenty"), before=found["pageInfo"]["endCursor"]) == [
        f"T{n:02}" for n in range(19)
    ]


@pytest.mark.parametrize("backward", [False, True], ids=["forward", "backward"])
@pytest.mark.parametrize("descending", [False, True], ids=["up", "down"])
@pytest.mark.parametrize("sort", ["CREATED_AT", "UPDATED_AT", "NAME", "HANDLE"])
async def test_pages_add_up_to_the_list(api: Api, sort: str, descending: bool, backward: bool) -> None:
    mark = f"walk{sort}{descending}{backward}".lower().replace("_", "")
    for name in ("delta", "Alpha", "charlie", "Bravo", "alpha", "Écho"):
        await make(api, mark, name)
        api.clock.move(microseconds=1)
    order = {"sort": sort, "descending": descending, "filter": marked(mark)}
    everything = await names(api, first=100, **order)
    assert sorted(everything) == sorted(["delta", "Alpha", "charlie", "Bravo", "alpha", "Écho"])
    pages = [found async for found in walk(api, 4, backward=backward, **order)]
    assert [len(found) for found in pages] == [4, 2]
    assert [name for found in (reversed(pages) if backward else pages) for name in found] == everything
    if sort == "NAME":
        expected = ["Alpha", "alpha", "Bravo", "charlie", "delta", "Écho"]
        assert everything == (expected[::-1] if descending else expected)


async def test_changed_last_comes_last(api: Api) -> None:
    await make(api, "changed", "one", "two", "three")
    first = await api.ask(LOBBY.replace("{ name } edges", "{ id name } edges"), {"filter": marked("changed")})
    api.clock.move(seconds=1)
    await api.done("promotionUpdate", id=first["promotions"]["nodes"][0]["id"], description="changed")
    assert await names(api, filter=marked("changed"), sort="UPDATED_AT") == ["two", "three", "one"]


async def test_pages_stay_right_while_promotions_are_added_and_changed(api: Api) -> None:
    await make(api, "stable", "b", "d", "f", "h")
    order: dict[str, Any] = {"sort": "NAME", "filter": marked("stable")}
    seen = []
    async for found in walk(api, 2, **order):
        seen += found
        if found == ["b", "d"]:
            await make(api, "stable", "a", "c", "e", "g")
    assert seen == ["b", "d", "e", "f", "g", "h"], "nothing twice, nothing missing of what came after"
    seen = []
    async for found in walk(api, 3, backward=True, **order):
        seen = found + seen
        if found == ["f", "g", "h"]:
            await make(api, "stable", "i", "dd")
    assert seen == ["a", "b", "c", "d", "dd", "e", "f", "g", "h"]


async def test_a_cursor_outlives_its_promotions_change(api: Api) -> None:
    await make(api, "outlive", "m1", "m2", "m3")
    first = await page(api, sort="NAME", filter=marked("outlive"), first=1)
    rest = {"sort": "NAME", "filter": marked("outlive"), "after": first["pageInfo"]["endCursor"], "first": 5}
    query = "query ($filter: PromotionFilter) { promotions(filter: $filter, first: 1) { nodes { id } } }"
    found = (await api.ask(query, rest))["promotions"]["nodes"]
    await api.done("promotionUpdate", id=found[0]["id"], name="m9")
    assert await names(api, **rest) == ["m2", "m3", "m9"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"first": 0}, ([], True, False)),
        ({"last": 0}, ([], False, True)),
        ({"first": 3}, (["p", "q", "r"], False, False)),
        ({"first": 100}, (["p", "q", "r"], False, False)),
        ({"last": 2}, (["q", "r"], False, True)),
        ({"last": 100}, (["p", "q", "r"], False, False)),
    ],
    ids=str,
)
async def test_the_edges_of_pages(api: Api, arguments: dict[str, int], expected: tuple[list[str], bool, bool]) -> None:
    mark = "edges" + "".join(f"{name}{count}" for name, count in arguments.items())
    await make(api, mark, "p", "q", "r")
    found = await page(api, filter=marked(mark), **arguments)
    info = found["pageInfo"]
    assert ([node["name"] for node in found["nodes"]], info["hasNextPage"], info["hasPreviousPage"]) == expected
    assert found["totalCount"] == 3


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"first": -1}, ("OUT_OF_RANGE", ["first"])),
        ({"first": 101}, ("OUT_OF_RANGE", ["first"])),
        ({"first": 100_000}, ("OUT_OF_RANGE", ["first"])),
        ({"first": 2**31 - 1}, ("OUT_OF_RANGE", ["first"])),
        ({"last": -1}, ("OUT_OF_RANGE", ["last"])),
        ({"last": 101}, ("OUT_OF_RANGE", ["last"])),
        ({"first": 1, "last": 1}, ("INVALID", ["first"])),
        ({"first": 1, "before": "x"}, ("INVALID", ["after"])),
        ({"last": 1, "after": "x"}, ("INVALID", ["after"])),
        ({"after": "x", "before": "x"}, ("INVALID", ["after"])),
        ({"search": "s" * 201}, ("OUT_OF_RANGE", ["search"])),
        ({"search": "a\0b"}, ("INVALID", ["search"])),
        (
            {"filter": {"properties": [{"name": "a", "value": "b"}, {"name": "a\0", "value": "b"}]}},
            ("INVALID", ["filter", "properties", "1", "name"]),
        ),
        (
            {"filter": {"properties": [{"name": "a", "value": "\0"}]}},
            ("INVALID", ["filter", "properties", "0", "value"]),
        ),
        (
            {"filter": {"properties": [{"name": "a", "value": "v" * 501}]}},
            ("OUT_OF_RANGE", ["filter", "properties", "0", "value"]),
        ),
        ({"filter": {"properties": [{"name": "a", "value": "b"}] * 51}}, ("TOO_MANY", ["filter", "properties"])),
    ],
    ids=lambda value: str(value)[:50],
)
async def test_a_page_that_makes_no_sense_is_refused_and_never_cut(
    api: Api, arguments: dict[str, Any], error: tuple[str, list[str]]
) -> None:
    assert await api.errors(LOBBY, arguments, token=READER) == [error]


def cursor(*parts: Any) -> str:
    return urlsafe_b64encode(orjson.dumps(parts)).decode().rstrip("=")


CURSORS = {
    "nothing": "",
    "not base64": "§",
    "not JSON": "abcd",
    "no list": cursor(),
    "an object": urlsafe_b64encode(b'{"a": 1}').decode(),
    "deep": urlsafe_b64encode(b"[" * 3000).decode(),
    "another list": cursor("codes.1", 1),
    "no values": cursor("promotions.created.up"),
    "too few": cursor("promotions.created.up", 1),
    "too many": cursor("promotions.created.up", 1, 1, 1),
    "texts": cursor("promotions.created.up", "1", "1"),
    "truths": cursor("promotions.created.up", True, 1),
    "nulls": cursor("promotions.created.up", None, 1),
    "fractions": cursor("promotions.created.up", 1.5, 1),
    "lists": cursor("promotions.created.up", [1], 1),
    "a huge number": cursor("promotions.created.up", 2**63, 1),
    "a huger number": cursor("promotions.created.up", 2**64 - 1, 1),
    "a NUL": "a\0",
    "long": "A" * 100_000,
}


@pytest.mark.parametrize("text", CURSORS.values(), ids=CURSORS)
async def test_a_cursor_that_is_none_of_ours_is_refused(api: Api, text: str) -> None:
    assert await api.errors(LOBBY, {"first": 1, "after": text}) == [("INVALID", ["after"])]
    assert await api.errors(LOBBY, {"last": 1, "before": text}) == [("INVALID", ["before"])]


async def test_a_name_in_a_cursor_is_looked_at_too(api: Api) -> None:
    for text in (cursor("promotions.name.up", "a\0", 1), cursor("promotions.name.up", 5, 1)):
        assert await api.errors(LOBBY, {"after": text, "sort": "NAME"}) == [("INVALID", ["after"])]
    odd = cursor("promotions.name.up", "'; DROP TABLE promotion; --" + "x" * 5000, 2**63 - 1)
    assert (await page(api, after=odd, sort="NAME", filter=marked("none")))["nodes"] == []


async def test_a_cursor_of_another_order_is_refused(api: Api) -> None:
    await make(api, "orders", "x", "y")
    end = (await page(api, filter=marked("orders"), first=1))["pageInfo"]["endCursor"]
    assert await names(api, filter=marked("orders"), after=end) == ["y"]
    for other in ({"sort": "NAME"}, {"sort": "UPDATED_AT"}, {"descending": True}):
        assert await api.errors(LOBBY, {"after": end} | other) == [("INVALID", ["after"])]


async def test_the_lists_within_a_promotion_have_cursors_of_their_own(api: Api) -> None:
    one, two = await api.draft(), await api.draft()
    for made in (one, two):
        for text in ("A", "B"):
            await api.done("codesAdd", promotion=made["id"], codes=f"{made['handle']}-{text}")
    query = """query ($id: ID!, $codes: String, $batches: String) { promotion(id: $id) {
        codes(first: 1, after: $codes) { nodes { text } pageInfo { endCursor } }
        batches(first: 1, after: $batches) { nodes { size } pageInfo { endCursor } } } }"""
    first = (await api.ask(query, one))["promotion"]
    ends = {name: first[name]["pageInfo"]["endCursor"] for name in ("codes", "batches")}
    assert (await api.ask(query, one | ends))["promotion"]["codes"]["nodes"] == [{"text": f"{one['handle']}-B"}]
    for wrong in ({"codes": ends["batches"]}, {"batches": ends["codes"]}):
        assert await api.errors(query, one | wrong) == [("INVALID", ["after"])]
    for name, end in ends.items():
        assert await api.errors(query, two | {name: end}) == [("INVALID", ["after"])]


SEARCHES = [
    ("SPRING", ["Spring 100% off", "spring_clean"]),
    ("100%", ["Spring 100% off"]),
    ("%", ["Spring 100% off"]),
    ("_", ["spring_clean"]),
    ("g_c", ["spring_clean"]),
    ("/", ["Back/slash\\"]),
    ("\\", ["Back/slash\\"]),
    ("'", ["It's"]),
    ("été", ["ÉTÉ à Paris"]),
    ("ÉTÉ", ["ÉTÉ à Paris"]),
    ("g 1", ["Spring 100% off"]),
    ("in the description", ["It's"]),
    ("nothing like it", []),
    ("", ["Spring 100% off", "spring_clean", "Back/slash\\", "It's", "ÉTÉ à Paris"]),
]


@pytest.fixture(scope="module")
async def searched(api: Api) -> None:
    for number, name in enumerate(["Spring 100% off", "spring_clean", "Back/slash\\", "It's", "ÉTÉ à Paris"]):
        await api.draft(
            name=name,
            handle=f"searched.{number}",
            description="Words IN THE description" if name == "It's" else "",
            properties=[{"name": "test", "value": "searched"}],
        )


@pytest.mark.usefixtures("searched")
@pytest.mark.parametrize(("text", "expected"), SEARCHES, ids=[row[0] for row in SEARCHES])
async def test_a_search_finds_texts_as_they_are_in_any_letter_case(api: Api, text: str, expected: list[str]) -> None:
    found = await page(api, search=text, filter=marked("searched"))
    assert [node["name"] for node in found["nodes"]] == expected
    assert found["totalCount"] == len(expected)


async def test_a_search_finds_handles(api: Api) -> None:
    await api.draft(name="Handled", handle="find-me-by.this_handle")
    assert await names(api, search="ME-BY.THIS_") == ["Handled"]


async def test_filters_by_status_kind_and_properties(fresh: Api) -> None:
    await fresh.draft(name="draft")
    await fresh.promotion(name="active", onEmpty="GENERATE", codeKind="MULTIPLE")
    await fresh.promotion(name="scheduled", onEmpty="GENERATE", window={"startsOn": "2027-03-05"})
    await fresh.promotion(name="ending", onEmpty="GENERATE", window={"endsOn": "2027-03-02"})
    paused = await fresh.promotion(name="paused", codeKind="SINGLE", singleCode="PAUSED")
    await fresh.done("promotionPause", id=paused["id"])
    ended = await fresh.promotion(name="ended", onEmpty="GENERATE", properties=[{"name": "team", "value": "a"}])
    await fresh.done("promotionEnd", id=ended["id"])
    put_away = await fresh.draft(
        name="archived", properties=[{"name": "team", "value": "a"}, {"name": "x", "value": ""}]
    )
    await fresh.done("promotionArchive", id=put_away["id"])

    async def found(**filter: Any) -> list[str]:
        answer = await page(fresh, filter=filter)
        assert answer["totalCount"] == len(answer["nodes"])
        return [node["name"] for node in answer["nodes"]]

    for status in ("DRAFT", "PAUSED", "SCHEDULED", "ENDED", "ARCHIVED"):
        assert await found(status=[status]) == [status.lower()]
    assert await found(status=["ACTIVE"]) == ["active", "ending"]
    assert await found(status=["ACTIVE", "DRAFT", "ACTIVE"]) == ["draft", "active", "ending"]
    assert await found(codeKind=["SINGLE", "MULTIPLE"]) == ["active", "paused"]
    assert await found(codeKind=["SINGLE"], status=["DRAFT"]) == []
    assert len(await found(status=[], codeKind=[], properties=[])) == 7
    team = {"name": "team", "value": "a"}
    assert await found(properties=[team]) == ["ended", "archived"]
    assert await found(properties=[team, {"name": "x", "value": ""}]) == ["archived"]
    assert await found(properties=[{"name": "team", "value": "A"}]) == []
    assert await found(properties=[{"name": "none", "value": ""}]) == []
    fresh.clock.move(days=7)
    assert await found(status=["ACTIVE"]) == ["active", "scheduled"]
    assert await found(status=["ENDED"]) == ["ending", "ended"]


async def test_a_filter_by_reward_type(fresh: Api) -> None:
    for handle, effect in (("percent", "PERCENTAGE"), ("gift", "GIFT")):
        await fresh.done("rewardTypeCreate", name=handle, handle=handle, effect=effect)
    await fresh.draft(name="external")
    for name, value in (("percent", {"percentage": "5"}), ("gift", {"gift": "MUG"})):
        await fresh.draft(name=name, reward={"single": {"type": name, "value": value}})
    assert await names(fresh, filter={"rewardType": ["percent"]}) == ["percent"]
    assert await names(fresh, filter={"rewardType": ["gift", "percent", "none"]}) == ["percent", "gift"]
    assert await names(fresh, filter={"rewardType": ["gift"], "codeKind": ["SINGLE"]}) == []
    assert len(await names(fresh, filter={"rewardType": []})) == 3


ODD_NAMES = [
    'quo"te',
    "a.b",
    "$[0]",
    "back\\slash",
    "na]me",
    "brace}{",
    "'; --",
    "emoji 🎄",
    "$",
    " ",
    "a b",
    "\u00e9",
    "\t",
    '"',
    'end\\"',
    'all "of\\them\n',
]


@pytest.mark.parametrize("name", ODD_NAMES)
async def test_a_property_is_found_by_its_exact_name(api: Api, name: str) -> None:
    number = ODD_NAMES.index(name)
    made = await api.draft(properties=[{"name": name, "value": f"v{number}"}])
    await api.draft(properties=[{"name": f"{name}x", "value": f"v{number}"}])
    assert await names(api, filter={"properties": [{"name": name, "value": f"v{number}"}]}) == [made["name"]]


async def test_a_front_end_sees_the_numbers_of_each(fresh: Api) -> None:
    """OptiPromo's lobby: used/total, status, kinds, and whether the fallback is on."""
    for number in range(3):
        made = await fresh.promotion(name=f"P{number}", codes=number + 1, onEmpty="FALLBACK", fallbackCode=f"F{number}")
        for customer in ("ann", "bob"):
            await fresh.issue(made, customer)
    query = """{ promotions { nodes { name status codeKind reward { text } inventory {
        total available issued fallbackIssued fallbackActive } } } }"""
    nodes = (await fresh.ask(query, token=READER))["promotions"]["nodes"]
    assert [node["inventory"] for node in nodes] == [
        {"total": 1, "available": 0, "issued": 1, "fallbackIssued": 1, "fallbackActive": True},
        {"total": 2, "available": 0, "issued": 2, "fallbackIssued": 0, "fallbackActive": True},
        {"total": 3, "available": 1, "issued": 2, "fallbackIssued": 0, "fallbackActive": False},
    ]
