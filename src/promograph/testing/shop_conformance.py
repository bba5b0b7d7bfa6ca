"""The conformance kit of shops: what every shop that is told of promotions has to stand.

An author writes a `ShopStage`: the adapter before a shop that does as it is told. Each of `CASES` is then one test:

    @pytest.mark.parametrize("case", CASES)
    def test_my_shop_conforms(case: Case) -> None:
        run(case, MyStage)
"""

from abc import abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from promograph.channels import CodeAnswer, Opened, Shop, ShopCode, ShopFault
from promograph.domain.codes import normalise
from promograph.domain.orders.news import OrderNews, OrderState
from promograph.domain.rewards import Percentage, Single
from promograph.domain.shops.offers import Offer
from promograph.testing.stages import Fault, FaultyStage, run

__all__ = ["CASES", "Case", "ShopStage", "run"]

_SINCE = datetime(2027, 1, 1, tzinfo=UTC)
_ORDERS = 230
"""More than shops give at a time."""

OFFER = Offer(handle="winter", name="Winter", reward=Single(type="off", value=Percentage(basis_points=1_000)))
OFFER_ONCE = replace(OFFER, uses_per_code=1)


class ShopStage(FaultyStage):
    """A shop's adapter before a shop that does as it is told. It is entered before a case and left after it.

    It behaves as it is told to whatever changes something there: NONE, BUSY, BROKEN or LOST_ANSWER.
    """

    bad_code: str
    """A code that the shop never takes."""

    @abstractmethod
    def shop(self) -> Shop:
        """A new adapter before the same shop."""

    @abstractmethod
    def working(self) -> Sequence[str]:
        """The texts in capitals of all codes that work there now, one that is there twice twice."""

    @abstractmethod
    def sell(self, order: int, code: str, *, is_cancelled: bool = False) -> None:
        """The shop has an order with this id, of the year 2027, on which the code took 5.00 EUR off."""


Case = Callable[[ShopStage], Awaitable[None]]


async def it_has_words_for_a_percentage(stage: ShopStage) -> None:
    shop = stage.shop()
    assert shop.name and shop.title and shop.codes_at_once > 0
    assert list(shop.obstacles(OFFER_ONCE)) == []
    assert shop.words(OFFER_ONCE) == shop.words(replace(OFFER_ONCE))
    assert shop.words(OFFER_ONCE) != shop.words(replace(OFFER_ONCE, is_open=False))
    await shop.close()


async def codes_are_put_and_stopped_and_put_again(stage: ShopStage) -> None:
    shop = stage.shop()
    remote, first = await _opened(shop)
    codes = _codes(shop.codes_at_once)
    known = _known(codes, await shop.put(remote, OFFER_ONCE, codes))
    texts = {code.text for code in codes} | first
    _check(stage, texts)
    stopped = await shop.stop(remote, known[:3])
    assert all(answer.why is None for answer in stopped), stopped
    _check(stage, texts - {code.text for code in codes[:3]})
    again = [replace(code, remote=answer.remote) for code, answer in zip(codes[:3], stopped, strict=True)]
    assert all(answer.why is None for answer in await shop.put(remote, OFFER_ONCE, again))
    _check(stage, texts)
    await shop.close()


async def a_code_that_is_refused_hurts_no_other(stage: ShopStage) -> None:
    shop = stage.shop()
    remote, first = await _opened(shop)
    good = _codes(2)
    answers = await shop.put(remote, OFFER_ONCE, [good[0], ShopCode(text=stage.bad_code, uses=1), good[1]])
    assert [answer.why is None for answer in answers] == [True, False, True], answers
    _check(stage, {code.text for code in good} | first)
    await shop.close()


async def a_lost_answer_is_found_out_about(stage: ShopStage) -> None:
    shop = stage.shop()
    remote, first = await _opened(shop)
    codes = _codes(5)
    stage.behave(Fault.LOST_ANSWER)
    await _fails(shop, remote, codes, maybe_done=True)
    stage.behave(Fault.NONE)
    other = stage.shop()  # whoever goes on need not be who began
    found = await other.find(remote, OFFER_ONCE, codes)
    missing = [code for code, answer in zip(codes, found, strict=True) if answer is None]
    if missing:
        _known(missing, await other.put(remote, OFFER_ONCE, missing))
    _check(stage, {code.text for code in codes} | first)
    answers = [answer for answer in await other.find(remote, OFFER_ONCE, codes) if answer is not None]
    _known(codes, answers)
    for each in (shop, other):
        await each.close()


