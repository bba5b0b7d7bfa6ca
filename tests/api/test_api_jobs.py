"""Jobs over the API: who sees which, and what cannot be cancelled."""

from base64 import urlsafe_b64encode
from typing import Any

import pytest

from promograph.domain.jobs import JobKind
from promograph.services.jobs import Asking
from promograph.store.jobs import NewJob

from .asking import ADMIN, MARKETER, PEOPLE, Api

pytestmark = pytest.mark.anyio

JOBS = """query ($first: Int, $after: String, $status: [JobStatus!], $kind: [JobKind!]) {
    jobs(first: $first, after: $after, status: $status, kind: $kind) {
    nodes { id kind status done total failed error cancelling createdAt startedAt finishedAt }
    pageInfo { hasNextPage endCursor } } }"""
NODE = "query ($id: ID!) { node(id: $id) { ... on Job { kind status promotion { handle } batch { id } } } }"
CANCEL = "mutation ($id: ID!) { jobCancel(input: {id: $id}) { job { status cancelling } userErrors { code field } } }"


def id_of(number: int) -> str:
    return urlsafe_b64encode(f"Job:{number}".encode()).decode().rstrip("=")


@pytest.fixture
async def jobs(fresh: Api) -> dict[str, str]:
    """A job of each of two kinds, of which no server knows how to do them: they wait."""
    made = {}
    fresh.services.runner._kinds = {}
    for kind in (JobKind.CODES_EXPORT, JobKind.CUSTOMERS_IMPORT):
        fresh.services.runner._is_closing = True
        job = await fresh.services.jobs.submit(NewJob(kind=kind, input={}), Asking(operation=kind, key=None))
        made[kind.value] = id_of(job.id)
    fresh.services.runner._is_closing = False
    return made


async def ids(api: Api, token: str, **more: Any) -> list[str]:
    return [job["id"] for job in (await api.ask(JOBS, more, token=token))["jobs"]["nodes"]]


async def test_each_caller_sees_the_jobs_that_concern_it(fresh: Api, jobs: dict[str, str]) -> None:
    export, people = jobs["CODES_EXPORT"], jobs["CUSTOMERS_IMPORT"]
    assert await ids(fresh, ADMIN) == [people, export]
    assert await ids(fresh, MARKETER) == [export]
    assert await ids(fresh, PEOPLE) == [people]
    kind = "query ($id: ID!) { node(id: $id) { ... on Job { kind } } }"
    for token, seen, hidden in ((MARKETER, export, people), (PEOPLE, people, export)):
        assert (await fresh.ask(kind, {"id": seen}, token=token))["node"] is not None
        assert (await fresh.ask(kind, {"id": hidden}, token=token))["node"] is None
        answer = (await fresh.ask(CANCEL, {"id": hidden}, token=token))["jobCancel"]
        assert answer == {"job": None, "userErrors": [{"code": "NOT_FOUND", "field": ["input", "id"]}]}
    assert (await fresh.ask(NODE, {"id": export}))["node"] == {
        "kind": "CODES_EXPORT",
        "status": "WAITING",
        "promotion": None,
        "batch": None,
    }


async def test_jobs_are_filtered_and_paged(fresh: Api, jobs: dict[str, str]) -> None:
    export, people = jobs["CODES_EXPORT"], jobs["CUSTOMERS_IMPORT"]
    assert await ids(fresh, ADMIN, kind=["CODES_EXPORT"]) == [export]
    assert await ids(fresh, ADMIN, status=["DONE"]) == []
    assert await ids(fresh, ADMIN, status=["WAITING", "DONE"]) == [people, export]
    page = (await fresh.ask(JOBS, {"first": 1}))["jobs"]
    assert page["pageInfo"]["hasNextPage"]
    assert await ids(fresh, ADMIN, first=1, after=page["pageInfo"]["endCursor"]) == [export]


async def test_a_job_that_waits_is_to_be_cancelled_by_whoever_takes_it(fresh: Api, jobs: dict[str, str]) -> None:
    answer = (await fresh.ask(CANCEL, {"id": jobs["CODES_EXPORT"]}))["jobCancel"]
    assert answer == {"job": {"status": "WAITING", "cancelling": True}, "userErrors": []}
    unknown = (await fresh.ask(CANCEL, {"id": id_of(999)}))["jobCancel"]["userErrors"]
    assert unknown == [{"code": "NOT_FOUND", "field": ["input", "id"]}]
    wrong = (await fresh.ask(CANCEL, {"id": "x"}))["jobCancel"]["userErrors"]
    assert wrong == [{"code": "INVALID", "field": ["input", "id"]}]
