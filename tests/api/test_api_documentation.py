"""The documents in docs/rewards-and-conditions.md, run one after the other: they say what is so."""

import re
from pathlib import Path
from typing import Any

import pytest

from .asking import Api

pytestmark = pytest.mark.anyio

TEXT = (Path(__file__).parent.parent.parent / "docs" / "rewards-and-conditions.md").read_text(encoding="utf-8")
DOCUMENTS = re.findall(r"```graphql\n(.*?)```", TEXT, re.DOTALL)


async def run_all(api: Api) -> list[dict[str, Any]]:
    """The answers; what one gives, the next ones are handed as variables."""
    answers: list[dict[str, Any]] = []
    known: dict[str, str] = {}
    for document in DOCUMENTS:
        named = set(re.findall(r"\$(\w+):", document))
        answer = await api.ask(document, {name: known[name] for name in named})
        answers.append(answer)
        if "promotionCreate" in answer:
            known["id"] = answer["promotionCreate"]["promotion"]["id"]
        if "codeIssue" in answer:
            known["code"] = answer["codeIssue"]["issuance"]["text"]
    return answers


async def test_the_documents_do_what_the_text_says(fresh: Api) -> None:
    kind, made, summary, activated, issued, validated, redeemed, shown = await run_all(fresh)
    for answer in (kind, made, activated, issued, redeemed):
        assert all(payload["userErrors"] == [] for payload in answer.values())
    warnings = summary["promotionSummary"]["warnings"]
    assert [(warning["code"], warning["blocksActivation"]) for warning in warnings] == [("NO_CODES", True)]
    assert activated["promotionActivate"]["promotion"]["status"] == "ACTIVE"
    (refusal,) = validated["codeValidate"]["userErrors"]
    assert refusal["code"] == "MINIMUM_NOT_MET"
    assert {name: refusal["data"][name] for name in ("missing", "currency")} == {"missing": "8.01", "currency": "EUR"}
    assert redeemed["codeRedeem"]["redemption"]["discount"] == {"amount": "12.40", "currency": "EUR"}
    assert shown["promotion"]["budget"] == {
        "total": {"amount": "100000.00"},
        "spent": {"amount": "12.40"},
        "held": {"amount": "0.00"},
        "left": {"amount": "99987.60"},
    }
    assert shown["promotion"]["condition"]["text"] == "cart subtotal over 50.00 EUR"
    again = await fresh.ask(DOCUMENTS[2])
    assert again["promotionSummary"]["warnings"] == []


async def test_the_end_of_the_day_is_when_the_text_says(fresh: Api) -> None:
    await run_all(fresh)
    window = (await fresh.ask('{ promotion(handle: "winter-sale") { window { endsAt } } }'))["promotion"]["window"]
    assert window["endsAt"] == "2027-12-16T05:00:00+00:00"
