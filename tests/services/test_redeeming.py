"""A checkout's questions: would this code work, and use it."""

from datetime import timedelta
from typing import Any

import pytest

from promograph.domain.promotions import CodeKind, OnEmpty
from promograph.domain.redeeming import Money, RedeemRequest, Redemption, ValidateRequest
from promograph.domain.refusals import RefusalCode, refuse
from promograph.domain.stock.changes import CodeChange
from promograph.domain.stock.selections import CodeSelection
from promograph.domain.windows import Window
from promograph.errors import BadInput, InputProblem
from promograph.store.listing import Slice

from .world import World, why

pytestmark = pytest.mark.anyio


async def test_a_redemption_says_all_about_itself(world: World) -> None:
    promotion = await world.promotion(codes=["Abc-1"])
    await world.code(promotion, "ann")
    order, discount = Money(minor=5000, currency="EUR"), Money(minor=0, currency="EUR")
    outcome = await world.redeem(
        " abc-1\n", "ann", order="order-7", order_amount=order, discount=discount, channel="shop"
    )
    assert outcome.redemption == Redemption(
        promotion_id=promotion.id,
        handle=promotion.terms.handle,
        number=1,
        seq=1,
        text="Abc-1",
        customer="ann",
        redeemed_at=world.clock.now,
        order="order-7",
        order_amount=order,
        discount=discount,
        channel="shop",
    )
    assert outcome.holder_named
    assert not outcome.replayed
    assert await world.services.lookup.redemptions_of(promotion.id, 1) == [outcome.redemption]


async def test_a_code_without_an_order_or_a_customer(world: World) -> None:
    promotion = await world.promotion(codes=1)
    outcome = await world.redeem(await world.code(promotion, "ann"))
    assert outcome.redemption is not None
    assert (outcome.redemption.customer, outcome.redemption.order, outcome.redemption.discount) == (None, None, None)
    assert not outcome.holder_named


@pytest.mark.parametrize("uses", [1, 3])
async def test_an_n_use_code_works_n_times(world: World, uses: int) -> None:
    promotion = await world.promotion(codes=1, uses_per_code=uses)
    text = await world.code(promotion, "ann")
    outcomes = [await world.redeem(text) for _ in range(uses + 2)]
    assert [o.redemption.number for o in outcomes[:uses] if o.redemption] == list(range(1, uses + 1))
    assert [o.refusals for o in outcomes[uses:]] == [(refuse(RefusalCode.ALREADY_REDEEMED, uses=uses, limit=uses),)] * 2
    found = await world.inventory(promotion)
    assert (found.redeemed, found.redemptions, found.issued) == (1, uses, 1)


async def test_without_a_limit_a_shared_code_works_for_ever(world: World) -> None:
    promotion = await world.promotion(shared="SAVE20", code_kind=CodeKind.SINGLE, uses_per_code=None)
    for _ in range(5):
        assert why(await world.redeem("save20")) == []
    found = await world.inventory(promotion)
    assert (found.available, found.issued, found.redeemed, found.redemptions) == (0, 1, 1, 5)
    await world.code(promotion, "ann")
    assert (await world.inventory(promotion)).issued == 1


async def test_a_limited_single_code_is_used_up_for_everybody(world: World) -> None:
    await world.promotion(shared="SAVE20", code_kind=CodeKind.SINGLE, uses_per_code=2)
    outcomes = [await world.redeem("SAVE20", customer) for customer in ("a", "b", "c")]
    assert [why(outcome) for outcome in outcomes] == [[], [], ["ALREADY_REDEEMED"]]


async def test_a_customers_limit_spans_the_promotions_codes(world: World) -> None:
    await world.promotion(
        codes=5, shared="FALL", on_empty=OnEmpty.FALLBACK, code_kind=CodeKind.MULTIPLE, uses_per_customer=2
    )
    other = await world.promotion(codes=2, code_kind=CodeKind.MULTIPLE)
    assert why(await world.redeem("P1-00001")) == ["CUSTOMER_REQUIRED"]
    assert why(await world.redeem("P1-00001", "ann")) == []
    assert why(await world.redeem("FALL", "ann")) == []
    for text in ("P1-00002", "FALL"):
        outcome = await world.redeem(text, "ann")
        assert outcome.refusals == (refuse(RefusalCode.CUSTOMER_CAP_REACHED, uses=2, limit=2),)
    assert why(await world.redeem("P1-00002", "bob")) == []
    assert why(await world.redeem("P2-00001", "ann")) == [], "other promotions count for themselves"
    assert (await world.inventory(other)).redemptions == 1


async def test_only_the_holder_where_the_promotion_says_so(world: World) -> None:
    promotion = await world.promotion(codes=1, holder_only=True)
    text = await world.code(promotion, "ann")
    assert why(await world.redeem(text)) == ["CUSTOMER_REQUIRED"]
    stranger, holder = await world.redeem(text, "bob"), await world.redeem(text, "ann")
    assert (why(stranger), stranger.holder_named) == (["NOT_HOLDER"], False)
    assert (why(holder), holder.holder_named) == ([], True)


