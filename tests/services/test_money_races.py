"""Money and holds under concurrency: several servers' worth of connections on one store, as in `test_races`.

What was promised is counted, and the counters must say the same; at the end of each test everything is counted anew.
"""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from itertools import combinations, count
from typing import Any

import pytest

from promograph.domain.issuing import IssueRequest
from promograph.domain.promotions import CodeKind, EndReason, Promotion
from promograph.domain.redeeming import (
    HoldOutcome,
    HoldRequest,
    HoldState,
    RedeemCall,
    RedeemOutcome,
    RedeemRequest,
    Redemption,
    RollbackOutcome,
    RollbackRequest,
)
from promograph.errors import BadInput
from promograph.services.app import Services
from promograph.services.promoting import Draft
from promograph.store.databases.opening import open_database
from promograph.store.holding import ReleaseOutcome

from .test_races import ROUNDS, SERVERS, Call, Crowd, Server
from .till import QUARTER, Outcome, cart, eur, held, percent, redeemed, rolled_back, set_up_types, terms_with, why
from .world import Recount, SetClock

AT_ONCE = 64
BUDGET, EACH = 100_000, 777
FITS = BUDGET // EACH
"""128 times 7.77 are 994.56, and 5.44 are left."""


class ClockedServer(Server):
    """A server whose clock the test moves."""

    def __init__(self, store: str, clock: SetClock) -> None:
        self._clock = clock
        super().__init__(store)

    async def _open(self, store: str) -> Services:
        return Services(open_database(store), self._clock)


class Tills(Crowd):
    """Several servers over one store, under one clock."""

    def __init__(self, store: str, clock: SetClock, recount: Recount | None) -> None:
        self.clock = clock
        self.servers = [ClockedServer(store, clock) for _ in range(SERVERS)]
        self._recount = recount
        self._numbers = count(1)

    def shared(self, **terms: Any) -> tuple[Promotion, str]:
        """A promotion with one code for everybody, usable without limit; and that code."""
        terms = {"code_kind": CodeKind.SINGLE, "uses_per_code": None, **terms}
        promotion, _ = self.promotion(shared="ALL", **terms)
        return promotion, f"ALL-{promotion.terms.handle.split('-')[1]}"

    def money(self, promotion: Promotion) -> tuple[int, int]:
        """What is spent, and what is held."""
        found = self.one(lambda services: services.lobby.budgets([promotion.id]))[promotion.id]
        assert found.left.minor >= 0
        return found.spent.minor, found.held.minor

    def verified(self) -> None:
        assert self.verify() == []


@pytest.fixture
def tills(store_url: str, clock: SetClock, recount: Recount | None) -> Iterator[Tills]:
    made = Tills(store_url, clock, recount)
    try:
        yield made
        made.verified()
    finally:
        made.stop()


def redeem(**request: Any) -> Call[RedeemOutcome]:
    return lambda services: services.redeeming.redeem(RedeemRequest(**request))


def hold(code: str, customer: str | None = None, *, ttl: timedelta = QUARTER, **more: Any) -> Call[HoldOutcome]:
    request = HoldRequest(code=code, customer=customer, ttl=ttl, **more)
    return lambda services: services.redeeming.hold(request)


def release(token: str) -> Call[ReleaseOutcome]:
    return lambda services: services.redeeming.release(token)


def roll_back(of: Redemption, minor: int | None = None, **more: Any) -> Call[RollbackOutcome]:
    request = RollbackRequest(
        promotion_id=of.promotion_id, number=of.number, amount=None if minor is None else eur(minor), **more
    )
    return lambda services: services.redeeming.roll_back(request)


def together(*requests: RedeemRequest, key: str | None = None) -> Call[list[RedeemOutcome]]:
    return lambda services: services.redeeming.redeem_together(RedeemCall(requests=requests, idempotency_key=key))


def reasons(outcomes: Sequence[Outcome]) -> Counter[str]:
    return Counter(reason for outcome in outcomes for reason in why(outcome) or ["YES"])


