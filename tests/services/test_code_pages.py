"""Pages of codes by what they are, whichever end they are begun from; texts with typing errors."""

from datetime import timedelta
from itertools import chain

import pytest

from promograph.domain.codes.formats import DEFAULT_ALPHABET, CodeFormat
from promograph.domain.codes.states import CodeState
from promograph.domain.codes.words import Words
from promograph.domain.issuing import IssueRequest
from promograph.domain.promotions import OnEmpty, Promotion
from promograph.domain.redeeming import ValidateRequest
from promograph.domain.stock.selections import CodeSelection
from promograph.services.app import Services
from promograph.store.databases.opening import open_database
from promograph.store.listing import Slice

from .world import World, issued

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)


async def listed(world: World, promotion: Promotion, states: str, *, size: int, backward: bool = False) -> list[str]:
    """All pages of a list, one behind the other, in the order of the list."""
    asked = frozenset(state for state in CodeState if state[0] in states)
    selection = CodeSelection(promotion=await world.get(promotion), states=asked)
    pages: list[list[str]] = []
    start = None
    while True:
        page = await world.services.stocking.codes(selection, Slice(count=size, start=start, backward=backward))
        pages.append([code.text for _, code in page.rows])
        if not (page.has_previous if backward else page.has_next):
            break
        start = page.rows[0 if backward else -1][0]
    return list(chain.from_iterable(pages[::-1] if backward else pages))


@pytest.mark.parametrize("expiries", [3, 130])
async def test_every_list_has_each_code_once_in_the_order_of_the_line(world: World, expiries: int) -> None:
    """With few expiries the codes of each are found together; with many they are not."""
    texts = [f"A{n:03}" for n in range(260)]
    promotion = await world.promotion(codes=texts, valid_for=5 * HOUR)
    await world.issue_all(promotion, [f"c{n}" for n in range(20)])
    world.clock.move(hours=4)
    await world.issue_all(promotion, [f"d{n}" for n in range(20)])
    world.clock.move(hours=2)
    for text in texts[20:26]:
        await world.redeem(text)
    await world.block("A007", "A030", "A150", "A151")
    await world.void("A008", "A031", "A152")
    for n in range(60, 260):
        when = world.clock.now - HOUR + timedelta(seconds=n % expiries) if n % 3 else world.clock.now + HOUR
        await world.set_expiry(texts[n], at=when)
    standing = {text: await world.services.lookup.code(text) for text in texts}
    now = world.clock.now
    for states in ("E", "EV", "BV", "IR", "A", "AEBVIR", "RE", "I", ""):
        expected = [text for text, code in standing.items() if code and (not states or code.state(now)[0] in states)]
        assert len(expected) > 2, states
        for backward in (False, True):
            assert await listed(world, promotion, states, size=7, backward=backward) == expected, (states, backward)


async def test_the_codes_of_a_customer_are_one_page(world: World) -> None:
    promotion = await world.promotion(codes=[f"A{n}" for n in range(9)], issue_policy="PER_SEND")
    for n in range(6):
        await world.issue(promotion, "ann" if n % 2 else "bob", send=f"s{n}")
    selection = CodeSelection(promotion=promotion, customer="ann")
    for backward, expected in ((False, ["A1", "A3"]), (True, ["A3", "A5"])):
        page = await world.services.stocking.codes(selection, Slice(count=2, backward=backward))
        assert [code.text for _, code in page.rows] == expected


async def test_a_typing_error_is_told_whatever_promotion_the_code_is_of(world: World) -> None:
    checked = await world.promotion(code_format=CodeFormat(prefix="CK-", check=True), on_empty=OnEmpty.GENERATE)
    text = await world.code(checked, "ann")
    assert (await world.validate(text)).is_valid
    wrong = text[:-1] + DEFAULT_ALPHABET[DEFAULT_ALPHABET.index(text[-1]) - 1]
    for refused in (
        await world.validate(wrong.lower()),
        await world.redeem(wrong),
        await world.validate(text[:-1] + "0"),
    ):
        assert refused.mistyped
    for refused in (await world.validate("CK-NOPE"), await world.validate(text + "2")):
        assert not refused.mistyped
    plain = await world.promotion(code_format=CodeFormat(prefix="PL-"))
    await world.services.stocking.generate(plain.id, 5, CodeFormat(prefix="GEN-", check=True), channel=None)
    later = world.reopen()
    made = next(text for text in await listed(world, plain, "A", size=9) if text[-1] != text[-2])
    swapped = ValidateRequest(code=made[:-2] + made[-1] + made[-2])
    assert (await later.redeeming.validate(swapped)).mistyped


async def test_codes_made_on_demand_and_by_the_job_hold_no_word_of_the_list(world: World) -> None:
    look = CodeFormat(alphabet="MÜL1X", length=14)
    words = Words.of(["müll"])
    services = Services(open_database(world.store), world.clock, words=words)
    try:
        promotion = await world.promotion(code_format=look, on_empty=OnEmpty.GENERATE)
        await services.stocking.generate(promotion.id, 500, None, channel=None)
        texts = await listed(world, promotion, "", size=400)
        assert len(texts) == 500
        requests = [IssueRequest(promotion=promotion.terms.handle, customer=f"c{n}") for n in range(700)]
        texts += [issued(outcome).text for outcome in await services.issuing.issue_many(requests)]
        assert not any(map(words.are_in, texts))
    finally:
        await services.close()