async def test_a_gift_to_a_friend_works_where_it_does_not(world: World) -> None:
    promotion = await world.promotion(codes=1)
    text = await world.code(promotion, "ann")
    outcome = await world.redeem(text, "bob")
    assert (why(outcome), outcome.holder_named) == ([], False)


async def test_codes_on_paper_need_no_issue(world: World) -> None:
    promotion = await world.promotion(codes=3, code_kind=CodeKind.MULTIPLE, valid_for=timedelta(hours=1))
    world.clock.move(days=99)
    assert why(await world.redeem("P1-00002")) == [], "validFor counts from an issue, and there was none"
    found = await world.inventory(promotion)
    assert (found.available, found.issued, found.redeemed) == (2, 1, 1)
    assert [await world.code(promotion, each) for each in ("a", "b")] == ["P1-00001", "P1-00003"]


async def test_a_personalised_code_waits_for_its_customer(world: World) -> None:
    promotion = await world.promotion(codes=1)
    assert why(await world.redeem("P1-00001", "ann")) == ["NOT_ISSUED"]
    await world.code(promotion, "ann")
    assert why(await world.redeem("P1-00001", "ann")) == []


async def test_a_fallback_has_no_limit_and_is_outside_the_counts(world: World) -> None:
    promotion = await world.promotion(shared="FALL", on_empty=OnEmpty.FALLBACK, uses_per_code=1)
    for customer in ("a", "b"):
        await world.code(promotion, customer)
        assert why(await world.redeem("FALL", customer)) == []
    found = await world.inventory(promotion)
    assert (found.total, found.redeemed, found.redemptions, found.fallback_issued) == (0, 0, 2, 2)


async def test_codes_that_are_none(world: World) -> None:
    await world.promotion(codes=1)
    texts = ["NOPE", "P1-00001X", "夏", "x" * 64, "x" * 200, "%", "' OR 1=1 --", "P1_00001"]
    for text in texts:
        assert why(await world.redeem(text)) == ["NOT_FOUND"]
        assert why(await world.validate(text)) == ["NOT_FOUND"]
    for text in ("TEST-1234", " test-1234", "TEST-"):
        assert why(await world.redeem(text)) == ["TEST_CODE"]


@pytest.mark.parametrize(
    ("request_", "problem", "field"),
    [
        ({"code": ""}, InputProblem.REQUIRED, "code"),
        ({"code": " \t"}, InputProblem.REQUIRED, "code"),
        ({"code": "x" * 257}, InputProblem.OUT_OF_RANGE, "code"),
        ({"code": "a\0b"}, InputProblem.INVALID, "code"),
        ({"code": "\ud800"}, InputProblem.INVALID, "code"),
        ({"customer": ""}, InputProblem.REQUIRED, "customer"),
        ({"customer": "x" * 129}, InputProblem.OUT_OF_RANGE, "customer"),
        ({"order": "a\n"}, InputProblem.INVALID, "order"),
        ({"channel": "x" * 65}, InputProblem.OUT_OF_RANGE, "channel"),
        ({"idempotency_key": " k"}, InputProblem.INVALID, "idempotencyKey"),
        ({"discount": Money(minor=-1, currency="EUR")}, InputProblem.OUT_OF_RANGE, "discount"),
        ({"order_amount": Money(minor=10**16, currency="EUR")}, InputProblem.OUT_OF_RANGE, "orderAmount"),
        (
            {"discount": Money(minor=1, currency="EUR"), "order_amount": Money(minor=1, currency="USD")},
            InputProblem.INVALID,
            "discount",
        ),
    ],
)
async def test_bad_input_names_its_field_and_uses_nothing(
    world: World, request_: dict[str, Any], problem: InputProblem, field: str
) -> None:
    promotion = await world.promotion(codes=1)
    text = await world.code(promotion, "ann")
    outcome = await world.services.redeeming.redeem(RedeemRequest(**{"code": text, **request_}))
    assert outcome.problem is not None
    assert (outcome.problem.problem, outcome.problem.field) == (problem, (field,))
    assert why(await world.redeem(text)) == []
    if field in ("code", "customer"):
        with pytest.raises(BadInput) as caught:
            await world.services.redeeming.validate(ValidateRequest(**{"code": text, **request_}))
        assert (caught.value.problem, caught.value.field) == (problem, (field,))


async def test_ends_pauses_and_stops(world: World) -> None:
    promoting = world.services.promoting
    promotion = await world.promotion(codes=1, uses_per_code=None)
    text = await world.code(promotion, "ann")
    await promoting.pause(promotion.id)
    assert why(await world.redeem(text)) == ["PROMOTION_INACTIVE"]
    await promoting.activate(promotion.id)
    assert why(await world.redeem(text)) == []
    await promoting.end(promotion.id, stop_redeeming=False)
    assert why(await world.redeem(text)) == [], "ending stops issuing; what somebody holds still works"
    await promoting.end(promotion.id, stop_redeeming=True)
    assert why(await world.redeem(text)) == ["PROMOTION_INACTIVE"]


