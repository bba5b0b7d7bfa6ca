"""Customers and audiences from files, over the API."""

import json
from typing import Any

import pytest

from .asking import ADMIN, Api

pytestmark = pytest.mark.anyio

REPORT = "job { status done failed } report { read created updated members bad badRows { row field message } }"


async def send(api: Api, name: str, content: bytes, fields: str, /, **input: Any) -> Any:
    kind = f"{name[0].upper()}{name[1:]}Input"
    query = f"mutation ($input: {kind}!) {{ {name}(input: $input) {{ {fields} userErrors {{ code field }} }} }}"
    operations = json.dumps({"query": query, "variables": {"input": {"file": None, **input}}})
    parts = {"operations": operations, "map": '{"0": ["variables.input.file"]}'}
    body = (await api.post(ADMIN, data=parts, files={"0": ("people.csv", content, "text/csv")})).json()
    assert "errors" not in body, body
    return body["data"][name]


async def test_a_file_of_customers_and_an_audience_of_them(api: Api) -> None:
    content = b"id;mail;tier\nf1;f1@example.com;gold\nf2;nowhere;gold\nf3;;silver\n"
    columns = {"email": "mail", "attributes": [{"name": "fileTier", "column": "tier"}]}
    dry = await send(api, "customersImport", content, REPORT, columns=columns, dryRun=True)
    real = await send(api, "customersImport", content, REPORT, columns=columns)
    assert dry == real
    assert real["job"] == {"status": "DONE", "done": 3, "failed": 1}
    bad = {
        "row": 3,
        "field": "email",
        "message": "email must be an address such as ada@example.com, at most 254 characters.",
    }
    assert real["report"] == {"read": 3, "created": 2, "updated": 0, "members": 0, "bad": 1, "badRows": [bad]}
    fields = f"{REPORT} audience {{ handle size source }}"
    made = await send(api, "audienceImport", b"f1\nf3\nunheard-of\n", fields, name="From a file", header=False)
    assert made["audience"] == {"handle": "from-a-file", "size": 3, "source": "FILE"}
    wrong = await send(api, "customersImport", content, REPORT, columns={"email": "nothing"})
    assert wrong["userErrors"] == [{"code": "NOT_FOUND", "field": ["input", "columns", "email"]}]
