"""What is decided: rewards, carts, limits, clocks, currencies, holds and several promotions in one cart.

Every number is worked out by hand, in the comment beside it or in the name of the case; a grid at the end is worked
out by fractions. A case fails unless the whole decision is the expected one: every refusal with its data, every line.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from itertools import product
from math import floor
from typing import Any

import pytest

from promograph.domain import conditions
from promograph.domain.carts import Cart, Line, LineFilter, Money
from promograph.domain.decisions import SHARED_SEQ, CodeFacts, Decision, Promised, RedeemFacts, Tally, decide
from promograph.domain.discounts import Discount
from promograph.domain.periods import Period, period_of
from promograph.domain.promotions import CodeKind, EndReason, PeriodCap, Promotion, PromotionStatus, PromotionTerms
from promograph.domain.refusals import Refusal, RefusalCode, refuse
from promograph.domain.rewards import (
    AmountOff,
    External,
    FixedPrice,
    FreeShipping,
    Gift,
    Percentage,
    Points,
    Single,
    Value,
)
from promograph.domain.stacking import in_order, what_is_left, why_not_together
from promograph.domain.windows import Window, end_of_day, start_of_day

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
LATER = NOW + HOUR
TORONTO = "America/Toronto"

CODE = CodeFacts(seq=7, text="ABC", blocked=False, uses=0, holder="ann", issued_at=NOW - HOUR)
SHARED = CodeFacts(seq=SHARED_SEQ, text="ALL", blocked=False, uses=0)
SHOES = LineFilter(categories=("shoes",))

Row = tuple[Promotion, Mapping[str, Any], Decision]


def eur(minor: int) -> Money:
    return Money(minor=minor, currency="EUR")


def usd(minor: int) -> Money:
    return Money(minor=minor, currency="USD")


def jpy(minor: int) -> Money:
    return Money(minor=minor, currency="JPY")


def kwd(minor: int) -> Money:
    return Money(minor=minor, currency="KWD")


def single(value: Value, maximum: Money | None = None, lines: LineFilter | None = None) -> Single:
    return Single(type="some", value=value, maximum=maximum, lines=lines)


def percent(whole: float, maximum: Money | None = None, lines: LineFilter | None = None) -> Single:
    return single(Percentage(basis_points=round(whole * 100)), maximum, lines)


def off(money: Money) -> Single:
    return single(AmountOff(money=money))


def priced(money: Money, maximum: Money | None = None) -> Single:
    return single(FixedPrice(money=money), maximum)


def shipped(maximum: Money | None = None) -> Single:
    return single(FreeShipping(), maximum)


def line(name: str, amount: int, quantity: int = 1, categories: tuple[str, ...] = ()) -> Line:
    return Line(id=name, sku=f"SKU-{name}", quantity=quantity, amount=amount, categories=categories)


def cart(currency: str, *amounts: int, shipping: int = 0) -> Cart:
    """Lines a, b, c, one unit each."""
    return Cart(currency=currency, lines=tuple(map(line, "abcdef", amounts)), shipping=shipping)


BASKET = cart("EUR", 5000, 3000, shipping=499)
"""50.00 and 30.00, and 4.99 to bring them: 80.00 that a reward over lines may take from."""

MIXED = Cart(currency="EUR", lines=(line("a", 6000, 2, ("shoes",)), line("b", 3000), line("c", 1500, 3, ("shoes",))))
"""Shoes for 75.00 in five units, and a hat for 30.00."""


def promotion(status: PromotionStatus = PromotionStatus.ACTIVE, *, stop: bool = False, **terms: Any) -> Promotion:
    return Promotion(
        id=1,
        terms=PromotionTerms(handle="table", name="Table", **terms),
        stored_status=status,
        stored_end_reason=EndReason.BY_HAND if status is PromotionStatus.ENDED else None,
        stop_redeeming=stop,
        created_at=NOW - 100 * HOUR,
        updated_at=NOW - 100 * HOUR,
    )


def takes(eligible: int, currency: str = "EUR", **lines: int) -> Decision:
    """So much off each line, of so much that was eligible."""
    total = sum(lines.values())
    taken = Discount(currency=currency, eligible=eligible, lines=lines, total=total)
    return Decision(discount=taken, money=Money(minor=total, currency=currency))


def ships(shipping: int, taken: int, currency: str = "EUR") -> Decision:
    """So much off the shipping."""
    discount = Discount(currency=currency, eligible=shipping, shipping=taken, total=taken)
    return Decision(discount=discount, money=Money(minor=taken, currency=currency))


def gives(currency: str = "EUR", **other: Any) -> Decision:
    """A gift, or points: nothing off."""
    return Decision(discount=Discount(currency=currency, **other), money=Money(minor=0, currency=currency))


def no(*refusals: Refusal) -> Decision:
    return Decision(refusals=refusals)


YES = Decision()
"""Taken, at a worth that only the shop knows."""

NOTHING_ELIGIBLE = no(refuse(RefusalCode.NOTHING_ELIGIBLE))
CART_REQUIRED = no(refuse(RefusalCode.CART_REQUIRED))
DISCOUNT_REQUIRED = no(refuse(RefusalCode.DISCOUNT_REQUIRED))
CUSTOMER_REQUIRED = no(refuse(RefusalCode.CUSTOMER_REQUIRED))
BLOCKED = no(refuse(RefusalCode.CODE_BLOCKED))


def exhausted(left: str, asked: str, currency: str = "EUR") -> Decision:
    return no(refuse(RefusalCode.BUDGET_EXHAUSTED, left=left, currency=currency, asked=asked))


def mismatch(expected: str, given: str) -> Decision:
    return no(refuse(RefusalCode.CURRENCY_MISMATCH, expected=expected, given=given))


def held(until: datetime = LATER) -> Decision:
    return no(refuse(RefusalCode.HELD_BY_OTHER, until=until.isoformat()))


def used(uses: int, limit: int) -> Decision:
    return no(refuse(RefusalCode.ALREADY_REDEEMED, uses=uses, limit=limit))


def capped(uses: int, limit: int) -> Decision:
    return no(refuse(RefusalCode.CUSTOMER_CAP_REACHED, uses=uses, limit=limit))


def inactive(status: PromotionStatus) -> Decision:
    return no(refuse(RefusalCode.PROMOTION_INACTIVE, status=status))


def verdict(of: Promotion, facts: Mapping[str, Any]) -> Decision:
    given: dict[str, Any] = {"code": CODE, "customer": "ann", "now": NOW, **facts}
    return decide(RedeemFacts(promotion=of, **given))


def rows(table: Mapping[str, Row]) -> list[Any]:
    return [pytest.param(*row, id=name) for name, row in table.items()]


def on(basket: Cart, reward: Single, expected: Decision, **terms: Any) -> Row:
    return promotion(reward=reward, **terms), {"cart": basket}, expected


REWARDS: dict[str, Row] = {
    "20 % of 50.00 and 30.00": on(BASKET, percent(20), takes(8000, a=1000, b=600)),
    "12.5 %, without a rest": on(BASKET, percent(12.5), takes(8000, a=625, b=375)),
    # 26.664 is 26.66; 16.6625 and 9.9975 of it: the cent that is over goes to the larger rest, b's
    "33.33 %, the rest to b": on(BASKET, percent(33.33), takes(8000, a=1666, b=1000)),
    "0.01 % is 0.8 of a cent, which is one": on(BASKET, percent(0.01), takes(8000, a=1)),
    # 0.49 of a cent
    "0.01 % of 49.00 is nothing": on(cart("EUR", 4900), percent(0.01), NOTHING_ELIGIBLE),
    "0.01 % of 50.00 is half a cent, which is one": on(cart("EUR", 5000), percent(0.01), takes(5000, a=1)),
    "100 %": on(BASKET, percent(100), takes(8000, a=5000, b=3000)),
    "20 %, at most 10.00": on(BASKET, percent(20, eur(1000)), takes(8000, a=625, b=375)),
    "20 %, at most 16.00": on(BASKET, percent(20, eur(1600)), takes(8000, a=1000, b=600)),
    "20 %, at most 16.01": on(BASKET, percent(20, eur(1601)), takes(8000, a=1000, b=600)),
    # 9.9938 and 5.9963 of 15.99: a cent is over, and b's rest is the larger
    "20 %, at most 15.99": on(BASKET, percent(20, eur(1599)), takes(8000, a=999, b=600)),
    # 3.125 and 1.875: equal rests, the earlier line has it
    "5.00 off": on(BASKET, off(eur(500)), takes(8000, a=313, b=187)),
    "80.00 off": on(BASKET, off(eur(8000)), takes(8000, a=5000, b=3000)),
    "80.01 off is 80.00": on(BASKET, off(eur(8001)), takes(8000, a=5000, b=3000)),
    "0.01 off": on(BASKET, off(eur(1)), takes(8000, a=1)),
    "each at 20.00": on(BASKET, priced(eur(2000)), takes(8000, a=3000, b=1000)),
    "each at 30.00": on(BASKET, priced(eur(3000)), takes(8000, a=2000)),
    "each at 50.00": on(BASKET, priced(eur(5000)), NOTHING_ELIGIBLE),
    # 40.00 in all, of which 30.00 and 10.00: at most 9.00 is 6.75 and 2.25
    "each at 20.00, at most 9.00": on(BASKET, priced(eur(2000), eur(900)), takes(8000, a=675, b=225)),
    "no shipping to pay": on(BASKET, shipped(), ships(499, 499)),
    "at most 3.00 of the shipping": on(BASKET, shipped(eur(300)), ships(499, 300)),
    "shipping that costs nothing": on(cart("EUR", 5000), shipped(), NOTHING_ELIGIBLE),
    "a gift": on(BASKET, single(Gift(sku="MUG")), gives(gift="MUG")),
    "a gift with an empty cart": on(cart("EUR"), single(Gift(sku="MUG")), gives(gift="MUG")),
    "points": on(BASKET, single(Points(number=250)), gives(points=250)),
    "points in yen": on(cart("JPY", 5), single(Points(number=250)), gives("JPY", points=250)),
    "10 % of the shoes": on(MIXED, percent(10, lines=SHOES), takes(7500, a=600, c=150)),
    "50.00 off the shoes only": on(
        MIXED, Single(type="t", value=AmountOff(money=eur(5000)), lines=SHOES), takes(7500, a=4000, c=1000)
    ),
    # 60.00 - 2 x 20.00, and 15.00 for three is cheaper already
    "each shoe at 20.00": on(
        MIXED, Single(type="t", value=FixedPrice(money=eur(2000)), lines=SHOES), takes(7500, a=2000)
    ),
    "no shoes in it": on(BASKET, percent(10, lines=SHOES), NOTHING_ELIGIBLE),
    "an empty cart": on(cart("EUR"), percent(10), NOTHING_ELIGIBLE),
    "lines for nothing": on(cart("EUR", 0, 0), percent(100), NOTHING_ELIGIBLE),
    # yen have no decimals: 246.5 is 247, of which 98.2 and 148.8
    "10 % of yen": on(cart("JPY", 980, 1485), percent(10), takes(2465, "JPY", a=98, b=149)),
    "500 yen off": on(cart("JPY", 980), off(jpy(500)), takes(980, "JPY", a=500)),
    # dinars have three: 617.25 fils are 617
    "5 % of 12.345 dinars": on(cart("KWD", 12345), percent(5), takes(12345, "KWD", a=617)),
    "at most half a dinar": on(cart("KWD", 12345), percent(5, kwd(500)), takes(12345, "KWD", a=500)),
}


def spent(reward: Single | External, budget: Money, committed: int, expected: Decision, **facts: Any) -> Row:
    facts.setdefault("cart", None if isinstance(reward, External) else BASKET)
    return promotion(reward=reward, budget=budget), {"tally": Tally(committed=committed), **facts}, expected


SHOP = External()
BUDGETS: dict[str, Row] = {
    "20 % fits exactly": spent(percent(20), eur(100_000), 98_400, takes(8000, a=1000, b=600)),
    "20 % is a cent too much": spent(percent(20), eur(100_000), 98_401, exhausted("15.99", "16.00")),
    "nothing is left": spent(percent(20), eur(100_000), 100_000, exhausted("0.00", "16.00")),
    "the whole budget at once": spent(percent(100), eur(8000), 0, takes(8000, a=5000, b=3000)),
    "a cent less than the whole cart": spent(percent(100), eur(7999), 0, exhausted("79.99", "80.00")),
    "the maximum comes before the budget": spent(percent(20, eur(1000)), eur(1000), 0, takes(8000, a=625, b=375)),
    "the budget does not shorten a discount": spent(off(eur(500)), eur(499), 0, exhausted("4.99", "5.00")),
    "shipping counts": spent(shipped(), eur(1000), 501, ships(499, 499)),
    "shipping is a cent too much": spent(shipped(), eur(1000), 502, exhausted("4.98", "4.99")),
    # 1,000.00 at 7.77 each: 127 have taken 986.79 and leave 13.21, 128 have taken 994.56 and leave 5.44
    "the 128th of 7.77": spent(SHOP, eur(100_000), 98_679, Decision(money=eur(777)), reported=eur(777)),
    "the 129th of 7.77": spent(SHOP, eur(100_000), 99_456, exhausted("5.44", "7.77"), reported=eur(777)),
    "what is left may go": spent(SHOP, eur(100_000), 99_456, Decision(money=eur(544)), reported=eur(544)),
    "a cent more may not": spent(SHOP, eur(100_000), 99_456, exhausted("5.44", "5.45"), reported=eur(545)),
    "nothing off costs nothing": spent(SHOP, eur(100), 100, Decision(money=eur(0)), reported=eur(0)),
    "the shop has not said, a cent is left": spent(SHOP, eur(100), 99, YES),
    "the shop has not said, nothing is left": spent(SHOP, eur(100), 100, exhausted("0.00", "0.01")),
    "the shop must say": spent(SHOP, eur(100), 0, DISCOUNT_REQUIRED, must_report=True),
    "the shop says": spent(SHOP, eur(100), 0, Decision(money=eur(100)), must_report=True, reported=eur(100)),
    "a budget in yen": spent(SHOP, jpy(1000), 223, Decision(money=jpy(777)), reported=jpy(777)),
    "a yen too much": spent(SHOP, jpy(1000), 224, exhausted("776", "777", "JPY"), reported=jpy(777)),
    "a budget in dinars": spent(SHOP, kwd(1000), 1, exhausted("0.999", "1.000", "KWD"), reported=kwd(1000)),
    "the shop reports dollars": spent(SHOP, eur(100_000), 0, mismatch("EUR", "USD"), reported=usd(1)),
    "20 % of a cart in dollars": spent(
        percent(20), eur(100_000), 0, mismatch("EUR", "USD"), cart=cart("USD", 5000, shipping=100)
    ),
    "free shipping in dollars": spent(shipped(), eur(100), 0, mismatch("EUR", "USD"), cart=cart("USD", 1, shipping=1)),
    "no cart to take 20 % of": spent(percent(20), eur(100), 0, CART_REQUIRED, cart=None),
}

CURRENCIES: dict[str, Row] = {
    "an amount in euros of dollars": on(cart("USD", 5000), off(eur(500)), mismatch("EUR", "USD")),
    "a maximum in euros of yen": on(cart("JPY", 5000), percent(10, eur(500)), mismatch("EUR", "JPY")),
    "a price in dinars of euros": on(BASKET, priced(kwd(500)), mismatch("KWD", "EUR")),
    "a percentage has no currency": on(cart("USD", 5000), percent(10), takes(5000, "USD", a=500)),
    "shipping has none either": on(cart("USD", 1, shipping=700), shipped(), ships(700, 700, "USD")),
    "an external reward takes any": (
        promotion(),
        {"reported": Money(minor=5, currency="ISK")},
        Decision(money=Money(minor=5, currency="ISK")),
    ),
    "an external reward, nothing said": (promotion(), {"must_report": True}, YES),
    "an external reward beside a cart": (promotion(), {"cart": BASKET, "reported": usd(3)}, Decision(money=usd(3))),
    "what the shop says of a reward of ours is not asked": (
        promotion(reward=percent(20)),
        {"cart": BASKET, "reported": eur(1)},
        takes(8000, a=1000, b=600),
    ),
}


def tried(limit: int | None, uses: int, holds: int, expected: Decision, **terms: Any) -> Row:
    """A code of one's own, or the one that all share where the promotion has but one."""
    code = SHARED if terms.get("code_kind") is CodeKind.SINGLE or terms.pop("fallback", False) else CODE
    facts = replace(code, uses=uses, holds=holds, held_until=LATER if holds else None)
    return promotion(uses_per_code=limit, **terms), {"code": facts}, expected


