"""The rules of redeeming, one by one at their edges and then all together."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promograph.domain.decisions import SHARED_SEQ, CodeFacts, RedeemFacts, Tally, decide, uses_limit
from promograph.domain.promotions import CodeKind, EndReason, Promotion, PromotionStatus, PromotionTerms
from promograph.domain.refusals import Refusal, RefusalCode, coarsened, refuse
from promograph.domain.windows import Window

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
INSTANT = timedelta(microseconds=1)


def promotion(status: PromotionStatus = PromotionStatus.ACTIVE, *, stop: bool = False, **terms: Any) -> Promotion:
    return Promotion(
        id=1,
        terms=PromotionTerms(handle="spring", name="Spring", **terms),
        stored_status=status,
        stored_end_reason=EndReason.BY_HAND if status is PromotionStatus.ENDED else None,
        stop_redeeming=stop,
        created_at=NOW,
        updated_at=NOW,
    )


HELD = CodeFacts(seq=7, text="SPRING-7", blocked=False, uses=0, holder="ann", issued_at=NOW - HOUR)
SHARED = CodeFacts(seq=SHARED_SEQ, text="SPRING", blocked=False, uses=0)
UNISSUED = replace(HELD, holder=None, issued_at=None)


def refused(
    promotion: Promotion,
    code: CodeFacts = HELD,
    *,
    customer: str | None = "ann",
    customer_uses: int = 0,
    now: datetime = NOW,
) -> list[Refusal]:
    facts = RedeemFacts(
        promotion=promotion, code=code, customer=customer, tally=Tally(by_customer=customer_uses), now=now
    )
    return list(decide(facts).refusals)


def test_a_good_code_of_an_active_promotion_is_taken() -> None:
    assert refused(promotion()) == []
    assert refused(promotion(), customer=None) == []


@pytest.mark.parametrize(
    ("status", "stop", "taken"),
    [
        (PromotionStatus.DRAFT, False, False),
        (PromotionStatus.ACTIVE, False, True),
        (PromotionStatus.PAUSED, False, False),
        (PromotionStatus.ENDED, False, True),
        (PromotionStatus.ENDED, True, False),
        (PromotionStatus.ARCHIVED, False, False),
    ],
)
def test_ending_stops_issuing_and_only_on_request_redeeming(status: PromotionStatus, stop: bool, taken: bool) -> None:
    expected = [] if taken else [refuse(RefusalCode.PROMOTION_INACTIVE, status=status)]
    assert refused(promotion(status, stop=stop)) == expected


def test_a_promotion_works_from_its_start_until_just_before_its_end() -> None:
    window = Window(starts_at=NOW, ends_at=NOW + HOUR)
    early = refused(promotion(window=window), now=NOW - INSTANT)
    assert early == [refuse(RefusalCode.NOT_STARTED, starts_at="2027-03-01T12:00:00+00:00")]
    assert refused(promotion(window=window), now=NOW) == []
    assert refused(promotion(window=window), now=NOW + HOUR - INSTANT) == []
    late = refused(promotion(window=window), now=NOW + HOUR)
    assert late == [refuse(RefusalCode.EXPIRED, expired_at="2027-03-01T13:00:00+00:00")]


def test_a_window_that_is_over_beats_a_pause_because_nothing_will_bring_it_back() -> None:
    over = promotion(PromotionStatus.PAUSED, window=Window(ends_at=NOW))
    assert [refusal.code for refusal in refused(over)] == [RefusalCode.EXPIRED]


@pytest.mark.parametrize(("valid_for", "ends_in"), [(2 * HOUR, 5 * HOUR), (5 * HOUR, 1 * HOUR), (2 * HOUR, None)])
def test_a_code_expires_at_the_earlier_of_its_own_time_and_the_promotions(
    valid_for: timedelta, ends_in: timedelta | None
) -> None:
    window = Window(ends_at=None if ends_in is None else NOW + ends_in)
    offer = promotion(valid_for=valid_for, window=window)
    end = min(NOW - HOUR + valid_for, NOW + (ends_in or 99 * HOUR))
    assert refused(offer, now=end - INSTANT) == []
    assert refused(offer, now=end) == [refuse(RefusalCode.EXPIRED, expired_at=end.isoformat())]


def test_valid_for_counts_from_the_issue_so_shared_and_unissued_codes_have_none() -> None:
    offer = promotion(valid_for=HOUR, code_kind=CodeKind.MULTIPLE)
    later = NOW + 1000 * HOUR
    assert refused(offer, SHARED, now=later) == []
    assert refused(offer, UNISSUED, now=later) == []
    assert refused(offer, HELD, now=later) != []


def test_a_blocked_code_is_refused_whether_it_was_issued_or_not() -> None:
    for code in (HELD, UNISSUED, SHARED):
        assert [r.code for r in refused(promotion(), replace(code, blocked=True))] == [RefusalCode.CODE_BLOCKED]


def test_only_a_personalised_code_must_have_been_issued() -> None:
    assert refused(promotion(), UNISSUED) == [refuse(RefusalCode.NOT_ISSUED)]
    assert refused(promotion(), SHARED) == []  # the fallback
    assert refused(promotion(code_kind=CodeKind.MULTIPLE), UNISSUED) == []
    assert refused(promotion(code_kind=CodeKind.SINGLE), SHARED) == []


@pytest.mark.parametrize(
    ("terms", "code", "customer", "expected"),
    [
        ({}, HELD, None, None),
        ({}, HELD, "bob", None),
        ({"holder_only": True}, HELD, "ann", None),
        ({"holder_only": True}, HELD, "bob", RefusalCode.NOT_HOLDER),
        ({"holder_only": True}, HELD, None, RefusalCode.CUSTOMER_REQUIRED),
        ({"holder_only": True, "code_kind": CodeKind.MULTIPLE}, UNISSUED, "bob", None),
        ({"holder_only": True}, SHARED, "bob", None),
        ({"uses_per_customer": 1}, HELD, None, RefusalCode.CUSTOMER_REQUIRED),
        ({"uses_per_customer": 1}, HELD, "bob", None),
    ],
)
def test_who_may_use_a_code(
    terms: dict[str, Any], code: CodeFacts, customer: str | None, expected: RefusalCode | None
) -> None:
    found = [refusal.code for refusal in refused(promotion(**terms), code, customer=customer)]
    assert found == ([] if expected is None else [expected])


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_a_code_is_used_up_at_its_limit(limit: int) -> None:
    offer = promotion(uses_per_code=limit)
    assert refused(offer, replace(HELD, uses=limit - 1)) == []
    for uses in (limit, limit + 1):
        assert refused(offer, replace(HELD, uses=uses)) == [
            refuse(RefusalCode.ALREADY_REDEEMED, uses=uses, limit=limit)
        ]


def test_without_a_limit_a_code_is_never_used_up() -> None:
    assert refused(promotion(uses_per_code=None), replace(HELD, uses=10**9)) == []


def test_a_fallback_is_not_bound_by_the_limit_of_codes_of_ones_own_and_a_single_code_is() -> None:
    used = replace(SHARED, uses=3)
    assert uses_limit(promotion(uses_per_code=1), used) is None
    assert refused(promotion(uses_per_code=1), used) == []
    single = promotion(uses_per_code=3, code_kind=CodeKind.SINGLE)
    assert uses_limit(single, used) == 3
    assert refused(single, used) == [refuse(RefusalCode.ALREADY_REDEEMED, uses=3, limit=3)]


def test_a_customer_is_stopped_at_the_limit_whichever_code_is_tried() -> None:
    offer = promotion(uses_per_customer=2, uses_per_code=None)
    for code in (HELD, SHARED):
        assert refused(offer, code, customer_uses=1) == []
        assert refused(offer, code, customer_uses=2) == [refuse(RefusalCode.CUSTOMER_CAP_REACHED, uses=2, limit=2)]


def test_every_reason_is_told_and_the_promotions_own_come_first() -> None:
    offer = promotion(
        PromotionStatus.PAUSED,
        uses_per_code=1,
        uses_per_customer=1,
        holder_only=True,
        valid_for=timedelta(minutes=1),
    )
    code = replace(HELD, blocked=True, uses=1)
    assert [refusal.code for refusal in refused(offer, code, customer="bob", customer_uses=1)] == [
        RefusalCode.PROMOTION_INACTIVE,
        RefusalCode.CODE_BLOCKED,
        RefusalCode.EXPIRED,
        RefusalCode.NOT_HOLDER,
        RefusalCode.ALREADY_REDEEMED,
        RefusalCode.CUSTOMER_CAP_REACHED,
    ]


@given(
    status=st.sampled_from([s for s in PromotionStatus if s is not PromotionStatus.SCHEDULED]),
    stop=st.booleans(),
    kind=st.sampled_from(CodeKind),
    code=st.sampled_from([HELD, UNISSUED, SHARED]),
    customer=st.sampled_from([None, "ann", "bob"]),
    data=st.data(),
)
def test_every_refusal_can_be_said_as_a_sentence(
    status: PromotionStatus, stop: bool, kind: CodeKind, code: CodeFacts, customer: str | None, data: st.DataObject
) -> None:
    hours = st.none() | st.integers(-2, 2).map(lambda n: NOW + n * HOUR)
    offer = promotion(
        status,
        stop=stop,
        code_kind=kind,
        window=Window(starts_at=data.draw(hours), ends_at=data.draw(hours)),
        valid_for=data.draw(st.none() | st.just(HOUR)),
        uses_per_code=data.draw(st.none() | st.just(1)),
        uses_per_customer=data.draw(st.none() | st.just(1)),
        holder_only=data.draw(st.booleans()),
    )
    uses = data.draw(st.integers(0, 2))
    for refusal in refused(offer, replace(code, uses=uses), customer=customer, customer_uses=uses):
        assert refusal.message.endswith(".")
        assert "{" not in refusal.message


def test_a_stranger_learns_only_what_a_yes_would_have_told() -> None:
    """Reasons that time or a name would mend are told; the others sound like a code that never was."""
    started = refuse(RefusalCode.NOT_STARTED, starts_at="2027-03-01T12:00:00+00:00")
    named = refuse(RefusalCode.CUSTOMER_REQUIRED)
    nothing = (refuse(RefusalCode.NOT_FOUND),)
    assert coarsened((started, named)) == (started, named)
    assert coarsened((started, refuse(RefusalCode.CODE_BLOCKED))) == nothing
    open_to_all = {
        RefusalCode.NOT_STARTED,
        RefusalCode.CUSTOMER_REQUIRED,
        RefusalCode.TEST_CODE,
        RefusalCode.CART_REQUIRED,
        RefusalCode.DISCOUNT_REQUIRED,
        RefusalCode.MINIMUM_NOT_MET,
        RefusalCode.OUTSIDE_WINDOW,
        RefusalCode.CURRENCY_MISMATCH,
        RefusalCode.NOTHING_ELIGIBLE,
        RefusalCode.NOT_COMBINABLE,
        RefusalCode.HOLD_NOT_FOUND,
        RefusalCode.HOLD_OVER,
    }
    for code in set(RefusalCode) - open_to_all:
        assert coarsened((Refusal(code, {"status": "PAUSED", "uses": 1, "limit": 1}),)) == nothing
