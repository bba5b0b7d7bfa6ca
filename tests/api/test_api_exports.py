"""Exports over the API: the job, its download, and who may have it."""

import asyncio
from typing import Any

import pytest

from .asking import ISSUER, READER, Api

pytestmark = pytest.mark.anyio

_JOB = "query ($id: ID!) { node(id: $id) { ... on Job { status download { url name size expiresAt } } } }"


async def download_of(api: Api, **input: Any) -> dict[str, Any]:
    """What the job has made."""
    payload = await api.done("codesExport", fields="job { id status }", **input)
    for _ in range(6_000):
        job: dict[str, Any] = (await api.ask(_JOB, {"id": payload["job"]["id"]}))["node"]
        if job["status"] == "DONE":
            download: dict[str, Any] = job["download"]
            return download
        await asyncio.sleep(0.05)
    raise AssertionError(job)


async def test_the_link_gives_the_file_to_whoever_has_it_as_often_as_they_like(api: Api) -> None:
    made = await api.promotion(codes=["link-1", "=link-2"])
    await api.issue(made, "ann")
    download = await download_of(api, promotion=made["id"])
    for _ in range(2):
        answer = await api.client.get(download["url"])
        assert answer.status_code == 200
        assert answer.headers["content-length"] == str(int(download["size"])) == str(len(answer.content))
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert answer.headers["content-disposition"] == f'attachment; filename="{download["name"]}"'
        assert answer.headers["cache-control"] == "private, no-store"
        lines = answer.content.decode("utf-8-sig").splitlines()
        assert [line.split(",")[:2] for line in lines[1:]] == [["link-1", "ISSUED"], ["'=link-2", "AVAILABLE"]]
    head = await api.client.head(download["url"])
    assert (head.status_code, head.content) == (200, b"")
    assert (await api.client.get(download["url"][:-1])).status_code == 404
    assert (await api.client.get("/downloads/nothing")).status_code == 404
    api.clock.move(hours=25)
    assert (await api.client.get(download["url"])).status_code == 410
    api.clock.move(hours=-25)


async def test_a_workbook_of_a_selection(api: Api) -> None:
    made = await api.promotion(codes=3)
    download = await download_of(api, promotion=made["id"], filter={"states": ["ISSUED"]}, format="XLSX")
    answer = await api.client.get(download["url"])
    assert answer.content.startswith(b"PK")
    assert download["name"].endswith(".xlsx")


async def test_who_may_not_see_codes_sees_no_download(api: Api) -> None:
    made = await api.promotion(codes=1)
    payload = await api.done("codesExport", fields="job { id }", promotion=made["id"])
    for token in (READER, ISSUER):
        errors = await api.errors(_JOB, {"id": payload["job"]["id"]}, token=token)
        assert errors[0][0] == "FORBIDDEN"


async def test_an_export_of_nothing_that_there_is(api: Api) -> None:
    assert await api.no("codesExport", promotion="x") == [("INVALID", "input.promotion")]
    made = await api.promotion(codes=1)
    naive = {"issuedFrom": "2027-01-01T00:00:00"}
    assert await api.no("codesExport", promotion=made["id"], filter=naive) == [("INVALID", "input.filter.issuedFrom")]
