"""Filling a pool: generating, importing, pasting, blocking; a load is all or nothing, whatever happens to it."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from promograph.domain.codes.formats import CodeFormat
from promograph.domain.codes.states import CodeState
from promograph.domain.promotions import CodeKind, OnEmpty, Promotion
from promograph.domain.sheets import Reading
from promograph.domain.stock.batches import BatchSource
from promograph.domain.stock.changes import CodeChange
from promograph.domain.stock.rows import BadRow, RepeatedRow
from promograph.domain.stock.selections import CodeSelection
from promograph.domain.windows import Window
from promograph.errors import BadInput, InputProblem, StoreUnavailable
from promograph.services.changing import MOST_LISTED
from promograph.services.stocking import MOST_GENERATED, MOST_PASTED
from promograph.store import loading
from promograph.store.listing import Slice

from .world import World, issued, lose_answer, why

pytestmark = pytest.mark.anyio


async def texts_of(world: World, promotion: Promotion, state: str | None = None, batch: int | None = None) -> list[str]:
    states = frozenset() if state is None else frozenset({CodeState(state)})
    query = CodeSelection(promotion=promotion, states=states, batch_id=batch)
    page = await world.services.stocking.codes(query, Slice(count=100_000))
    return [code.text for _, code in page.rows]


async def import_(world: World, promotion: Promotion, content: bytes | Iterable[bytes], **more: Any) -> Any:
    return await world.import_file(promotion, content, **more)


# Generating


async def test_exactly_so_many_codes_are_generated(world: World) -> None:
    look = CodeFormat(prefix="SPR-", length=12)
    promotion = await world.promotion(active=False, code_format=look)
    added = await world.services.stocking.generate(promotion.id, 2_500, None, channel="print")
    assert added.batch is not None
    assert (added.batch.source, added.batch.channel, added.batch.size) == (BatchSource.GENERATED, "print", 2_500)
    assert (added.report.read, added.report.added) == (2_500, 2_500)
    texts = await texts_of(world, promotion)
    assert len(set(texts)) == 2_500
    assert all(text.startswith("SPR-") and len(text) == 16 for text in texts)
    assert (await world.inventory(promotion)).available == 2_500


async def test_a_generation_may_have_a_look_of_its_own(world: World) -> None:
    promotion = await world.promotion(active=False)
    await world.services.stocking.generate(promotion.id, 3, CodeFormat(pattern="new-########"), channel=None)
    assert all(text.startswith("new-") for text in await texts_of(world, promotion))
    active = await world.services.promoting.activate(promotion.id)
    text = await world.code(active, "ann")
    assert why(await world.redeem(text.upper())) == []


async def test_codes_that_could_be_guessed_are_not_made(world: World) -> None:
    look = CodeFormat(alphabet="0123456789", length=8)
    promotion = await world.promotion(active=False, code_format=look)
    await world.services.stocking.generate(promotion.id, 60, None, channel=None)
    with pytest.raises(BadInput) as caught:
        await world.services.stocking.generate(promotion.id, 41, None, channel=None)
    assert (caught.value.problem, caught.value.field) == (InputProblem.OUT_OF_RANGE, ("length",))
    await world.services.stocking.generate(promotion.id, 40, None, channel=None)
    assert (await world.inventory(promotion)).total == 100


@pytest.mark.parametrize(
    ("count", "look", "field"),
    [
        (0, None, "count"),
        (-5, None, "count"),
        (MOST_GENERATED + 1, None, "count"),
        (1, CodeFormat(prefix="TEST-"), "prefix"),
        (1, CodeFormat(prefix="test-"), "prefix"),
        (1, CodeFormat(pattern="TEST-########"), "pattern"),
        (1, CodeFormat(prefix="a b"), "prefix"),
        (1, CodeFormat(length=0), "length"),
        (1, CodeFormat(pattern="FIXED"), "pattern"),
    ],
)
async def test_what_cannot_be_generated(world: World, count: int, look: CodeFormat | None, field: str) -> None:
    promotion = await world.promotion(active=False)
    with pytest.raises(BadInput) as caught:
        await world.services.stocking.generate(promotion.id, count, look, channel=None)
    assert caught.value.field == (field,)
    assert (await world.inventory(promotion)).total == 0


async def test_generated_codes_never_look_like_placeholders(world: World) -> None:
    """Of this look every sixteenth would."""
    promotion = await world.promotion(active=False)
    look = CodeFormat(pattern="####-" + "#" * 30, alphabet="TESQ")
    await world.services.stocking.generate(promotion.id, 2_000, look, channel=None)
    texts = await texts_of(world, promotion)
    assert len(texts) == 2_000
    assert [text for text in texts if text.startswith("TEST-")] == []


# Importing and pasting


async def test_every_row_of_a_list_is_accounted_for(world: World) -> None:
    other = await world.promotion(codes=["ELSE-1", "ELSE-2"], active=False)
    promotion = await world.promotion(codes=["HERE-1"], active=False)
    content = "\n".join(
        [
            "Promo code",  # 1, a header
            "GOOD-1",
            "",
            " good-2 ",
            "GOOD-1",  # 5, repeated
            '"Good-3"',
            "here-1",  # 7, here already
            "else-1",  # 8, elsewhere
            "ELSE-2",
            "two words",  # 10
            "a;b",
            "TEST-1234",
            "x" * 65,
            "ｇｏｏｄ－２",  # noqa: RUF001  14, the same as row 4
            "=1+1",
        ]
    )
    added = await import_(world, promotion, content.encode())
    report = added.report
    assert (report.header_skipped, report.read, report.added) == ("Promo code", 13, 4)
    assert report.repeated_rows == (RepeatedRow(5, "GOOD-1"), RepeatedRow(14, "ｇｏｏｄ－２"))  # noqa: RUF001
    assert (report.repeated, report.already_here, report.already_elsewhere, report.bad) == (2, 1, 2, 4)
    assert [(row.row, row.shown) for row in report.bad_rows] == [
        (10, "two words"),
        (11, "a, b"),
        (12, "TEST-1234"),
        (13, "x" * 39 + "…"),
    ]
    assert all(isinstance(row, BadRow) and row.why.endswith(".") for row in report.bad_rows)
    assert added.batch.size == 4
    assert await texts_of(world, promotion) == ["HERE-1", "GOOD-1", "good-2", "Good-3", "=1+1"]
    assert await texts_of(world, promotion, batch=added.batch.id) == ["GOOD-1", "good-2", "Good-3", "=1+1"]
    assert (await world.inventory(other)).total == 2
    assert report.read == report.added + report.repeated + report.already_here + report.already_elsewhere + report.bad


async def test_a_list_of_nothing_new_makes_no_batch(world: World) -> None:
    promotion = await world.promotion(codes=["A", "B"], active=False)
    for content in (b"", b"\n\n", b"a\nb\n", b"two words\n", b"CODE\n"):
        added = await import_(world, promotion, content)
        assert (added.batch, added.report.added) == (None, 0)
    assert (await world.inventory(promotion)).total == 2
    page = await world.services.stocking.batches(promotion.id, Slice(count=9))
    assert len(page.rows) == 1


async def test_a_long_list_in_pieces_keeps_its_order(world: World) -> None:
    promotion = await world.promotion(active=False)
    content = b"".join(b"code-%06d\r\n" % (n * 7919 % 25_000) for n in range(25_000))
    chunks = [content[at : at + 10_007] for at in range(0, len(content), 10_007)]
    added = await import_(world, promotion, chunks)
    assert (added.report.read, added.report.added) == (25_000, 25_000)
    assert await texts_of(world, promotion) == [f"code-{n * 7919 % 25_000:06}" for n in range(25_000)]


async def test_only_the_first_thousand_faults_are_named_and_all_are_counted(world: World) -> None:
    promotion = await world.promotion(active=False)
    added = await import_(world, promotion, b"A\n" * 1_500 + b"b c\n" * 1_500)
    assert (added.report.repeated, added.report.bad) == (1_499, 1_500)
    assert (len(added.report.repeated_rows), len(added.report.bad_rows)) == (1_000, 1_000)


async def test_a_file_that_cannot_be_read_leaves_nothing_and_frees_the_line(world: World) -> None:
    promotion = await world.promotion(codes=["A"], active=False)
    content = [b"".join(b"N-%05d\n" % n for n in range(30_000)), b"\xff\xfe\xfd\n"]
    with pytest.raises(BadInput, match="30,001"):
        await import_(world, promotion, content)
    assert (await world.inventory(promotion)).total == 1
    added = await import_(world, promotion, content[0])
    assert added.report.added == 30_000, "what failed has left no key behind"


async def test_a_reader_that_fails_leaves_nothing(world: World) -> None:
    promotion = await world.promotion(active=False)

    def chunks() -> Iterator[bytes]:
        yield b"A\n" + b"".join(b"N-%05d\n" % n for n in range(25_000))
        raise OSError("the upload broke off")

    with pytest.raises(OSError, match="broke off"):
        await import_(world, promotion, chunks())
    assert (await world.services.stocking.paste(promotion.id, "a\nn-00001", channel=None)).report.added == 2


async def test_the_encoding_that_was_named_is_used(world: World) -> None:
    promotion = await world.promotion(active=False)
    await import_(world, promotion, "ÉTÉ\nÑU".encode("cp1252"), reading=Reading(encoding="windows-1252"))
    assert await texts_of(world, promotion) == ["ÉTÉ", "ÑU"]
    with pytest.raises(BadInput) as caught:
        await import_(world, promotion, b"X", reading=Reading(encoding="rot13"))
    assert caught.value.field == ("encoding",)


async def test_pasting_has_a_bound(world: World) -> None:
    promotion = await world.promotion(active=False)
    with pytest.raises(BadInput) as caught:
        await world.services.stocking.paste(promotion.id, "\n" * (MOST_PASTED + 1), channel=None)
    assert (caught.value.problem, caught.value.field) == (InputProblem.TOO_MANY, ("codes",))


@pytest.mark.parametrize("text", ["夏祭り\n🎄", "a\tb", "nul\0", "half\ud800"])
async def test_odd_texts_are_codes_or_bad_rows_and_never_a_fault(world: World, text: str) -> None:
    promotion = await world.promotion(active=False)
    added = await world.services.stocking.paste(promotion.id, text, channel=None, key="k")
    assert added.report.added + added.report.bad == added.report.read
    assert await world.services.stocking.paste(promotion.id, text, channel=None, key="k") == added


async def test_who_takes_no_codes(world: World) -> None:
    stocking = world.services.stocking
    over = await world.promotion(codes=1, window=Window(ends_at=world.clock.now + timedelta(hours=1)))
    world.clock.move(hours=1)
    ended = await world.promotion(codes=1)
    await world.services.promoting.end(ended.id, stop_redeeming=False)
    single = await world.promotion(shared="SAVE", code_kind=CodeKind.SINGLE)
    cases = {over.id: InputProblem.STATE, ended.id: InputProblem.STATE, single.id: InputProblem.STATE}
    for id_, problem in {**cases, 10**9: InputProblem.NOT_FOUND}.items():
        for attempt in (
            stocking.generate(id_, 1, None, channel=None),
            stocking.paste(id_, "X", channel=None),
            world.import_file(id_, b"X"),
        ):
            with pytest.raises(BadInput) as caught:
                await attempt
            assert (caught.value.problem, caught.value.field) == (problem, ("promotion",))


async def test_an_active_and_a_paused_promotion_can_be_topped_up(world: World) -> None:
    promotion = await world.promotion(codes=1)
    await world.services.stocking.paste(promotion.id, "B", channel=None)
    await world.services.promoting.pause(promotion.id)
    await world.services.stocking.generate(promotion.id, 1, None, channel=None)
    assert (await world.inventory(promotion)).available == 3


@pytest.mark.parametrize("channel", ["", " x", "x" * 65])
async def test_a_bad_channel_is_bad_input(world: World, channel: str) -> None:
    promotion = await world.promotion(active=False)
    with pytest.raises(BadInput) as caught:
        await world.services.stocking.paste(promotion.id, "A", channel=channel)
    assert caught.value.field == ("channel",)


# Loads that meet, stop and die


async def test_two_loads_at_once_do_not_mix(world: World) -> None:
    promotion = await world.promotion(codes=1)
    second = world.reopen()
    services, database = world.interposed()
    met: list[InputProblem] = []

    async def meet() -> None:
        with pytest.raises(BadInput) as caught:
            await second.stocking.paste(promotion.id, "OTHER", channel=None)
        met.append(caught.value.problem)

    async def arm() -> None:
        database.before_write = meet  # between the claim and the first piece

    database.before_write = arm
    await services.stocking.paste(promotion.id, "A\nB\n", channel=None)
    # The first write is the claim; what was armed by it runs before the next one.
    assert met == [InputProblem.BUSY]
    assert await texts_of(world, promotion) == ["P1-00001", "A", "B"]
    assert (await second.stocking.paste(promotion.id, "OTHER", channel=None)).report.added == 1


async def test_a_load_whose_process_died_gives_way_after_a_minute(world: World) -> None:
    promotion = await world.promotion(codes=["A"])
    await world.unfinished_load(promotion, ["B", "C", "D", "E"])
    assert await world.verify() == []
    world.clock.move(seconds=59)
    with pytest.raises(BadInput) as caught:
        await world.services.stocking.paste(promotion.id, "C", channel=None)
    assert caught.value.problem is InputProblem.BUSY
    assert issued(await world.issue(promotion, "ann")).text == "A", "nobody else waits for it"
    assert why(await world.issue(promotion, "bob")) == ["POOL_EMPTY"]
    world.clock.move(seconds=1)
    added = await world.services.stocking.paste(promotion.id, "C\nX", channel=None)
    assert (added.report.added, added.report.already_here) == (2, 0)
    assert await texts_of(world, promotion) == ["A", "C", "X"]
    assert [await world.code(promotion, each) for each in ("bob", "cy")] == ["C", "X"]


async def test_a_load_that_was_taken_for_dead_adds_nothing_any_more(world: World) -> None:
    """It stood still for over a minute, another one took its place; then it goes on."""
    promotion = await world.promotion(codes=["A"])
    load = await world.unfinished_load(promotion, ["B", "C"])
    world.clock.move(seconds=61)
    await world.services.stocking.paste(promotion.id, "X", channel=None)
    now = world.clock.now
    with pytest.raises(BadInput) as caught:
        # Its next numbers lie beyond those that the other one has used.
        await world.go_on(load, ["Y", "Z"], first=load.first + 2)
    assert caught.value.problem is InputProblem.BUSY
    with pytest.raises(BadInput) as caught:
        await world.write(
            lambda connection: loading.publish(
                connection, load, load.first + 3, source="IMPORTED", channel=None, report={}, now=now
            )
        )
    assert caught.value.problem is InputProblem.BUSY
    await world.write(lambda connection: loading.abandon(connection, load))
    for text in ("Q\nR\nS\nT", "Y\nZ"):
        report = (await world.services.stocking.paste(promotion.id, text, channel=None)).report
        assert report.added == report.read
    assert await texts_of(world, promotion) == ["A", "X", "Q", "R", "S", "T", "Y", "Z"]


async def test_a_load_that_goes_on_beside_the_one_that_took_its_place_disturbs_nothing(world: World) -> None:
    promotion = await world.promotion(codes=["A"])
    load = await world.unfinished_load(promotion, ["B"])
    services, between = world.interposed()
    world.clock.move(seconds=61)

    async def go_on() -> None:
        with pytest.raises(BadInput) as caught:
            await world.go_on(load, ["Y"], first=load.first + 1)
        assert caught.value.problem is InputProblem.BUSY

    async def arm() -> None:
        between.before_write = go_on

    between.before_write = arm
    added = await services.stocking.paste(promotion.id, "X1\nX2\nX3", channel=None)
    assert added.report.added == 3
    assert await texts_of(world, promotion) == ["A", "X1", "X2", "X3"]


@pytest.mark.parametrize("number", [1, 2, 3])
async def test_a_load_of_which_an_answer_was_lost_is_repeated_at_once(world: World, number: int) -> None:
    """Whether that was the claim's, a piece's or the last one's, after which all of it is there."""
    promotion = await world.promotion(codes=["A"])
    services, database = world.interposed()
    lose_answer(database, number)
    with pytest.raises(StoreUnavailable):
        await services.stocking.paste(promotion.id, "B\nC", channel=None, key="k")
    added = await services.stocking.paste(promotion.id, "B\nC", channel=None, key="k")
    assert added.report.added == 2
    assert await texts_of(world, promotion) == ["A", "B", "C"]
    assert await world.services.verify() == []


