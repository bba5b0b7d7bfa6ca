"""Limits under concurrency: several servers' worth of connections, each in a thread and an event loop of its own.

Each race is run many times over in one store, on new promotions; what was promised is counted, and at the end every
counter and every invariant is counted anew.
"""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from itertools import count
from typing import Any, TypeVar

import pytest

from promograph.domain.issuing import IssueOutcome, IssueRequest
from promograph.domain.promotions import CodeKind, EndReason, IssuePolicy, OnEmpty, Promotion, PromotionTerms
from promograph.domain.redeeming import RedeemOutcome, RedeemRequest
from promograph.domain.stock.changes import CodeChange
from promograph.errors import BadInput, InputProblem
from promograph.services.app import Services
from promograph.services.promoting import Draft
from promograph.store.inventories import Inventory

from .world import Recount, why

T = TypeVar("T")
Call = Callable[[Services], Coroutine[Any, Any, T]]

SERVERS = 4
ROUNDS = 20


class Server:
    """Services in a thread with an event loop of its own."""

    def __init__(self, store: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.services = self.run(self._open(store))

    async def _open(self, store: str) -> Services:
        return Services.open(store)

    def begin(self, work: Coroutine[Any, Any, T]) -> "Future[T]":
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.begin(work).result(120)

    def stop(self) -> None:
        self.run(self.services.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class Crowd:
    """Several servers over one store."""

    def __init__(self, store: str, recount: Recount | None) -> None:
        self.servers = [Server(store) for _ in range(SERVERS)]
        self._recount = recount
        self._numbers = count(1)

    def one(self, call: Call[T]) -> T:
        return self.servers[0].run(call(self.servers[0].services))

    def all(self, calls: Sequence[Call[T]]) -> list[T]:
        """Every call at once, dealt out to the servers; their answers in the order of the calls."""
        parts = [calls[place::SERVERS] for place in range(SERVERS)]
        start = threading.Barrier(SERVERS)

        async def together(services: Services, mine: Sequence[Call[T]]) -> list[T]:
            return list(await asyncio.gather(*(call(services) for call in mine)))

        def play(server: Server, mine: Sequence[Call[T]]) -> list[T]:
            start.wait(60)
            return server.run(together(server.services, mine))

        with ThreadPoolExecutor(SERVERS) as threads:
            answers = list(threads.map(play, self.servers, parts))
        return [answers[place % SERVERS][place // SERVERS] for place in range(len(calls))]

    def promotion(self, *, codes: int = 0, shared: str | None = None, **terms: Any) -> tuple[Promotion, list[str]]:
        """An active promotion with the texts of its codes, which are in no other."""
        number = next(self._numbers)
        texts = [f"R{number}-{n:04}" for n in range(1, codes + 1)]
        wanted = PromotionTerms(handle=f"race-{number}", name="Race", **terms)

        async def make(services: Services) -> Promotion:
            made = await services.promoting.create(
                Draft(terms=wanted, shared_code=None if shared is None else f"{shared}-{number}")
            )
            if texts:
                await services.stocking.paste(made.id, "\n".join(texts), channel=None)
            return await services.promoting.activate(made.id)

        return self.one(make), texts

    def inventory(self, promotion: Promotion) -> Inventory:
        return self.one(lambda services: services.lobby.inventories([promotion.id]))[promotion.id]

    def promotion_now(self, promotion: Promotion) -> Promotion:
        found = self.one(lambda services: services.lobby.get(id_=promotion.id))
        assert found is not None
        return found

    def verify(self) -> list[str]:
        """As `Services.verify` has it, by the cheaper way where there is one."""
        if self._recount is None:
            return self.one(lambda services: services.verify())
        return self._recount(self.servers[0].services.clock()).result()

    def stop(self) -> None:
        for server in self.servers:
            server.stop()


@pytest.fixture
def crowd(store_url: str, recount: Recount | None) -> Iterator[Crowd]:
    made = Crowd(store_url, recount)
    try:
        yield made
        assert made.verify() == []
    finally:
        made.stop()


def issue(promotion: Promotion, customer: str, **more: Any) -> Call[IssueOutcome]:
    request = IssueRequest(promotion=promotion.terms.handle, customer=customer, **more)
    return lambda services: services.issuing.issue(request)


def redeem(code: str, customer: str | None = None, **more: Any) -> Call[RedeemOutcome]:
    request = RedeemRequest(code=code, customer=customer, **more)
    return lambda services: services.redeeming.redeem(request)


def block(codes: Sequence[str], *, blocked: bool) -> Call[int]:
    async def run(services: Services) -> int:
        changed, missing = await services.changing.listed(codes, CodeChange.BLOCK if blocked else CodeChange.UNBLOCK)
        assert missing == []
        return changed

    return run


def reasons(outcomes: Sequence[IssueOutcome | RedeemOutcome]) -> Counter[str]:
    return Counter(reason for outcome in outcomes for reason in why(outcome) or ["YES"])


@pytest.mark.parametrize("uses", [1, 5])
@pytest.mark.parametrize("kind", [CodeKind.SINGLE, CodeKind.MULTIPLE])
def test_an_n_use_code_is_redeemed_exactly_n_times(crowd: Crowd, uses: int, kind: CodeKind) -> None:
    for _ in range(ROUNDS // 2):
        single = kind is CodeKind.SINGLE
        promotion, texts = crowd.promotion(
            codes=0 if single else 1, shared="ONE" if single else None, code_kind=kind, uses_per_code=uses
        )
        text = f"one-{promotion.terms.handle.split('-')[1]}" if single else texts[0]
        outcomes = crowd.all([redeem(text)] * 64)
        assert reasons(outcomes) == {"YES": uses, "ALREADY_REDEEMED": 64 - uses}
        numbers = sorted(outcome.redemption.number for outcome in outcomes if outcome.redemption)
        assert numbers == list(range(1, uses + 1))
        assert crowd.inventory(promotion).redemptions == uses


def test_one_occasion_gets_one_code_from_wherever_it_is_asked(crowd: Crowd) -> None:
    for _ in range(ROUNDS):
        promotion, _ = crowd.promotion(codes=10, issue_policy=IssuePolicy.PER_SEND)
        outcomes = crowd.all([issue(promotion, "ann", send="s")] * 64)
        assert len({outcome.issuance for outcome in outcomes}) == 1
        assert [outcome.replayed for outcome in outcomes].count(False) == 1
        found = crowd.inventory(promotion)
        assert (found.issued, found.available, found.customers) == (1, 9, 1)


def test_a_key_sent_to_every_server_at_once_is_answered_once(crowd: Crowd) -> None:
    for _ in range(ROUNDS // 2):
        promotion, texts = crowd.promotion(codes=40, issue_policy=IssuePolicy.PER_MESSAGE, uses_per_code=None)
        key = promotion.terms.handle
        outcomes = crowd.all([issue(promotion, "ann", idempotency_key=key)] * 16)
        assert {outcome.issuance for outcome in outcomes} == {outcomes[0].issuance}
        assert reasons(outcomes) == {"YES": 16}
        used = crowd.all([redeem(texts[0], idempotency_key=key)] * 16)
        assert len({outcome.redemption for outcome in used}) == 1
        assert reasons(used) == {"YES": 16}
        found = crowd.inventory(promotion)
        assert (found.issued, found.redemptions) == (1, 1)


def test_a_call_for_many_sent_to_every_server_at_once_is_answered_once(crowd: Crowd) -> None:
    for _ in range(ROUNDS // 2):
        promotion, _ = crowd.promotion(codes=40)
        requests = [IssueRequest(promotion=promotion.terms.handle, customer=f"c{n}") for n in range(20)]
        calls: list[Call[list[IssueOutcome]]] = [
            lambda services: services.issuing.issue_many(requests, key=promotion.terms.handle)  # noqa: B023
        ] * 8
        answers = crowd.all(calls)
        assert len({tuple(outcome.issuance for outcome in answer) for answer in answers}) == 1
        assert crowd.inventory(promotion).issued == 20


def test_overlapping_calls_for_many_give_each_customer_one_code(crowd: Crowd) -> None:
    """Large enough to be sent as if all of them were new, which half of them are not."""
    for _ in range(ROUNDS // 10):
        promotion, _ = crowd.promotion(codes=1_500)

        def ask(start: int, handle: str = promotion.terms.handle) -> Call[list[IssueOutcome]]:
            requests = [IssueRequest(promotion=handle, customer=f"c{n}") for n in range(start, start + 600)]
            return lambda services: services.issuing.issue_many(requests)

        answers = crowd.all([ask(start) for start in (0, 300, 600, 0)])
        given = {
            (outcome.issuance.customer, outcome.issuance.text) for a in answers for outcome in a if outcome.issuance
        }
        assert len(given) == 1_200
        assert len({text for _, text in given}) == 1_200
        found = crowd.inventory(promotion)
        assert (found.customers, found.issued, found.available) == (1_200, 1_200, 300)


def test_a_cap_is_reached_exactly_and_ends_the_promotion(crowd: Crowd) -> None:
    for _ in range(ROUNDS // 2):
        promotion, texts = crowd.promotion(codes=100, audience_cap=90)
        outcomes = crowd.all([issue(promotion, f"c{n}") for n in range(500)])
        assert reasons(outcomes) == {"YES": 90, "AUDIENCE_CAP_REACHED": 410}
        given = [outcome.issuance.text for outcome in outcomes if outcome.issuance]
        assert sorted(given) == texts[:90]
        assert crowd.promotion_now(promotion).stored_end_reason is EndReason.AUDIENCE_CAP
        found = crowd.inventory(promotion)
        assert (found.customers, found.issued, found.available) == (90, 90, 10)


def test_a_pool_gives_each_code_once_and_then_the_fallback(crowd: Crowd) -> None:
    for _ in range(ROUNDS // 2):
        promotion, texts = crowd.promotion(codes=50, shared="FALL", on_empty=OnEmpty.FALLBACK, audience_cap=120)
        outcomes = crowd.all([issue(promotion, f"c{n}") for n in range(200)])
        assert reasons(outcomes) == {"YES": 120, "AUDIENCE_CAP_REACHED": 80}
        given = Counter(outcome.issuance.text for outcome in outcomes if outcome.issuance)
        fallback = given.pop(f"FALL-{promotion.terms.handle.split('-')[1]}")
        assert (fallback, sorted(given), set(given.values())) == (70, texts, {1})


def test_an_empty_pool_makes_each_customer_a_code(crowd: Crowd) -> None:
    promotion, _ = crowd.promotion(on_empty=OnEmpty.GENERATE)
    for round_ in range(ROUNDS // 2):
        outcomes = crowd.all([issue(promotion, f"c{round_}-{n % 40}") for n in range(80)])
        assert reasons(outcomes) == {"YES": 80}
        assert len({outcome.issuance for outcome in outcomes}) == 40
    assert crowd.inventory(promotion).issued == 40 * (ROUNDS // 2)


def test_a_customers_limit_holds_over_different_codes(crowd: Crowd) -> None:
    for _ in range(ROUNDS):
        promotion, texts = crowd.promotion(codes=16, code_kind=CodeKind.MULTIPLE, uses_per_customer=3)
        calls = [redeem(text, customer) for text in texts for customer in ("ann", "bob")]
        outcomes = crowd.all(calls)
        by_customer = Counter(outcome.redemption.customer for outcome in outcomes if outcome.redemption)
        assert by_customer == {"ann": 3, "bob": 3}
        assert crowd.inventory(promotion).redemptions == 6


def test_blocking_races_issuing_and_redeeming(crowd: Crowd) -> None:
    """Whatever order the three came in, each code is in one place and the counters say in which."""
    for _ in range(ROUNDS):
        promotion, texts = crowd.promotion(codes=12, code_kind=CodeKind.MULTIPLE)
        calls: list[Call[Any]] = []
        for number, text in enumerate(texts):
            calls += [issue(promotion, f"c{number}"), redeem(text), block([text], blocked=True)]
            if number % 2:
                calls.append(block(texts[number - 1 : number + 1], blocked=False))
        crowd.all(calls)
        crowd.one(block(texts, blocked=False))
        assert crowd.verify() == []
        left = crowd.inventory(promotion)
        assert (left.total, left.blocked) == (12, 0)
        rest = crowd.all([issue(promotion, f"rest-{n}") for n in range(left.available + 4)])
        assert reasons(rest) == Counter({"YES": left.available, "POOL_EMPTY": 4}), "every code that is free is given"


def test_blocking_in_opposite_orders_does_not_stand_still(crowd: Crowd) -> None:
    first, one = crowd.promotion(codes=30)
    second, two = crowd.promotion(codes=30)
    texts = [text for pair in zip(one, two, strict=True) for text in pair]
    for _ in range(ROUNDS // 2):
        forth, back = texts, texts[::-1]
        crowd.all(
            [
                block(order, blocked=blocked)
                for blocked in (True, False)
                for order in (forth, back, two + one)
                for _ in range(2)
            ]
        )
    crowd.one(block(texts, blocked=False))
    for promotion in (first, second):
        assert crowd.inventory(promotion).available == 30


def test_issuing_races_adding(crowd: Crowd) -> None:
    """Two loads at a time are one too many; who asks meanwhile gets a code or hears that there is none."""
    for _ in range(ROUNDS // 2):
        promotion, texts = crowd.promotion(codes=10)
        number = promotion.terms.handle.split("-")[1]

        async def add(services: Services, number: str = number, id_: int = promotion.id) -> int:
            try:
                added = await services.stocking.paste(id_, f"LATE-{number}-1\nLATE-{number}-2", channel=None)
            except BadInput as problem:
                assert problem.problem is InputProblem.BUSY
                return 0
            return added.report.added

        calls: list[Call[Any]] = [issue(promotion, f"c{n}") for n in range(30)]
        calls[10:10] = [add, add, add, add]
        answers = crowd.all(calls)
        assert sum(answer for answer in answers if isinstance(answer, int)) == 2
        outcomes = [answer for answer in answers if isinstance(answer, IssueOutcome)]
        given = [outcome.issuance.text for outcome in outcomes if outcome.issuance]
        assert len(given) == len(set(given))
        assert set(texts) <= set(given) <= {*texts, f"LATE-{number}-1", f"LATE-{number}-2"}
        assert set(reasons(outcomes)) == {"YES", "POOL_EMPTY"}
        found = crowd.inventory(promotion)
        assert (found.total, found.issued) == (12, len(given))


def test_two_promotions_load_the_same_codes(crowd: Crowd) -> None:
    """Each code comes into one of them, and both reports are true."""
    for round_ in range(ROUNDS // 2):
        one, two = crowd.promotion(on_empty=OnEmpty.GENERATE)[0], crowd.promotion(on_empty=OnEmpty.GENERATE)[0]
        texts = [f"SAME-{round_}-{n}" for n in range(60)]

        def load(promotion: Promotion, content: Sequence[str]) -> Call[int]:
            async def run(services: Services) -> int:
                added = await services.stocking.paste(promotion.id, "\n".join(content), channel=None)
                assert added.report.added + added.report.already_elsewhere == 60
                return added.report.added

            return run

        added = crowd.all([load(one, texts), load(two, texts[::-1])])
        assert sum(added) == 60
        assert [crowd.inventory(promotion).total for promotion in (one, two)] == added


def test_a_handle_is_given_to_one_of_many(crowd: Crowd) -> None:
    for round_ in range(ROUNDS // 4):

        async def create(services: Services, handle: str = f"wanted-{round_}") -> str:
            try:
                await services.promoting.create(Draft(terms=PromotionTerms(handle=handle, name="Wanted")))
            except BadInput as problem:
                return problem.problem.value
            return "MADE"

        assert Counter(crowd.all([create] * 12)) == {"MADE": 1, "TAKEN": 11}


def test_a_promotion_is_moved_once(crowd: Crowd) -> None:
    for _ in range(ROUNDS // 4):
        promotion, _ = crowd.promotion(codes=1)

        async def pause(services: Services, id_: int = promotion.id) -> str:
            try:
                await services.promoting.pause(id_)
            except BadInput as problem:
                return problem.problem.value
            return "PAUSED"

        assert Counter(crowd.all([pause] * 12)) == {"PAUSED": 1, "STATE": 11}


def test_ending_races_issuing(crowd: Crowd) -> None:
    """Nothing is issued after the answer that the promotion has ended."""
    for _ in range(ROUNDS):
        promotion, _ = crowd.promotion(codes=64)
        calls: list[Call[Any]] = [issue(promotion, f"c{n}") for n in range(48)]

        async def end(services: Services, id_: int = promotion.id) -> int:
            await services.promoting.end(id_, stop_redeeming=True)
            return (await services.lobby.inventories([id_]))[id_].issued

        calls[24:24] = [end]
        issued_at_end = next(answer for answer in crowd.all(calls) if isinstance(answer, int))
        assert crowd.inventory(promotion).issued == issued_at_end


@pytest.mark.parametrize("limit", ["uses_per_code", "uses_per_customer"])
def test_lowering_a_limit_races_redeeming(crowd: Crowd, limit: str) -> None:
    """Either the change comes first and stops the next use, or it hears how many there have been."""
    for _ in range(ROUNDS):
        promotion, texts = crowd.promotion(codes=4, code_kind=CodeKind.MULTIPLE, uses_per_code=4)

        async def lower(services: Services, id_: int = promotion.id) -> str:
            try:
                await services.promoting.update(id_, lambda terms: (Draft(terms=replace(terms, **{limit: 1})), True))
            except BadInput as problem:
                return problem.problem.value
            return "LOWERED"

        # Of one code for the one limit, of several by one customer for the other.
        uses = [texts[0]] * 4 if limit == "uses_per_code" else texts
        calls: list[Call[Any]] = [redeem(text, "ann") for text in uses]
        calls.insert(2, lower)
        answers = crowd.all(calls)
        used = reasons([answer for answer in answers if isinstance(answer, RedeemOutcome)])["YES"]
        assert (used <= 1) is ("LOWERED" in answers)
        assert crowd.verify() == []


def test_stopping_races_redeeming(crowd: Crowd) -> None:
    """Nothing is redeemed after the answer that redeeming has been stopped."""
    for _ in range(ROUNDS):
        promotion, texts = crowd.promotion(codes=24, code_kind=CodeKind.MULTIPLE)

        async def stop(services: Services, id_: int = promotion.id) -> int:
            await services.promoting.end(id_, stop_redeeming=True)
            return (await services.lobby.inventories([id_]))[id_].redemptions

        calls: list[Call[Any]] = [redeem(text) for text in texts]
        calls.insert(12, stop)
        seen = next(answer for answer in crowd.all(calls) if isinstance(answer, int))
        assert crowd.inventory(promotion).redemptions == seen
