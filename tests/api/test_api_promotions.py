"""Setting up promotions over HTTP: what is kept, what is refused and where, and that a refusal changes nothing."""

import asyncio
from typing import Any

import pytest

from .asking import MARKETER, Api, problems

pytestmark = pytest.mark.anyio

Input = dict[str, Any]


async def test_a_promotion_has_the_defaults_that_the_schema_names(api: Api) -> None:
    made = await api.draft(name="Spring sale 2027")
    assert await api.state(made) == {
        "id": made["id"],
        "handle": "spring-sale-2027",
        "name": "Spring sale 2027",
        "description": "",
        "properties": [],
        "status": "DRAFT",
        "endReason": None,
        "stopRedeeming": False,
        "reward": {
            "kind": "EXTERNAL",
            "text": "worth what the shop says",
            **dict.fromkeys(["effect", "type", "maximum", "value", "lines"]),
        },
        "condition": None,
        "budget": None,
        "usesPerPeriod": None,
        "redemptionCap": None,
        "lowStockThreshold": None,
        "codeRequired": True,
        "combinable": False,
        "priority": 0,
        "codeKind": "PERSONALIZED",
        "issuePolicy": "PER_CUSTOMER",
        "onEmpty": "REFUSE",
        "codeFormat": {
            "prefix": "",
            "suffix": "",
            "length": 10,
            "alphabet": "23456789ABCDEFGHJKMNPQRSTUVWXYZ",
            "pattern": None,
        },
        "window": {"timeZone": "UTC", "startsAt": None, "endsAt": None},
        "validFor": None,
        "audienceCap": None,
        "usesPerCode": 1,
        "usesPerCustomer": None,
        "holderOnly": False,
        "createdAt": "2027-03-01T12:00:00+00:00",
        "updatedAt": "2027-03-01T12:00:00+00:00",
        "singleCode": None,
        "fallbackCode": None,
        "inventory": dict.fromkeys(
            [
                "total",
                "available",
                "booked",
                "issued",
                "blocked",
                "void",
                "redeemed",
                "redemptions",
                "customers",
                "fallbackIssued",
            ],
            0,
        )
        | {"fallbackActive": False, "lowStock": False, "runsOutAt": None},
    }


async def test_a_promotion_keeps_all_that_it_was_given(api: Api) -> None:
    wanted: Input = {
        "name": "Noël 🎄 à Québec",
        "handle": "noel.2027_a-b",
        "description": 'Two lines\nof it, and "quotes", \' and \\.',
        "properties": [{"name": "team", "value": "loyalty"}, {"name": 'od"d.na[me', "value": ""}],
        "codeKind": "MULTIPLE",
        "issuePolicy": "PER_SEND",
        "onEmpty": "FALLBACK",
        "fallbackCode": "  Later-10 ",
        "codeFormat": {"prefix": "X-", "suffix": "-Z", "alphabet": "ABCDEFGHIJ0123456789", "pattern": "###-#####"},
        "validFor": "PT48H",
        "audienceCap": 500,
        "usesPerCode": 3,
        "usesPerCustomer": 2,
        "holderOnly": True,
    }
    state = await api.state(await api.draft(**wanted))
    wanted["properties"].sort(key=lambda each: each["name"])
    assert state["codeFormat"].pop("length") == 10
    assert state["validFor"] == "P2D"
    assert state["fallbackCode"] == "Later-10"
    assert {name: state[name] for name in wanted if name not in ("validFor", "fallbackCode")} == {
        name: value for name, value in wanted.items() if name not in ("validFor", "fallbackCode")
    }


async def test_a_single_code_has_no_limit_of_uses_unless_told(api: Api) -> None:
    for uses, shown in (({}, None), ({"usesPerCode": None}, None), ({"usesPerCode": 7}, 7)):
        made = await api.draft(codeKind="SINGLE", **uses)
        assert (await api.state(made))["usesPerCode"] == shown
    unlimited = await api.draft(codeKind="MULTIPLE", usesPerCode=None)
    assert (await api.state(unlimited))["usesPerCode"] is None


