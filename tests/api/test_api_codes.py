"""Filling a promotion over HTTP: generated, imported and pasted codes, what became of each row, and blocking."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest

from .asking import ADMIN, CHECKOUT, MARKETER, Api, problems

pytestmark = pytest.mark.anyio


async def texts(api: Api, promotion: dict[str, Any], **more: Any) -> list[str]:
    """The promotion's codes in their order, all of them."""
    query = """query ($id: ID!, $after: String, $state: CodeState, $batch: ID) { promotion(id: $id) {
        codes(first: 100, after: $after, state: $state, batch: $batch) {
            nodes { text } pageInfo { hasNextPage endCursor } } } }"""
    found: list[str] = []
    more["after"] = None
    while True:
        page = (await api.ask(query, {"id": promotion["id"], **more}, token=MARKETER))["promotion"]["codes"]
        found += [node["text"] for node in page["nodes"]]
        if not page["pageInfo"]["hasNextPage"]:
            return found
        more["after"] = page["pageInfo"]["endCursor"]


async def code(api: Api, text: str) -> dict[str, Any] | None:
    query = """query ($text: String!) { code(text: $text) { id text state uses
        issuances { customer kind channel } redemptions { customer order discount { amount currency } } } }"""
    found: dict[str, Any] | None = (await api.ask(query, {"text": text}, token=MARKETER))["code"]
    return found


# Generating


async def test_codes_are_generated_in_the_promotions_look(api: Api) -> None:
    made = await api.draft(
        codeFormat={"prefix": "SUM-", "pattern": "####-####", "suffix": "-27", "alphabet": "ABCDEF01"}
    )
    payload = await api.done("codesGenerate", promotion=made["id"], count=15, channel="print")
    batch = payload["batch"]
    assert (batch["source"], batch["size"], batch["channel"]) == ("GENERATED", 15, "print")
    assert batch["createdAt"] == api.clock.now.isoformat()
    found = await texts(api, made)
    assert len(set(found)) == 15
    assert all(re.fullmatch(r"SUM-[ABCDEF01]{4}-[ABCDEF01]{4}-27", text) for text in found)
    assert (await api.numbers(made))["available"] == 15


async def test_the_odds_of_a_guess_are_told_before_and_after(api: Api) -> None:
    made = await api.draft()
    look = {"alphabet": "0123456789", "length": 12, "checkCharacter": True}
    wanted = {"promotion": made["id"], "count": 9, "format": look}
    plan = await api.done("codesGenerate", dryRun=True, **wanted)
    assert (plan["odds"], plan["batch"]) == ("1 in 10000000000", None), "nine tenths of a hundred thousand million"
    assert (await api.numbers(made))["total"] == 0
    payload = await api.done("codesGenerate", **wanted)
    assert (payload["odds"], payload["batch"]["odds"]) == (None, "1 in 10000000000")
    await api.done("codesAdd", promotion=made["id"], codes="A\nB\nC\nD\nE\nF\nG\nH\nI")
    query = "query ($id: ID!) { promotion(id: $id) { batches(first: 2) { nodes { odds } } } }"
    batches = (await api.ask(query, {"id": made["id"]}, token=MARKETER))["promotion"]["batches"]["nodes"]
    assert batches == [{"odds": None}, {"odds": "1 in 5000000000"}]
    payload = await api.do("codesGenerate", promotion=made["id"], count=9, format={"length": 4}, dryRun=True)
    assert problems(payload) == [("OUT_OF_RANGE", "input.format.length")]


async def test_a_mistyped_code_is_told_from_one_that_never_was(api: Api) -> None:
    made = await api.promotion(codes=["OTHER"], codeFormat={"checkCharacter": True}, codeKind="MULTIPLE")
    await api.done("codesGenerate", promotion=made["id"], count=1)
    _, text = await texts(api, made)
    wrong = ("3" if text[0] == "2" else "2") + text[1:]
    query = "query ($input: CodeValidateInput!) { codeValidate(input: $input) { isValid userErrors { code message } } }"
    for typed, says in ((text, []), (wrong, ["MISTYPED"]), ("NOPE", ["NOT_FOUND"])):
        answer = (await api.ask(query, {"input": {"code": typed}}, token=CHECKOUT))["codeValidate"]
        assert [error["code"] for error in answer["userErrors"]] == says
    # An imported code of that look works; stopped, it is to a stranger what one that never was would be.
    await api.done("codesAdd", promotion=made["id"], codes=wrong)
    for says in ([], ["MISTYPED"]):
        answer = (await api.ask(query, {"input": {"code": wrong}}, token=CHECKOUT))["codeValidate"]
        assert [error["code"] for error in answer["userErrors"]] == says
        await api.done("codesBlock", codes=[wrong])
    for token, says in ((CHECKOUT, "MISTYPED"), (ADMIN, "CODE_BLOCKED")):
        payload = await api.do("codeRedeem", token=token, code=wrong)
        assert [error["code"] for error in payload["userErrors"]] == [says]
        payload = await api.do("codeHold", token=token, fields="replayed", code=wrong)
        assert [error["code"] for error in payload["userErrors"]] == [says]


