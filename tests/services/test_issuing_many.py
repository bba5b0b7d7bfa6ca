"""Calls for many customers that have all else in common are answered as each of them would be by itself."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from promograph.domain.issuing import IssueOutcome, IssueRequest
from promograph.domain.issuing_many import Alike, FirstIssues
from promograph.domain.promotions import CodeKind, IssuePolicy, OnEmpty, Promotion
from promograph.store.inventories import Inventory

from .world import World, why

pytestmark = pytest.mark.anyio

EVERYBODY = [f"c{n}" for n in range(60)]


@dataclass(frozen=True)
class Case:
    """Calls, one after the other, each with what its requests have in common; `plain` are those that look up nobody."""

    calls: Sequence[tuple[list[str], dict[str, str]]]
    plain: Sequence[bool]
    terms: dict[str, Any] = field(default_factory=dict)
    codes: int = 70
    shared: str | None = None


PER_SEND = {"issue_policy": IssuePolicy.PER_SEND}
PER_MESSAGE = {"issue_policy": IssuePolicy.PER_MESSAGE}
CASES = {
    "all new": Case([(EVERYBODY, {"channel": "email", "send": "s"})], [True], {"valid_for": timedelta(days=3)}),
    "all again": Case([(EVERYBODY, {}), (EVERYBODY, {})], [True, False]),
    "the last one again": Case([(EVERYBODY[-1:], {}), (EVERYBODY, {})], [False, False]),
    "one twice": Case([([*EVERYBODY, "c7"], {})], [False]),
    "one unreadable": Case([([*EVERYBODY, " c7"], {})], [False]),
    "a cap that all are under": Case([(EVERYBODY, {})], [True], {"audience_cap": 60}),
    "a cap that some are over": Case([(EVERYBODY, {})], [False], {"audience_cap": 55}),
    "too few codes": Case([(EVERYBODY, {})], [False], codes=55),
    "too few, a shared one": Case([(EVERYBODY, {})], [False], {"on_empty": OnEmpty.FALLBACK}, 55, "FALL"),
    "too few, more are made": Case([(EVERYBODY, {})], [True], {"on_empty": OnEmpty.GENERATE}, 30),
    "one code for all": Case([(EVERYBODY, {})], [False], {"code_kind": CodeKind.SINGLE}, 0, "ALL"),
    "by sends": Case([(EVERYBODY[:50], {"send": "a"}), (EVERYBODY[5:55], {"send": "b"})], [True, True], PER_SEND, 100),
    "by sends, none named": Case([(EVERYBODY, {})], [False], PER_SEND),
    "by messages": Case([(EVERYBODY, {"message": "m"}), (EVERYBODY, {"message": "m"})], [True, False], PER_MESSAGE),
}


async def test_calls_for_many_are_answered_as_each_request_would_be(world: World) -> None:
    for name, case in CASES.items():
        seen = []
        for number in (1, 2):
            promotion = await world.promotion(
                codes=case.codes, shared=case.shared and f"{case.shared}-{number}", **case.terms
            )
            answers = [await _asked(world, promotion, *call, at_once=number == 1) for call in case.calls]
            if number == 1:
                assert [isinstance(answer, FirstIssues) for answer in answers] == case.plain, name
            seen.append((_shown(answers), _counts(await world.inventory(promotion))))
        assert seen[0] == seen[1], name


async def test_a_call_for_many_of_a_promotion_that_does_not_run(world: World) -> None:
    promotion = await world.promotion(codes=70, active=False)
    assert {*map(tuple, map(why, await _asked(world, promotion, EVERYBODY, {}, at_once=True)))} == {
        ("PROMOTION_INACTIVE",)
    }
    unknown = Alike(IssueRequest(promotion="nowhere", customer=""), EVERYBODY)
    assert {*map(tuple, map(why, await world.services.issuing.issue_many(unknown)))} == {("NOT_FOUND",)}


async def test_a_call_for_many_passes_over_codes_that_are_stopped(world: World) -> None:
    promotion = await world.promotion(codes=70)
    texts = [f"{promotion.terms.handle}-x{n}" for n in range(3)]
    await world.services.stocking.paste(promotion.id, "\n".join(texts), channel=None)
    first = f"P{promotion.terms.handle.rpartition('-')[2]}-00001"
    assert await world.block(first) == 1
    answers = await _asked(world, promotion, EVERYBODY, {}, at_once=True)
    assert [one.issuance.seq for one in answers if one.issuance] == list(range(2, 62))
    assert (await world.inventory(promotion)).available == 12


async def _asked(
    world: World, promotion: Promotion, customers: list[str], common: dict[str, str], *, at_once: bool
) -> Sequence[IssueOutcome]:
    like = IssueRequest(promotion=promotion.terms.handle, customer="", **common)  # type: ignore[arg-type]
    many = Alike(like, customers)
    return await world.services.issuing.issue_many(many if at_once else list(many))


def _shown(answers: Sequence[Sequence[IssueOutcome]]) -> list[Any]:
    """All but what tells two promotions apart, and codes that are made by chance."""
    return [
        (why(one), one.replayed, one.issuance and replace(one.issuance, promotion_id=0, handle="", text=""))
        for answer in answers
        for one in answer
    ]


def _counts(inventory: Inventory) -> Inventory:
    return replace(inventory, promotion_id=0)
