"""A promotion's states as the clock makes them, and what may be done in each."""

from datetime import UTC, datetime, timedelta

import pytest

from promograph.domain.issuing import IssueRequest, occasion, repeat_occasion, why_not_open
from promograph.domain.promotions import (
    EndReason,
    IssuePolicy,
    Promotion,
    PromotionStatus,
    PromotionTerms,
    check_may,
    takes_codes,
)
from promograph.domain.refusals import RefusalCode, refuse
from promograph.domain.windows import Window
from promograph.errors import BadInput, InputProblem

START = datetime(2027, 3, 1, tzinfo=UTC)
END = datetime(2027, 4, 1, tzinfo=UTC)
INSTANT = timedelta(microseconds=1)
BEFORE, DURING, AFTER = START - INSTANT, START, END

DRAFT, SCHEDULED, ACTIVE = PromotionStatus.DRAFT, PromotionStatus.SCHEDULED, PromotionStatus.ACTIVE
PAUSED, ENDED, ARCHIVED = PromotionStatus.PAUSED, PromotionStatus.ENDED, PromotionStatus.ARCHIVED


def promotion(stored: PromotionStatus, reason: EndReason | None = None, *, cap: int | None = None) -> Promotion:
    window = Window(starts_at=START, ends_at=END)
    return Promotion(
        id=1,
        terms=PromotionTerms(handle="spring", name="Spring", window=window, audience_cap=cap),
        stored_status=stored,
        stored_end_reason=reason,
        stop_redeeming=False,
        created_at=START,
        updated_at=START,
    )


@pytest.mark.parametrize(
    ("stored", "before", "during", "after"),
    [
        (DRAFT, DRAFT, DRAFT, DRAFT),
        (ACTIVE, SCHEDULED, ACTIVE, ENDED),
        (PAUSED, PAUSED, PAUSED, ENDED),
        (ENDED, ENDED, ENDED, ENDED),
        (ARCHIVED, ARCHIVED, ARCHIVED, ARCHIVED),
    ],
)
def test_the_clock_decides_what_is_stored_only_once(
    stored: PromotionStatus, before: PromotionStatus, during: PromotionStatus, after: PromotionStatus
) -> None:
    found = [promotion(stored).status(now) for now in (BEFORE, DURING, AFTER)]
    assert found == [before, during, after]


def test_an_ended_promotion_says_why() -> None:
    assert promotion(ACTIVE).end_reason(DURING) is None
    assert promotion(ACTIVE).end_reason(AFTER) is EndReason.WINDOW_OVER
    assert promotion(PAUSED).end_reason(AFTER) is EndReason.WINDOW_OVER
    assert promotion(ENDED, EndReason.AUDIENCE_CAP).end_reason(AFTER) is EndReason.AUDIENCE_CAP
    assert promotion(ENDED, EndReason.BY_HAND).end_reason(BEFORE) is EndReason.BY_HAND
    assert promotion(ARCHIVED, EndReason.BY_HAND).end_reason(AFTER) is None


ALLOWED = {
    "activate": {DRAFT, PAUSED},
    "pause": {ACTIVE, SCHEDULED},
    "end": {ACTIVE, SCHEDULED, PAUSED, ENDED},
    "archive": {DRAFT, ENDED},
}
SEEN_AS = {
    DRAFT: (DRAFT, DURING),
    SCHEDULED: (ACTIVE, BEFORE),
    ACTIVE: (ACTIVE, DURING),
    PAUSED: (PAUSED, DURING),
    ENDED: (ENDED, DURING),
    ARCHIVED: (ARCHIVED, DURING),
}


@pytest.mark.parametrize("act", ALLOWED)
@pytest.mark.parametrize("status", PromotionStatus)
def test_each_act_starts_only_where_it_may(act: str, status: PromotionStatus) -> None:
    stored, now = SEEN_AS[status]
    subject = promotion(stored)
    assert subject.status(now) is status
    if status in ALLOWED[act]:
        check_may(act, subject, now)
        return
    with pytest.raises(BadInput, match=f"{status} cannot be told to {act}") as caught:
        check_may(act, subject, now)
    assert caught.value.problem is InputProblem.STATE


def test_a_window_that_is_over_can_be_archived_and_not_activated_again() -> None:
    check_may("archive", promotion(ACTIVE), AFTER)
    check_may("archive", promotion(PAUSED), AFTER)
    for stored in (ACTIVE, PAUSED):
        with pytest.raises(BadInput):
            check_may("activate", promotion(stored), AFTER)


def test_codes_are_added_until_the_end() -> None:
    for status, (stored, now) in SEEN_AS.items():
        assert takes_codes(promotion(stored), now) is (status not in (ENDED, ARCHIVED))
    assert not takes_codes(promotion(ACTIVE), AFTER)


def test_why_nothing_is_issued() -> None:
    assert why_not_open(promotion(ACTIVE), DURING) is None
    assert why_not_open(promotion(ACTIVE), BEFORE) == refuse(RefusalCode.NOT_STARTED, starts_at=START.isoformat())
    full = promotion(ENDED, EndReason.AUDIENCE_CAP, cap=90)
    assert why_not_open(full, DURING) == refuse(RefusalCode.AUDIENCE_CAP_REACHED, limit=90)
    for stored, now, shown in (
        (DRAFT, DURING, DRAFT),
        (PAUSED, BEFORE, PAUSED),
        (ACTIVE, AFTER, ENDED),
        (ENDED, DURING, ENDED),
        (ARCHIVED, DURING, ARCHIVED),
    ):
        assert why_not_open(promotion(stored), now) == refuse(RefusalCode.PROMOTION_INACTIVE, status=shown)


def test_the_occasion_is_what_the_policy_says() -> None:
    bare = IssueRequest(promotion="spring", customer="ann")
    full = IssueRequest(promotion="spring", customer="ann", send="s", message="m", idempotency_key="k")
    keyed = IssueRequest(promotion="spring", customer="ann", idempotency_key="k")
    assert occasion(IssuePolicy.PER_CUSTOMER, bare) == occasion(IssuePolicy.PER_CUSTOMER, full)
    assert occasion(IssuePolicy.PER_SEND, full) != occasion(IssuePolicy.PER_MESSAGE, full)
    assert occasion(IssuePolicy.PER_MESSAGE, full) != occasion(IssuePolicy.PER_MESSAGE, keyed)
    for policy, request, field in (
        (IssuePolicy.PER_SEND, bare, "send"),
        (IssuePolicy.PER_SEND, keyed, "send"),
        (IssuePolicy.PER_MESSAGE, bare, "message"),
    ):
        with pytest.raises(BadInput) as caught:
            occasion(policy, request)
        assert (caught.value.problem, caught.value.field) == (InputProblem.REQUIRED, (field,))


def test_an_occasion_of_one_kind_is_never_one_of_another() -> None:
    request = IssueRequest(promotion="spring", customer="ann", send="x", message="x", idempotency_key="x")
    made = [occasion(policy, request) for policy in IssuePolicy] + [repeat_occasion("x")]
    assert len(set(made)) == len(made)


def test_the_longest_keys_fit_where_occasions_are_kept() -> None:
    longest = "k" * 128
    request = IssueRequest(promotion="spring", customer="ann", send=longest, message=longest)
    for made in [*(occasion(policy, request) for policy in IssuePolicy), repeat_occasion(longest)]:
        assert len(made) <= 132