async def test_codes_are_generated_in_a_look_of_their_own(api: Api) -> None:
    made = await api.draft()
    await api.done("codesGenerate", promotion=made["id"], count=5, format={"prefix": "VIP", "length": 12})
    await api.done("codesGenerate", promotion=made["id"], count=5)
    found = await texts(api, made)
    assert [len(text) for text in found] == [15] * 5 + [10] * 5
    assert all(text.startswith("VIP") for text in found[:5])


@pytest.mark.parametrize(
    ("input", "problem"),
    [
        ({"count": 0}, ("OUT_OF_RANGE", "input.count")),
        ({"count": -1}, ("OUT_OF_RANGE", "input.count")),
        ({"count": 10_000_001}, ("OUT_OF_RANGE", "input.count")),
        ({"count": 2**31 - 1}, ("OUT_OF_RANGE", "input.count")),
        ({"format": {"length": 4}}, ("OUT_OF_RANGE", "input.format.length")),
        ({"format": {"pattern": "A-####"}}, ("OUT_OF_RANGE", "input.format.pattern")),
        ({"format": {"alphabet": "A"}}, ("OUT_OF_RANGE", "input.format.alphabet")),
        ({"format": {"alphabet": ""}}, ("OUT_OF_RANGE", "input.format.alphabet")),
        ({"format": {"alphabet": "A" * 5000}}, ("OUT_OF_RANGE", "input.format.alphabet")),
        ({"format": {"alphabet": "AB\0"}}, ("INVALID", "input.format.alphabet")),
        ({"format": {"prefix": "A B"}}, ("INVALID", "input.format.prefix")),
        ({"format": {"suffix": "\0"}}, ("INVALID", "input.format.suffix")),
        ({"format": {"prefix": "test-"}}, ("INVALID", "input.format.prefix")),
        ({"format": {"length": -5}}, ("OUT_OF_RANGE", "input.format.length")),
        ({"channel": ""}, ("REQUIRED", "input.channel")),
        ({"channel": "c" * 65}, ("OUT_OF_RANGE", "input.channel")),
        ({"channel": "a\0b"}, ("INVALID", "input.channel")),
        ({"channel": " a"}, ("INVALID", "input.channel")),
        ({"idempotencyKey": "k" * 129}, ("OUT_OF_RANGE", "input.idempotencyKey")),
        ({"idempotencyKey": "a\nb"}, ("INVALID", "input.idempotencyKey")),
    ],
    ids=lambda value: str(value)[:60],
)
async def test_what_cannot_be_generated_is_refused_and_nothing_is_added(
    api: Api, input: dict[str, Any], problem: tuple[str, str]
) -> None:
    made = await api.draft()
    assert await api.no("codesGenerate", promotion=made["id"], **{"count": 1} | input) == [problem]
    assert (await api.numbers(made))["total"] == 0


async def test_the_promotions_own_look_may_have_no_room(api: Api) -> None:
    made = await api.draft(codeFormat={"length": 5})
    assert await api.no("codesGenerate", promotion=made["id"], count=100_000) == [("OUT_OF_RANGE", "input.count")]


async def test_a_single_promotion_takes_no_codes(api: Api) -> None:
    made = await api.draft(codeKind="SINGLE", singleCode="ALONE")
    assert await api.no("codesGenerate", promotion=made["id"], count=1) == [("STATE", "input.promotion")]
    assert await api.no("codesAdd", promotion=made["id"], codes="A") == [("STATE", "input.promotion")]
    assert problems(await api.import_file(b"A", made["id"])) == [("STATE", "input.promotion")]


# Pasting


