"""The life of a promotion: what each state allows, what may change, and what a draft needs before it is active."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from promograph.domain.codes.formats import CodeFormat
from promograph.domain.promotions import (
    CodeKind,
    EndReason,
    IssuePolicy,
    OnEmpty,
    Promotion,
    PromotionStatus,
    PromotionTerms,
)
from promograph.domain.stock.changes import CodeChange
from promograph.domain.windows import Window, end_of_day, start_of_day
from promograph.errors import BadInput, InputProblem
from promograph.services.app import Services
from promograph.services.handles import handle_from
from promograph.services.promoting import Draft
from promograph.store.listing import PromotionQuery, Slice

from .world import World, why

pytestmark = pytest.mark.anyio

DRAFT, SCHEDULED, ACTIVE = PromotionStatus.DRAFT, PromotionStatus.SCHEDULED, PromotionStatus.ACTIVE
PAUSED, ENDED, ARCHIVED = PromotionStatus.PAUSED, PromotionStatus.ENDED, PromotionStatus.ARCHIVED


async def change(
    services: Services, promotion: Promotion, *, shared: str | None = None, keep_shared: bool = True, **terms: Any
) -> Promotion:
    return await services.promoting.update(
        promotion.id, lambda now: (Draft(terms=replace(now, **terms), shared_code=shared), keep_shared)
    )


async def act(services: Services, name: str, id_: int) -> Promotion:
    if name == "end":
        return await services.promoting.end(id_, stop_redeeming=False)
    moved: Promotion = await getattr(services.promoting, name)(id_)
    return moved


async def test_everything_that_was_decided_is_kept(world: World) -> None:
    terms = PromotionTerms(
        handle="spring",
        name="Frühling 🌱",
        description="'; DROP TABLE code; --",
        properties={"sort": "ä", 'quote"': "{}"},
        code_kind=CodeKind.MULTIPLE,
        issue_policy=IssuePolicy.PER_SEND,
        on_empty=OnEmpty.FALLBACK,
        code_format=CodeFormat(prefix="SPR-", length=12, alphabet="ABCDEFGH23456789"),
        window=Window(
            time_zone="Europe/Paris",
            starts_at=start_of_day(date(2027, 3, 1), "Europe/Paris"),
            ends_at=end_of_day(date(2027, 3, 31), "Europe/Paris"),
        ),
        valid_for=timedelta(hours=48),
        audience_cap=100,
        uses_per_code=3,
        uses_per_customer=2,
        holder_only=True,
    )
    made = await world.services.promoting.create(Draft(terms=terms, shared_code=" Fallback-1 "))
    assert made.terms == terms
    assert (made.stored_status, made.created_at, made.stop_redeeming) == (DRAFT, world.clock.now, False)
    reopened = world.reopen()
    assert await reopened.lobby.get(handle="spring") == made
    assert await reopened.lobby.get(id_=made.id) == made
    assert await reopened.lobby.get_many([made.id, 999]) == {made.id: made}
    assert await reopened.lobby.shared_codes([made.id]) == {made.id: "Fallback-1"}


async def test_what_is_not_there_is_not_there(services: Services) -> None:
    assert await services.lobby.get(id_=10**9) is None
    assert await services.lobby.get(handle="none") is None
    assert await services.lobby.inventories([10**9]) == {}
    for name in ("activate", "pause", "end", "archive"):
        with pytest.raises(BadInput) as caught:
            await act(services, name, 10**9)
        assert caught.value.problem is InputProblem.NOT_FOUND
    with pytest.raises(BadInput) as caught:
        await services.promoting.duplicate(10**9, handle=None, name=None)
    assert caught.value.problem is InputProblem.NOT_FOUND


async def test_a_whole_life(world: World) -> None:
    draft = await world.promotion(codes=2, active=False)
    seen = []
    for name in ("activate", "pause", "activate", "end", "archive"):
        world.clock.move(minutes=1)
        moved = await act(world.services, name, draft.id)
        assert moved.updated_at == world.clock.now
        assert moved == await world.services.lobby.get(id_=draft.id)
        seen.append((moved.status(world.clock.now), moved.end_reason(world.clock.now)))
    assert seen == [
        (ACTIVE, None),
        (PAUSED, None),
        (ACTIVE, None),
        (ENDED, EndReason.BY_HAND),
        (ARCHIVED, None),
    ]


@pytest.mark.parametrize(
    ("status", "refused"),
    [
        (DRAFT, ["pause", "end"]),
        (ACTIVE, ["activate", "archive"]),
        (PAUSED, ["pause", "archive"]),
        (ENDED, ["activate", "pause"]),
        (ARCHIVED, ["activate", "pause", "end", "archive"]),
    ],
)
async def test_acts_that_do_not_fit_are_turned_down_and_change_nothing(
    world: World, status: PromotionStatus, refused: list[str]
) -> None:
    promotion = await world.promotion(codes=1, active=status is not DRAFT)
    for name in {PAUSED: ["pause"], ENDED: ["end"], ARCHIVED: ["end", "archive"]}.get(status, []):
        promotion = await act(world.services, name, promotion.id)
    for name in refused:
        with pytest.raises(BadInput) as caught:
            await act(world.services, name, promotion.id)
        assert caught.value.problem is InputProblem.STATE
    assert await world.get(promotion) == promotion


async def test_an_end_by_hand_keeps_an_earlier_reason_and_may_yet_stop_redeeming(world: World) -> None:
    promoting = world.services.promoting
    over = await world.promotion(codes=1, window=Window(ends_at=world.clock.now + timedelta(hours=1)))
    world.clock.move(hours=2)
    ended = await promoting.end(over.id, stop_redeeming=False)
    assert (ended.stored_end_reason, ended.stop_redeeming) == (EndReason.WINDOW_OVER, False)
    stopped = await promoting.end(over.id, stop_redeeming=True)
    assert (stopped.stored_end_reason, stopped.stop_redeeming) == (EndReason.WINDOW_OVER, True)
    again = await promoting.end(over.id, stop_redeeming=False)
    assert again.stop_redeeming, "what was stopped stays stopped"


@pytest.mark.parametrize(
    ("terms", "shared", "codes", "field"),
    [
        ({"code_kind": CodeKind.SINGLE}, None, 0, "code"),
        ({"code_kind": CodeKind.SINGLE}, "SAVE20", 0, None),
        ({"on_empty": OnEmpty.REFUSE}, None, 0, "id"),
        ({"on_empty": OnEmpty.REFUSE}, None, 1, None),
        ({"on_empty": OnEmpty.REFUSE, "code_kind": CodeKind.MULTIPLE}, None, 0, "id"),
        ({"on_empty": OnEmpty.FALLBACK}, None, 1, "fallbackCode"),
        ({"on_empty": OnEmpty.FALLBACK}, "FALL", 0, None),
        ({"on_empty": OnEmpty.GENERATE}, None, 0, None),
    ],
)
async def test_what_could_give_nothing_to_anybody_is_not_made_active(
    world: World, terms: dict[str, Any], shared: str | None, codes: int, field: str | None
) -> None:
    draft = await world.promotion(codes=codes, shared=shared, active=False, **terms)
    if field is None:
        assert (await world.services.promoting.activate(draft.id)).stored_status is ACTIVE
        return
    with pytest.raises(BadInput) as caught:
        await world.services.promoting.activate(draft.id)
    assert (caught.value.problem, caught.value.field) == (InputProblem.STATE, (field,))
    assert await world.get(draft) == draft


async def test_a_fallback_alone_does_not_make_a_pool(world: World) -> None:
    draft = await world.promotion(shared="FALL", active=False, on_empty=OnEmpty.REFUSE)
    with pytest.raises(BadInput):
        await world.services.promoting.activate(draft.id)


async def test_an_active_promotion_keeps_what_it_needed_to_become_active(world: World) -> None:
    """Or a change would leave one that gives nothing to anybody, the thing that activating refuses."""
    single = await world.promotion(shared="SAVE20", code_kind=CodeKind.SINGLE)
    with pytest.raises(BadInput):
        await change(world.services, single, keep_shared=False)
    pooled = await world.promotion(codes=1)
    with pytest.raises(BadInput):
        await change(world.services, pooled, on_empty=OnEmpty.FALLBACK)


async def test_a_change_of_a_draft_and_of_an_active_promotion(world: World) -> None:
    draft = await world.promotion(active=False)
    world.clock.move(minutes=1)
    changed = await change(world.services, draft, handle="other", name="Other", issue_policy=IssuePolicy.PER_SEND)
    assert (changed.terms.handle, changed.terms.name, changed.updated_at) == ("other", "Other", world.clock.now)
    active = await world.services.promoting.activate(draft.id)
    renamed = await change(world.services, active, name="Renamed", audience_cap=5)
    assert renamed.terms == replace(changed.terms, name="Renamed", audience_cap=5)
    for terms in ({"handle": "x"}, {"code_kind": CodeKind.MULTIPLE}, {"issue_policy": IssuePolicy.PER_CUSTOMER}):
        with pytest.raises(BadInput) as caught:
            await change(world.services, active, **terms)
        assert caught.value.problem is InputProblem.STATE
    with pytest.raises(BadInput) as caught:
        await change(world.services, active, audience_cap=0)
    assert caught.value.problem is InputProblem.OUT_OF_RANGE
    assert await world.get(active) == renamed


async def test_nothing_changes_after_the_end(world: World) -> None:
    promotion = await world.promotion(codes=1)
    ended = await world.services.promoting.end(promotion.id, stop_redeeming=False)
    with pytest.raises(BadInput, match="duplicate"):
        await change(world.services, ended, name="Late")


@pytest.mark.parametrize("name", ["audience_cap", "uses_per_code", "uses_per_customer"])
async def test_a_limit_is_not_lowered_below_what_has_happened_already(world: World, name: str) -> None:
    """Either the change is turned down or recounting knows of it: what is legal must never look like a breach."""
    promotion = await world.promotion(codes=5, uses_per_code=3)
    texts = [await world.code(promotion, customer) for customer in ("ann", "bob", "cy")]
    for _ in range(2):
        assert why(await world.redeem(texts[0], "ann")) == []
    try:
        await change(world.services, promotion, **{name: 1})
    except BadInput as problem:
        assert problem.problem in (InputProblem.OUT_OF_RANGE, InputProblem.STATE)
    assert await world.verify() == []


async def test_a_raised_cap_lets_more_customers_in(world: World) -> None:
    promotion = await world.promotion(codes=5, audience_cap=3)
    await world.issue_all(promotion, ["a", "b"])
    await change(world.services, promotion, audience_cap=4)
    outcomes = await world.issue_all(promotion, ["c", "d", "e"])
    assert [why(outcome) for outcome in outcomes] == [[], [], ["AUDIENCE_CAP_REACHED"]]
    assert (await world.get(promotion)).stored_end_reason is EndReason.AUDIENCE_CAP


@pytest.mark.parametrize(
    ("name", "handle"),
    [("Spring Sale 2027!", "spring-sale-2027"), ("Été à Nîmes", "ete-a-nimes"), ("--x--", "x"), ("a" * 90, "a" * 64)],
)
async def test_a_handle_is_made_of_the_name(services: Services, name: str, handle: str) -> None:
    assert handle_from(name) == handle
    made = await services.promoting.create(Draft(terms=PromotionTerms(handle="", name=name)))
    assert made.terms.handle == handle


async def test_a_name_without_latin_letters_asks_for_a_handle(services: Services) -> None:
    with pytest.raises(BadInput) as caught:
        await services.promoting.create(Draft(terms=PromotionTerms(handle="", name="夏祭り")))
    assert caught.value.field == ("handle",)


async def test_a_handle_has_one_promotion(world: World) -> None:
    first = await world.promotion(handle="spring")
    second = await world.promotion(handle="summer", active=False)
    with pytest.raises(BadInput) as caught:
        await world.services.promoting.create(Draft(terms=PromotionTerms(handle="spring", name="Again")))
    assert (caught.value.problem, caught.value.field) == (InputProblem.TAKEN, ("handle",))
    with pytest.raises(BadInput) as caught:
        await change(world.services, second, handle="spring")
    assert caught.value.problem is InputProblem.TAKEN
    assert await change(world.services, first, name="Same handle") is not None


async def test_a_duplicate_is_a_draft_with_the_same_terms_and_no_codes(world: World) -> None:
    original = await world.promotion(
        codes=3, shared="FALL", on_empty=OnEmpty.FALLBACK, handle="h" * 64, audience_cap=9, properties={"a": "b"}
    )
    await world.issue_all(original, ["a", "b"])
    await world.services.promoting.end(original.id, stop_redeeming=True)
    copy = await world.services.promoting.duplicate(original.id, handle=None, name=None)
    assert copy.terms == replace(original.terms, handle="h" * 56 + "-copy", name=f"{original.terms.name} (copy)")
    assert (copy.stored_status, copy.stored_end_reason, copy.stop_redeeming) == (DRAFT, None, False)
    assert (await world.inventory(copy)).total == 0
    assert await world.services.lobby.shared_codes([copy.id]) == {}
    again = await world.services.promoting.duplicate(original.id, handle=None, name="Named")
    assert (again.terms.handle, again.terms.name) == ("h" * 56 + "-copy-2", "Named")
    with pytest.raises(BadInput) as caught:
        await world.services.promoting.duplicate(original.id, handle=copy.terms.handle, name=None)
    assert caught.value.problem is InputProblem.TAKEN


async def test_a_duplicate_of_the_longest_name_is_a_good_promotion(world: World) -> None:
    made = await world.services.promoting.create(Draft(terms=PromotionTerms(handle="x", name="n" * 200)))
    copy = await world.services.promoting.duplicate(made.id, handle=None, name=None)
    assert len(copy.terms.name) == 200


@pytest.mark.parametrize("text", ["", "SAVE 20", "TEST-20", "test-20", "\0", "x" * 65])
async def test_a_shared_code_must_be_a_good_code(services: Services, text: str) -> None:
    for kind, field in ((CodeKind.SINGLE, "code"), (CodeKind.MULTIPLE, "fallbackCode")):
        terms = PromotionTerms(handle="a", name="A", code_kind=kind)
        with pytest.raises(BadInput) as caught:
            await services.promoting.create(Draft(terms=terms, shared_code=text))
        assert (caught.value.problem, caught.value.field) == (InputProblem.INVALID, (field,))
    assert await services.lobby.get(handle="a") is None


async def test_a_shared_code_is_nobody_elses_code(world: World) -> None:
    await world.promotion(codes=["ONE"], shared="Two", on_empty=OnEmpty.FALLBACK)
    for text in ("one", "two", "\uff34\uff37\uff2f"):
        with pytest.raises(BadInput) as caught:
            await world.promotion(shared=text, handle="other", code_kind=CodeKind.SINGLE, active=False)
        assert (caught.value.problem, caught.value.field) == (InputProblem.TAKEN, ("code",))
    assert await world.services.lobby.get(handle="other") is None


async def test_a_shared_code_can_change_until_somebody_has_it(world: World) -> None:
    promotion = await world.promotion(shared="First", code_kind=CodeKind.SINGLE)
    promotion = await change(world.services, promotion, shared="Second", keep_shared=False)
    assert (await world.inventory(promotion)).total == 1
    assert why(await world.redeem("first")) == ["NOT_FOUND"]
    assert await world.code(promotion, "ann") == "Second"
    with pytest.raises(BadInput) as caught:
        await change(world.services, promotion, shared="Third", keep_shared=False)
    assert (caught.value.problem, caught.value.field) == (InputProblem.STATE, ("code",))
    kept = await change(world.services, promotion, shared="Second", keep_shared=False, name="Renamed")
    assert kept.terms.name == "Renamed"
    assert await world.services.lobby.shared_codes([promotion.id]) == {promotion.id: "Second"}


async def test_a_fallback_that_nobody_was_given_can_change(world: World) -> None:
    """Codes of the pool that are out say nothing about the fallback."""
    promotion = await world.promotion(codes=2, shared="Fall-1", on_empty=OnEmpty.FALLBACK)
    await world.code(promotion, "ann")
    await change(world.services, promotion, shared="Fall-2", keep_shared=False)
    assert [await world.code(promotion, each) for each in ("bob", "cy")][1] == "Fall-2"
    with pytest.raises(BadInput):
        await change(world.services, promotion, shared="Fall-3", keep_shared=False)


@pytest.mark.parametrize("blocked", [False, True])
async def test_a_shared_code_is_counted_once_through_every_change_of_a_draft(world: World, blocked: bool) -> None:
    """Blocked or not, from the one code to a fallback and back, to another text and to none."""
    draft = await world.promotion(shared="One", code_kind=CodeKind.SINGLE, active=False)
    steps: list[tuple[dict[str, Any], int]] = [
        ({"code_kind": CodeKind.MULTIPLE}, 0),
        ({"code_kind": CodeKind.SINGLE}, 1),
        ({"shared": "Two", "keep_shared": False}, 1),
        ({"keep_shared": False}, 0),
        ({"shared": "Three", "keep_shared": False}, 1),
    ]
    for terms, total in steps:
        known = await world.services.lobby.shared_codes([draft.id])
        if blocked and known:
            await world.services.changing.listed(list(known.values()), CodeChange.BLOCK)
        await change(world.services, draft, **terms)
        found = await world.inventory(draft)
        assert (found.total, found.available + found.blocked) == (total, total), terms
        assert await world.verify() == [], terms


async def test_a_new_shared_code_in_place_of_a_blocked_one_is_not_blocked(world: World) -> None:
    promotion = await world.promotion(shared="Old", code_kind=CodeKind.SINGLE)
    await world.block("Old")
    await change(world.services, promotion, shared="New", keep_shared=False)
    found = await world.inventory(promotion)
    assert (found.total, found.available, found.blocked) == (1, 1, 0)
    assert await world.code(promotion, "ann") == "New"


async def test_the_lobby_says_what_is_there(world: World) -> None:
    promotion = await world.promotion(codes=4, shared="FALL", on_empty=OnEmpty.FALLBACK, uses_per_code=2)
    before = await world.inventory(promotion)
    assert (before.total, before.available, before.issued, before.fallback_active) == (4, 4, 0, False)
    text = await world.code(promotion, "ann")
    await world.issue_all(promotion, ["bob", "cy"])
    await world.block("P1-00004")
    assert (await world.inventory(promotion)).fallback_active
    await world.code(promotion, "dee")
    for _ in range(2):
        await world.redeem(text)
    await world.redeem("fall")
    found = await world.inventory(promotion)
    assert (found.total, found.available, found.issued, found.blocked) == (4, 0, 3, 1)
    assert (found.redeemed, found.redemptions, found.customers, found.fallback_issued) == (1, 3, 4, 1)
    await world.services.promoting.pause(promotion.id)
    assert not (await world.inventory(promotion)).fallback_active, "a paused promotion gives nobody anything"


@pytest.mark.parametrize("status", PromotionStatus)
async def test_a_filter_by_status_agrees_with_the_promotions_themselves(world: World, status: PromotionStatus) -> None:
    now = world.clock.now
    hour = timedelta(hours=1)
    windows = [
        Window(),
        Window(starts_at=now + hour),
        Window(starts_at=now, ends_at=now + hour),
        Window(starts_at=now - hour, ends_at=now + timedelta(microseconds=1)),
        Window(starts_at=now + hour, ends_at=now + 2 * hour),
    ]
    for window in windows:
        for name in ("", "activate", "pause", "end", "archive"):
            promotion = await world.promotion(active=name not in ("", "archive"), window=window)
            if name not in ("", "activate"):
                await act(world.services, name, promotion.id)
    for _ in range(3):
        query = PromotionQuery(statuses=frozenset({status}))
        page = await world.services.lobby.page(query, Slice(count=100))
        every = await world.services.lobby.page(PromotionQuery(), Slice(count=100))
        expected = [promotion for _, promotion in every.rows if promotion.status(world.clock.now) is status]
        assert [promotion for _, promotion in page.rows] == expected
        assert await world.services.lobby.count(query) == len(expected)
        world.clock.move(hours=1)


async def test_pages_go_forward_and_backward_and_stay_stable_while_rows_are_added(world: World) -> None:
    made = []
    for _ in range(5):
        world.clock.move(minutes=1)
        made.append(await world.promotion(active=False))
    page = world.services.lobby.page
    for sort in ("created", "name", "handle", "updated"):
        for descending in (False, True):
            query = PromotionQuery(sort=sort, descending=descending)
            expected = [p.id for p in (reversed(made) if descending else made)]
            first = await page(query, Slice(count=2))
            second = await page(query, Slice(count=2, start=first.rows[-1][0]))
            third = await page(query, Slice(count=2, start=second.rows[-1][0]))
            ids = [p.id for part in (first, second, third) for _, p in part.rows]
            assert ids == expected, (sort, descending)
            ends = [(part.has_previous, part.has_next) for part in (first, second, third)]
            assert ends == [(False, True), (True, True), (True, False)]
            back = await page(query, Slice(count=2, start=third.rows[0][0], backward=True))
            assert back.rows == second.rows
            assert (back.has_previous, back.has_next) == (True, True)
            last = await page(query, Slice(count=2, backward=True))
            assert [p.id for _, p in last.rows] == expected[-2:]
            assert (last.has_previous, last.has_next) == (True, False)


@pytest.mark.parametrize(
    ("name", "searches"),
    [
        ("Spring", ["Spring", "spring", "SPRING", "prin"]),
        ("50 % off_all", ["50 %", "% off_", "FF_A"]),
        ("ÉTÉ", ["ÉTÉ", "été", "É"]),
        ("Straße", ["straße", "ß"]),
        ("İstanbul", ["İstanbul", "stanbul"]),
        ("夏祭り", ["夏祭り", "祭"]),
    ],
)
async def test_a_promotion_is_found_by_its_name(world: World, name: str, searches: list[str]) -> None:
    terms = PromotionTerms(handle="it", name=name, properties={"kind": "x"})
    made = await world.services.promoting.create(Draft(terms=terms))
    await world.promotion(active=False)
    for search in searches:
        page = await world.services.lobby.page(PromotionQuery(search=search), Slice(count=9))
        assert [promotion.id for _, promotion in page.rows] == [made.id], search


async def test_filters_by_kind_and_property(world: World) -> None:
    made = await world.promotion(active=False, code_kind=CodeKind.MULTIPLE, properties={"season": "spring", "a": "1"})
    await world.promotion(active=False, code_kind=CodeKind.MULTIPLE, properties={"season": "summer"})
    await world.promotion(active=False, properties={"season": "spring", "a": "2"})
    for query in (
        PromotionQuery(kinds=frozenset({CodeKind.MULTIPLE}), properties=(("season", "spring"),)),
        PromotionQuery(properties=(("season", "spring"), ("a", "1"))),
    ):
        page = await world.services.lobby.page(query, Slice(count=9))
        assert [promotion.id for _, promotion in page.rows] == [made.id]


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
async def test_texts_that_no_store_keeps_find_nothing(services: Services, text: str) -> None:
    assert await services.lobby.get(handle=text) is None
    assert (await services.lobby.page(PromotionQuery(search=text), Slice(count=9))).rows == []


async def test_instants_are_kept_to_the_microsecond(world: World) -> None:
    window = Window(
        starts_at=datetime(1, 1, 1, tzinfo=UTC), ends_at=datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
    )
    promotion = await world.promotion(window=window)
    assert (await world.get(promotion)).terms.window == window