async def test_a_promotion_that_ends_while_its_codes_are_loaded(world: World) -> None:
    """The load was allowed when it began; what it added is counted, and issued to nobody."""
    promotion = await world.promotion(codes=1)
    services, database = world.interposed()

    async def end() -> None:
        await world.services.promoting.end(promotion.id, stop_redeeming=False)

    database.before_write = end
    try:
        await services.stocking.paste(promotion.id, "X", channel=None)
    except BadInput as problem:
        assert problem.problem is InputProblem.STATE
    assert await world.verify() == []


async def test_keys_that_another_promotions_load_takes_meanwhile(world: World) -> None:
    promotion, other = await world.promotion(active=False), await world.promotion(active=False)
    services, database = world.interposed()

    async def meet() -> None:
        await world.services.stocking.paste(other.id, "B\nD", channel=None)

    async def arm() -> None:
        database.before_write = meet  # after this load has looked for keys that exist

    database.before_write = arm
    added = await services.stocking.paste(promotion.id, "A\nB\nC\nD\nE", channel=None)
    assert (added.report.added, added.report.already_elsewhere, added.report.already_here) == (3, 2, 0)
    assert added.batch is not None
    assert added.batch.size == 3
    assert await texts_of(world, promotion) == ["A", "C", "E"]
    active = await world.services.promoting.activate(promotion.id)
    outcomes = await world.issue_all(active, ["a", "b", "c"])
    assert [issued(outcome).text for outcome in outcomes] == ["A", "C", "E"]