async def test_a_paste_is_read_line_by_line(api: Api) -> None:
    other = await api.draft()
    await api.done("codesAdd", promotion=other["id"], codes="Elsewhere")
    made = await api.draft()
    await api.done("codesAdd", promotion=made["id"], codes="here")
    text = "Code\n\nOne\n two \nONE\n\nHERE\nelsewhere\na b\nthree,\nfour,five\n"
    payload = await api.done("codesAdd", promotion=made["id"], codes=text, channel="e-mail")
    assert payload["batch"] == payload["batch"] | {"source": "PASTED", "size": 3, "channel": "e-mail"}
    report = payload["report"]
    assert {name: report[name] for name in report if not name.endswith("Rows")} == {
        "read": 8,
        "added": 3,
        "repeated": 1,
        "alreadyHere": 1,
        "alreadyElsewhere": 1,
        "unassigned": 0,
        "bad": 2,
        "headerSkipped": "Code",
        "notes": [],
    }
    assert [(row["row"], row["shown"]) for row in report["badRows"]] == [(9, "a b"), (11, "four, five")]
    assert [(row["row"], row["shown"]) for row in report["repeatedRows"]] == [(5, "ONE")]
    assert await texts(api, made) == ["here", "One", "two", "three"]


@pytest.mark.parametrize("text", ["", "\n\n \n", "code", "\x00", "\x1b[31m", "a b", "TEST-1", "X" * 300, "\ufeff"])
async def test_a_paste_without_a_code_adds_nothing_and_says_so(api: Api, text: str) -> None:
    made = await api.draft()
    payload = await api.done("codesAdd", promotion=made["id"], codes=text)
    assert (payload["batch"], payload["report"]["added"]) == (None, 0)
    assert payload["report"]["read"] == payload["report"]["bad"]
    assert (await api.numbers(made))["total"] == 0


async def test_a_code_of_control_characters_is_shown_safely(api: Api) -> None:
    made = await api.draft()
    payload = await api.done("codesAdd", promotion=made["id"], codes="GOOD-CTRL\nA\x00B\n\x07\nA\u202eB\nx" + "y" * 299)
    assert payload["report"]["added"] == 1
    shown = [row["shown"] for row in payload["report"]["badRows"]]
    assert shown[:3] == ["A\\x00B", "\\x07", "A\\u202eB"]
    assert len(shown[3]) == 40
    assert all(row["why"] for row in payload["report"]["badRows"])


async def test_a_paste_has_a_bound(api: Api) -> None:
    made = await api.draft()
    assert await api.no("codesAdd", promotion=made["id"], codes="A\n" * 100_001) == [("TOO_MANY", "input.codes")]


async def test_a_large_paste_is_added_whole(fresh: Api) -> None:
    made = await fresh.draft()
    wanted = [f"L-{n:05}" for n in range(20_000)]
    payload = await fresh.done("codesAdd", promotion=made["id"], codes="\n".join(wanted))
    assert (payload["report"]["added"], payload["batch"]["size"]) == (20_000, 20_000)
    assert (await fresh.numbers(made))["available"] == 20_000


async def test_a_list_of_bad_rows_names_the_first_thousand_and_counts_the_rest(api: Api) -> None:
    made = await api.draft()
    payload = await api.done("codesAdd", promotion=made["id"], codes="a b\n" * 1500 + "SAME-1\n" * 1500)
    report = payload["report"]
    assert (report["bad"], report["repeated"], report["added"]) == (1500, 1499, 1)
    assert (len(report["badRows"]), len(report["repeatedRows"])) == (1000, 1000)


# Importing


