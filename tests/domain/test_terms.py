"""What a promotion's terms must satisfy, and which of them may change when."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from promograph.domain.codes.formats import CodeFormat
from promograph.domain.promotions import CodeKind, IssuePolicy, OnEmpty, Promotion, PromotionStatus, PromotionTerms
from promograph.domain.terms import check_change, checked_terms
from promograph.domain.windows import Window
from promograph.errors import BadInput, InputProblem

NOW = datetime(2027, 3, 1, tzinfo=UTC)
GOOD = PromotionTerms(handle="spring", name="Spring")


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"handle": "a"},
        {"handle": "0-9._x"},
        {"handle": "a" * 64},
        {"name": "é" * 200},
        {"description": "x" * 10_000},
        {"properties": {f"p{n}": "v" for n in range(50)}},
        {"properties": {"k" * 64: "v" * 500, "empty": ""}},
        {"audience_cap": 1, "uses_per_code": 10**12, "uses_per_customer": 1},
        {"audience_cap": None, "uses_per_code": None, "uses_per_customer": None},
        {"valid_for": timedelta(seconds=1)},
        {"valid_for": timedelta(days=36_500)},
        {"code_kind": CodeKind.SINGLE},
        {"on_empty": OnEmpty.GENERATE},
        {"on_empty": OnEmpty.FALLBACK, "code_kind": CodeKind.MULTIPLE},
    ],
)
def test_good_terms(change: dict[str, Any]) -> None:
    terms = replace(GOOD, **change)
    assert checked_terms(terms) is terms


@pytest.mark.parametrize(
    ("change", "problem", "field"),
    [
        ({"handle": ""}, InputProblem.INVALID, "handle"),
        ({"handle": "Spring"}, InputProblem.INVALID, "handle"),
        ({"handle": "-a"}, InputProblem.INVALID, "handle"),
        ({"handle": "a."}, InputProblem.INVALID, "handle"),
        ({"handle": "a\n"}, InputProblem.INVALID, "handle"),
        ({"handle": "a" * 65}, InputProblem.INVALID, "handle"),
        ({"name": ""}, InputProblem.REQUIRED, "name"),
        ({"name": " \u3000"}, InputProblem.REQUIRED, "name"),
        ({"name": "x" * 201}, InputProblem.OUT_OF_RANGE, "name"),
        ({"name": "a\0"}, InputProblem.INVALID, "name"),
        ({"name": "a\ud800"}, InputProblem.INVALID, "name"),
        ({"description": "x" * 10_001}, InputProblem.OUT_OF_RANGE, "description"),
        ({"description": "\0"}, InputProblem.INVALID, "description"),
        ({"properties": {f"p{n}": "" for n in range(51)}}, InputProblem.TOO_MANY, "properties"),
        ({"properties": {"": "v"}}, InputProblem.OUT_OF_RANGE, "properties"),
        ({"properties": {"k" * 65: ""}}, InputProblem.OUT_OF_RANGE, "properties"),
        ({"properties": {"k": "v" * 501}}, InputProblem.OUT_OF_RANGE, "properties"),
        ({"properties": {"k": "\udfff"}}, InputProblem.INVALID, "properties"),
        ({"audience_cap": 0}, InputProblem.OUT_OF_RANGE, "audienceCap"),
        ({"audience_cap": 10**12 + 1}, InputProblem.OUT_OF_RANGE, "audienceCap"),
        ({"uses_per_code": 0}, InputProblem.OUT_OF_RANGE, "usesPerCode"),
        ({"uses_per_customer": -1}, InputProblem.OUT_OF_RANGE, "usesPerCustomer"),
        ({"valid_for": timedelta(0)}, InputProblem.OUT_OF_RANGE, "validFor"),
        ({"valid_for": timedelta(milliseconds=999)}, InputProblem.OUT_OF_RANGE, "validFor"),
        ({"valid_for": timedelta(days=36_501)}, InputProblem.OUT_OF_RANGE, "validFor"),
        ({"valid_for": timedelta(days=-1)}, InputProblem.OUT_OF_RANGE, "validFor"),
        ({"code_kind": CodeKind.SINGLE, "on_empty": OnEmpty.FALLBACK}, InputProblem.INVALID, "onEmpty"),
        ({"code_kind": CodeKind.SINGLE, "on_empty": OnEmpty.GENERATE}, InputProblem.INVALID, "onEmpty"),
        ({"window": Window(time_zone="Nowhere")}, InputProblem.INVALID, "timeZone"),
        ({"window": Window(starts_at=NOW, ends_at=NOW)}, InputProblem.INVALID, "endsAt"),
        ({"code_format": CodeFormat(length=0)}, InputProblem.OUT_OF_RANGE, "length"),
    ],
)
def test_bad_terms_name_their_field(change: dict[str, Any], problem: InputProblem, field: str) -> None:
    with pytest.raises(BadInput) as caught:
        checked_terms(replace(GOOD, **change))
    assert (caught.value.problem, caught.value.field) == (problem, (field,))


@pytest.mark.parametrize("look", [CodeFormat(prefix="TEST-"), CodeFormat(prefix="test-x"), CodeFormat(prefix="TEST")])
def test_a_format_whose_codes_would_pass_for_placeholders_is_turned_down(look: CodeFormat) -> None:
    """Codes made on demand are of this format, and no real code may begin like a placeholder."""
    if look.prefix == "TEST":
        look = replace(look, alphabet="-ABCDEFGHJKMN")
    with pytest.raises(BadInput) as caught:
        checked_terms(replace(GOOD, on_empty=OnEmpty.GENERATE, code_format=look))
    assert caught.value.problem is InputProblem.INVALID


def stored(status: PromotionStatus, terms: PromotionTerms = GOOD) -> Promotion:
    return Promotion(
        id=1,
        terms=terms,
        stored_status=status,
        stored_end_reason=None,
        stop_redeeming=False,
        created_at=NOW,
        updated_at=NOW,
    )


FIXED = {
    "code_kind": (CodeKind.MULTIPLE, "codeKind"),
    "issue_policy": (IssuePolicy.PER_SEND, "issuePolicy"),
    "handle": ("summer", "handle"),
}
FREE: dict[str, Any] = {
    "name": "Summer",
    "description": "Later",
    "properties": {"a": "b"},
    "on_empty": OnEmpty.GENERATE,
    "code_format": CodeFormat(length=12),
    "window": Window(ends_at=NOW + timedelta(days=1)),
    "valid_for": timedelta(hours=1),
    "audience_cap": 5,
    "uses_per_code": 2,
    "uses_per_customer": 2,
    "holder_only": True,
}


@pytest.mark.parametrize("status", [PromotionStatus.ACTIVE, PromotionStatus.PAUSED])
def test_what_customers_were_told_stays_once_the_draft_is_left(status: PromotionStatus) -> None:
    for name, (value, field) in FIXED.items():
        with pytest.raises(BadInput) as caught:
            check_change(stored(status), replace(GOOD, **{name: value}), NOW, has_codes=False)
        assert (caught.value.problem, caught.value.field) == (InputProblem.STATE, (field,))
    for name, value in FREE.items():
        check_change(stored(status), replace(GOOD, **{name: value}), NOW, has_codes=True)


def test_a_draft_may_become_anything_but_its_codes_stay_of_their_kind() -> None:
    draft = stored(PromotionStatus.DRAFT)
    for name, (value, _) in FIXED.items():
        check_change(draft, replace(GOOD, **{name: value}), NOW, has_codes=True)
    single = replace(GOOD, code_kind=CodeKind.SINGLE)
    check_change(draft, single, NOW, has_codes=False)
    with pytest.raises(BadInput) as caught:
        check_change(draft, single, NOW, has_codes=True)
    assert caught.value.field == ("codeKind",)


def test_what_has_ended_stays_as_it_was() -> None:
    over = stored(PromotionStatus.ACTIVE, replace(GOOD, window=Window(ends_at=NOW)))
    for promotion in (stored(PromotionStatus.ENDED), stored(PromotionStatus.ARCHIVED), over):
        with pytest.raises(BadInput, match="duplicate it") as caught:
            check_change(promotion, replace(promotion.terms, name="New"), NOW, has_codes=False)
        assert caught.value.problem is InputProblem.STATE