# Blocking


async def test_blocking_counts_what_changed(world: World) -> None:
    promotion = await world.promotion(codes=5)
    text = await world.code(promotion, "ann")
    listed = world.services.changing.listed
    assert await listed([text, "p1-00003", "P1-00003", " P1-00004"], CodeChange.BLOCK) == (3, [])
    assert await listed(["P1-00003", "P1-00005"], CodeChange.BLOCK) == (1, [])
    found = await world.inventory(promotion)
    assert (found.total, found.available, found.issued, found.blocked) == (5, 1, 0, 4)
    assert await listed(["P1-00002"], CodeChange.UNBLOCK) == (0, [])
    assert await listed([text, "P1-00005"], CodeChange.UNBLOCK) == (2, [])
    found = await world.inventory(promotion)
    assert (found.available, found.issued, found.blocked) == (2, 1, 2)
    assert await listed([], CodeChange.BLOCK) == (0, [])


async def test_with_one_unknown_code_nothing_is_blocked(world: World) -> None:
    promotion = await world.promotion(codes=2)
    texts = ["P1-00001", "NOPE", "P1-00002", "", "nope"]
    assert await world.services.changing.listed(texts, CodeChange.BLOCK) == (0, [1, 3, 4])
    assert (await world.inventory(promotion)).blocked == 0