BAD_TERMS: list[tuple[str, Input, tuple[str, str]]] = [
    ("no name", {"name": "  "}, ("REQUIRED", "input.name")),
    ("a long name", {"name": "n" * 201, "handle": "n"}, ("OUT_OF_RANGE", "input.name")),
    ("a NUL in the name", {"name": "a\0b"}, ("INVALID", "input.name")),
    ("a NUL in the description", {"description": "a\0b"}, ("INVALID", "input.description")),
    ("a long description", {"description": "n" * 10_001}, ("OUT_OF_RANGE", "input.description")),
    ("a name without Latin letters", {"name": "夏祭り"}, ("INVALID", "input.handle")),
    ("a handle in capitals", {"handle": "Spring"}, ("INVALID", "input.handle")),
    ("a handle with a space", {"handle": "a b"}, ("INVALID", "input.handle")),
    ("a handle that ends in a dot", {"handle": "a."}, ("INVALID", "input.handle")),
    ("a handle with odd letters", {"handle": "ürlaub"}, ("INVALID", "input.handle")),
    ("a handle with digits of elsewhere", {"handle": "a٣"}, ("INVALID", "input.handle")),
    ("a handle with a line end", {"handle": "a\n"}, ("INVALID", "input.handle")),
    ("a handle with a NUL", {"handle": "a\0b"}, ("INVALID", "input.handle")),
    ("a long handle", {"handle": "h" * 65}, ("INVALID", "input.handle")),
    ("a property twice", {"properties": [{"name": "a", "value": "1"}] * 2}, ("INVALID", "input.properties")),
    ("a property without a name", {"properties": [{"name": "", "value": "1"}]}, ("OUT_OF_RANGE", "input.properties")),
    ("a NUL in a property", {"properties": [{"name": "a", "value": "\0"}]}, ("INVALID", "input.properties")),
    ("a long value", {"properties": [{"name": "a", "value": "v" * 501}]}, ("OUT_OF_RANGE", "input.properties")),
    (
        "too many properties",
        {"properties": [{"name": f"p{n}", "value": ""} for n in range(51)]},
        ("TOO_MANY", "input.properties"),
    ),
    ("no audience at all", {"audienceCap": 0}, ("OUT_OF_RANGE", "input.audienceCap")),
    ("a negative cap", {"audienceCap": -1}, ("OUT_OF_RANGE", "input.audienceCap")),
    ("no use", {"usesPerCode": 0}, ("OUT_OF_RANGE", "input.usesPerCode")),
    ("no use for a customer", {"usesPerCustomer": -5}, ("OUT_OF_RANGE", "input.usesPerCustomer")),
    ("no time", {"validFor": "PT0S"}, ("OUT_OF_RANGE", "input.validFor")),
    ("a thousand years", {"validFor": "P365000D"}, ("OUT_OF_RANGE", "input.validFor")),
    ("a single code that runs out", {"codeKind": "SINGLE", "onEmpty": "GENERATE"}, ("INVALID", "input.onEmpty")),
    ("a single code of a pool", {"singleCode": "SAVE20"}, ("INVALID", "input.singleCode")),
    ("a fallback of a single code", {"codeKind": "SINGLE", "fallbackCode": "F"}, ("INVALID", "input.fallbackCode")),
    ("a code with a space", {"codeKind": "SINGLE", "singleCode": "A B"}, ("INVALID", "input.singleCode")),
    ("no code", {"codeKind": "SINGLE", "singleCode": " "}, ("INVALID", "input.singleCode")),
    ("a code of control characters", {"codeKind": "SINGLE", "singleCode": "\x1b[0m"}, ("INVALID", "input.singleCode")),
    ("a NUL as a code", {"codeKind": "SINGLE", "singleCode": "\0"}, ("INVALID", "input.singleCode")),
    ("a long code", {"codeKind": "SINGLE", "singleCode": "C" * 300}, ("INVALID", "input.singleCode")),
    ("a placeholder's text", {"fallbackCode": "test-1", "onEmpty": "FALLBACK"}, ("INVALID", "input.fallbackCode")),
    ("a control character", {"codeFormat": {"prefix": "\x07"}}, ("INVALID", "input.codeFormat.prefix")),
    ("an alphabet of one", {"codeFormat": {"alphabet": "A"}}, ("OUT_OF_RANGE", "input.codeFormat.alphabet")),
    ("a letter twice", {"codeFormat": {"alphabet": "aA"}}, ("INVALID", "input.codeFormat.alphabet")),
    ("an endless code", {"codeFormat": {"length": 65}}, ("OUT_OF_RANGE", "input.codeFormat.length")),
    ("an empty code", {"codeFormat": {"length": 0}}, ("OUT_OF_RANGE", "input.codeFormat.length")),
    ("a pattern without a place", {"codeFormat": {"pattern": "ABC"}}, ("INVALID", "input.codeFormat.pattern")),
    ("a long suffix", {"codeFormat": {"suffix": "S" * 300}}, ("OUT_OF_RANGE", "input.codeFormat.length")),
    ("a long key", {"idempotencyKey": "k" * 129}, ("OUT_OF_RANGE", "input.idempotencyKey")),
    ("an empty key", {"idempotencyKey": ""}, ("REQUIRED", "input.idempotencyKey")),
    ("a NUL in the key", {"idempotencyKey": "a\0"}, ("INVALID", "input.idempotencyKey")),
]


