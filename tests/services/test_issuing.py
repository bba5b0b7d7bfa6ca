"""Codes for customers: one occasion one code, caps, empty pools, rehearsals, and the same code again."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from promograph.domain.codes.formats import DEFAULT_ALPHABET, CodeFormat
from promograph.domain.codes.placeholders import Purpose
from promograph.domain.decisions import SHARED_SEQ
from promograph.domain.issuing import Issuance, IssuanceKind, IssueRequest
from promograph.domain.promotions import CodeKind, EndReason, IssuePolicy, OnEmpty, Promotion, PromotionStatus
from promograph.domain.refusals import refuse
from promograph.domain.windows import Window, end_of_day, start_of_day
from promograph.errors import BadInput, InputProblem
from promograph.services.app import Services
from promograph.services.issuing import MOST_AT_ONCE

from .world import World, issued, why

pytestmark = pytest.mark.anyio


async def test_an_issuance_says_all_about_itself(world: World) -> None:
    promotion = await world.promotion(codes=["Code-a", "code-b"], valid_for=timedelta(hours=48))
    outcome = await world.issue(promotion, "ann", channel="email", send="spring-1", message="m")
    assert issued(outcome) == Issuance(
        promotion_id=promotion.id,
        handle=promotion.terms.handle,
        number=1,
        seq=1,
        text="Code-a",
        customer="ann",
        kind=IssuanceKind.INITIAL,
        issued_at=world.clock.now,
        expires_at=world.clock.now + timedelta(hours=48),
        channel="email",
        send="spring-1",
    )
    assert not outcome.replayed


async def test_codes_are_issued_in_the_order_they_were_added(world: World) -> None:
    promotion = await world.promotion(codes=["Z", "A"])
    await world.services.stocking.paste(promotion.id, "M\nB", channel=None)
    outcomes = await world.issue_all(promotion, ["c", "a", "b"])
    assert [issued(outcome).text for outcome in outcomes] == ["Z", "A", "M"]
    assert await world.code(promotion, "d") == "B"


@pytest.mark.parametrize("kind", CodeKind)
async def test_one_occasion_gets_one_code_however_often_it_is_asked(world: World, kind: CodeKind) -> None:
    shared = "SAVE" if kind is CodeKind.SINGLE else None
    promotion = await world.promotion(codes=0 if shared else 3, shared=shared, code_kind=kind)
    first = await world.issue(promotion, "ann", channel="email")
    world.clock.move(hours=1)
    again = await world.issue(promotion, "ann", channel="sms", send="other")
    assert again.replayed
    assert again.issuance == first.issuance
    both = await world.issue_all(promotion, ["bob", "bob"])
    assert issued(both[0]) == issued(both[1])
    assert [outcome.replayed for outcome in both] == [False, True]
    assert (await world.inventory(promotion)).customers == 2


@pytest.mark.parametrize(
    ("policy", "same", "other"),
    [
        (IssuePolicy.PER_CUSTOMER, [{}, {"send": "s1"}, {"message": "m1"}], []),
        (IssuePolicy.PER_SEND, [{"send": "s1"}, {"send": "s1", "message": "m1"}], [{"send": "s2"}]),
        (
            IssuePolicy.PER_MESSAGE,
            [{"message": "m1"}, {"message": "m1", "send": "s1"}],
            [{"message": "m2"}, {"idempotency_key": "m3"}],
        ),
    ],
)
async def test_the_policy_says_what_an_occasion_is(
    world: World, policy: IssuePolicy, same: list[dict[str, Any]], other: list[dict[str, Any]]
) -> None:
    promotion = await world.promotion(codes=9, issue_policy=policy)
    texts = {await world.code(promotion, "ann", **more) for more in same}
    assert len(texts) == 1
    for more in other:
        texts.add(await world.code(promotion, "ann", **more))
    assert len(texts) == 1 + len(other)
    assert await world.code(promotion, "bob", **same[-1]) not in texts


@pytest.mark.parametrize("policy", [IssuePolicy.PER_SEND, IssuePolicy.PER_MESSAGE])
async def test_an_occasion_without_a_name_is_bad_input(world: World, policy: IssuePolicy) -> None:
    promotion = await world.promotion(codes=1, issue_policy=policy)
    outcome = await world.issue(promotion, "ann")
    assert isinstance(outcome.problem, BadInput)
    assert outcome.problem.problem is InputProblem.REQUIRED
    assert (await world.inventory(promotion)).available == 1


async def test_everybody_gets_the_single_code_and_it_counts_as_one(world: World) -> None:
    promotion = await world.promotion(shared="Save20", code_kind=CodeKind.SINGLE, valid_for=timedelta(hours=1))
    outcomes = await world.issue_all(promotion, ["a", "b", "c"])
    assert {(issued(o).text, issued(o).kind, issued(o).seq) for o in outcomes} == {
        ("Save20", IssuanceKind.INITIAL, SHARED_SEQ)
    }
    assert [issued(outcome).number for outcome in outcomes] == [1, 2, 3]
    assert issued(outcomes[0]).expires_at is None, "validFor is of codes of one's own"
    found = await world.inventory(promotion)
    assert (found.total, found.available, found.issued, found.customers) == (1, 0, 1, 3)


async def test_a_blocked_single_code_is_given_to_nobody(world: World) -> None:
    promotion = await world.promotion(shared="SAVE20", code_kind=CodeKind.SINGLE)
    await world.code(promotion, "ann")
    await world.block("save20")
    assert why(await world.issue(promotion, "bob")) == ["CODE_BLOCKED"]
    await world.unblock("save20")
    assert await world.code(promotion, "bob") == "SAVE20"


async def test_an_empty_pool_refuses_and_a_top_up_mends_it(world: World) -> None:
    promotion = await world.promotion(codes=2)
    outcomes = await world.issue_all(promotion, ["a", "b", "c", "d"])
    assert [why(outcome) for outcome in outcomes] == [[], [], ["POOL_EMPTY"], ["POOL_EMPTY"]]
    found = await world.inventory(promotion)
    assert (found.customers, found.issued, found.available) == (2, 2, 0)
    await world.services.stocking.paste(promotion.id, "LATE", channel=None)
    assert await world.code(promotion, "d") == "LATE"


async def test_an_empty_pool_gives_the_fallback_and_says_so(world: World) -> None:
    promotion = await world.promotion(
        codes=1, shared="Fall", on_empty=OnEmpty.FALLBACK, valid_for=timedelta(hours=1), uses_per_code=1
    )
    outcomes = [issued(outcome) for outcome in await world.issue_all(promotion, ["a", "b", "c"])]
    assert [(o.kind, o.text, o.seq) for o in outcomes[1:]] == [(IssuanceKind.FALLBACK, "Fall", SHARED_SEQ)] * 2
    assert outcomes[1].expires_at is None
    await world.services.stocking.paste(promotion.id, "LATE", channel=None)
    assert await world.code(promotion, "b") == "Fall", "one occasion keeps its code"
    assert await world.code(promotion, "d") == "LATE"
    found = await world.inventory(promotion)
    assert (found.total, found.issued, found.fallback_issued, found.customers) == (2, 2, 2, 4)


async def test_a_blocked_fallback_leaves_the_pool_empty(world: World) -> None:
    promotion = await world.promotion(shared="FALL", on_empty=OnEmpty.FALLBACK)
    await world.block("FALL")
    assert why(await world.issue(promotion, "ann")) == ["POOL_EMPTY"]
    await world.unblock("FALL")
    assert await world.code(promotion, "ann") == "FALL"


async def test_an_empty_pool_makes_codes_of_the_promotions_look(world: World) -> None:
    look = CodeFormat(prefix="gen-", suffix="-X", length=11)
    promotion = await world.promotion(codes=["OWN"], on_empty=OnEmpty.GENERATE, code_format=look)
    outcomes = [issued(outcome) for outcome in await world.issue_all(promotion, [f"c{n}" for n in range(50)])]
    assert outcomes[0].text == "OWN"
    made = [outcome.text for outcome in outcomes[1:]]
    assert len(set(made)) == 49
    for text in made:
        assert text.startswith("gen-")
        assert text.endswith("-X")
        assert len(text) == 17
        assert set(text[4:-2]) <= set(DEFAULT_ALPHABET)
    found = await world.inventory(promotion)
    assert (found.total, found.issued, found.available) == (50, 50, 0)
    await world.services.stocking.paste(promotion.id, "LATE", channel=None)
    assert await world.code(promotion, "late") == "LATE", "the pool comes before making"
    for text in (made[0], made[-1].lower()):
        assert why(await world.redeem(text)) == []


async def test_codes_are_made_only_while_they_cannot_be_guessed(world: World) -> None:
    look = CodeFormat(alphabet="0123456789", length=7)  # ten codes of ten million
    promotion = await world.promotion(on_empty=OnEmpty.GENERATE, code_format=look)
    outcomes = await world.issue_all(promotion, [f"c{n}" for n in range(8)])
    assert [why(outcome) for outcome in outcomes] == [[]] * 8
    more = await world.issue_all(promotion, ["x", "y", "z"])
    assert ["POOL_EMPTY"] in [why(outcome) for outcome in more]
    assert (await world.inventory(promotion)).total <= 10


async def test_codes_made_on_demand_never_look_like_placeholders(world: World) -> None:
    """Of this look every sixteenth would."""
    look = CodeFormat(pattern="####-" + "#" * 30, alphabet="TESQ")
    promotion = await world.promotion(on_empty=OnEmpty.GENERATE, code_format=look)
    outcomes = await world.issue_all(promotion, [f"c{n}" for n in range(2000)])
    assert [text for text in (issued(o).text for o in outcomes) if text.startswith("TEST-")] == []


@pytest.mark.parametrize("policy", IssuePolicy)
async def test_the_cap_ends_the_promotion_with_its_reason(world: World, policy: IssuePolicy) -> None:
    promotion = await world.promotion(codes=10, audience_cap=3, issue_policy=policy)
    first = {"send": "s1", "message": "m1"}
    outcomes = await world.issue_all(promotion, ["a", "b"], **first)
    assert (await world.get(promotion)).stored_status is PromotionStatus.ACTIVE
    outcomes += await world.issue_all(promotion, ["c", "d", "e"], **first)
    assert [why(outcome) for outcome in outcomes] == [[], [], [], *[["AUDIENCE_CAP_REACHED"]] * 2]
    assert outcomes[-1].problem == refuse(outcomes[-1].problem.code, limit=3)  # type: ignore[union-attr]
    ended = await world.get(promotion)
    assert (ended.status(world.clock.now), ended.end_reason(world.clock.now)) == (
        PromotionStatus.ENDED,
        EndReason.AUDIENCE_CAP,
    )
    assert not ended.stop_redeeming
    assert why(await world.issue(promotion, "f", **first)) == ["AUDIENCE_CAP_REACHED"]
    assert await world.code(promotion, "a", **first) == issued(outcomes[0]).text
    assert why(await world.redeem(issued(outcomes[0]).text)) == []
    found = await world.inventory(promotion)
    assert (found.customers, found.issued, found.available) == (3, 3, 7)


async def test_a_cap_counts_customers_and_not_codes(world: World) -> None:
    promotion = await world.promotion(codes=10, audience_cap=2, issue_policy=IssuePolicy.PER_SEND)
    for send in ("s1", "s2", "s3"):
        assert why(await world.issue(promotion, "ann", send=send)) == []
    assert (await world.inventory(promotion)).customers == 1
    assert (await world.get(promotion)).stored_status is PromotionStatus.ACTIVE


async def test_whoever_gets_nothing_takes_no_place_under_the_cap(world: World) -> None:
    promotion = await world.promotion(codes=1, audience_cap=2)
    outcomes = await world.issue_all(promotion, ["a", "b"])
    assert [why(outcome) for outcome in outcomes] == [[], ["POOL_EMPTY"]]
    await world.services.stocking.paste(promotion.id, "LATE", channel=None)
    assert await world.code(promotion, "c") == "LATE"


async def test_a_cap_that_was_not_reached_is_not_the_reason_given(world: World) -> None:
    """Of three for two places and one code the third is turned down by the pool, as if asked by itself."""
    promotion = await world.promotion(codes=1, audience_cap=2)
    outcomes = await world.issue_all(promotion, ["a", "b", "c"])
    assert [why(outcome) for outcome in outcomes] == [[], ["POOL_EMPTY"], ["POOL_EMPTY"]]


async def test_fallbacks_count_toward_the_cap(world: World) -> None:
    promotion = await world.promotion(shared="FALL", on_empty=OnEmpty.FALLBACK, audience_cap=2)
    outcomes = await world.issue_all(promotion, ["a", "b", "c"])
    assert [why(outcome) for outcome in outcomes] == [[], [], ["AUDIENCE_CAP_REACHED"]]


async def test_nothing_is_issued_but_by_an_active_promotion(world: World) -> None:
    promoting = world.services.promoting
    promotion = await world.promotion(codes=3, active=False)
    seen = [await world.issue(promotion, "a")]
    await promoting.activate(promotion.id)
    early = await world.code(promotion, "early")
    await promoting.pause(promotion.id)
    seen.append(await world.issue(promotion, "a"))
    assert await world.code(promotion, "early") == early, "what was given is told again"
    await promoting.end(promotion.id, stop_redeeming=False)
    seen.append(await world.issue(promotion, "a"))
    await promoting.archive(promotion.id)
    seen.append(await world.issue(promotion, "a"))
    assert [why(outcome) for outcome in seen] == [["PROMOTION_INACTIVE"]] * 4
    shown = [outcome.problem.data["status"] for outcome in seen]  # type: ignore[union-attr]
    assert shown == ["DRAFT", "PAUSED", "ENDED", "ARCHIVED"]


async def test_the_window_decides_to_the_instant(world: World) -> None:
    now = world.clock.now
    window = Window(starts_at=now + timedelta(hours=1), ends_at=now + timedelta(hours=2))
    promotion = await world.promotion(codes=5, window=window)
    moves = {59 * 60: "NOT_STARTED", 60: "", 59 * 60 + 59: "", 1: "PROMOTION_INACTIVE"}
    for number, (seconds, expected) in enumerate(moves.items()):
        world.clock.move(seconds=seconds)
        assert why(await world.issue(promotion, f"c{number}")) == ([expected] if expected else [])


async def test_until_a_day_means_the_end_of_that_day_there(world: World) -> None:
    """The last Sunday of October has 25 hours in Berlin."""
    zone = "Europe/Berlin"
    window = Window(
        time_zone=zone,
        starts_at=start_of_day(date(2027, 10, 31), zone),
        ends_at=end_of_day(date(2027, 10, 31), zone),
    )
    promotion = await world.promotion(codes=5, window=window)
    world.clock.now = datetime(2027, 10, 30, 22, tzinfo=UTC)
    outcome = issued(await world.issue(promotion, "first"))
    assert outcome.expires_at == datetime(2027, 10, 31, 23, tzinfo=UTC)
    world.clock.now = datetime(2027, 10, 31, 22, 59, 59, tzinfo=UTC)
    text = await world.code(promotion, "last")
    assert why(await world.redeem(text)) == []
    world.clock.move(seconds=1)
    assert why(await world.issue(promotion, "late")) == ["PROMOTION_INACTIVE"]
    assert why(await world.redeem(outcome.text)) == ["EXPIRED"]


@pytest.mark.parametrize(("valid_for", "hours"), [(5, 5), (50, 10), (None, 10)])
async def test_a_code_expires_with_whichever_ends_first(world: World, valid_for: int | None, hours: int) -> None:
    window = Window(ends_at=world.clock.now + timedelta(hours=10))
    own = None if valid_for is None else timedelta(hours=valid_for)
    promotion = await world.promotion(codes=1, window=window, valid_for=own)
    assert issued(await world.issue(promotion, "ann")).expires_at == world.clock.now + timedelta(hours=hours)


@pytest.mark.parametrize("purpose", [Purpose.TEST, Purpose.PREVIEW])
async def test_a_rehearsal_shows_a_placeholder_and_counts_nothing(world: World, purpose: Purpose) -> None:
    promotion = await world.promotion(codes=2, audience_cap=1, valid_for=timedelta(hours=1), active=False)
    before = await world.inventory(promotion)
    shown = issued(await world.issue(promotion, "ann", purpose=purpose, channel="email", idempotency_key="k"))
    assert shown.text.startswith("TEST-")
    assert (shown.number, shown.purpose, shown.customer, shown.channel) == (0, purpose, "ann", "email")
    assert shown.expires_at == world.clock.now + timedelta(hours=1)
    assert issued(await world.issue(promotion, "ann", purpose=purpose)).text == shown.text
    assert issued(await world.reissue(promotion, "ann", purpose=purpose)).text == shown.text
    assert issued(await world.issue(promotion, "bob", purpose=purpose)).text != shown.text
    many = await world.issue_all(promotion, [f"c{n}" for n in range(30)], purpose=purpose)
    assert len({issued(outcome).text for outcome in many}) == 30
    assert await world.inventory(promotion) == before
    assert why(await world.redeem(shown.text)) == ["TEST_CODE"]
    assert why(await world.validate(shown.text.lower())) == ["TEST_CODE"]
    active = await world.services.promoting.activate(promotion.id)
    assert why(await world.issue(active, "ann", idempotency_key="k")) == [], "a rehearsal leaves no key behind"
    assert why(await world.issue(promotion, "x", purpose=purpose)) == []


async def test_a_rehearsal_of_nothing_says_so(world: World) -> None:
    request = IssueRequest(promotion="nothing", customer="ann", purpose=Purpose.TEST)
    assert why(await world.services.issuing.issue(request)) == ["NOT_FOUND"]


@pytest.mark.parametrize("first", Purpose)
async def test_each_request_of_a_call_has_its_own_purpose(world: World, first: Purpose) -> None:
    promotion = await world.promotion(codes=3)
    purposes = [first, Purpose.TEST, Purpose.LIVE]
    outcomes = await world.services.issuing.issue_many(
        [
            IssueRequest(promotion=promotion.terms.handle, customer=f"c{n}", purpose=purpose)
            for n, purpose in enumerate(purposes)
        ]
    )
    found = [issued(outcome).text.startswith("TEST-") for outcome in outcomes]
    assert found == [purpose is not Purpose.LIVE for purpose in purposes]


async def test_a_call_answers_item_by_item_in_the_order_asked(world: World) -> None:
    one, two = await world.promotion(codes=["ONE-1", "ONE-2"]), await world.promotion(codes=["TWO-1"])
    asked: list[tuple[Promotion | str, str, str]] = [
        (two, "ann", "TWO-1"),
        ("nowhere", "ann", "NOT_FOUND"),
        (one, "", "REQUIRED"),
        (one, "bob", "ONE-1"),
        (one, " bob", "INVALID"),
        (one, "x" * 129, "OUT_OF_RANGE"),
        (one, "ann", "ONE-2"),
        (two, "bob", "POOL_EMPTY"),
        (one, "bob", "ONE-1"),
        (one, "a\ud800", "INVALID"),
        (one, "a\0", "INVALID"),
    ]
    outcomes = await world.services.issuing.issue_many(
        [
            IssueRequest(promotion=p if isinstance(p, str) else p.terms.handle, customer=customer)
            for p, customer, _ in asked
        ]
    )
    answers = [issued(o).text if o.issuance else why(o)[0] for o in outcomes]
    assert answers == [expected for _, _, expected in asked]


async def test_a_call_has_a_bound(services: Services) -> None:
    request = IssueRequest(promotion="x", customer="y")
    with pytest.raises(BadInput) as caught:
        await services.issuing.issue_many([request] * (MOST_AT_ONCE + 1))
    assert (caught.value.problem, caught.value.field) == (InputProblem.TOO_MANY, ("customers",))
    assert await services.issuing.issue_many([]) == []


async def test_ten_thousand_customers_in_one_call(world: World) -> None:
    promotion = await world.promotion(codes=6_000, on_empty=OnEmpty.GENERATE)
    outcomes = await world.issue_all(promotion, [f"customer-{n}" for n in range(MOST_AT_ONCE)])
    assert len({issued(outcome).text for outcome in outcomes}) == MOST_AT_ONCE
    assert [issued(outcome).number for outcome in outcomes] == list(range(1, MOST_AT_ONCE + 1))
    found = await world.inventory(promotion)
    assert (found.total, found.issued, found.available) == (MOST_AT_ONCE, MOST_AT_ONCE, 0)


@pytest.mark.parametrize("customer", ["夏", "e\u0301", "é", "O'Brien; DROP TABLE code", "null", "12", "[]", "x" * 128])
async def test_customers_are_the_callers_own_texts(world: World, customer: str) -> None:
    promotion = await world.promotion(codes=9)
    assert issued(await world.issue(promotion, customer)).customer == customer
    assert (await world.issue(promotion, customer)).replayed
    assert not (await world.issue(promotion, f"2{customer[1:]}")).replayed


async def test_codes_beside_the_line_are_passed_over(world: World) -> None:
    """Blocked ones and, where codes are handed out on paper, those that somebody used without an issue."""
    promotion = await world.promotion(codes=6, code_kind=CodeKind.MULTIPLE)
    await world.block("P1-00001", "P1-00004")
    await world.redeem("P1-00002")
    outcomes = await world.issue_all(promotion, ["a", "b", "c", "d"])
    assert [issued(o).text if o.issuance else why(o) for o in outcomes] == [
        "P1-00003",
        "P1-00005",
        "P1-00006",
        ["POOL_EMPTY"],
    ]


async def test_a_code_that_was_unblocked_behind_the_line_is_issued_after_all(world: World) -> None:
    promotion = await world.promotion(codes=4)
    await world.block("P1-00001", "P1-00003")
    assert await world.code(promotion, "a") == "P1-00002"
    assert await world.unblock("P1-00001", "P1-00003") == 2
    texts = [await world.code(promotion, customer) for customer in ("b", "c", "d")]
    assert sorted(texts) == ["P1-00001", "P1-00003", "P1-00004"]
    assert why(await world.issue(promotion, "e")) == ["POOL_EMPTY"]


async def test_a_code_blocked_again_while_it_waits_in_the_returned_line(world: World) -> None:
    promotion = await world.promotion(codes=3)
    await world.block("P1-00001")
    assert await world.code(promotion, "a") == "P1-00002"
    await world.unblock("P1-00001")
    await world.block("P1-00001")
    assert await world.code(promotion, "b") == "P1-00003"
    assert why(await world.issue(promotion, "c")) == ["POOL_EMPTY"]
    await world.unblock("P1-00001")
    assert await world.code(promotion, "c") == "P1-00001"
    assert why(await world.issue(promotion, "d")) == ["POOL_EMPTY"]


async def test_a_code_used_while_it_waits_in_the_returned_line(world: World) -> None:
    promotion = await world.promotion(codes=3, code_kind=CodeKind.MULTIPLE)
    await world.block("P1-00001", "P1-00002")
    assert await world.code(promotion, "a") == "P1-00003"
    await world.unblock("P1-00001", "P1-00002")
    await world.redeem("P1-00001")
    assert await world.code(promotion, "b") == "P1-00002"
    assert why(await world.issue(promotion, "c")) == ["POOL_EMPTY"]


async def test_a_long_blocked_stretch_is_skipped_in_one_call(world: World) -> None:
    promotion = await world.promotion(codes=300)
    await world.block(*(f"P1-{n:05}" for n in range(1, 299)))
    outcomes = await world.issue_all(promotion, ["a", "b", "c"])
    assert [issued(o).text if o.issuance else why(o) for o in outcomes] == ["P1-00299", "P1-00300", ["POOL_EMPTY"]]


async def test_the_same_code_again_is_a_repeat(world: World) -> None:
    promotion = await world.promotion(codes=3, valid_for=timedelta(hours=2), issue_policy=IssuePolicy.PER_SEND)
    await world.issue(promotion, "ann", send="s1")
    world.clock.move(minutes=30)
    last = issued(await world.issue(promotion, "ann", send="s2"))
    world.clock.move(minutes=30)
    repeat = issued(await world.reissue(promotion, "ann", channel="sms", send="s3"))
    assert (repeat.text, repeat.seq, repeat.kind) == (last.text, last.seq, IssuanceKind.REPEAT)
    assert (repeat.channel, repeat.send, repeat.number) == ("sms", "s3", 3)
    assert (repeat.issued_at, repeat.expires_at) == (world.clock.now, last.expires_at)
    assert issued(await world.reissue(promotion, "ann")).text == last.text
    found = await world.inventory(promotion)
    assert (found.issued, found.customers, found.available) == (2, 1, 1)


async def test_the_history_of_a_repeat_tells_the_codes_own_expiry(world: World) -> None:
    """Giving a code again does not make it last longer, whoever looks it up."""
    promotion = await world.promotion(codes=1, valid_for=timedelta(hours=2))
    first = issued(await world.issue(promotion, "ann"))
    world.clock.move(hours=1)
    await world.reissue(promotion, "ann")
    history = await world.services.lookup.issuances_of(promotion.id, first.seq)
    assert [each.kind for each in history] == [IssuanceKind.REPEAT, IssuanceKind.INITIAL]
    assert [each.expires_at for each in history] == [first.expires_at] * 2


async def test_a_repeat_gives_the_fallback_to_whom_it_was_given(world: World) -> None:
    promotion = await world.promotion(shared="FALL", on_empty=OnEmpty.FALLBACK)
    await world.code(promotion, "ann")
    await world.services.stocking.paste(promotion.id, "OWN", channel=None)
    repeat = issued(await world.reissue(promotion, "ann"))
    assert (repeat.text, repeat.kind) == ("FALL", IssuanceKind.REPEAT)
    found = await world.inventory(promotion)
    assert (found.fallback_issued, found.available) == (1, 1)


async def test_there_is_nothing_to_repeat_for_a_stranger(world: World) -> None:
    promotion = await world.promotion(codes=1)
    assert why(await world.reissue(promotion, "ann")) == ["NOTHING_HELD"]
    request = IssueRequest(promotion="nowhere", customer="ann")
    assert why(await world.services.issuing.reissue(request)) == ["NOT_FOUND"]
    bad = IssueRequest(promotion="x", customer="")
    assert why(await world.services.issuing.reissue(bad)) == ["REQUIRED"]


async def test_a_code_that_nobody_can_use_any_more_is_not_given_again(world: World) -> None:
    async def fresh(**terms: Any) -> tuple[Promotion, str]:
        promotion = await world.promotion(on_empty=OnEmpty.GENERATE, **terms)
        return promotion, await world.code(promotion, "ann")

    used, text = await fresh()
    await world.redeem(text)
    blocked, text = await fresh()
    await world.block(text)
    paused, _ = await fresh()
    await world.services.promoting.pause(paused.id)
    stopped, _ = await fresh()
    await world.services.promoting.end(stopped.id, stop_redeeming=True)
    ended, kept = await fresh()
    await world.services.promoting.end(ended.id, stop_redeeming=False)
    old, _ = await fresh(valid_for=timedelta(hours=1))
    twice, text = await fresh(uses_per_code=2)
    await world.redeem(text)
    world.clock.move(hours=1)
    answers = {
        "used": (used, ["ALREADY_REDEEMED"]),
        "blocked": (blocked, ["CODE_BLOCKED"]),
        "paused": (paused, ["PROMOTION_INACTIVE"]),
        "stopped": (stopped, ["PROMOTION_INACTIVE"]),
        "ended": (ended, []),
        "old": (old, ["EXPIRED"]),
        "twice": (twice, []),
    }
    found = {name: why(await world.reissue(promotion, "ann")) for name, (promotion, _) in answers.items()}
    assert found == {name: expected for name, (_, expected) in answers.items()}
    assert await world.code(ended, "ann") == kept


async def test_reissues_gathered_in_one_batch_each_count(world: World) -> None:
    promotion = await world.promotion(codes=2)
    await world.issue_all(promotion, ["ann", "bob"])
    repeats = [issued(await world.reissue(promotion, customer)) for customer in ("ann", "bob", "ann", "ann")]
    assert [repeat.number for repeat in repeats] == [3, 4, 5, 6]
    assert (await world.inventory(promotion)).customers == 2