@pytest.mark.parametrize("text", ["a\0b", "\ud800", "x" * 5_000, "夏"])
async def test_texts_that_can_be_no_code_are_unknown(world: World, text: str) -> None:
    assert await world.services.changing.listed([text], CodeChange.BLOCK) == (0, [0])
    assert await world.services.lookup.code(text) is None


async def test_blocking_has_a_bound(world: World) -> None:
    with pytest.raises(BadInput) as caught:
        await world.services.changing.listed(["X"] * (MOST_LISTED + 1), CodeChange.BLOCK)
    assert (caught.value.problem, caught.value.field) == (InputProblem.TOO_MANY, ("codes",))


async def test_blocking_many_at_once(world: World) -> None:
    promotion = await world.promotion(codes=3_000)
    texts = [f"P1-{n:05}" for n in range(1, 3_001)]
    await world.issue_all(promotion, [f"c{n}" for n in range(1_000)])
    assert await world.block(*texts) == 3_000
    assert (await world.inventory(promotion)).blocked == 3_000
    assert await world.unblock(*reversed(texts)) == 3_000
    found = await world.inventory(promotion)
    assert (found.available, found.issued, found.blocked) == (2_000, 1_000, 0)
    await world.issue_all(promotion, [f"d{n}" for n in range(2_000)])
    assert (await world.inventory(promotion)).available == 0