# In each, * becomes the number of the case, because a store keeps a code once.
FILES: list[tuple[str, str, str, list[str], dict[str, Any]]] = [
    ("plain", "A*\nB*\n", "utf-8", ["A*", "B*"], {}),
    ("a header", "promo_code\nA*\n", "utf-8", ["A*"], {"headerSkipped": "promo_code"}),
    ("line ends of other systems", "A*\r\nB*\rC*", "utf-8", ["A*", "B*", "C*"], {}),
    ("blank lines", "\n\nA*\n\n   \nB*\n\n", "utf-8", ["A*", "B*"], {"read": 2}),
    ("quoted", '"A*"\n"B""*"\n', "utf-8", ["A*", 'B"*'], {}),
    ("a mark of UTF-8", "\ufeffA*\nB*\n", "utf-8", ["A*", "B*"], {}),
    ("UTF-16", "\ufeffA*\nÉ*\n", "utf-16-le", ["A*", "É*"], {}),
    ("UTF-16, the other way round", "\ufeffA*\nÉ*\n", "utf-16-be", ["A*", "É*"], {}),
    ("two columns", "A*,x\nB*\n", "utf-8", ["B*"], {"bad": 1}),
    ("a separator at the end", "A*;\nB*,\n", "utf-8", ["A*", "B*"], {}),
    ("repeats", "A*\na*\nA* \n", "utf-8", ["A*"], {"repeated": 2}),
    ("long cells", "C" * 300 + "\nA*\n" + "D" * 300 + "\n", "utf-8", ["A*"], {"bad": 2}),
    ("control characters", "A\0B\nA*\n\x07\n", "utf-8", ["A*"], {"bad": 2}),
    ("a quotation mark that is not closed", '"A*\nB*\n', "utf-8", ["B*"], {"bad": 1}),
    ("nothing", "", "utf-8", [], {"read": 0}),
    ("a header alone", "code\n", "utf-8", [], {"read": 0}),
    ("one long line", "x" * 100_000, "utf-8", [], {"bad": 1}),
    ("formulas", "=1+*\n+A*\n-B*\n@C*\n", "utf-8", ["=1+*", "+A*", "-B*", "@C*"], {}),
    ("a web page", "<script>alert(*)</script>\n", "utf-8", ["<script>alert(*)</script>"], {}),
]


@pytest.mark.parametrize("case", range(len(FILES)), ids=[row[0] for row in FILES])
async def test_a_file_is_read(api: Api, case: int) -> None:
    _, text, encoding, expected, report = FILES[case]
    made = await api.draft()
    payload = await api.import_file(text.replace("*", str(case)).encode(encoding), made["id"], channel="file")
    assert payload["userErrors"] == []
    assert payload["report"] == payload["report"] | report | {"added": len(expected)}
    assert await texts(api, made) == [each.replace("*", str(case)) for each in expected]
    assert payload["batch"] is None if not expected else payload["batch"]["source"] == "IMPORTED"


@pytest.mark.parametrize(
    ("content", "encoding", "problem"),
    [
        (b"A1\n\xff\xfe\xfd\n", None, ("INVALID", None)),
        (b"A1\nB\xe9\n", None, ("INVALID", None)),
        (b"A1\nB\xe9\n", "utf-8", ("INVALID", None)),
        (b"A1\n", "no-such-encoding", ("INVALID", "input.encoding")),
        (b"A1\n", "rot13", ("INVALID", "input.encoding")),
        (b"A1\n", "zip", ("INVALID", "input.encoding")),
        (b"A1\n", "a\0b", ("INVALID", "input.encoding")),
        (b"A1\n", "", ("INVALID", "input.encoding")),
        (b"A1\n", "x" * 10_000, ("INVALID", "input.encoding")),
        (b"\xff\xfeA\x00\n\x00B", None, ("INVALID", None)),
    ],
)
async def test_a_file_that_cannot_be_read_adds_nothing(
    api: Api, content: bytes, encoding: str | None, problem: tuple[str, str | None]
) -> None:
    made = await api.draft()
    payload = await api.import_file(content, made["id"], encoding=encoding)
    assert problems(payload) == [problem]
    assert (payload["batch"], payload["report"]) == (None, None)
    assert (await api.numbers(made))["total"] == 0
    assert (await api.done("codesGenerate", promotion=made["id"], count=1))["batch"]["size"] == 1


async def test_a_file_in_a_named_encoding(fresh: Api) -> None:
    made = await fresh.draft()
    payload = await fresh.import_file("NOËL-1\n".encode("cp1252"), made["id"], encoding="windows-1252")
    assert payload["report"]["added"] == 1
    assert await texts(fresh, made) == ["NOËL-1"]


@pytest.mark.parametrize("name", ["spring.xls", "spring.xlsx"])
async def test_a_workbook_with_its_columns_named(fresh: Api, name: str) -> None:
    made = await fresh.draft()
    content = (Path(__file__).parent.parent / "files" / name).read_bytes()
    payload = await fresh.import_file(content, made["id"], sheet="Codes", columns={"code": "promo code"})
    report = payload["report"]
    assert (report["added"], report["bad"], report["headerSkipped"]) == (4, 0, "Promo code")
    assert [note.partition(":")[0] for note in report["notes"]] == [
        "Of the file, these columns were not read",
        "Codes that are numbers in the spreadsheet",
    ]
    assert await texts(fresh, made) == ["SPRING-A1", "20261234", "00042", "spring-b2"]