@pytest.mark.parametrize(("terms", "problem"), [row[1:] for row in BAD_TERMS], ids=[row[0] for row in BAD_TERMS])
async def test_bad_terms_are_told_with_their_place(api: Api, terms: Input, problem: tuple[str, str]) -> None:
    before = await api.ask("{ promotions { totalCount } }")
    assert await api.no("promotionCreate", **{"name": "Bad"} | terms) == [problem]
    assert await api.ask("{ promotions { totalCount } }") == before


# What a draft may not be given when it is made it may not be given later either; the rest is about making.
BAD_CHANGES = [
    row for row in BAD_TERMS if not {"idempotencyKey"} & set(row[1]) and row[0] != "a name without Latin letters"
]


@pytest.mark.parametrize(("terms", "problem"), [row[1:] for row in BAD_CHANGES], ids=[row[0] for row in BAD_CHANGES])
async def test_bad_changes_are_told_with_their_place(api: Api, terms: Input, problem: tuple[str, str]) -> None:
    made = await api.draft()
    before = await api.state(made)
    assert await api.no("promotionUpdate", id=made["id"], **terms) == [problem]
    assert await api.state(made) == before


WINDOWS: list[tuple[str, Input, tuple[str | None, str | None]]] = [
    ("open", {"timeZone": "Asia/Tokyo"}, (None, None)),
    (
        "days in Toronto, with winter and summer time",
        {"timeZone": "America/Toronto", "startsOn": "2027-03-13", "endsOn": "2027-03-14"},
        ("2027-03-13T05:00:00+00:00", "2027-03-15T04:00:00+00:00"),
    ),
    (
        "the day of 25 hours in Paris",
        {"timeZone": "Europe/Paris", "startsOn": "2027-10-31", "endsOn": "2027-10-31"},
        ("2027-10-30T22:00:00+00:00", "2027-10-31T23:00:00+00:00"),
    ),
    (
        "a day whose midnight is skipped",
        {"timeZone": "Africa/Cairo", "startsOn": "2027-04-30"},
        ("2027-04-29T22:00:00+00:00", None),
    ),
    (
        "instants with an offset, whatever the zone",
        {"timeZone": "Asia/Tokyo", "startsAt": "2027-12-01T09:30:00+02:00", "endsAt": "2027-12-15T00:00:00Z"},
        ("2027-12-01T07:30:00+00:00", "2027-12-15T00:00:00+00:00"),
    ),
    (
        "a day and an instant",
        {"timeZone": "Pacific/Kiritimati", "startsOn": "2027-12-01", "endsAt": "2027-12-15T00:00:00.123456Z"},
        ("2027-11-30T10:00:00+00:00", "2027-12-15T00:00:00.123456+00:00"),
    ),
    ("the last day there may be", {"endsOn": "9999-12-30"}, (None, "9999-12-31T00:00:00+00:00")),
    ("the first day there is", {"startsOn": "0001-01-01"}, ("0001-01-01T00:00:00+00:00", None)),
]