def counted(expected: Decision, terms: Mapping[str, Any], **tally: int) -> Row:
    return promotion(**terms), {"tally": Tally(**tally)}, expected


LIMITS: dict[str, Row] = {
    "one use, none so far": tried(1, 0, 0, YES),
    "one use, held": tried(1, 0, 1, held()),
    "one use, used": tried(1, 1, 0, used(1, 1)),
    "three uses, two used": tried(3, 2, 0, YES),
    "three uses, one used, one held": tried(3, 1, 1, YES),
    "three uses, two held": tried(3, 0, 2, YES),
    "three uses, two used, one held": tried(3, 2, 1, held()),
    "three uses, one used, two held": tried(3, 1, 2, held()),
    "three uses, all held": tried(3, 0, 3, held()),
    "three uses, all used": tried(3, 3, 0, used(3, 3)),
    "no limit": tried(None, 10**6, 10**3, YES),
    "a fallback is everybody's": tried(1, 50, 50, YES, fallback=True),
    "a single code, one used, one held": tried(2, 1, 1, held(), code_kind=CodeKind.SINGLE),
    "a single code, two used": tried(2, 2, 0, used(2, 2), code_kind=CodeKind.SINGLE),
    "a customer's last use": counted(YES, {"uses_per_customer": 2}, by_customer=1),
    "a customer's use too many": counted(capped(2, 2), {"uses_per_customer": 2}, by_customer=2),
    "other customers' uses": counted(YES, {"uses_per_customer": 1}, uses=10**6),
    "the last use of all": counted(YES, {"redemption_cap": 10}, uses=9),
    "a use too many of all": counted(
        no(refuse(RefusalCode.USE_CAP_REACHED, limit=10)), {"redemption_cap": 10}, uses=10
    ),
    "a customer's and everybody's": counted(
        no(
            refuse(RefusalCode.CUSTOMER_CAP_REACHED, uses=1, limit=1),
            refuse(RefusalCode.USE_CAP_REACHED, limit=5),
        ),
        {"uses_per_customer": 1, "redemption_cap": 5},
        by_customer=1,
        uses=5,
    ),
    "nobody in particular, where customers are counted": (
        promotion(uses_per_customer=1),
        {"customer": None},
        CUSTOMER_REQUIRED,
    ),
    "nobody in particular, where their days are": (
        promotion(uses_per_period=PeriodCap(uses=1, period=Period.DAY)),
        {"customer": None},
        CUSTOMER_REQUIRED,
    ),
    # A limit is told before the money: the budget is asked only of what could be taken.
    "used up, and no money either": (
        promotion(budget=eur(100)),
        {"code": replace(CODE, uses=1), "tally": Tally(committed=100), "reported": eur(1)},
        used(1, 1),
    ),
}


