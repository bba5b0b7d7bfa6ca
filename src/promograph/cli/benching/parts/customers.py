"""A million customers: told of, changed, counted by conditions over their codes, and frozen into audiences."""

import asyncio
from collections.abc import Iterator
from statistics import median
from time import perf_counter
from typing import Any

from promograph.cli.benching.customers import UPSERTED_A_SECOND, told
from promograph.cli.benching.driving import Job
from promograph.cli.benching.failures import expect
from promograph.cli.benching.figures import Row, at_least, within
from promograph.cli.benching.operations import UPSERT
from promograph.cli.benching.parts.crowd import SPRING, SUMMER, Crowd, person, questions
from promograph.cli.benching.parts.part import Part, Site
from promograph.cli.benching.parts.serving import Ground, served
from promograph.cli.benching.stores import settle
from promograph.cli.benching.supplies import run_promotion
from promograph.domain.promotions import IssuePolicy, PromotionTerms
from promograph.services.app import Services

COUNT_SECONDS = {True: 3.0, False: 1.5}
"""By whether it is SQLite."""
AUDIENCE_SECONDS = 15.0

_A_CALL = 10_000
_SLICE = 100_000
"""So many customers are made into requests at a time."""
_LONGEST_SECONDS = 900.0
_PREVIEW = "query($input: SegmentPreviewInput!) { segmentPreview(input: $input) { count } }"


def measure(site: Site) -> list[Row]:
    crowd = Crowd(size=site.count)

    async def stock(services: Services) -> None:
        for handle in (SPRING, SUMMER):
            terms = PromotionTerms(handle=handle, name=handle, issue_policy=IssuePolicy.PER_SEND)
            await run_promotion(services, terms, sum(map(len, crowd.takers(handle))))

    with site.bars.waiting("generating codes"):
        serving = served(site, stock)
    with serving as ground:
        rows = list(_upserts(site, ground))
        with site.bars.waiting("issuing codes"):
            _issue(ground, crowd)
            asyncio.run(settle(site.url, "code", "issuance", "customer"))
        return [*rows, *_counts(site, ground, crowd), *_audiences(site, ground)]


def _upserts(site: Site, ground: Ground[None]) -> Iterator[Row]:
    """All of them as new; then the first as they are, and with one attribute changed."""
    known = min(site.count, _SLICE)
    for what, size, visits in (
        ("new", site.count, 0),
        ("known and the same", known, 0),
        ("known, one attribute changed", known, 1),
    ):
        starts = range(0, size, _SLICE)
        taken = sum(
            _told_seconds(site, ground, range(start, min(start + _SLICE, size)), visits)
            for start in site.bars.each(starts, f"customersUpsert, {what}", len(starts))
        )
        rate = size / taken
        target = at_least(rate, UPSERTED_A_SECOND, "customers")
        yield Row(
            what=f"customersUpsert, {size:,} {what}", unit="customers", connections=1, rate=rate, targets=(target,)
        )


def _told_seconds(site: Site, ground: Ground[None], numbers: range, visits: int) -> float:
    calls = [numbers[start : start + _A_CALL] for start in range(0, len(numbers), _A_CALL)]
    job = Job(
        port=ground.server.port,
        token=ground.api.token,
        operation=UPSERT,
        inputs=[{"customers": told(call, visits=visits)} for call in calls],
        connections=1,
        seconds=_LONGEST_SECONDS,
    )
    window = site.window(job)
    return window.used / window.rate


def _issue(ground: Ground[None], crowd: Crowd) -> None:
    for handle in (SPRING, SUMMER):
        for send, takers in zip(("one", "two"), crowd.takers(handle), strict=True):
            for start in range(0, len(takers), _A_CALL):
                ids = [person(number) for number in takers[start : start + _A_CALL]]
                payload = ground.api.act("codesIssue", "issued", promotion=handle, customers=ids, send=send)
                expect(payload["issued"] == len(ids), "codesIssue", payload)


def _counts(site: Site, ground: Ground[None], crowd: Crowd) -> Iterator[Row]:
    asked = questions()
    rounds = 2 if site.quick else 5
    for question in site.bars.each(asked, "counting", len(asked)):
        wanted, times = question.count(crowd), []
        for _ in range(rounds):
            began = perf_counter()
            answer = ground.api.ask(_PREVIEW, input={"condition": question.condition})["segmentPreview"]
            times.append(perf_counter() - began)
            expect(answer["count"] == wanted, question.what, f"{answer['count']:,} of {wanted:,}")
        seconds = median(times)
        yield Row(
            what=f"segment, {wanted:,} of {crowd.size:,}: {question.what}",
            unit="",
            seconds=seconds,
            targets=(within(seconds, COUNT_SECONDS[site.is_sqlite]),),
        )


def _audiences(site: Site, ground: Ground[None]) -> Iterator[Row]:
    """Frozen from a segment that everybody is in, from a file of ids, and told by the list."""
    api, ids = ground.api, [person(number) for number in range(site.count)]

    def from_segment() -> Any:
        condition = {"attribute": {"name": "age", "op": "EXISTS"}}
        segment = api.act("segmentCreate", "segment { handle }", name="Everybody", condition=condition)["segment"]
        return api.act("audienceCreate", "audience { id }", name="Frozen", segment=segment["handle"])["audience"]

    def from_file() -> Any:
        content = "\n".join(["customer", *ids, ""]).encode()
        made = api.upload("audienceImport", "job { id }", "people.csv", content, name="Filed")
        api.finished(made["job"])
        found = api.ask("{ audiences(first: 50) { nodes { id name } } }")["audiences"]["nodes"]
        return next(each for each in found if each["name"] == "Filed")

    def from_list() -> Any:
        made = api.act("audienceCreate", "audience { id }", name="Listed", customers=ids[:_A_CALL])["audience"]
        for start in range(_A_CALL, len(ids), _A_CALL):
            api.act("audienceUpdate", "audience { id }", id=made["id"], add=ids[start : start + _A_CALL])
        return made

    for what, make in (("a segment", from_segment), ("a file of ids", from_file), ("a list, 10,000 a call", from_list)):
        with site.bars.waiting(f"an audience from {what}"):
            made, seconds = ground.timed(make)
            peak = ground.server.peak_mb
            audience = api.ask("query($id: ID!) { node(id: $id) { ... on Audience { size } } }", id=made["id"])["node"]
        expect(audience["size"] == site.count, f"An audience from {what}", audience)
        yield Row(
            what=f"audience of {site.count:,} from {what}",
            unit="customers",
            rate=site.count / seconds,
            seconds=seconds,
            peak_mb=peak,
            targets=(within(seconds, AUDIENCE_SECONDS),),
        )


CUSTOMERS = Part(
    name="customers",
    about="1,000,000 customers with codes: told of, counted by conditions of five leaves, frozen into audiences (about "
    "three minutes a store)",
    measure=measure,
    full=1_000_000,
    quick=30_000,
)