async def test_a_proposal_codes_for_people_and_a_link_to_the_report(fresh: Api) -> None:
    made = await fresh.draft()
    content = b"Code;Customer;Until\nA;ann;2099-12-31\nB;;\nA;;\nC;;soon\n"
    columns = {"customer": "customer", "expiresAt": "until"}
    proposed = await fresh.import_file(content, made["id"], columns=columns, dryRun=True)
    assert (proposed["report"]["added"], proposed["batch"], proposed["job"]["status"]) == (2, None, "DONE")
    assert (await fresh.numbers(made))["total"] == 0
    payload = await fresh.import_file(content, made["id"], columns=columns)
    report = payload["report"]
    assert (report["added"], report["repeated"], report["bad"], report["unassigned"]) == (2, 1, 1, 0)
    numbers = await fresh.numbers(made)
    assert (numbers["total"], numbers["issued"], numbers["customers"]) == (2, 1, 1)
    query = "query ($id: ID!) { node(id: $id) { ... on Job { download { url name } } } }"
    link = (await fresh.ask(query, {"id": payload["job"]["id"]}))["node"]["download"]
    assert link["name"].endswith("-report.csv")
    assert link["url"].startswith("/downloads/")


async def test_how_to_read_a_file(fresh: Api) -> None:
    made = await fresh.draft()
    content = "A:code\nB:Été\n".encode("cp1252")
    told = {"separator": ":", "encoding": "windows-1252", "header": False, "columns": {"code": "2"}}
    assert (await fresh.import_file(content, made["id"], **told))["report"]["added"] == 2
    assert await texts(fresh, made) == ["code", "Été"]
    for wrong, field in (
        ({"separator": "::"}, "separator"),
        ({"sheet": "1"}, "sheet"),
        ({"columns": {"code": "Code"}}, "columns.code"),
    ):
        payload = await fresh.import_file(content, made["id"], **told | wrong)
        assert [problem[1] for problem in problems(payload)] == [f"input.{field}"]
    assert (await fresh.numbers(made))["total"] == 2


async def test_a_file_without_a_file(api: Api) -> None:
    """Text, null and a number where the file should be."""
    made = await api.draft()
    query = "mutation ($input: CodesImportInput!) { codesImport(input: $input) { userErrors { code } } }"
    files: list[Any] = ["A1", None, 1, {}, []]
    for file in files:
        body = await api.whole(query, {"input": {"promotion": made["id"], "file": file}})
        assert "data" not in body
        assert body["errors"]


async def test_the_files_name_and_type_do_not_matter(fresh: Api) -> None:
    made = await fresh.draft()
    for number, name in enumerate(("../../etc/passwd", "codes.exe", "c\r\nx: y.csv", "コード.csv")):
        payload = await fresh.import_file(f"N{number}\n".encode(), made["id"], name=name)
        assert payload["report"]["added"] == 1


# Again with the same key


@pytest.mark.parametrize("name", ["codesGenerate", "codesAdd"])
async def test_a_key_adds_codes_once(api: Api, name: str) -> None:
    made = await api.draft()
    input: dict[str, Any] = {"promotion": made["id"], "idempotencyKey": f"load-{name}"}
    input |= {"count": 3} if name == "codesGenerate" else {"codes": "K-1\nK-2\nK-2\nK 3"}
    first = await api.done(name, **input)
    assert [await api.done(name, **input) for _ in range(2)] == [first, first]
    assert (await api.numbers(made))["total"] == first["batch"]["size"]
    other = {"count": 4} if name == "codesGenerate" else {"codes": "K-9"}
    elsewhere = {"promotion": (await api.draft())["id"]}
    for change in (other, elsewhere, {"channel": "print"}):
        assert await api.no(name, **input | change) == [("KEY_REUSED", "input.idempotencyKey")]
    assert (await api.numbers(made))["total"] == first["batch"]["size"]


async def test_a_key_imports_a_file_once(api: Api) -> None:
    made = await api.draft()
    content = b"FK-1\nFK-2\nFK-2\nbad one\n"
    first = await api.import_file(content, made["id"], idempotencyKey="file-1")
    assert await api.import_file(content, made["id"], idempotencyKey="file-1") == first
    assert (await api.numbers(made))["total"] == 2
    reused = await api.import_file(content, made["id"], idempotencyKey="file-1", channel="other")
    assert problems(reused) == [("KEY_REUSED", "input.idempotencyKey")]


async def test_another_file_under_the_same_key_is_refused(api: Api) -> None:
    made = await api.draft()
    await api.import_file(b"OTHER-1\n", made["id"], idempotencyKey="file-2")
    payload = await api.import_file(b"OTHER-2\n", made["id"], idempotencyKey="file-2")
    assert problems(payload) == [("KEY_REUSED", "input.idempotencyKey")]


