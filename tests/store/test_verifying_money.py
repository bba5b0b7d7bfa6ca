"""Recounting money, holds and rollbacks: each damage that verify is to see, done by hand once."""

from datetime import timedelta

import pytest

from promograph.domain.carts import Money
from promograph.domain.promotions import CodeKind
from promograph.domain.redeeming import HoldRequest, RedeemRequest, RollbackRequest
from promograph.domain.stock.changes import CodeChange

from .ground import Ground

pytestmark = pytest.mark.anyio

OF_MONEY = "WHERE promotion_id = (SELECT id FROM promotion WHERE handle = 'money')"


async def furnish(ground: Ground) -> None:
    """Redemptions 1 (10.00), 2 (4.00, of a hold), 3 (3.00, 1.00 of it undone), 4 (2.00, undone); held: 5.00."""
    promotion = await ground.promotion(
        "money",
        [f"M-{n}" for n in range(1, 9)],
        code_kind=CodeKind.MULTIPLE,
        budget=Money(minor=10_000, currency="EUR"),
        redemption_cap=9,
        uses_per_customer=2,
    )
    redeeming, hour = ground.services.redeeming, timedelta(hours=1)
    for n, minor in ((1, 1000), (3, 300), (4, 200)):
        used = await redeeming.redeem(RedeemRequest(code=f"M-{n}", customer=f"c-{n}", discount=_eur(minor)))
        assert used.redemption is not None
        if n == 1:
            held = await redeeming.hold(HoldRequest(code="M-2", customer="c-2", discount=_eur(400), ttl=hour))
            assert held.hold is not None
            assert (await redeeming.redeem(RedeemRequest(hold=held.hold.token))).redemption is not None
    assert (await redeeming.hold(HoldRequest(code="M-5", customer="c-5", discount=_eur(500), ttl=hour))).hold
    for number, amount in ((3, _eur(100)), (4, None)):
        undone = await redeeming.roll_back(RollbackRequest(promotion_id=promotion.id, number=number, amount=amount))
        assert undone.rollback is not None
    await ground.services.changing.listed(["M-6", "M-7"], CodeChange.BLOCK)
    await ground.services.changing.listed(["M-7"], CodeChange.UNBLOCK)


def _eur(minor: int) -> Money:
    return Money(minor=minor, currency="EUR")


@pytest.fixture(scope="module")
async def furnished(shared_ground: Ground) -> Ground:
    await furnish(shared_ground)
    return shared_ground


async def test_a_furnished_store_is_in_order(furnished: Ground) -> None:
    assert await furnished.services.verify() == []
    counters = "redemptions, redemption_number, hold_number, holds, spent, held, redeemed, issued, available"
    assert await furnished.ask(f"SELECT {counters} FROM stock {OF_MONEY}") == [(3, 4, 2, 1, 1600, 500, 3, 3, 4)]


@pytest.mark.parametrize("counter", ["redemptions", "redemption_number", "hold_number", "holds", "spent", "held"])
@pytest.mark.parametrize("step", [1, -1])
async def test_a_counter_that_is_off_is_named(furnished: Ground, counter: str, step: int) -> None:
    ((kept,),) = await furnished.ask(f"SELECT {counter} FROM stock {OF_MONEY}")
    found = await furnished.found_after(f"UPDATE stock SET {counter} = {counter} + {step} {OF_MONEY}")
    assert found == [f"money: {counter} is kept as {kept + step}, and its rows count {kept}"]


DAMAGES = {
    "a budget that was passed": (
        "UPDATE promotion SET budget_minor = 2099 WHERE handle = 'money'",
        "money: more is given or held than the budget has: EUR (2100, expected 2099)",
    ),
    "a cap that was passed, by a hold too": (
        "UPDATE promotion SET redemption_cap = 3 WHERE handle = 'money'",
        "money: it was used or held more often than its cap allows: uses (4, expected 3)",
    ),
    "a hold and a use of one code": (
        f"UPDATE hold SET seq = 1 {OF_MONEY} AND number = 2",
        "money: a code was redeemed more often than it may be: M-1 (2, expected 1)",
    ),
    "a customer who holds and uses too much": (
        f"UPDATE hold SET customer = 'c-2' {OF_MONEY} AND number = 2",
        f"UPDATE redemption SET customer = 'c-2' {OF_MONEY} AND number = 3",
        "money: a customer redeemed more often than allowed: c-2 (3, expected 2)",
    ),
    "a discount in another currency": (
        f"UPDATE redemption SET discount_currency = 'USD' {OF_MONEY} AND number = 1",
        "money: a discount is in another currency than the budget: USD (1, expected 0)",
    ),
    "a rollback of nothing": (
        f"UPDATE rollback SET number = 77 {OF_MONEY} AND number = 4",
        "money: a rollback is of a redemption that is not there: redemption (77, expected 0)",
    ),
    "a part that is missing": (
        f"UPDATE rollback SET part = 2 {OF_MONEY} AND number = 3",
        "money: parts of a rollback are missing: redemption (1, expected 2)",
    ),
    "a rollback after the whole": (
        f"INSERT INTO rollback (promotion_id, number, part, is_whole, minor, currency, rolled_back_at) "
        f"SELECT promotion_id, number, 2, false, 0, 'EUR', 0 FROM rollback {OF_MONEY} AND number = 4",
        "money: a redemption was rolled back on after it had been as a whole: redemption (2, expected 1)",
    ),
    "more rolled back than was given": (
        f"UPDATE rollback SET minor = 301 {OF_MONEY} AND number = 3",
        "money: another amount was rolled back than the redemption gave",
    ),
    "all rolled back and the use not back": (
        f"UPDATE rollback SET minor = 300 {OF_MONEY} AND number = 3",
        "money: another amount was rolled back than the redemption gave",
    ),
    "the use back and not all of the money": (
        f"UPDATE rollback SET is_whole = true {OF_MONEY} AND number = 3",
        "money: another amount was rolled back than the redemption gave",
    ),
    "a hold that became nothing": (
        f"UPDATE hold SET redemption = 99 {OF_MONEY} AND number = 1",
        "money: a hold was redeemed without a redemption",
    ),
    "a hold that became a use of another code": (
        f"UPDATE hold SET redemption = 1 {OF_MONEY} AND number = 1",
        "money: a hold was redeemed without a redemption",
    ),
    "two holds that became one use": (
        f"UPDATE hold SET redemption = 2, ended = 'REDEEMED', ended_at = 0 {OF_MONEY} AND number = 2",
        "money: a redemption came of several holds: redemption (2, expected 1)",
    ),
    "a block without a trace": (
        f"UPDATE code SET blocked = true {OF_MONEY} AND key = 'M-7'",
        "money: a code is blocked otherwise than its history says: M-7",
    ),
    "a rollback of no promotion": (
        "INSERT INTO rollback (promotion_id, number, part, is_whole, rolled_back_at) VALUES (999, 1, 1, true, 0)",
        "promotion 999: rows belong to a promotion that is not there: rollback (1, expected 0)",
    ),
}


@pytest.mark.parametrize("name", DAMAGES)
async def test_damaged_rows_are_found(furnished: Ground, name: str) -> None:
    *statements, sentence = DAMAGES[name]
    found = await furnished.found_after(*statements)
    assert [line for line in found if line.startswith(sentence)], found