def at(day: str) -> datetime:
    return datetime.fromisoformat(f"{day}+00:00")


def toronto(first: date, last: date) -> Window:
    return Window(time_zone=TORONTO, starts_at=start_of_day(first, TORONTO), ends_at=end_of_day(last, TORONTO))


def moment(window: Window, now: str, expected: Decision, **facts: Any) -> Row:
    return promotion(window=window), {"now": at(now), "code": SHARED, **facts}, expected


def early(instant: str) -> Decision:
    return no(refuse(RefusalCode.NOT_STARTED, starts_at=f"{instant}+00:00"))


def late(instant: str) -> Decision:
    return no(refuse(RefusalCode.EXPIRED, expired_at=f"{instant}+00:00"))


# Toronto, and Montréal with it, is 4 hours behind UTC in summer and 5 in winter. On 1 November 2026 clocks go back
# from 2:00 to 1:00, so that the day has 25 hours; on 8 March they go forward from 2:00 to 3:00 and it has 23.
FIRST = toronto(date(2026, 11, 1), date(2026, 11, 1))
FIFTEENTH = toronto(date(2026, 12, 15), date(2026, 12, 15))
AUTUMN = toronto(date(2026, 10, 1), date(2026, 12, 15))
SPRING = toronto(date(2026, 3, 8), date(2026, 3, 8))
OWN = promotion(valid_for=timedelta(hours=48), window=toronto(date(2026, 10, 1), date(2026, 11, 2)))
BOUGHT = replace(CODE, issued_at=at("2026-10-31T16:00:00"))  # at noon on 31 October, by summer time