async def test_loads_at_once_are_one_or_are_told_to_wait(api: Api) -> None:
    """Never a fault, and never more codes than one load was asked for."""
    made = await api.draft()
    input = {"promotion": made["id"], "count": 500, "idempotencyKey": "rush"}
    payloads = await asyncio.gather(*(api.do("codesGenerate", **input) for _ in range(5)))
    told = [problems(payload) for payload in payloads]
    assert [] in told
    assert all(each in ([], [("BUSY", "input.promotion")]) for each in told)
    assert len({payload["batch"]["id"] for payload in payloads if payload["batch"]}) == 1
    assert (await api.done("codesGenerate", **input))["batch"]["size"] == 500
    assert (await api.numbers(made))["total"] == 500


# Looking


async def test_a_code_is_found_in_any_letter_case_with_its_history(api: Api) -> None:
    made = await api.promotion(codes=["Look-1", "Look-2"], usesPerCode=2)
    assert await code(api, "look-2") == {
        "id": (await code(api, "LOOK-2") or {})["id"],
        "text": "Look-2",
        "state": "AVAILABLE",
        "uses": 0,
        "issuances": [],
        "redemptions": [],
    }
    await api.issue(made, "ann", channel="sms")
    assert (await code(api, " look-1 ") or {})["state"] == "ISSUED"
    await api.done("codeReissue", promotion=made["handle"], customer="ann")
    discount = {"amount": "2.50", "currency": "EUR"}
    await api.done("codeRedeem", code="LOOK-1", customer="ann", order="o-1", discount=discount)
    found = await code(api, "Look-1")
    assert found == found | {  # type: ignore[operator]
        "state": "REDEEMED",
        "uses": 1,
        "issuances": [
            {"customer": "ann", "kind": "REPEAT", "channel": None},
            {"customer": "ann", "kind": "INITIAL", "channel": "sms"},
        ],
        "redemptions": [{"customer": "ann", "order": "o-1", "discount": discount}],
    }
    await api.done("codesBlock", codes=["look-1"])
    assert (await code(api, "Look-1") or {})["state"] == "BLOCKED"


@pytest.mark.parametrize("text", ["", " ", "none-such", "TEST-1", "'; --", "%", "x" * 300, "x" * 1_000_000, "🎄" * 200])
async def test_a_text_that_is_no_code_is_not_found(api: Api, text: str) -> None:
    assert await code(api, text) is None


async def test_a_nul_is_in_no_code(api: Api) -> None:
    assert await api.errors('{ code(text: "a\\u0000") { id } }') == [("INVALID", ["text"])]


async def test_codes_are_listed_by_state_and_batch(api: Api) -> None:
    made = await api.promotion(codes=[f"list-{n}" for n in range(6)])
    second = await api.done("codesAdd", promotion=made["id"], codes="list-6\nlist-7")
    await api.issue(made, "ann")
    await api.issue(made, "bob")
    await api.done("codeRedeem", code="list-0", customer="ann")
    await api.done("codesBlock", codes=["list-1", "list-7"])
    assert await texts(api, made) == [f"list-{n}" for n in range(8)]
    assert await texts(api, made, state="AVAILABLE") == ["list-2", "list-3", "list-4", "list-5", "list-6"]
    assert await texts(api, made, state="REDEEMED") == ["list-0"]
    assert await texts(api, made, state="BLOCKED") == ["list-1", "list-7"]
    assert await texts(api, made, state="ISSUED") == []
    assert await texts(api, made, batch=second["batch"]["id"]) == ["list-6", "list-7"]
    assert await texts(api, made, batch=second["batch"]["id"], state="BLOCKED") == ["list-7"]
    query = "query ($id: ID!, $batch: ID) { promotion(id: $id) { codes(batch: $batch) { nodes { text } } } }"
    for wrong in ("", made["id"], "§"):
        assert await api.errors(query, {"id": made["id"], "batch": wrong}) == [("INVALID", ["batch"])]
    other = await api.draft()
    assert await texts(api, other, batch=second["batch"]["id"]) == []


