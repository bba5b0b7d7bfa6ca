"""Sends: everybody in the audience gets a message with a code of their own, once."""

import pytest

from promograph.domain.events import EventKind
from promograph.domain.promotions import OnEmpty
from promograph.domain.sending.messages import MessageContent
from promograph.domain.sending.sends import SendStatus, SendTerms
from promograph.errors import BadInput
from promograph.services.bookings import NewBooking
from promograph.store.events import EventQuery
from promograph.store.listing import Slice

from .sendings import Post, counted
from .world import World

pytestmark = pytest.mark.anyio


@pytest.fixture
def post(world: World) -> Post:
    return Post(world)


async def test_everybody_gets_a_code_of_their_own(world: World, post: Post) -> None:
    promotion = await world.promotion(handle="spring", codes=700)
    customers = await post.people(600)
    send = await post.send(customers, "spring")
    progress = await post.sent(send)
    assert progress.send.status is SendStatus.DONE
    assert (counted(progress), progress.send.planned) == ({"ACCEPTED": 600}, 600)
    codes = post.codes
    assert sorted(codes) == sorted(f"{id_}@example.com" for id_ in customers)
    assert len(set.union(*codes.values())) == 600
    assert post.repeats == 0
    numbers = await world.inventory(promotion)
    assert (numbers.issued, numbers.available) == (600, 100)


async def test_only_those_are_written_to_whom_the_channel_reaches(world: World, post: Post) -> None:
    await world.promotion(handle="spring", codes=20)
    good = await post.people(3)
    silent = await post.people(2, first=10, consent={"email": False})
    unasked = await post.people(1, first=20, consent={})
    lost = await post.people(2, first=30, email=None)
    progress = await post.sent(await post.send([*good, *silent, *unasked, *lost, "nobody"], "spring"))
    assert counted(progress) == {"ACCEPTED": 3, "SKIPPED": 6}
    assert progress.skipped == {"NO_ADDRESS": 2, "NO_CONSENT": 3, "UNKNOWN_CUSTOMER": 1}


@pytest.mark.parametrize("on_empty", OnEmpty)
async def test_a_pool_that_runs_out_in_the_middle(world: World, post: Post, on_empty: OnEmpty) -> None:
    shared = "SHARED" if on_empty is OnEmpty.FALLBACK else None
    promotion = await world.promotion(handle="spring", codes=30, shared=shared, on_empty=on_empty)
    progress = await post.sent(await post.send(await post.people(50), "spring"))
    texts = [text for found in post.codes.values() for text in found]
    match on_empty:
        case OnEmpty.REFUSE:
            assert counted(progress) == {"ACCEPTED": 30, "SKIPPED": 20}
            assert progress.skipped == {"POOL_EMPTY": 20}
            assert await told_of(world) == [EventKind.STOCK_EMPTY]
        case OnEmpty.FALLBACK:
            assert counted(progress) == {"ACCEPTED": 50}
            assert texts.count("SHARED") == 20
            assert (await world.inventory(promotion)).fallback_issued == 20
            assert await told_of(world) == [EventKind.STOCK_EMPTY, EventKind.FALLBACK_ON]
        case OnEmpty.GENERATE:
            assert counted(progress) == {"ACCEPTED": 50}
            assert len(set(texts)) == 50
            assert await told_of(world) == []


async def told_of(world: World) -> list[EventKind]:
    """What was told of pools, the first first."""
    page = await world.services.happenings.page(EventQuery(), Slice(count=100))
    return [event.kind for _, event in reversed(page.rows)]


async def test_what_a_send_has_left_of_its_booking_goes_back_when_it_ends(world: World, post: Post) -> None:
    promotion = await world.promotion(handle="spring", codes=20, on_empty=OnEmpty.REFUSE)
    send = await post.send(await post.people(5), "spring")
    for key, codes in ((send.terms.key, 8), ("of-another", 10)):
        await world.services.bookings.create(NewBooking(promotion="spring", send=key, codes=codes))
    await post.sent(send)
    numbers = await world.inventory(promotion)
    assert (numbers.issued, numbers.booked, numbers.available) == (5, 10, 5)


async def test_without_the_fallback_only_those_with_a_code_of_their_own(world: World, post: Post) -> None:
    promotion = await world.promotion(handle="spring", codes=3, shared="SHARED", on_empty=OnEmpty.FALLBACK)
    text = MessageContent(subject="-", text="{{ promocode | default('none') }}")
    customers = await post.people(5)
    progress = await post.sent(await post.send(customers, "spring", content=text, fallback=False))
    assert counted(progress) == {"ACCEPTED": 3, "SKIPPED": 2}
    assert (await world.inventory(promotion)).fallback_issued == 0


async def test_what_cannot_be_sent_is_not_saved(world: World, post: Post) -> None:
    await world.promotion(handle="spring", codes=1)
    bad = {
        "content.text": {"content": MessageContent(subject="x", text="{{ promcode }}")},
        "subject": {"content": MessageContent(text="{{ promocode }}")},
        "channel": {"channel": "sms"},
        "audience": {"audience": 12345},
        "messagesPerSecond": {"rate": 0},
        "name": {"name": " "},
    }
    for field, terms in bad.items():
        given = {"key": "s1", "name": "N", "channel": "email", "content": MessageContent(subject="x", text="y")}
        with pytest.raises(BadInput) as caught:
            await world.services.sends.create(SendTerms(**{**given, "promotion": "spring", **terms}))  # type: ignore[arg-type]
        assert ".".join(caught.value.field) == field