@pytest.mark.parametrize(("window", "shown"), [row[1:] for row in WINDOWS], ids=[row[0] for row in WINDOWS])
async def test_a_window_is_meant_in_its_zone(api: Api, window: Input, shown: tuple[str | None, str | None]) -> None:
    made = (await api.state(await api.draft(window=window)))["window"]
    assert (made["startsAt"], made["endsAt"]) == shown
    assert made["timeZone"] == window.get("timeZone", "UTC")


BAD_WINDOWS: list[tuple[str, Input, tuple[str, str]]] = [
    ("no such zone", {"timeZone": "Mars/Olympus"}, ("INVALID", "timeZone")),
    ("an abbreviation", {"timeZone": "CEST"}, ("INVALID", "timeZone")),
    ("a folder of zones", {"timeZone": "America"}, ("INVALID", "timeZone")),
    ("another file", {"timeZone": "../../etc/passwd"}, ("INVALID", "timeZone")),
    ("no zone", {"timeZone": ""}, ("INVALID", "timeZone")),
    ("a NUL", {"timeZone": "UTC\0"}, ("INVALID", "timeZone")),
    ("a long zone", {"timeZone": "U" * 5000}, ("INVALID", "timeZone")),
    ("no such zone for a day", {"timeZone": "Mars/Olympus", "startsOn": "2027-12-01"}, ("INVALID", "timeZone")),
    (
        "both a day and an instant",
        {"startsOn": "2027-12-01", "startsAt": "2027-12-01T00:00:00Z"},
        ("INVALID", "startsOn"),
    ),
    ("both ends", {"endsOn": "2027-12-01", "endsAt": "2027-12-01T00:00:00Z"}, ("INVALID", "endsOn")),
    ("an instant without an offset", {"startsAt": "2027-12-01T00:00:00"}, ("INVALID", "startsAt")),
    ("a day as an instant", {"endsAt": "2027-12-01"}, ("INVALID", "endsAt")),
    ("an end before the start", {"startsOn": "2027-12-02", "endsOn": "2027-12-01"}, ("INVALID", "endsOn")),
    (
        "an end at the start",
        {"startsAt": "2027-12-01T00:00:00Z", "endsAt": "2027-12-01T01:00:00+01:00"},
        ("INVALID", "endsAt"),
    ),
    ("the end of time", {"endsOn": "9999-12-31"}, ("OUT_OF_RANGE", "endsOn")),
    ("before all time", {"timeZone": "Asia/Tokyo", "startsOn": "0001-01-01"}, ("OUT_OF_RANGE", "startsOn")),
    ("an instant after all time", {"endsAt": "9999-12-31T23:59:59-10:00"}, ("OUT_OF_RANGE", "endsAt")),
    ("an instant before all time", {"startsAt": "0001-01-01T00:00:00+10:00"}, ("OUT_OF_RANGE", "startsAt")),
]