async def test_batches_are_listed_the_latest_first(api: Api) -> None:
    made = await api.draft()
    await api.done("codesGenerate", promotion=made["id"], count=2, channel="a")
    await api.done("codesAdd", promotion=made["id"], codes="batch-1")
    await api.import_file(b"batch-2\n", made["id"], channel="c")
    query = """query ($id: ID!, $after: String) { promotion(id: $id) { batches(first: 2, after: $after) {
        nodes { source channel size } pageInfo { hasNextPage endCursor } } } }"""
    one = (await api.ask(query, made))["promotion"]["batches"]
    assert [(each["source"], each["channel"], each["size"]) for each in one["nodes"]] == [
        ("IMPORTED", "c", 1),
        ("PASTED", None, 1),
    ]
    two = (await api.ask(query, made | {"after": one["pageInfo"]["endCursor"]}))["promotion"]["batches"]
    assert [each["source"] for each in two["nodes"]] == ["GENERATED"]
    assert two["pageInfo"]["hasNextPage"] is False


async def test_codes_stay_in_their_pages_while_codes_are_added(api: Api) -> None:
    made = await api.promotion(codes=[f"grow-{n}" for n in range(4)])
    query = """query ($id: ID!, $after: String) { promotion(id: $id) { codes(first: 3, after: $after) {
        nodes { text } pageInfo { hasNextPage endCursor } } } }"""
    one = (await api.ask(query, made))["promotion"]["codes"]
    await api.done("codesAdd", promotion=made["id"], codes="grow-4")
    two = (await api.ask(query, made | {"after": one["pageInfo"]["endCursor"]}))["promotion"]["codes"]
    assert [node["text"] for node in two["nodes"]] == ["grow-3", "grow-4"]
    assert two["pageInfo"]["hasNextPage"] is False


@pytest.mark.parametrize("count", [-1, 101, 100_000])
async def test_pages_of_codes_are_bounded(api: Api, count: int) -> None:
    made = await api.draft()
    for field in ("codes", "batches"):
        query = f"query ($id: ID!, $n: Int) {{ promotion(id: $id) {{ {field}(first: $n) {{ nodes {{ id }} }} }} }}"
        assert await api.errors(query, {"id": made["id"], "n": count}) == [("OUT_OF_RANGE", ["first"])]


# Blocking


async def test_codes_are_blocked_and_unblocked(api: Api) -> None:
    made = await api.promotion(codes=["block-1", "block-2", "block-3"])
    await api.issue(made, "ann")
    blocked = await api.done("codesBlock", codes=["BLOCK-1", "block-2", "block-2 "])
    assert blocked["changed"] == 2
    assert (await api.done("codesBlock", codes=["block-1"]))["changed"] == 0
    numbers = await api.numbers(made)
    assert (numbers["blocked"], numbers["issued"], numbers["available"]) == (2, 0, 1)
    assert await api.issue(made, "bob") == "block-3"
    assert problems(await api.do("codeIssue", promotion=made["handle"], customer="cy")) == [("POOL_EMPTY", None)]
    assert (await api.done("codesUnblock", codes=["block-1", "block-2", "block-3"]))["changed"] == 2
    assert await api.issue(made, "cy") == "block-2"
    assert (await api.numbers(made))["blocked"] == 0


@pytest.mark.parametrize("name", ["codesBlock", "codesUnblock"])
async def test_all_codes_must_exist_or_none_changes(api: Api, name: str) -> None:
    made = await api.promotion(codes=[f"{name}-1", f"{name}-2"])
    if name == "codesUnblock":
        await api.done("codesBlock", codes=[f"{name}-1"])
    before = await api.numbers(made)
    for codes, places in (
        ([f"{name}-1", "nope", f"{name}-2", "", "a\0"], {1, 3, 4}),
        ([f"{name}-1", "nope", f"{name}-2", "", "x" * 5000], {1, 3, 4}),
        (["TEST-1"], {0}),
    ):
        found = await api.no(name, codes=codes)
        assert {problem[0] for problem in found} == {"NOT_FOUND"}
        assert {problem[1] for problem in found} <= {f"input.codes.{place}" for place in places}
        assert await api.numbers(made) == before


async def test_blocking_many_has_a_bound(api: Api) -> None:
    assert await api.no("codesBlock", codes=["a"] * 10_001) == [("TOO_MANY", "input.codes")]
    assert (await api.done("codesBlock", codes=[]))["changed"] == 0
    made = await api.promotion(codes=1)
    assert (await api.done("codesBlock", codes=[f"{made['handle']}-1"] * 10_000))["changed"] == 1