CLOCKS: dict[str, Row] = {
    "1 November, a second before it": moment(FIRST, "2026-11-01T03:59:59", early("2026-11-01T04:00:00")),
    "1 November, 0:00:00": moment(FIRST, "2026-11-01T04:00:00", YES),
    "1 November, 1:59:59 for the first time": moment(FIRST, "2026-11-01T05:59:59", YES),
    "1 November, 1:00:00 for the second time": moment(FIRST, "2026-11-01T06:00:00", YES),
    "1 November, 22:59:59": moment(FIRST, "2026-11-02T03:59:59", YES),
    "1 November, 23:00:00, where summer time would end": moment(FIRST, "2026-11-02T04:00:00", YES),
    "1 November, 23:59:59": moment(FIRST, "2026-11-02T04:59:59", YES),
    "1 November, its last microsecond": moment(FIRST, "2026-11-02T04:59:59.999999", YES),
    "2 November, 0:00:00": moment(FIRST, "2026-11-02T05:00:00", late("2026-11-02T05:00:00")),
    "15 December, a second before it": moment(FIFTEENTH, "2026-12-15T04:59:59", early("2026-12-15T05:00:00")),
    "15 December, 0:00:00": moment(FIFTEENTH, "2026-12-15T05:00:00", YES),
    "15 December, 23:59:59": moment(FIFTEENTH, "2026-12-16T04:59:59", YES),
    "16 December, 0:00:00": moment(FIFTEENTH, "2026-12-16T05:00:00", late("2026-12-16T05:00:00")),
    "from summer to winter, its first second": moment(AUTUMN, "2026-10-01T04:00:00", YES),
    "from summer to winter, a second before": moment(AUTUMN, "2026-10-01T03:59:59", early("2026-10-01T04:00:00")),
    "from summer to winter, its last second": moment(AUTUMN, "2026-12-16T04:59:59", YES),
    "from summer to winter, a second after": moment(AUTUMN, "2026-12-16T05:00:00", late("2026-12-16T05:00:00")),
    "8 March, 0:00:00": moment(SPRING, "2026-03-08T05:00:00", YES),
    "8 March, 23:59:59": moment(SPRING, "2026-03-09T03:59:59", YES),
    "9 March, 0:00:00": moment(SPRING, "2026-03-09T04:00:00", late("2026-03-09T04:00:00")),
    # 48 hours from noon are 48 hours, and clocks show 11:00 then; the promotion's own end is on 3 November at 5:00 UTC
    "48 hours from noon, a second before": (OWN, {"code": BOUGHT, "now": at("2026-11-02T15:59:59")}, YES),
    "48 hours from noon": (OWN, {"code": BOUGHT, "now": at("2026-11-02T16:00:00")}, late("2026-11-02T16:00:00")),
    "48 hours that the promotion has no more": (
        OWN,
        {"code": replace(CODE, issued_at=at("2026-11-02T04:00:00")), "now": at("2026-11-03T05:00:00")},
        late("2026-11-03T05:00:00"),
    ),
    "a second before that": (
        OWN,
        {"code": replace(CODE, issued_at=at("2026-11-02T04:00:00")), "now": at("2026-11-03T04:59:59")},
        YES,
    ),
    "a pause that the end has overtaken": (
        promotion(PromotionStatus.PAUSED, window=FIRST),
        {"now": at("2026-11-02T05:00:00"), "code": SHARED},
        late("2026-11-02T05:00:00"),
    ),
    "a pause, a second before the end": (
        promotion(PromotionStatus.PAUSED, window=FIRST),
        {"now": at("2026-11-02T04:59:59"), "code": SHARED},
        inactive(PromotionStatus.PAUSED),
    ),
}


