"""API tokens over HTTP."""

from typing import Any

import pytest

from .asking import ADMIN, SCOPES, Api, problems

pytestmark = pytest.mark.anyio

TOKENS = "{ tokens { id name scopes createdAt revokedAt } }"


async def test_a_token_is_shown_once_and_works(fresh: Api) -> None:
    made = await fresh.done("tokenCreate", name="shop", scopes=["CODES_REDEEM", "CODES_ISSUE", "CODES_REDEEM"])
    assert made["token"] == {
        "id": made["token"]["id"],
        "name": "shop",
        "scopes": ["CODES_ISSUE", "CODES_REDEEM"],
        "createdAt": "2027-03-01T12:00:00+00:00",
        "revokedAt": None,
    }
    assert len(made["text"]) > 40
    assert problems(await fresh.validate("x", token=made["text"])) == [("NOT_FOUND", None)]
    answer = await fresh.post(ADMIN, json={"query": TOKENS})
    assert [each["name"] for each in answer.json()["data"]["tokens"]] == [*SCOPES, "shop"]
    assert made["text"] not in answer.text


async def test_a_revoked_token_stays_in_the_list(fresh: Api) -> None:
    made = await fresh.done("tokenCreate", name="old", scopes=["ADMIN"])
    fresh.clock.move(hours=1)
    revoked = (await fresh.done("tokenRevoke", name="old"))["token"]
    assert revoked == made["token"] | {"revokedAt": "2027-03-01T13:00:00+00:00"}
    assert (await fresh.ask(TOKENS))["tokens"][-1] == revoked
    assert await fresh.no("tokenRevoke", name="old") == [("NOT_FOUND", "input.name")]
    assert await fresh.no("tokenCreate", name="old", scopes=["ADMIN"]) == [("TAKEN", "input.name")]


@pytest.mark.parametrize(
    ("input", "problem"),
    [
        ({"name": "admin"}, ("TAKEN", "input.name")),
        ({"name": ""}, ("REQUIRED", "input.name")),
        ({"name": "n" * 65}, ("OUT_OF_RANGE", "input.name")),
        ({"name": "a\0b"}, ("INVALID", "input.name")),
        ({"name": "a\nb"}, ("INVALID", "input.name")),
        ({"name": " a"}, ("INVALID", "input.name")),
        ({"scopes": []}, ("REQUIRED", "input.scopes")),
    ],
    ids=str,
)
async def test_what_is_no_token_is_refused(api: Api, input: dict[str, Any], problem: tuple[str, str]) -> None:
    before = await api.ask(TOKENS)
    assert await api.no("tokenCreate", **{"name": "new", "scopes": ["ADMIN"]} | input) == [problem]
    assert await api.ask(TOKENS) == before


@pytest.mark.parametrize(
    ("name", "code"),
    [("no-such", "NOT_FOUND"), ("", "REQUIRED"), ("a\0b", "INVALID"), ("n" * 65, "OUT_OF_RANGE"), ("é🎄", "NOT_FOUND")],
)
async def test_a_token_that_is_not_there_is_not_revoked(api: Api, name: str, code: str) -> None:
    assert await api.no("tokenRevoke", name=name) == [(code, "input.name")]