async def test_codes_are_stopped_by_filter_and_by_file(api: Api) -> None:
    made = await api.promotion(codes=[f"many-{n}" for n in range(1, 7)])
    await api.issue(made, "ann")
    counts = "changed alreadySo unknown unknownRows { row shown why }"
    payload = await api.done("codesBlock", fields=counts, promotion=made["id"], filter={"customer": "ann"})
    assert (payload["changed"], payload["alreadySo"], payload["unknown"]) == (1, 0, 0)
    query = f"mutation ($input: CodesVoidInput!) {{ codesVoid(input: $input) {{ {counts} userErrors {{ message }} }} }}"
    operations = json.dumps({"query": query, "variables": {"input": {"file": None}}})
    files = {"0": ("list.csv", b"code\nmany-1\nmany-2\nnobody\n", "text/csv")}
    answer = await api.post(
        ADMIN, data={"operations": operations, "map": '{"0": ["variables.input.file"]}'}, files=files
    )
    payload = answer.json()["data"]["codesVoid"]
    assert (payload["changed"], payload["alreadySo"], payload["unknown"]) == (2, 0, 1)
    assert payload["unknownRows"] == [{"row": 4, "shown": "nobody", "why": "There is no such code."}]
    numbers = await api.numbers(made)
    assert (numbers["void"], numbers["blocked"], numbers["available"]) == (2, 0, 4)
    wanted = {"promotion": made["id"], "filter": {"states": ["AVAILABLE", "VOID"]}}
    payload = await api.done("codesVoid", fields=counts, **wanted)
    assert (payload["changed"], payload["alreadySo"]) == (4, 2)


async def test_a_change_of_many_need_not_be_waited_for(api: Api) -> None:
    made = await api.promotion(codes=30)
    wanted = {"promotion": made["id"], "filter": {"states": ["AVAILABLE"]}}
    payload = await api.do("codesVoid", fields="changed job { id kind status done }", waitSeconds=0, **wanted)
    query = "query ($id: ID!) { node(id: $id) { ... on Job { kind status done total } } }"
    for _ in range(6_000):
        job = (await api.ask(query, {"id": payload["job"]["id"]}))["node"]
        if job["status"] == "DONE":
            break
        await asyncio.sleep(0.05)
    assert job == {"kind": "CODES_CHANGE", "status": "DONE", "done": 30, "total": 30}
    assert (await api.numbers(made))["void"] == 30
    payload = await api.done("codesVoid", fields="changed alreadySo job { status }", **wanted)
    assert (payload["changed"], payload["alreadySo"], payload["job"]) == (0, 0, {"status": "DONE"})


async def test_a_change_of_many_says_exactly_which(api: Api) -> None:
    made = await api.promotion(codes=1)
    assert await api.no("codesVoid") == [("INVALID", "input.codes")]
    assert await api.no("codesVoid", codes=["a"], promotion=made["id"]) == [("INVALID", "input.codes")]
    assert await api.no("codesVoid", promotion=made["id"]) == [("REQUIRED", "input.filter")]
    assert await api.no("codesVoid", promotion=made["id"], filter={}) == [("REQUIRED", "input.filter")]
    naive = {"addedFrom": "2027-01-01T00:00:00"}
    assert await api.no("codesVoid", promotion=made["id"], filter=naive) == [("INVALID", "input.filter.addedFrom")]
    wrong = {"batch": made["id"]}
    assert (await api.no("codesVoid", promotion=made["id"], filter=wrong))[0][1] == "input.filter.batch"
    assert await api.no("codesVoid", promotion="x", filter={"channel": "a"}) == [("INVALID", "input.promotion")]


async def test_the_expiry_of_a_batch_is_changed(api: Api) -> None:
    made = await api.promotion(codes=["expiring-1"])
    query = "query ($id: ID!) { promotion(id: $id) { batches { nodes { id } } } }"
    batch = (await api.ask(query, {"id": made["id"]}))["promotion"]["batches"]["nodes"][0]["id"]
    payload = await api.done("batchUpdate", id=batch, expiresAt="2020-01-01T00:00:00+01:00")
    assert payload["changed"] == 1
    code = (await api.ask('{ code(text: "expiring-1") { state expiresAt } }'))["code"]
    assert code == {"state": "EXPIRED", "expiresAt": "2019-12-31T23:00:00+00:00"}
    assert (await api.done("batchUpdate", id=batch))["changed"] == 1
    assert (await api.ask('{ code(text: "expiring-1") { state } }'))["code"] == {"state": "AVAILABLE"}
    assert await api.no("batchUpdate", id=made["id"]) == [("INVALID", "input.id")]