def until_refused(code: str, minor: int = EACH) -> Call[int]:
    """How often it could be redeemed until the budget was at its end."""

    async def run(services: Services) -> int:
        for times in count():
            outcome = await redeem(code=code, discount=eur(minor))(services)
            if outcome.redemption is None:
                assert why(outcome) == ["BUDGET_EXHAUSTED"]
                return times
        raise AssertionError

    return run


def test_a_budget_gives_the_largest_multiple_that_fits(tills: Tills) -> None:
    """1,000.00 to 64 clients that take 7.77 each until they are refused."""
    for _ in range(ROUNDS // 4):
        promotion, code = tills.shared(budget=eur(BUDGET))
        taken = tills.all([until_refused(code)] * AT_ONCE)
        assert (sum(taken), FITS) == (128, 128)
        assert tills.money(promotion) == (99_456, 0)
        assert tills.inventory(promotion).redemptions == FITS
        assert tills.promotion_now(promotion).stored_end_reason is None
        # What is left is given to whom it fits, and then the promotion is over.
        last = tills.all([redeem(code=code, discount=eur(544))] * AT_ONCE)
        assert reasons(last) == {"YES": 1, "BUDGET_EXHAUSTED": AT_ONCE - 1}
        assert tills.money(promotion) == (BUDGET, 0)
        assert tills.promotion_now(promotion).stored_end_reason is EndReason.BUDGET_SPENT


def test_a_budget_is_held_and_redeemed_and_given_back_in_every_order(tills: Tills) -> None:
    """Clients that hold first; some pay, some go away, some send back. Afterwards exactly what they kept is spent."""
    for _ in range(ROUNDS // 4):
        promotion, code = tills.shared(budget=eur(BUDGET))

        def shop(n: int, code: str = code) -> Call[int]:
            async def run(services: Services) -> int:
                kept = 0
                for turn in range(4):
                    made = await hold(code, discount=eur(EACH))(services)
                    if made.hold is None:
                        assert why(made) == ["BUDGET_EXHAUSTED"]
                    elif (n + turn) % 3 == 0:
                        assert why(await release(made.hold.token)(services)) == []
                    else:
                        done = redeemed(await redeem(hold=made.hold.token)(services))
                        kept += 1
                        if (n + turn) % 3 == 1:
                            rolled_back(await roll_back(done)(services))
                            kept -= 1
                return kept

            return run

        kept = sum(tills.all([shop(n) for n in range(AT_ONCE)]))
        assert tills.money(promotion) == (kept * EACH, 0)
        assert tills.inventory(promotion).redemptions == kept
        more = sum(tills.all([until_refused(code)] * 8))
        assert kept + more == FITS
        assert tills.money(promotion) == (FITS * EACH, 0)


def test_holds_that_lapse_in_the_middle_give_their_money_back(tills: Tills) -> None:
    """Time passes while clients hold and pay: who is late has no money set aside any more, and others get it."""
    for _ in range(ROUNDS // 4):
        promotion, code = tills.shared(budget=eur(BUDGET))

        def shop(n: int, code: str = code) -> Call[tuple[int, int]]:
            async def run(services: Services) -> tuple[int, int]:
                paid = late = 0
                for _ in range(4):
                    ttl = timedelta(seconds=1 if n % 2 else 3600)
                    made = await hold(code, discount=eur(EACH), ttl=ttl)(services)
                    if made.hold is None:
                        assert why(made) == ["BUDGET_EXHAUSTED"]
                        continue
                    await asyncio.sleep(0)
                    if n % 16 == 0:
                        tills.clock.move(seconds=1)
                    if n % 4 < 2:
                        continue  # never comes back
                    outcome = await redeem(hold=made.hold.token)(services)
                    if outcome.redemption is None:
                        assert n % 2, "an hour has not passed"
                        assert outcome.refusals[0].data == {"state": HoldState.LAPSED}
                        late += 1
                    else:
                        paid += 1
                return paid, late

            return run

        answers = tills.all([shop(n) for n in range(AT_ONCE)])
        paid = sum(paid for paid, _ in answers)
        spent, set_aside = tills.money(promotion)
        assert spent == paid * EACH
        assert set_aside % EACH == 0
        tills.verified()
        tills.clock.move(hours=1)
        assert tills.money(promotion) == (spent, 0), "nobody had to sweep"
        assert sum(tills.all([until_refused(code)] * 8)) == FITS - paid
        assert tills.money(promotion) == (FITS * EACH, 0)
        assert tills.inventory(promotion).held == 0


def test_a_budget_full_of_lapsed_holds_is_free_to_the_first_who_asks(tills: Tills) -> None:
    for _ in range(ROUNDS // 2):
        promotion, code = tills.shared(budget=eur(BUDGET))
        ttls = [timedelta(seconds=5 if n % 2 else 50) for n in range(FITS + 8)]
        made = tills.all([hold(code, discount=eur(EACH), ttl=ttl) for ttl in ttls])
        assert reasons(made) == {"YES": FITS, "BUDGET_EXHAUSTED": 8}
        assert tills.money(promotion) == (0, FITS * EACH)
        tills.clock.move(seconds=5)
        lasting = [one.hold for one in made if one.hold and one.hold.expires_at > tills.clock.now]
        free = FITS - len(lasting)
        late = [redeem(hold=one.hold.token) for one in made if one.hold and one.hold not in lasting]
        calls: list[Call[Any]] = [redeem(code=code, discount=eur(EACH)) for _ in range(AT_ONCE + 16)]
        calls[20:20] = late[:20]
        calls[60:60] = [redeem(hold=one.token) for one in lasting]
        outcomes = tills.all(calls)
        assert reasons(outcomes) == {
            "YES": min(free, AT_ONCE + 16) + len(lasting),
            "BUDGET_EXHAUSTED": max(AT_ONCE + 16 - free, 0),
            "HOLD_OVER": 20,
        }
        assert tills.money(promotion) == ((min(free, AT_ONCE + 16) + len(lasting)) * EACH, 0)


def test_a_single_use_is_held_once(tills: Tills) -> None:
    for _ in range(ROUNDS):
        promotion, (text,) = tills.promotion(codes=1, code_kind=CodeKind.MULTIPLE)
        outcomes = tills.all([hold(text)] * AT_ONCE)
        assert reasons(outcomes) == {"YES": 1, "HELD_BY_OTHER": AT_ONCE - 1}
        winner = next(outcome.hold for outcome in outcomes if outcome.hold)
        told = {outcome.refusals[0].data["until"] for outcome in outcomes if outcome.refusals}
        assert told == {winner.expires_at.isoformat()}
        found = tills.inventory(promotion)
        assert (found.held, found.available) == (1, 1)
        paid = tills.all([redeem(hold=winner.token)] * 16)
        assert reasons(paid) == {"YES": 1, "HOLD_OVER": 15}
        assert tills.inventory(promotion).redemptions == 1


@pytest.mark.parametrize("uses", [1, 5])
def test_holding_races_redeeming(tills: Tills, uses: int) -> None:
    for _ in range(ROUNDS // 2):
        promotion, (text,) = tills.promotion(codes=1, code_kind=CodeKind.MULTIPLE, uses_per_code=uses)
        calls: list[Call[Any]] = [hold(text), redeem(code=text)]
        outcomes = tills.all(calls * (AT_ONCE // 2))
        found = reasons(outcomes)
        assert found.pop("YES") == uses
        assert set(found) <= {"HELD_BY_OTHER", "ALREADY_REDEEMED"}
        counted = tills.inventory(promotion)
        assert counted.held + counted.redemptions == uses
        assert counted.held == sum(isinstance(one, HoldOutcome) and one.hold is not None for one in outcomes)


def test_redeeming_a_hold_races_releasing_and_replacing_it(tills: Tills) -> None:
    """Exactly one of them has it; the others hear who."""
    for _ in range(ROUNDS):
        promotion, (text,) = tills.promotion(codes=1, code_kind=CodeKind.MULTIPLE, budget=eur(BUDGET))
        open_ = held(tills.one(hold(text, discount=eur(EACH))))
        calls: list[Call[Any]] = [
            redeem(hold=open_.token),
            release(open_.token),
            hold(text, discount=eur(2 * EACH), replaces=open_.token),
        ]
        outcomes = tills.all(calls * 4)
        paid = [one for one in outcomes if isinstance(one, RedeemOutcome) and one.redemption]
        replaced = [one for one in outcomes if isinstance(one, HoldOutcome) and one.hold]
        released = [one for one in outcomes if isinstance(one, ReleaseOutcome) and not one.refusals]
        assert len(paid) + len(replaced) <= 1
        # To release what was replaced or released is fine; what was redeemed stays so.
        assert len(released) == (0 if paid else 4)
        assert tills.money(promotion) == (EACH * len(paid), 2 * EACH * len(replaced))
        found = tills.inventory(promotion)
        assert (found.redemptions, found.held) == (len(paid), len(replaced))


def test_rolling_back_races_redeeming_the_same_code(tills: Tills) -> None:
    """One use is undone by many at once while many want it: at most one of them has it then."""
    for _ in range(ROUNDS):
        promotion, (text,) = tills.promotion(codes=1, code_kind=CodeKind.MULTIPLE, budget=eur(BUDGET))
        first = redeemed(tills.one(redeem(code=text, discount=eur(EACH))))
        calls: list[Call[Any]] = [redeem(code=text, discount=eur(EACH)) for _ in range(24)]
        calls[8:8] = [roll_back(first)] * 8
        outcomes = tills.all(calls)
        undone = [one for one in outcomes if isinstance(one, RollbackOutcome)]
        again = [one for one in outcomes if isinstance(one, RedeemOutcome)]
        assert reasons(undone) == {"YES": 1, "NOTHING_LEFT": 7}
        used = reasons(again)["YES"]
        assert used <= 1
        assert tills.money(promotion) == (used * EACH, 0)
        found = tills.inventory(promotion)
        assert (found.redemptions, found.redeemed) == (used, used)


class Open:
    """How many uses are known to be open at a time, and the most there ever were."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.now = self.most = 0

    def add(self, step: int) -> None:
        with self._lock:
            self.now += step
            self.most = max(self.most, self.now)


@pytest.mark.parametrize("uses", [1, 3])
def test_a_code_that_is_used_and_undone_over_and_over_is_never_open_twice(tills: Tills, uses: int) -> None:
    """A use is known to be open from its answer until its undoing is asked for; nobody else can have it between."""
    for _ in range(ROUNDS // 4):
        promotion, (text,) = tills.promotion(
            codes=1, code_kind=CodeKind.MULTIPLE, uses_per_code=uses, budget=eur(uses * EACH)
        )
        open_ = Open()

        def shop(n: int, text: str = text, open_: Open = open_) -> Call[int]:
            async def run(services: Services) -> int:
                used = 0
                for _ in range(6):
                    outcome = await redeem(code=text, discount=eur(EACH), customer=f"c{n}")(services)
                    if outcome.redemption is None:
                        continue
                    open_.add(+1)
                    used += 1
                    await asyncio.sleep(0)
                    open_.add(-1)
                    rolled_back(await roll_back(outcome.redemption)(services))
                return used

            return run

        used = sum(tills.all([shop(n) for n in range(AT_ONCE)]))
        assert used >= uses
        assert open_.most <= uses
        assert tills.money(promotion) == (0, 0)
        found = tills.inventory(promotion)
        assert (found.redemptions, found.redeemed, found.available) == (0, 0, 1)
        assert redeemed(tills.one(redeem(code=text, discount=eur(EACH)))).number == used + 1
        # Its first end, when the budget was spent for a moment, was for good.
        assert tills.promotion_now(promotion).stored_end_reason is EndReason.BUDGET_SPENT


def test_parts_are_rolled_back_once_each(tills: Tills) -> None:
    for _ in range(ROUNDS // 2):
        promotion, code = tills.shared(budget=eur(BUDGET))
        done = redeemed(tills.one(redeem(code=code, discount=eur(1000))))
        outcomes = tills.all([roll_back(done, 70) for _ in range(32)])
        assert reasons(outcomes) == {"YES": 14, "amount: OUT_OF_RANGE": 18}
        assert sorted(one.rollback.part for one in outcomes if one.rollback) == list(range(1, 15))
        assert tills.money(promotion) == (20, 0)
        assert reasons(tills.all([roll_back(done)] * 16)) == {"YES": 1, "NOTHING_LEFT": 15}
        assert tills.money(promotion) == (0, 0)


@pytest.mark.parametrize("act", ["hold", "redeem", "redeem together", "roll back", "roll back a part"])
def test_a_key_sent_to_every_server_at_once_is_answered_once(tills: Tills, act: str) -> None:
    for _ in range(ROUNDS // 2):
        promotion, code = tills.shared(budget=eur(BUDGET))
        key = promotion.terms.handle
        of = redeemed(tills.one(redeem(code=code, discount=eur(1000))))
        calls: dict[str, Callable[[], Call[Any]]] = {
            "hold": lambda: hold(code, discount=eur(EACH), idempotency_key=key),  # noqa: B023
            "redeem": lambda: redeem(code=code, discount=eur(EACH), idempotency_key=key),  # noqa: B023
            "redeem together": lambda: together(
                RedeemRequest(code=code, discount=eur(EACH)),  # noqa: B023
                key=key,  # noqa: B023
            ),
            "roll back": lambda: roll_back(of, idempotency_key=key),  # noqa: B023
            "roll back a part": lambda: roll_back(of, 700, idempotency_key=key),  # noqa: B023
        }
        answers = tills.all([calls[act]()] * 32)
        outcomes = [answer[0] if isinstance(answer, list) else answer for answer in answers]
        assert reasons(outcomes) == {"YES": 32}
        assert len({_made(outcome) for outcome in outcomes}) == 1
        spent, set_aside = {
            "hold": (1000, EACH),
            "redeem": (1000 + EACH, 0),
            "redeem together": (1000 + EACH, 0),
            "roll back": (0, 0),
            "roll back a part": (300, 0),
        }[act]
        assert tills.money(promotion) == (spent, set_aside)


def _made(outcome: Any) -> tuple[str, int]:
    """What an answer is about."""
    match outcome:
        case HoldOutcome(hold=made) if made is not None:
            return made.token, made.number
        case RollbackOutcome(rollback=undone) if undone is not None:
            return "", undone.part
        case RedeemOutcome(redemption=done) if done is not None:
            return "", done.number
    raise AssertionError(outcome)


def test_a_customers_limit_counts_uses_and_holds(tills: Tills) -> None:
    for _ in range(ROUNDS // 2):
        promotion, texts = tills.promotion(codes=16, code_kind=CodeKind.MULTIPLE, uses_per_customer=3)
        calls: list[Call[Any]] = []
        for n, text in enumerate(texts):
            calls += [redeem(code=text, customer="ann") if n % 2 else hold(text, "ann"), hold(text, "bob")]
        outcomes = tills.all(calls)
        of_ann = [one for one, n in zip(outcomes, range(len(calls)), strict=True) if n % 2 == 0]
        of_bob = [one for one, n in zip(outcomes, range(len(calls)), strict=True) if n % 2]
        for found in (reasons(of_ann), reasons(of_bob)):
            assert found["YES"] == 3
            assert set(found) <= {"YES", "CUSTOMER_CAP_REACHED", "HELD_BY_OTHER", "ALREADY_REDEEMED"}
        counted = tills.inventory(promotion)
        assert counted.held + counted.redemptions == 6


def test_a_cap_of_uses_counts_holds_too_and_ends_the_promotion_when_all_are_uses(tills: Tills) -> None:
    for _ in range(ROUNDS // 2):
        promotion, code = tills.shared(redemption_cap=50)
        calls: list[Call[Any]] = [hold(code), redeem(code=code)]
        outcomes = tills.all(calls * 40)
        assert reasons(outcomes) == {"YES": 50, "USE_CAP_REACHED": 30}
        tokens = [one.hold.token for one in outcomes if isinstance(one, HoldOutcome) and one.hold]
        assert tills.inventory(promotion).held == len(tokens)
        assert (tills.promotion_now(promotion).stored_end_reason is None) is bool(tokens)
        freed = tokens[::2]
        tills.all([release(token) for token in freed])
        calls = [redeem(hold=token) for token in tokens[1::2]]
        calls += [redeem(code=code) for _ in range(30)]
        found = reasons(tills.all(calls))
        assert found["YES"] == len(tokens)
        assert found["USE_CAP_REACHED"] == 30 - len(freed)
        assert tills.inventory(promotion).redemptions == 50
        assert tills.promotion_now(promotion).stored_end_reason is EndReason.USE_CAP


def test_carts_that_overlap_are_redeemed_whole_or_not_at_all_and_do_not_stand_still(tills: Tills) -> None:
    """Every three of six promotions, named forwards and backwards, from everywhere at once."""
    cap = 24
    for _ in range(ROUNDS // 4):
        made = [tills.shared(redemption_cap=cap, combinable=True) for _ in range(6)]
        codes = {code: promotion for promotion, code in made}
        sets = [list(three) for three in combinations(codes, 3)] * 3
        sets += [three[::-1] for three in sets]
        answers = tills.all([together(*(RedeemRequest(code=code) for code in three)) for three in sets])
        uses: Counter[str] = Counter()
        for three, outcomes in zip(sets, answers, strict=True):
            done = [outcome.redemption is not None for outcome in outcomes]
            assert len(set(done)) == 1, "all or none"
            uses.update(three if done[0] else ())
        assert uses == {code: tills.inventory(promotion).redemptions for code, promotion in codes.items()}
        assert max(uses.values()) == cap
        full = {code for code, times in uses.items() if times == cap}
        for three, outcomes in zip(sets, answers, strict=True):
            assert outcomes[0].redemption is not None or full & set(three), "nobody was refused what there was"


def test_carts_that_share_budgets(tills: Tills) -> None:
    """20 % of 50.00 and 10 % of the 40.00 that are left, by carts and single codes in every order at once."""
    tills.one(set_up_types)
    basket = cart(5000)
    for _ in range(ROUNDS // 4):
        pair = [
            tills.shared(reward=percent(whole), combinable=True, priority=-n, budget=eur(budget))
            for n, (whole, budget) in enumerate(((20, 30_500), (10, 20_000)))
        ]
        (first, one), (second, two) = pair
        both = [RedeemRequest(code=code, cart=basket) for code in (one, two)]
        calls: list[Call[Any]] = [
            together(*both),
            together(*both[::-1]),
            redeem(code=one, cart=basket),
            redeem(code=two, cart=basket),
        ]
        answers = tills.all(calls * 12)
        done = [
            outcome.redemption
            for answer in answers
            for outcome in (answer if isinstance(answer, list) else [answer])
            if outcome.redemption is not None
        ]
        for promotion, code in pair:
            given = [one.discount.minor for one in done if one.text == code.upper() and one.discount is not None]
            assert tills.money(promotion) == (sum(given), 0)
            assert set(given) <= ({1000} if promotion is first else {400, 500})
        assert tills.money(first)[0] == 30_000, "36 of them want 10.00 of 305.00"
        carts = sum(isinstance(answer, list) and answer[0].redemption is not None for answer in answers)
        assert tills.money(second)[0] == carts * 400 + 12 * 500


def test_a_budget_is_changed_while_it_is_spent(tills: Tills) -> None:
    """Whatever comes first: what is given and held is never more than the budget is then."""
    for _ in range(ROUNDS // 2):
        promotion, code = tills.shared(budget=eur(64 * EACH))

        def change(minor: int | None, id_: int = promotion.id) -> Call[str]:
            async def run(services: Services) -> str:
                budget = None if minor is None else eur(minor)
                try:
                    await services.promoting.update(
                        id_, lambda terms: (Draft(terms=terms_with(terms, budget=budget)), True)
                    )
                except BadInput as problem:
                    return str(problem.problem)
                return "CHANGED"

            return run

        calls: list[Call[Any]] = [
            redeem(code=code, discount=eur(EACH)) if n % 3 else hold(code, discount=eur(EACH)) for n in range(60)
        ]
        calls[10:10] = [change(20 * EACH)]
        calls[30:30] = [change(None)]
        calls[40:40] = [change(30 * EACH), change(200 * EACH)]
        answers = tills.all(calls)
        outcomes = [one for one in answers if not isinstance(one, str)]
        paid = sum(isinstance(one, RedeemOutcome) and one.redemption is not None for one in outcomes)
        set_aside = sum(isinstance(one, HoldOutcome) and one.hold is not None for one in outcomes)
        budget = tills.promotion_now(promotion).terms.budget
        if budget is not None:
            assert tills.money(promotion) == (paid * EACH, set_aside * EACH)
        tills.verified()
        assert {one for one in answers if isinstance(one, str)} <= {"CHANGED", "OUT_OF_RANGE", "STATE"}


def test_stopping_races_holds(tills: Tills) -> None:
    """Nothing is redeemed after the answer that redeeming has been stopped, not by a hold either."""
    for _ in range(ROUNDS // 2):
        promotion, code = tills.shared(budget=eur(BUDGET))
        tokens = [held(one).token for one in tills.all([hold(code, discount=eur(EACH))] * 24)]

        async def stop(services: Services, id_: int = promotion.id) -> int:
            await services.promoting.end(id_, stop_redeeming=True)
            return (await services.lobby.inventories([id_]))[id_].redemptions

        calls: list[Call[Any]] = [redeem(hold=token) for token in tokens]
        calls.insert(12, stop)
        seen = next(answer for answer in tills.all(calls) if isinstance(answer, int))
        assert tills.inventory(promotion).redemptions == seen
        assert tills.money(promotion) == (seen * EACH, (24 - seen) * EACH)


def test_issuing_races_rolling_back_printed_codes(tills: Tills) -> None:
    """A code that was used without an issue goes back to its pool, and from there to one customer."""
    for _ in range(ROUNDS // 2):
        promotion, texts = tills.promotion(codes=24, code_kind=CodeKind.MULTIPLE)
        uses = [redeemed(one) for one in tills.all([redeem(code=text) for text in texts[::2]])]

        def issue(n: int, handle: str = promotion.terms.handle) -> Call[str | None]:
            async def run(services: Services) -> str | None:
                outcome = await services.issuing.issue(IssueRequest(promotion=handle, customer=f"c{n}"))
                return None if outcome.issuance is None else outcome.issuance.text

            return run

        calls: list[Call[Any]] = [issue(n) for n in range(16)]
        for place, use in enumerate(uses):
            calls.insert(2 * place, roll_back(use))
        given = [answer for answer in tills.all(calls) if isinstance(answer, str)]
        given += [answer for answer in tills.all([issue(n) for n in range(16, 40)]) if answer is not None]
        assert sorted(given) == texts, "each once"
        found = tills.inventory(promotion)
        assert (found.issued, found.available, found.redeemed) == (24, 0, 0)