def again(period: Period, earlier: Sequence[str], now: str, free_at: str | None, *, limit: int = 1) -> Row:
    """Uses at these instants, one more at `now`: taken, or free again at that instant."""
    since, _ = period_of(at(now), period, TORONTO)
    uses = sum(at(use) >= since for use in earlier)
    terms: dict[str, Any] = {
        "uses_per_period": PeriodCap(uses=limit, period=period),
        "window": Window(time_zone=TORONTO),
    }
    refusal = refuse(
        RefusalCode.CUSTOMER_CAP_REACHED, uses=limit, limit=limit, period=period, free_at=f"{free_at}+00:00"
    )
    facts = {"now": at(now), "tally": Tally(by_customer=len(earlier), in_period=uses)}
    return promotion(**terms), facts, YES if free_at is None else no(refusal)


PERIODS: dict[str, Row] = {
    "a day of 25 hours, its first second and its last": again(
        Period.DAY, ["2026-11-01T04:00:00"], "2026-11-02T04:59:59", "2026-11-02T05:00:00"
    ),
    "a day of 25 hours, the second after": again(Period.DAY, ["2026-11-01T04:00:00"], "2026-11-02T05:00:00", None),
    "a day of 25 hours, the second before": again(Period.DAY, ["2026-11-01T03:59:59"], "2026-11-01T04:00:00", None),
    "half past one, twice": again(Period.DAY, ["2026-11-01T05:30:00"], "2026-11-01T06:30:00", "2026-11-02T05:00:00"),
    "24 hours later on such a day": again(
        Period.DAY, ["2026-11-01T04:30:00"], "2026-11-02T04:30:00", "2026-11-02T05:00:00"
    ),
    "twice a day, once": again(Period.DAY, ["2026-11-01T05:30:00"], "2026-11-01T06:30:00", None, limit=2),
    "twice a day, twice": again(
        Period.DAY, ["2026-11-01T05:30:00"] * 2, "2026-11-01T06:30:00", "2026-11-02T05:00:00", limit=2
    ),
    "a day of 23 hours, its last second": again(
        Period.DAY, ["2026-03-08T05:00:00"], "2026-03-09T03:59:59", "2026-03-09T04:00:00"
    ),
    "a day of 23 hours, the second after": again(Period.DAY, ["2026-03-08T05:00:00"], "2026-03-09T04:00:00", None),
    "15 December": again(Period.DAY, ["2026-12-15T05:00:00"], "2026-12-16T04:59:59", "2026-12-16T05:00:00"),
    "15 December, the second after": again(Period.DAY, ["2026-12-16T04:59:59"], "2026-12-16T05:00:00", None),
    # Monday 26 October to Sunday 1 November
    "a week from its first second to its last": again(
        Period.WEEK, ["2026-10-26T04:00:00"], "2026-11-02T04:59:59", "2026-11-02T05:00:00"
    ),
    "a week, the second after": again(Period.WEEK, ["2026-10-26T04:00:00"], "2026-11-02T05:00:00", None),
    "a week, the second before": again(Period.WEEK, ["2026-10-26T03:59:59"], "2026-10-26T04:00:00", None),
    "a week, seven times 24 hours": again(
        Period.WEEK, ["2026-10-26T04:00:00"], "2026-11-02T04:00:00", "2026-11-02T05:00:00"
    ),
    "October, its last second": again(
        Period.MONTH, ["2026-10-01T04:00:00"], "2026-11-01T03:59:59", "2026-11-01T04:00:00"
    ),
    "October is over": again(Period.MONTH, ["2026-11-01T03:59:59"], "2026-11-01T04:00:00", None),
    "November from its first second to its last": again(
        Period.MONTH, ["2026-11-01T04:00:00"], "2026-12-01T04:59:59", "2026-12-01T05:00:00"
    ),
    "November is over": again(Period.MONTH, ["2026-12-01T04:59:59"], "2026-12-01T05:00:00", None),
    "December ends with the year": again(
        Period.MONTH, ["2026-12-01T05:00:00"], "2027-01-01T04:59:59", "2027-01-01T05:00:00"
    ),
}


def spends(op: str, amount: str) -> Any:
    return conditions.parse({"subtotal": {"op": op, "value": {"amount": amount, "currency": "EUR"}}})


def asked(condition: Any, basket: Cart | None, expected: Decision, **facts: Any) -> Row:
    return promotion(condition=condition, reward=percent(20)), {"cart": basket, **facts}, expected


def short(missing: str, condition: str) -> Decision:
    return no(Refusal(RefusalCode.MINIMUM_NOT_MET, {"condition": condition, "missing": missing, "currency": "EUR"}))


