"""Messages over the API: all that is wrong at once, and how one will look."""

from typing import Any

import pytest

from .asking import MARKETER, SENDER, Api

pytestmark = pytest.mark.anyio

CHECK = """query ($input: TemplateCheckInput!) { templateCheck(input: $input) {
    problems { part line code message } codes { promotionHandle promotionName act } attributes } }"""
PREVIEW = """query ($input: TemplatePreviewInput!) { templatePreview(input: $input) {
    problems { part line code } skipped { code message }
    message { subject text html codes sms { encoding units segments beyond splitCodes } } } }"""


async def check(api: Api, *, token: str = SENDER, **input: Any) -> dict[str, Any]:
    found: dict[str, Any] = (await api.ask(CHECK, {"input": input}, token=token))["templateCheck"]
    return found


async def preview(api: Api, **input: Any) -> dict[str, Any]:
    found: dict[str, Any] = (await api.ask(PREVIEW, {"input": input}, token=SENDER))["templatePreview"]
    return found


async def test_a_check_tells_all_problems_and_then_what_is_asked_for(api: Api) -> None:
    made = await api.promotion(name="Autumn", codes=2)
    content = {"subject": "{{ clinet.email }}", "html": "<p>\n{{ client.promocode('autum') }}</p>"}
    found = await check(api, medium="EMAIL", content=content, token=MARKETER)
    assert [(one["part"], one["line"], one["code"]) for one in found["problems"]] == [
        ("SUBJECT", 1, "UNKNOWN_NAME"),
        ("HTML", 2, "UNKNOWN_PROMOTION"),
    ]
    assert found["codes"] == []
    content = {"subject": "Hi", "text": "{{ promocode }} {{ client.last_promocode('Autumn') }}"}
    found = await check(api, medium="EMAIL", content=content, promotion=made["handle"])
    code = {"promotionHandle": made["handle"], "promotionName": "Autumn"}
    assert found == {
        "problems": [],
        "codes": [{**code, "act": "ISSUE"}, {**code, "act": "REPEAT"}],
        "attributes": [],
    }


async def test_a_preview_for_a_customer_and_for_one_who_is_made_up(api: Api) -> None:
    made = await api.promotion(codes=2)
    told = [{"id": "preview-ann", "email": "ann@example.com", "attributes": {"town": "Lyon"}}]
    await api.done("customersUpsert", customers=told, fields="created")
    before = await api.numbers(made)
    content = {"text": "{{ client.attributes.town | default('?') }} {{ promocode | default('no code') }} ✓"}
    message = {"medium": "SMS", "content": content, "promotion": made["handle"]}
    found = await preview(api, **message, customer="preview-ann")
    (code,) = found["message"]["codes"]
    assert code.startswith("TEST-")
    assert found["message"]["text"] == f"Lyon {code} ✓"
    size = {"encoding": "UCS_2", "units": len(f"Lyon {code} ✓"), "segments": 1, "beyond": ["✓"], "splitCodes": []}
    assert found["message"]["sms"] == size
    found = await preview(api, **message, sample={"attributes": {"town": "Rome"}}, withCodes=False)
    assert found["message"]["text"] == "Rome no code ✓"
    assert (await preview(api, **message))["message"]["text"].startswith("? TEST-")
    assert await api.numbers(made) == before


async def test_a_preview_says_why_a_customer_would_get_nothing(api: Api) -> None:
    made = await api.promotion(codes=1)
    message = {"medium": "SMS", "content": {"text": "{{ promocode }}"}, "promotion": made["handle"]}
    found = await preview(api, **message, withCodes=False)
    assert (found["message"], found["skipped"]["code"]) == (None, "POOL_EMPTY")
    found = await preview(api, medium="SMS", content={"text": "{{ promocode"})
    assert (found["message"], found["problems"][0]["code"]) == (None, "SYNTAX")


@pytest.mark.parametrize(
    ("input", "error"),
    [
        ({"content": {"text": "x", "html": "x"}}, ("INVALID", ["html"])),
        ({"content": {}}, ("REQUIRED", ["text"])),
        ({"content": {"text": "x"}, "customer": "nobody-at-all"}, ("NOT_FOUND", ["customer"])),
        ({"content": {"text": "x"}, "customer": "x", "sample": {}}, ("INVALID", ["sample"])),
        ({"content": {"text": "x"}, "sample": {"email": "x"}}, ("INVALID", ["sample", "email"])),
        ({"content": {"text": "x"}, "promotion": ""}, ("REQUIRED", ["promotion"])),
    ],
)
async def test_input_that_cannot_be_a_message(api: Api, input: dict[str, Any], error: Any) -> None:
    assert await api.errors(PREVIEW, {"input": {"medium": "SMS", **input}}, token=SENDER) == [error]