async def test_expiry_is_to_the_instant(world: World) -> None:
    window = Window(starts_at=world.clock.now, ends_at=world.clock.now + timedelta(hours=3))
    promotion = await world.promotion(codes=2, window=window, valid_for=timedelta(hours=2), uses_per_code=None)
    early = await world.code(promotion, "early")
    world.clock.move(hours=1, minutes=30)
    late = await world.code(promotion, "late")
    world.clock.move(minutes=30, microseconds=-1)
    assert [why(await world.redeem(text)) for text in (early, late)] == [[], []]
    world.clock.move(microseconds=1)
    assert [why(await world.redeem(text)) for text in (early, late)] == [["EXPIRED"], []]
    world.clock.move(hours=1)
    assert why(await world.redeem(late)) == ["EXPIRED"], "the promotion's end comes before the code's own"


async def test_a_code_of_a_promotion_that_has_not_begun(world: World) -> None:
    start = world.clock.now + timedelta(hours=1)
    await world.promotion(shared="SOON", code_kind=CodeKind.SINGLE, window=Window(starts_at=start))
    outcome = await world.redeem("SOON")
    assert outcome.refusals == (refuse(RefusalCode.NOT_STARTED, starts_at=start.isoformat()),)


async def test_blocked_and_unblocked(world: World) -> None:
    promotion = await world.promotion(codes=1, uses_per_code=2)
    text = await world.code(promotion, "ann")
    await world.redeem(text)
    await world.block(text.lower())
    assert why(await world.redeem(text)) == ["CODE_BLOCKED"]
    found = await world.inventory(promotion)
    assert (found.blocked, found.issued, found.redeemed) == (1, 0, 1)
    await world.unblock(text)
    assert why(await world.redeem(text)) == []


async def test_validating_says_what_redeeming_will_and_changes_nothing(world: World) -> None:
    promotion = await world.promotion(codes=2, uses_per_code=3, uses_per_customer=1, valid_for=timedelta(hours=1))
    text = await world.code(promotion, "ann")
    before = await world.inventory(promotion)
    for _ in range(3):
        found = await world.validate(text.lower(), "ann")
        assert found.is_valid
        assert (found.text, found.uses_left, found.holder_named) == (text, 3, True)
        assert found.promotion == await world.get(promotion)
        assert found.expires_at == world.clock.now + timedelta(hours=1)
    assert await world.inventory(promotion) == before
    assert why(await world.redeem(text, "ann")) == []
    after = await world.validate(text, "bob")
    assert (after.is_valid, after.uses_left, after.holder_named) == (True, 2, False)
    for customer in ("ann", None, "bob"):
        validation = await world.validate(text, customer)
        assert validation.refusals == (await world.redeem(text, customer)).refusals
    world.clock.move(hours=1)
    assert why(await world.validate(text, "ann")) == ["EXPIRED", "CUSTOMER_CAP_REACHED"]


async def test_uses_left_of_codes_without_a_limit(world: World) -> None:
    await world.promotion(shared="FALL", on_empty=OnEmpty.FALLBACK, uses_per_code=1)
    await world.promotion(shared="FREE", code_kind=CodeKind.SINGLE, uses_per_code=None)
    for text in ("FALL", "FREE"):
        assert (await world.validate(text)).uses_left is None


async def test_a_code_of_a_load_that_has_not_finished_is_not_there(world: World) -> None:
    """Nobody may use what an import may yet take back."""
    promotion = await world.promotion(codes=1, code_kind=CodeKind.MULTIPLE)
    await world.unfinished_load(promotion, ["NEW-1", "NEW-2"])
    assert await world.services.changing.listed(["NEW-1"], CodeChange.BLOCK) == (0, [0])
    assert why(await world.redeem("NEW-1")) == ["NOT_FOUND"]
    assert why(await world.validate("NEW-1")) == ["NOT_FOUND"]
    assert await world.services.lookup.code("NEW-1") is None
    assert await world.code(promotion, "ann") == "P1-00001"
    assert why(await world.issue(promotion, "bob")) == ["POOL_EMPTY"]
    assert (await world.inventory(promotion)).total == 1
    page = await world.services.stocking.codes(CodeSelection(promotion=promotion), Slice(count=9))
    assert len(page.rows) == 1


async def test_redemptions_of_several_promotions_in_one_batch(world: World) -> None:
    promotions = [await world.promotion(codes=4, code_kind=CodeKind.MULTIPLE, uses_per_customer=2) for _ in range(3)]
    texts = [f"P{p}-0000{c}" for c in (1, 2, 3) for p in (3, 1, 2)]
    outcomes = [await world.redeem(text, "ann") for text in texts]
    assert [why(outcome) for outcome in outcomes] == [[]] * 6 + [["CUSTOMER_CAP_REACHED"]] * 3
    for promotion in promotions:
        assert (await world.inventory(promotion)).redemptions == 2


async def test_the_longest_and_the_largest_are_kept(world: World) -> None:
    promotion = await world.promotion(codes=1)
    text = await world.code(promotion, "x" * 128)
    most = Money(minor=10**15, currency="JPY")
    outcome = await world.redeem(text, "夏" * 128, order="o" * 128, order_amount=most, channel="c" * 64)
    assert await world.services.lookup.redemptions_of(promotion.id, 1) == [outcome.redemption]