SPENT_50 = "cart subtotal at least 50.00 EUR"
FRIDAY_NIGHT = conditions.parse({"hours": {"weekdays": ["FRIDAY"], "start": "22:00", "end": "02:00"}})
CONDITIONS: dict[str, Row] = {
    "at least 50.00, and it is": asked(spends("GTE", "50"), cart("EUR", 5000), takes(5000, a=1000)),
    "at least 50.00, and a cent is missing": asked(spends("GTE", "50"), cart("EUR", 4999), short("0.01", SPENT_50)),
    "at least 50.00, and 8.00 are missing": asked(
        spends("GTE", "50"), cart("EUR", 3000, 1200, shipping=900), short("8.00", SPENT_50)
    ),
    "over 50.00, and it is not": asked(
        spends("GT", "50"), cart("EUR", 5000), short("0.01", "cart subtotal over 50.00 EUR")
    ),
    "over 50.00 by a cent": asked(spends("GT", "50"), cart("EUR", 5001), takes(5001, a=1000)),
    "50.00 euros are no dollars": asked(
        spends("GTE", "50"),
        cart("USD", 9000),
        no(
            Refusal(
                RefusalCode.CURRENCY_MISMATCH,
                {"condition": SPENT_50, "expected": "EUR", "given": "USD"},
            )
        ),
    ),
    "no cart to look at": asked(spends("GTE", "50"), None, CART_REQUIRED),
    "what is left does not count": asked(
        spends("GTE", "80"), BASKET, takes(200, a=20, b=20), left=cart("EUR", 100, 100)
    ),
    "five units of shoes": asked(
        conditions.parse({"lines": {"filter": {"categories": ["shoes"]}, "quantity": 5}}),
        MIXED,
        takes(10_500, a=1200, b=600, c=300),
    ),
    "six units of shoes": asked(
        conditions.parse({"lines": {"filter": {"categories": ["shoes"]}, "quantity": 6}}),
        MIXED,
        no(
            Refusal(
                RefusalCode.CONDITION_FAILED,
                {"condition": "cart has at least 6 units of category 'shoes'", "missing_quantity": 1},
            )
        ),
    ),
    # 20 November 2026 is a Friday.
    "Friday noon": asked(
        FRIDAY_NIGHT,
        BASKET,
        no(
            Refusal(
                RefusalCode.OUTSIDE_WINDOW,
                {"condition": "on Friday from 22:00 to 02:00", "opens_at": "2026-11-20T22:00:00+00:00"},
            )
        ),
    ),
    "Friday at ten": asked(FRIDAY_NIGHT, BASKET, takes(8000, a=1000, b=600), now=at("2026-11-20T22:00:00")),
    "Saturday, a second before two": asked(
        FRIDAY_NIGHT, BASKET, takes(8000, a=1000, b=600), now=at("2026-11-21T01:59:59")
    ),
}

PROMISE = takes(8000, a=1000, b=600)
PROMISED = Promised(customer="ann", discount=PROMISE.discount, money=PROMISE.money)
SAID = Promised(customer="ann", money=eur(777))


def kept(expected: Decision, *, on: Promotion | None = None, **facts: Any) -> Row:
    """What becomes of a hold that promised 20 % of the basket."""
    return on or promotion(reward=percent(20), budget=eur(1600)), {"promised": PROMISED, **facts}, expected


def said(expected: Decision, **facts: Any) -> Row:
    """What becomes of a hold for which the shop said 7.77, of 10.00 that the budget has without it."""
    return promotion(budget=eur(100_000)), {"promised": SAID, "tally": Tally(committed=99_000), **facts}, expected


ENDED, PAUSED = PromotionStatus.ENDED, PromotionStatus.PAUSED
FREE: dict[str, Any] = {"reward": percent(20), "code_required": False}
PROMISES: dict[str, Row] = {
    "what was promised is given": kept(PROMISE),
    "and takes the last of the budget": kept(PROMISE, tally=Tally(committed=0)),
    "whatever limits others have reached": kept(
        PROMISE,
        on=promotion(reward=percent(20), uses_per_code=1, redemption_cap=3, uses_per_customer=1),
        code=replace(CODE, uses=1),
        tally=Tally(by_customer=1, uses=3),
    ),
    "after the promotion's window": kept(PROMISE, on=promotion(reward=percent(20), window=FIRST)),
    "after the code's own time": kept(PROMISE, on=promotion(reward=percent(20), valid_for=SECOND)),
    "after the promotion has ended": kept(PROMISE, on=promotion(ENDED, reward=percent(20))),
    "though the condition would fail without a cart": kept(
        PROMISE, on=promotion(reward=percent(20), condition=spends("GTE", "500"))
    ),
    "to nobody in particular, who is somebody now": kept(
        PROMISE,
        on=promotion(reward=percent(20), uses_per_code=1, redemption_cap=3, uses_per_customer=2),
        promised=replace(PROMISED, customer=None),
        code=replace(CODE, uses=1),
        tally=Tally(by_customer=1, uses=3),
    ),
    "not to somebody who has had their share by then": kept(
        capped(2, 2),
        on=promotion(reward=percent(20), uses_per_customer=2),
        promised=replace(PROMISED, customer=None),
        tally=Tally(by_customer=2),
    ),
    "not after redeeming was stopped": kept(inactive(ENDED), on=promotion(ENDED, stop=True, reward=percent(20))),
    "not while it is paused": kept(inactive(PAUSED), on=promotion(PAUSED, reward=percent(20))),
    "not of an archived promotion": kept(
        inactive(PromotionStatus.ARCHIVED), on=promotion(PromotionStatus.ARCHIVED, reward=percent(20))
    ),
    "not for a blocked code": kept(BLOCKED, code=replace(CODE, blocked=True)),
    "without a code": kept(PROMISE, on=promotion(**FREE), code=None),
    "without a code, after the end": kept(PROMISE, on=promotion(ENDED, **FREE), code=None),
    "the shop keeps to what it said": said(Decision(money=eur(777))),
    "the shop takes less": said(Decision(money=eur(500)), reported=eur(500)),
    "the shop takes nothing": said(Decision(money=eur(0)), reported=eur(0)),
    "the shop takes all that is left": said(Decision(money=eur(1000)), reported=eur(1000)),
    "the shop takes a cent too much": said(exhausted("10.00", "10.01"), reported=eur(1001)),
    "the shop changes the currency": said(mismatch("EUR", "USD"), reported=usd(777)),
    "the shop never said": (promotion(), {"promised": Promised(), "must_report": True}, YES),
    "the shop never said, and now there is a budget": (
        promotion(budget=eur(1)),
        {"promised": Promised(), "must_report": True},
        DISCOUNT_REQUIRED,
    ),
}

WITHOUT_CODES: dict[str, Row] = {
    "a code is needed": (
        promotion(reward=percent(20)),
        {"code": None, "cart": BASKET},
        no(refuse(RefusalCode.CODE_REQUIRED)),
    ),
    "no code is needed": (promotion(**FREE), {"code": None, "cart": BASKET}, PROMISE),
    "a code works all the same": (promotion(**FREE), {"cart": BASKET}, PROMISE),
    "nobody holds what has ended": (promotion(ENDED, **FREE), {"code": None, "cart": BASKET}, inactive(ENDED)),
    "who holds a code does": (promotion(ENDED, **FREE), {"cart": BASKET}, PROMISE),
    "its clock": (
        promotion(window=FIRST, **FREE),
        {"code": None, "cart": BASKET, "now": at("2026-11-01T03:59:59")},
        early("2026-11-01T04:00:00"),
    ),
    "its budget": (
        promotion(budget=eur(1599), **FREE),
        {"code": None, "cart": BASKET},
        exhausted("15.99", "16.00"),
    ),
    "its customers": (
        promotion(uses_per_customer=1, **FREE),
        {"code": None, "cart": BASKET, "tally": Tally(by_customer=1)},
        capped(1, 1),
    ),
    "its uses": (
        promotion(redemption_cap=1, **FREE),
        {"code": None, "cart": BASKET, "tally": Tally(uses=1)},
        no(refuse(RefusalCode.USE_CAP_REACHED, limit=1)),
    ),
}

