"""What is gathered shares a transaction and nothing else: each request has its own answer, its own failure."""

import asyncio
from collections.abc import Sequence

import pytest

from promograph.errors import StoreUnavailable
from promograph.services.batching import Gatherer

pytestmark = pytest.mark.anyio


class Runner:
    """Doubles numbers, one batch at a time; poison fails the batch it is in."""

    def __init__(self, *, poison: frozenset[int] = frozenset(), failure: Exception | None = None) -> None:
        self.batches: list[list[int]] = []
        self.poison = poison
        self.failure = failure
        self.running = 0
        self.begun = asyncio.Event()
        self.open = asyncio.Event()
        self.open.set()

    async def __call__(self, requests: Sequence[int]) -> Sequence[int]:
        self.running += 1
        assert self.running == 1, "one batch at a time"
        self.batches.append(list(requests))
        self.begun.set()
        try:
            await self.open.wait()
            if self.failure is not None:
                raise self.failure
            if self.poison.intersection(requests):
                raise ZeroDivisionError(requests)
            return [2 * request for request in requests]
        finally:
            self.running -= 1


async def asked(gatherer: Gatherer[int, int], numbers: Sequence[int]) -> list[int | BaseException]:
    return await asyncio.gather(*(gatherer.submit(number) for number in numbers), return_exceptions=True)


async def test_what_arrives_together_runs_together_in_its_order() -> None:
    run = Runner()
    gatherer = Gatherer(run)
    assert await asked(gatherer, [3, 1, 2, 1]) == [6, 2, 4, 2]
    assert run.batches == [[3, 1, 2, 1]]


async def test_a_lone_request_waits_for_nobody() -> None:
    run = Runner()
    gatherer = Gatherer(run)
    assert [await gatherer.submit(number) for number in (1, 2)] == [2, 4]
    assert run.batches == [[1], [2]]


async def test_what_arrives_during_a_batch_shares_the_next_one() -> None:
    run = Runner()
    run.open.clear()
    gatherer = Gatherer(run)
    first = asyncio.create_task(gatherer.submit(1))
    await run.begun.wait()
    others = [asyncio.create_task(gatherer.submit(number)) for number in (2, 3, 4)]
    await asyncio.sleep(0)
    run.open.set()
    assert await asyncio.gather(first, *others) == [2, 4, 6, 8]
    assert run.batches == [[1], [2, 3, 4]]


async def test_a_batch_has_a_limit() -> None:
    run = Runner()
    numbers = list(range(25))
    assert await asked(Gatherer(run, limit=10), numbers) == [2 * number for number in numbers]
    assert run.batches == [numbers[:10], numbers[10:20], numbers[20:]]


async def test_a_poisoned_request_hurts_only_itself() -> None:
    run = Runner(poison=frozenset({2, 5}))
    answers = await asked(Gatherer(run), [1, 2, 3, 5])
    assert [type(answer) for answer in answers] == [int, ZeroDivisionError, int, ZeroDivisionError]
    assert [answer for answer in answers if isinstance(answer, int)] == [2, 6]
    assert run.batches == [[1, 2, 3, 5], [1], [2], [3], [5]], "together, then one by one, once"


async def test_after_poison_the_next_batch_is_whole_again() -> None:
    run = Runner(poison=frozenset({2}))
    gatherer = Gatherer(run, limit=2)
    answers = await asked(gatherer, [1, 2, 3, 4])
    assert [answer for answer in answers if isinstance(answer, int)] == [2, 6, 8]
    assert run.batches == [[1, 2], [1], [2], [3, 4]]


async def test_a_store_that_is_away_fails_all_at_once() -> None:
    failure = StoreUnavailable("away")
    run = Runner(failure=failure)
    gatherer = Gatherer(run)
    assert await asked(gatherer, [1, 2, 3]) == [failure] * 3
    assert run.batches == [[1, 2, 3]], "asking again for each would make everybody wait"
    run.failure = None
    assert await asked(gatherer, [1]) == [2], "and when it is back, so is the gatherer"


async def test_the_store_going_away_during_the_second_try_fails_whom_it_meets() -> None:
    run = Runner(poison=frozenset({1}))
    away = StoreUnavailable("away")

    async def run_then_go(requests: Sequence[int]) -> Sequence[int]:
        if list(requests) == [3]:
            raise away
        return await run(requests)

    answers = await asked(Gatherer(run_then_go), [1, 2, 3])
    assert isinstance(answers[0], ZeroDivisionError)
    assert answers[1:] == [4, away]


async def test_a_caller_who_goes_away_takes_nobody_along() -> None:
    run = Runner()
    run.open.clear()
    gatherer = Gatherer(run)
    tasks = [asyncio.create_task(gatherer.submit(number)) for number in (1, 2, 3)]
    await run.begun.wait()
    tasks[0].cancel()  # the first one started the worker; that is its work's concern no longer
    tasks[1].cancel()
    await asyncio.sleep(0)
    later = asyncio.create_task(gatherer.submit(4))
    run.open.set()
    assert await asyncio.gather(tasks[2], later) == [6, 8]
    assert run.batches == [[1, 2, 3], [4]], "what may be durable already is not undone"
    assert tasks[0].cancelled()
    assert tasks[1].cancelled()


async def test_callers_who_went_away_are_not_told_of_a_failure() -> None:
    run = Runner(failure=StoreUnavailable("away"))
    run.open.clear()
    gatherer = Gatherer(run)
    tasks = [asyncio.create_task(gatherer.submit(number)) for number in (1, 2)]
    await run.begun.wait()
    tasks[0].cancel()
    run.open.set()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(answer) for answer in answers] == [asyncio.CancelledError, StoreUnavailable]


async def test_a_wrong_number_of_answers_is_told_and_hangs_nobody() -> None:
    async def forgetful(requests: Sequence[int]) -> Sequence[int]:
        return list(requests)[1:]

    answers = await asyncio.wait_for(asked(Gatherer(forgetful), [1, 2]), timeout=300)
    assert all(isinstance(answer, Exception) for answer in answers)