async def test_every_kind_of_code_can_be_blocked_and_come_back(world: World) -> None:
    made = await world.promotion(on_empty=OnEmpty.GENERATE)
    on_demand = await world.code(made, "ann")
    single = await world.promotion(shared="SAVE", code_kind=CodeKind.SINGLE)
    fallback = await world.promotion(codes=["OWN"], shared="FALL", on_empty=OnEmpty.FALLBACK)
    before = [await world.inventory(promotion) for promotion in (made, single, fallback)]
    texts = [on_demand, "SAVE", "FALL", "OWN"]
    assert await world.block(*texts) == 4
    blocked = [(await world.inventory(promotion)).blocked for promotion in (made, single, fallback)]
    assert blocked == [1, 1, 1], "a fallback is outside the counts"
    assert await world.verify() == []
    assert await world.unblock(*texts) == 4
    assert [await world.inventory(promotion) for promotion in (made, single, fallback)] == before


# Listing and looking up


async def test_a_list_by_state_agrees_with_the_counts(world: World) -> None:
    promotion = await world.promotion(codes=6, code_kind=CodeKind.MULTIPLE)
    await world.issue_all(promotion, ["a", "b", "c"])
    await world.redeem("P1-00002")
    await world.redeem("P1-00005")
    await world.block("P1-00003", "P1-00006")
    states = {
        state: await texts_of(world, promotion, state) for state in ("AVAILABLE", "ISSUED", "REDEEMED", "BLOCKED")
    }
    assert states == {
        "AVAILABLE": ["P1-00004"],
        "ISSUED": ["P1-00001"],
        "REDEEMED": ["P1-00002", "P1-00005"],
        "BLOCKED": ["P1-00003", "P1-00006"],
    }