TABLE = REWARDS | BUDGETS | CURRENCIES | LIMITS | CLOCKS | PERIODS | CONDITIONS | PROMISES | WITHOUT_CODES


@pytest.mark.parametrize(("of", "facts", "expected"), rows(TABLE))
def test_by_hand(of: Promotion, facts: Mapping[str, Any], expected: Decision) -> None:
    assert verdict(of, facts) == expected


def test_no_case_has_been_named_twice() -> None:
    tables = (REWARDS, BUDGETS, CURRENCIES, LIMITS, CLOCKS, PERIODS, CONDITIONS, PROMISES, WITHOUT_CODES)
    assert len(TABLE) == sum(map(len, tables)) >= 120


# Several promotions in one cart. Each is (reward, priority), or has more terms; the expected decisions are in the same
# order, which is that of their ids.
Stack = tuple[Cart, Sequence[Mapping[str, Any]], Sequence[Decision]]


def offer(reward: Single | External, priority: int = 0, **more: Any) -> Mapping[str, Any]:
    return {"reward": reward, "priority": priority, "combinable": True, **more}


ALONE = offer(percent(20), combinable=False)
NOT_COMBINABLE = refuse(RefusalCode.NOT_COMBINABLE, promotion="Table")
STACKS: dict[str, Stack] = {
    # 16.00 of 80.00, then 6.40 of the 40.00 and 24.00 that are left
    "20 % and 10 %": (
        BASKET,
        [offer(percent(20), 1), offer(percent(10))],
        [takes(8000, a=1000, b=600), takes(6400, a=400, b=240)],
    ),
    # 8.00 of 80.00, then 14.40 of 45.00 and 27.00
    "10 % and 20 %": (
        BASKET,
        [offer(percent(20)), offer(percent(10), 1)],
        [takes(7200, a=900, b=540), takes(8000, a=500, b=300)],
    ),
    "the older of two that are equal": (
        BASKET,
        [offer(percent(20)), offer(percent(10))],
        [takes(8000, a=1000, b=600), takes(6400, a=400, b=240)],
    ),
    "a priority below 0 comes last": (
        BASKET,
        [offer(percent(20), -1), offer(percent(10))],
        [takes(7200, a=900, b=540), takes(8000, a=500, b=300)],
    ),
    # 46.87 and 28.13 are left; half of 75.00 is 23.435 and 14.065, the cent to the earlier
    "5.00 and a half": (
        BASKET,
        [offer(off(eur(500)), 1), offer(percent(50))],
        [takes(8000, a=313, b=187), takes(7500, a=2344, b=1406)],
    ),
    # 25.00 and 15.00 are left
    "a half and 5.00": (
        BASKET,
        [offer(off(eur(500))), offer(percent(50), 1)],
        [takes(4000, a=313, b=187), takes(8000, a=2500, b=1500)],
    ),
    # 60.00 as 37.50 and 22.50, and no more than 20.00 are left for the other 60.00
    "60.00 and 60.00 of 80.00": (
        BASKET,
        [offer(off(eur(6000)), 1), offer(off(eur(6000)))],
        [takes(8000, a=3750, b=2250), takes(2000, a=1250, b=750)],
    ),
    "everything, and then nothing is left": (
        BASKET,
        [offer(percent(100), 1), offer(percent(10))],
        [takes(8000, a=5000, b=3000), NOTHING_ELIGIBLE],
    ),
    "everything, and the shipping": (
        BASKET,
        [offer(percent(100), 1), offer(shipped())],
        [takes(8000, a=5000, b=3000), ships(499, 499)],
    ),
    "3.00 of the shipping, and the rest of it": (
        BASKET,
        [offer(shipped(eur(300)), 1), offer(shipped())],
        [ships(499, 300), ships(199, 199)],
    ),
    "the shipping twice": (
        BASKET,
        [offer(shipped(), 1), offer(shipped())],
        [ships(499, 499), NOTHING_ELIGIBLE],
    ),
    # 40.00 and 30.00 are left
    "each at 40.00, and 10 %": (
        BASKET,
        [offer(priced(eur(4000)), 1), offer(percent(10))],
        [takes(8000, a=1000), takes(7000, a=400, b=300)],
    ),
    # 45.00 and 27.00 are left
    "10 %, and each at 40.00": (
        BASKET,
        [offer(priced(eur(4000))), offer(percent(10), 1)],
        [takes(7200, a=500), takes(8000, a=500, b=300)],
    ),
    # 30.00 and 7.50 off the shoes; of the 30.00, 30.00 and 7.50 that are left, 22.49775, which is 22.50
    "half of the shoes, and 33.33 % of all": (
        MIXED,
        [offer(percent(50, lines=SHOES), 1), offer(percent(33.33))],
        [takes(7500, a=3000, c=750), takes(6750, a=1000, b=1000, c=250)],
    ),
    "a gift changes nothing for the next": (
        BASKET,
        [offer(single(Gift(sku="MUG")), 1), offer(percent(20))],
        [gives(gift="MUG"), takes(8000, a=1000, b=600)],
    ),
    "neither does what only the shop knows": (
        BASKET,
        [offer(SHOP, 1), offer(percent(20))],
        [YES, takes(8000, a=1000, b=600)],
    ),
    "a budget has room for what is left only": (
        BASKET,
        [offer(percent(50), 1), offer(percent(50), budget=eur(2000))],
        [takes(8000, a=2500, b=1500), takes(4000, a=1250, b=750)],
    ),
    "a budget that is a cent short": (
        BASKET,
        [offer(percent(50), 1), offer(percent(50), budget=eur(1999))],
        [takes(8000, a=2500, b=1500), exhausted("19.99", "20.00")],
    ),
    # of 80.00, of which 40.00 are left
    "spend 80.00, asked of the whole cart": (
        BASKET,
        [offer(percent(50), 1), offer(percent(10), condition=spends("GTE", "80"))],
        [takes(8000, a=2500, b=1500), takes(4000, a=250, b=150)],
    ),
    "three of them": (
        BASKET,
        # 40.00 and 24.00, then 36.00 and 21.60 are left, then 10.00 as 6.25 and 3.75
        [offer(percent(20), 3), offer(percent(10), 2), offer(off(eur(1000)), 1)],
        [takes(8000, a=1000, b=600), takes(6400, a=400, b=240), takes(5760, a=625, b=375)],
    ),
    "one that shares with nobody": (BASKET, [ALONE, offer(percent(10))], [no(NOT_COMBINABLE), no(NOT_COMBINABLE)]),
    "one that shares with nobody, by itself": (BASKET, [ALONE], [takes(8000, a=1000, b=600)]),
}