@pytest.mark.parametrize(("window", "problem"), [row[1:] for row in BAD_WINDOWS], ids=[row[0] for row in BAD_WINDOWS])
async def test_a_bad_window_is_told_with_its_place(api: Api, window: Input, problem: tuple[str, str]) -> None:
    code, field = problem
    assert await api.no("promotionCreate", name="Bad", window=window) == [(code, f"input.window.{field}")]
    made = await api.draft()
    assert await api.no("promotionUpdate", id=made["id"], window=window) == [(code, f"input.window.{field}")]


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("PT48H", "P2D"),
        ("P2W", "P14D"),
        ("P1DT12H", "P1DT12H"),
        ("PT90M", "PT1H30M"),
        ("PT3600S", "PT1H"),
        ("PT1S", "PT1S"),
    ],
)
async def test_durations_are_shown_shortly(api: Api, written: str, shown: str) -> None:
    assert (await api.state(await api.draft(validFor=written)))["validFor"] == shown


@pytest.mark.parametrize("text", ["P1M", "P1Y", "48H", "PT", "P", "", "-P1D", "P1.5D", "PT1H ", "p1d", "P9999999D"])
async def test_what_is_no_duration_is_refused_before_anything_is_done(api: Api, text: str) -> None:
    answer = await api.whole(
        'mutation ($d: Duration) { promotionCreate(input: { name: "D", validFor: $d }) { userErrors { code } } }',
        {"d": text},
    )
    assert "data" not in answer
    assert "PT48H" in answer["errors"][0]["message"]


async def test_a_handle_belongs_to_one_promotion(api: Api) -> None:
    made = await api.draft(name="Taken")
    assert await api.no("promotionCreate", name="Taken!") == [("TAKEN", "input.handle")]
    other = await api.draft()
    assert await api.no("promotionUpdate", id=other["id"], handle="taken") == [("TAKEN", "input.handle")]
    assert await api.no("promotionDuplicate", id=other["id"], handle="taken") == [("TAKEN", "input.handle")]
    assert (await api.done("promotionUpdate", id=made["id"], handle="taken"))["promotion"]["handle"] == "taken"


async def test_one_of_many_at_once_gets_the_handle(api: Api) -> None:
    payloads = await asyncio.gather(*(api.do("promotionCreate", name="Rush hour") for _ in range(8)))
    assert sorted(problems(payload) for payload in payloads) == [[]] + [[("TAKEN", "input.handle")]] * 7


async def test_a_code_belongs_to_one_promotion(api: Api) -> None:
    await api.draft(codeKind="SINGLE", singleCode="Only1")
    assert await api.no("promotionCreate", name="2", codeKind="SINGLE", singleCode="oNLY1 ") == [
        ("TAKEN", "input.singleCode")
    ]
    assert await api.no("promotionCreate", name="2", onEmpty="FALLBACK", fallbackCode="ONLY1") == [
        ("TAKEN", "input.fallbackCode")
    ]


async def test_an_update_changes_what_is_given_and_nothing_else(api: Api) -> None:
    made = await api.draft(audienceCap=5, validFor="P1D", description="old", properties=[{"name": "a", "value": "1"}])
    before = await api.state(made)
    api.clock.move(seconds=1)
    await api.done("promotionUpdate", id=made["id"], name="New", audienceCap=None, properties=[])
    expected: Input = {"name": "New", "audienceCap": None, "properties": [], "updatedAt": api.clock.now.isoformat()}
    assert await api.state(made) == before | expected
    await api.done("promotionUpdate", id=made["id"], window={"endsOn": "2027-12-15"}, holderOnly=True)
    window = {"timeZone": "UTC", "startsAt": None, "endsAt": "2027-12-16T00:00:00+00:00"}
    assert await api.state(made) == before | expected | {"window": window, "holderOnly": True}
    await api.done("promotionUpdate", id=made["id"], window=None, name=None, description=None)
    assert await api.state(made) == before | expected | {"holderOnly": True}


async def test_a_shared_code_comes_changes_and_goes(api: Api) -> None:
    made = await api.draft(onEmpty="FALLBACK")
    for text in ("FALL-1", "Fall-1", "OTHER", None):
        await api.done("promotionUpdate", id=made["id"], fallbackCode=text)
        assert (await api.state(made))["fallbackCode"] == text
    await api.done("promotionUpdate", id=made["id"], name="Kept", fallbackCode="BACK")
    await api.done("promotionUpdate", id=made["id"], name="Kept too")
    assert (await api.state(made))["fallbackCode"] == "BACK"