async def test_a_single_code_is_listed_as_issued_once_it_is(world: World) -> None:
    promotion = await world.promotion(shared="SAVE", code_kind=CodeKind.SINGLE)
    assert await texts_of(world, promotion, "AVAILABLE") == ["SAVE"]
    await world.code(promotion, "ann")
    assert (await world.inventory(promotion)).issued == 1
    assert await texts_of(world, promotion, "ISSUED") == ["SAVE"]
    assert await texts_of(world, promotion, "AVAILABLE") == []


async def test_pages_of_codes_go_both_ways(world: World) -> None:
    promotion = await world.promotion(codes=5, active=False)
    codes, query = world.services.stocking.codes, CodeSelection(promotion=promotion)
    first = await codes(query, Slice(count=2))
    second = await codes(query, Slice(count=2, start=first.rows[-1][0]))
    assert [row.seq for _, row in (*first.rows, *second.rows)] == [1, 2, 3, 4]
    assert (first.has_previous, first.has_next, second.has_previous, second.has_next) == (False, True, True, True)
    back = await codes(query, Slice(count=2, start=second.rows[0][0], backward=True))
    assert [row.seq for _, row in back.rows] == [1, 2]
    assert (back.has_previous, back.has_next) == (False, True)


async def test_batches_are_listed_the_latest_first(world: World) -> None:
    promotion = await world.promotion(codes=2, active=False)
    await import_(world, promotion, b"A\nA\nB C", channel="sms")
    page = await world.services.stocking.batches(promotion.id, Slice(count=9))
    rows = [row for _, row in page.rows]
    assert [(row.source, row.channel, row.size) for row in rows] == [("IMPORTED", "sms", 1), ("PASTED", None, 2)]
    assert (rows[0].report["read"], rows[0].report["repeated"], rows[0].report["bad"]) == (3, 1, 1)


async def test_a_code_is_looked_up_with_its_history(world: World) -> None:
    promotion = await world.promotion(codes=["Abc"], uses_per_code=2)
    lookup = world.services.lookup
    state = await lookup.code(" abc ")
    assert state is not None
    assert (state.text, state.seq, state.blocked, state.uses, state.is_issued) == ("Abc", 1, False, 0, False)
    issuance = issued(await world.issue(promotion, "ann"))
    first, second = await world.redeem("abc", "ann"), await world.redeem("abc", "bob")
    state = await lookup.code_at(promotion.id, 1)
    assert state is not None
    assert (state.uses, state.is_issued) == (2, True)
    assert await lookup.issuances_of(promotion.id, 1) == [issuance]
    assert await lookup.redemptions_of(promotion.id, 1) == [second.redemption, first.redemption]
    assert await lookup.code("none") is None
    assert await lookup.code_at(promotion.id, 2) is None


async def test_a_fallback_counts_as_issued_only_when_it_was_given(world: World) -> None:
    promotion = await world.promotion(codes=["OWN"], shared="FALL", on_empty=OnEmpty.FALLBACK)
    await world.code(promotion, "ann")
    state = await world.services.lookup.code("FALL")
    assert state is not None
    assert not state.is_issued
    given = issued(await world.issue(promotion, "bob"))
    state = await world.services.lookup.code("FALL")
    assert state is not None
    assert state.is_issued
    assert await world.services.lookup.issuances_of(promotion.id, 0) == [given]