def together(basket: Cart, offers: Sequence[Mapping[str, Any]]) -> list[Decision]:
    """The decisions on one cart, in the order of the offers."""
    promotions = [replace(promotion(**terms), id=place) for place, terms in enumerate(offers, start=1)]
    alone = why_not_together(promotions)
    decisions: dict[int, Decision] = {}
    left = basket
    for place in in_order(promotions):
        decisions[place] = verdict(promotions[place], {"cart": basket, "left": left}) if alone is None else no(alone)
        left = what_is_left(left, decisions[place].discount)
    return [decisions[place] for place in range(len(offers))]


@pytest.mark.parametrize(
    ("basket", "offers", "expected"), [pytest.param(*row, id=name) for name, row in STACKS.items()]
)
def test_several_in_one_cart(basket: Cart, offers: Sequence[Mapping[str, Any]], expected: Sequence[Decision]) -> None:
    assert together(basket, offers) == list(expected)


# The grid: each reward, on each cart, in each currency, with each budget, once by fractions and once by the rules.
SHAPES: Mapping[str, Sequence[tuple[int, int]]] = {
    "one line": [(1, 4999)],
    "equal lines": [(1, 333)] * 7,
    "uneven lines": [(3, 12_345), (1, 1), (2, 7_777), (1, 0), (9, 98)],
    "large": [(1, 10**9), (1000, 999_999_999), (1, 1)],
}
GRID = list(
    product(
        ("EUR", "JPY", "KWD"),
        SHAPES,
        ("1 bp", "12.5 %", "66.67 %", "100 %", "50 % at most 77", "100 off", "10**7 off", "at 37", "at 2500"),
        ("no budget", "what it takes", "one less", "one more"),
    )
)


def fractions_of(kind: str, lines: Sequence[Line]) -> tuple[list[Fraction], int | None]:
    """What would come off each line exactly, and the maximum."""
    amounts = [Fraction(each.amount) for each in lines]
    whole = sum(amounts)
    match kind:
        case "1 bp":
            return [each / 10_000 for each in amounts], None
        case "12.5 %":
            return [each / 8 for each in amounts], None
        case "66.67 %":
            return [each * 6667 / 10_000 for each in amounts], None
        case "100 %":
            return amounts, None
        case "50 % at most 77":
            return [each / 2 for each in amounts], 77
        case "100 off":
            return [each * min(Fraction(100), whole) / whole for each in amounts], None
        case "10**7 off":
            return [each * min(Fraction(10**7), whole) / whole for each in amounts], None
        case "at 37" | "at 2500":
            price = int(kind[3:])
            return [max(Fraction(0), Fraction(each.amount - price * each.quantity)) for each in lines], None
    raise AssertionError(kind)


def by_fractions(kind: str, lines: Sequence[Line]) -> list[int]:
    """The total half up, and spread by largest remainder."""
    exact, maximum = fractions_of(kind, lines)
    total = floor(sum(exact) + Fraction(1, 2))
    total = total if maximum is None else min(total, maximum)
    shares = [each * total / sum(exact) if sum(exact) else Fraction(0) for each in exact]
    parts = [floor(share) for share in shares]
    while sum(parts) < total:
        rests = [share - part for share, part in zip(shares, parts, strict=True)]
        parts[rests.index(max(rests))] += 1
    return parts


def reward_of(kind: str, currency: str) -> Single:
    def money(minor: int) -> Money:
        return Money(minor=minor, currency=currency)

    values: Mapping[str, Single] = {
        "1 bp": percent(0.01),
        "12.5 %": percent(12.5),
        "66.67 %": percent(66.67),
        "100 %": percent(100),
        "50 % at most 77": percent(50, money(77)),
        "100 off": off(money(100)),
        "10**7 off": off(money(10**7)),
        "at 37": priced(money(37)),
        "at 2500": priced(money(2500)),
    }
    return values[kind]


@pytest.mark.parametrize(("currency", "shape", "kind", "room"), GRID)
def test_by_fractions(currency: str, shape: str, kind: str, room: str) -> None:
    lines = [line(f"l{place}", amount, quantity) for place, (quantity, amount) in enumerate(SHAPES[shape])]
    parts = by_fractions(kind, lines)
    total = sum(parts)
    left = {"no budget": None, "what it takes": total, "one less": total - 1, "one more": total + 1}[room]
    # 5 were given before.
    budget = None if left is None else Money(minor=left + 5, currency=currency)
    found = verdict(
        promotion(reward=reward_of(kind, currency), budget=budget),
        {"cart": Cart(currency=currency, lines=tuple(lines)), "tally": Tally(committed=5)},
    )
    if not total:
        assert found == NOTHING_ELIGIBLE
    elif room == "one less":
        asked_for, there = (Money(minor=minor, currency=currency).amount for minor in (total, total - 1))
        assert found == exhausted(there, asked_for, currency)
    else:
        lines_off = {each.id: part for each, part in zip(lines, parts, strict=True) if part}
        assert found == takes(sum(each.amount for each in lines), currency, **lines_off)