async def test_what_customers_rely_on_stays_once_it_is_no_draft(api: Api) -> None:
    made = await api.promotion(codes=1)
    before = await api.state(made)
    for field, value in (("codeKind", "MULTIPLE"), ("issuePolicy", "PER_SEND"), ("handle", "other-handle")):
        assert await api.no("promotionUpdate", id=made["id"], **{field: value}) == [("STATE", f"input.{field}")]
    assert await api.state(made) == before


async def test_a_shared_code_that_was_given_out_stays(api: Api) -> None:
    single = await api.promotion(codeKind="SINGLE", singleCode="GIVEN-S")
    await api.issue(single, "ann")
    assert await api.no("promotionUpdate", id=single["id"], singleCode="NEW-S") == [("STATE", "input.singleCode")]
    pool = await api.promotion(onEmpty="FALLBACK", fallbackCode="GIVEN-F", codes=1)
    for customer in ("ann", "bob"):
        await api.issue(pool, customer)
    assert await api.no("promotionUpdate", id=pool["id"], fallbackCode="NEW-F") == [("STATE", "input.fallbackCode")]
    assert [(await api.state(each))["singleCode"] for each in (single, pool)] == ["GIVEN-S", None]


async def test_a_whole_life(api: Api) -> None:
    made = await api.draft()
    await api.done("codesGenerate", promotion=made["id"], count=1)
    seen = []
    for act in ("Activate", "Pause", "Activate", "End", "Archive"):
        moved = (await api.done(f"promotion{act}", id=made["id"]))["promotion"]
        seen.append((moved["status"], moved["endReason"]))
    assert seen == [("ACTIVE", None), ("PAUSED", None), ("ACTIVE", None), ("ENDED", "BY_HAND"), ("ARCHIVED", None)]


ACTS = ("Activate", "Pause", "End", "Archive")
MAY = {
    "DRAFT": {"Activate", "Archive"},
    "ACTIVE": {"Pause", "End"},
    "SCHEDULED": {"Pause", "End"},
    "PAUSED": {"Activate", "End"},
    "ENDED": {"End", "Archive"},
    "ARCHIVED": set[str](),
}


@pytest.mark.parametrize(
    ("status", "act"), [(status, act) for status, may in MAY.items() for act in ACTS if act not in may]
)
async def test_an_act_that_does_not_fit_is_refused_and_changes_nothing(api: Api, status: str, act: str) -> None:
    window = {"startsOn": "2040-01-01"} if status == "SCHEDULED" else None
    made = await api.draft(onEmpty="GENERATE", window=window)
    for step in {
        "ACTIVE": ["Activate"],
        "SCHEDULED": ["Activate"],
        "PAUSED": ["Activate", "Pause"],
        "ENDED": ["Activate", "End"],
        "ARCHIVED": ["Archive"],
    }.get(status, []):
        await api.done(f"promotion{step}", id=made["id"])
    before = await api.state(made)
    assert before["status"] == status
    assert await api.no(f"promotion{act}", id=made["id"]) == [("STATE", None)]
    assert await api.state(made) == before


@pytest.mark.parametrize(
    "terms",
    [{}, {"codeKind": "MULTIPLE"}, {"codeKind": "SINGLE"}, {"onEmpty": "FALLBACK"}],
    ids=["no codes", "no codes of a pool", "no single code", "no fallback"],
)
async def test_what_could_give_nothing_is_not_activated(api: Api, terms: Input) -> None:
    made = await api.draft(**terms)
    payload = await api.do("promotionActivate", id=made["id"])
    assert problems(payload) == [("STATE", "input.id")]
    assert (await api.state(made))["status"] == "DRAFT"