async def a_shop_that_does_nothing_is_asked_again(stage: ShopStage) -> None:
    shop = stage.shop()
    remote, first = await _opened(shop)
    codes = _codes(3)
    for fault in (Fault.BUSY, Fault.BROKEN):
        stage.behave(fault)
        await _fails(shop, remote, codes, maybe_done=None if fault is Fault.BROKEN else False)
    stage.behave(Fault.NONE)
    assert await shop.find(remote, OFFER_ONCE, codes) == [None] * 3
    _known(codes, await shop.put(remote, OFFER_ONCE, codes))
    _check(stage, {code.text for code in codes} | first)
    await shop.close()


async def a_closed_offer_works_nowhere_and_opens_again(stage: ShopStage) -> None:
    shop = stage.shop()
    remote, first = await _opened(shop)
    known = _known(_codes(3), await shop.put(remote, OFFER_ONCE, _codes(3)))
    for offer in (replace(OFFER_ONCE, is_open=False), OFFER_ONCE):
        await shop.change(remote, offer)
        if shop.offer_on_codes:
            await shop.put(remote, offer, known)
        _check(stage, {code.text for code in known} | first if offer.is_open else set())
    await shop.close()


async def an_offer_that_was_made_unheard_is_the_same(stage: ShopStage) -> None:
    shop = stage.shop()
    remote, first = await _opened(shop)
    again, _ = await _opened(shop)
    assert again == remote
    _check(stage, first)
    await shop.close()


async def orders_are_listed_each_once_as_they_stand(stage: ShopStage) -> None:
    shop = stage.shop()
    for number in range(1, _ORDERS + 1):
        stage.sell(number, f"WINTER-{number:04}", is_cancelled=number == 7)
    found: list[OrderNews] = []
    after: str | None = None
    while True:
        page = await shop.orders(_SINCE, after)
        found += page.orders
        after = page.after
        if after is None:
            break
        assert page.orders, "a page that is not the last one has orders"
    assert sorted(int(news.order) for news in found) == list(range(1, _ORDERS + 1)), "each once, and no others"
    for news in found:
        _check_order(shop, news)
    await shop.close()


def _check_order(shop: Shop, news: OrderNews) -> None:
    standing = news.standing
    assert standing is not None
    state = OrderState.CANCELLED if news.order == "7" else OrderState.SOLD
    assert (news.shop, standing.state, standing.currency) == (shop.name, state, "EUR")
    codes = [(normalise(code.code), code.discount) for code in standing.codes]
    assert codes == [(f"WINTER-{int(news.order):04}", 500)]


async def _opened(shop: Shop) -> tuple[str, set[str]]:
    """An offer, and the code that it was made with, where it was."""
    opened: Opened = await shop.open(OFFER_ONCE, ShopCode(text="FIRST", uses=1))
    assert opened.remote is not None
    assert opened.first is None or opened.first.why is None
    return opened.remote, set() if opened.first is None else {"FIRST"}


def _codes(count: int) -> list[ShopCode]:
    return [ShopCode(text=f"WINTER-{n:04}", uses=1) for n in range(count)]


def _known(codes: Sequence[ShopCode], answers: Sequence[CodeAnswer]) -> list[ShopCode]:
    """The codes as the shop has them; it must have taken each."""
    assert len(answers) == len(codes), "an answer each, in their order"
    assert all(answer.why is None and answer.remote for answer in answers), answers
    return [replace(code, remote=answer.remote) for code, answer in zip(codes, answers, strict=True)]


def _check(stage: ShopStage, wanted: set[str]) -> None:
    there = list(stage.working())
    assert sorted(there) == sorted(wanted), "each once, and no others"


async def _fails(shop: Shop, remote: str, codes: Sequence[ShopCode], *, maybe_done: bool | None) -> None:
    """`maybe_done` None: the shop may think so, and need not."""
    try:
        await shop.put(remote, OFFER_ONCE, codes)
    except ShopFault as fault:
        assert str(fault)
        assert maybe_done is None or fault.maybe_done is maybe_done
    else:
        raise AssertionError("nobody noticed that it failed")


CASES: tuple[Case, ...] = (
    it_has_words_for_a_percentage,
    codes_are_put_and_stopped_and_put_again,
    a_code_that_is_refused_hurts_no_other,
    a_lost_answer_is_found_out_about,
    a_shop_that_does_nothing_is_asked_again,
    a_closed_offer_works_nowhere_and_opens_again,
    an_offer_that_was_made_unheard_is_the_same,
    orders_are_listed_each_once_as_they_stand,
)