async def test_a_single_promotion_is_told_which_field_it_lacks(api: Api) -> None:
    made = await api.draft(codeKind="SINGLE")
    payload = await api.do("promotionActivate", id=made["id"])
    assert "`singleCode`" in payload["userErrors"][0]["message"]


async def test_nothing_is_changed_after_the_end(api: Api) -> None:
    made = await api.promotion(codes=1)
    await api.done("promotionEnd", id=made["id"])
    assert await api.no("promotionUpdate", id=made["id"], name="Late") == [("STATE", "input.id")]
    assert await api.no("codesAdd", promotion=made["id"], codes="LATE") == [("STATE", "input.promotion")]
    stopped = await api.done("promotionEnd", id=made["id"], stopRedeeming=True)
    assert stopped["promotion"]["stopRedeeming"] is True
    again = await api.done("promotionEnd", id=made["id"])
    assert again["promotion"]["stopRedeeming"] is True


async def test_the_window_moves_the_promotion_by_itself(fresh: Api) -> None:
    window = {"startsAt": "2027-03-02T00:00:00Z", "endsAt": "2027-03-03T00:00:00Z"}
    made = await fresh.promotion(onEmpty="GENERATE", window=window)
    seen = []
    for _ in range(3):
        state = await fresh.state(made)
        seen.append((state["status"], state["endReason"]))
        fresh.clock.move(days=1)
    assert seen == [("SCHEDULED", None), ("ACTIVE", None), ("ENDED", "WINDOW_OVER")]
    assert await fresh.no("promotionPause", id=made["id"]) == [("STATE", None)]


IDS = {
    "no id": "",
    "not base64": "§§§",
    "no kind": "MTIz",
    "another kind": "VG9rZW46MQ",
    "two numbers": "UHJvbW90aW9uOjE6Mg",
    "no number": "UHJvbW90aW9uOng",
    "a huge number": "UHJvbW90aW9uOjk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5",
    "a NUL": "a\0",
}


@pytest.mark.parametrize("id_", IDS.values(), ids=IDS)
async def test_an_id_that_is_none_is_refused(api: Api, id_: str) -> None:
    for name in ("Update", "Activate", "Pause", "End", "Archive", "Duplicate"):
        assert await api.no(f"promotion{name}", id=id_) == [("INVALID", "input.id")]
    for name, more in (("codesGenerate", {"count": 1}), ("codesAdd", {"codes": "X"})):
        assert await api.no(name, promotion=id_, **more) == [("INVALID", "input.promotion")]


@pytest.mark.parametrize("id_", ["UHJvbW90aW9uOjk5OTk5OQ", "UHJvbW90aW9uOi0x"], ids=["999999", "-1"])
async def test_an_id_of_nothing_is_not_found(api: Api, id_: str) -> None:
    for name in ("Update", "Activate", "Pause", "End", "Archive", "Duplicate"):
        assert await api.no(f"promotion{name}", id=id_) == [("NOT_FOUND", "input.id")]
    for name, more in (("codesGenerate", {"count": 1}), ("codesAdd", {"codes": "X"})):
        assert await api.no(name, promotion=id_, **more) == [("NOT_FOUND", "input.promotion")]


async def test_a_copy_is_a_draft_without_codes(api: Api) -> None:
    made = await api.promotion(
        name="Original", codes=3, validFor="PT1H", properties=[{"name": "a", "value": "1"}], onEmpty="FALLBACK",
        fallbackCode="ORIGINAL-F",
    )  # fmt: skip
    original = await api.state(made)
    copy = await api.state((await api.done("promotionDuplicate", id=made["id"]))["promotion"])
    differs = {"id", "handle", "name", "status", "fallbackCode", "inventory", "createdAt", "updatedAt"}
    assert {name: copy[name] for name in copy if name not in differs} == {
        name: original[name] for name in original if name not in differs
    }
    assert (copy["name"], copy["handle"], copy["status"]) == ("Original (copy)", "original-copy", "DRAFT")
    assert (copy["fallbackCode"], copy["inventory"]["total"]) == (None, 0)
    second = (await api.done("promotionDuplicate", id=made["id"]))["promotion"]
    named = (await api.done("promotionDuplicate", id=made["id"], name="Named", handle="named"))["promotion"]
    assert (second["handle"], named["handle"], named["name"]) == ("original-copy-2", "named", "Named")


async def test_a_key_makes_one_promotion(api: Api) -> None:
    wanted: Input = {"name": "Once", "validFor": "PT1H", "window": {"endsOn": "2027-12-15"}, "idempotencyKey": "once-1"}
    payloads = await asyncio.gather(*(api.do("promotionCreate", **wanted) for _ in range(6)))
    assert [payload["userErrors"] for payload in payloads] == [[]] * 6
    assert len({payload["promotion"]["id"] for payload in payloads}) == 1
    before = await api.state(payloads[0]["promotion"])
    for other in ({"name": "Twice"}, {"validFor": "PT2H"}, {"window": None}, {"fallbackCode": "ONCE-F"}):
        assert await api.no("promotionCreate", **wanted | other) == [("KEY_REUSED", "input.idempotencyKey")]
    assert await api.state(payloads[0]["promotion"]) == before


async def test_a_key_gives_the_promotion_as_it_is_now(api: Api) -> None:
    wanted: Input = {"name": "Keyed", "onEmpty": "GENERATE", "idempotencyKey": "keyed-1"}
    made = (await api.done("promotionCreate", **wanted))["promotion"]
    await api.done("promotionUpdate", id=made["id"], name="Renamed", handle="renamed")
    await api.done("promotionActivate", id=made["id"])
    again = (await api.done("promotionCreate", **wanted))["promotion"]
    assert (again["id"], again["name"], again["status"]) == (made["id"], "Renamed", "ACTIVE")


async def test_a_refused_promotion_leaves_its_key_free(api: Api) -> None:
    assert await api.no("promotionCreate", name="Free", audienceCap=0, idempotencyKey="free-1")
    assert (await api.done("promotionCreate", name="Free", audienceCap=1, idempotencyKey="free-1"))["promotion"]


async def test_a_key_makes_one_copy(api: Api) -> None:
    made = await api.draft(name="Copied")
    wanted: Input = {"id": made["id"], "idempotencyKey": "copy-1"}
    payloads = await asyncio.gather(*(api.do("promotionDuplicate", **wanted) for _ in range(6)))
    assert [payload["userErrors"] for payload in payloads] == [[]] * 6
    assert {payload["promotion"]["handle"] for payload in payloads} == {"copied-copy"}
    other = await api.draft()
    for change in ({"id": other["id"]}, {"name": "N"}, {"handle": "h"}):
        assert await api.no("promotionDuplicate", **wanted | change) == [("KEY_REUSED", "input.idempotencyKey")]
    # The same key belongs to another act.
    assert (await api.done("promotionCreate", name="Not a copy", idempotencyKey="copy-1"))["promotion"]


async def test_numbers_are_those_of_now_in_every_part_of_a_document(api: Api) -> None:
    """A document's mutations run one after another, and each shows what it made."""
    made = await api.draft()
    act = "promotionUpdate(input: { id: $id }) { promotion { fallbackCode inventory { total } } }"
    answer = await api.ask(
        f"""mutation ($id: ID!) {{
            a: {act} codesAdd(input: {{ promotion: $id, codes: "NOW-1" }}) {{ userErrors {{ code }} }}
            b: {act} c: promotionUpdate(input: {{ id: $id, fallbackCode: "NOW-F" }}) {{ promotion {{ fallbackCode }} }}
        }}""",
        {"id": made["id"]},
        token=MARKETER,
    )
    assert (answer["a"]["promotion"]["inventory"], answer["b"]["promotion"]["inventory"]) == (
        {"total": 0},
        {"total": 1},
    )
    assert (answer["b"]["promotion"]["fallbackCode"], answer["c"]["promotion"]["fallbackCode"]) == (None, "NOW-F")
