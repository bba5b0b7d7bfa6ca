"""Readings that are shared: how many there are, and that nobody is handed one that began before they asked."""

import asyncio

import pytest
from anyio import wait_all_tasks_blocked

from promograph.services.sharing import Sharing

pytestmark = pytest.mark.anyio


class Source:
    """Counts up at each reading, which lasts until it is let go."""

    def __init__(self) -> None:
        self.begun = 0
        self.go = asyncio.Event()

    async def read(self, key: str) -> tuple[str, int]:
        self.begun += 1
        number = self.begun
        await self.go.wait()
        if key == "bad":
            raise LookupError(key)
        return key, number


async def test_those_who_ask_at_once_share_a_reading() -> None:
    source = Source()
    source.go.set()
    sharing = Sharing(source.read)
    assert await asyncio.gather(*(sharing.get("a") for _ in range(5))) == [("a", 1)] * 5
    assert await sharing.get("a") == ("a", 2)


async def test_a_reading_that_has_begun_is_not_for_those_who_ask_later() -> None:
    source = Source()
    sharing = Sharing(source.read)
    first = asyncio.create_task(sharing.get("a"))
    await wait_all_tasks_blocked()
    later = [asyncio.create_task(sharing.get("a")) for _ in range(3)]
    await wait_all_tasks_blocked()
    source.go.set()
    assert await first == ("a", 1)
    assert await asyncio.gather(*later) == [("a", 2)] * 3


async def test_other_keys_do_not_wait() -> None:
    source = Source()
    sharing = Sharing(source.read)
    both = [asyncio.create_task(sharing.get(key)) for key in "ab"]
    await wait_all_tasks_blocked()
    source.go.set()
    assert [key for key, _ in await asyncio.gather(*both)] == ["a", "b"]


async def test_a_failure_is_told_to_all_and_then_forgotten() -> None:
    source = Source()
    source.go.set()
    sharing = Sharing(source.read)
    answers = await asyncio.gather(*(sharing.get("bad") for _ in range(3)), return_exceptions=True)
    assert [type(answer) for answer in answers] == [LookupError] * 3
    with pytest.raises(LookupError):
        await sharing.get("bad")
    assert source.begun == 2


async def test_who_goes_away_takes_nothing_from_the_others() -> None:
    source = Source()
    sharing = Sharing(source.read)
    gone, stays = (asyncio.create_task(sharing.get("a")) for _ in range(2))
    await wait_all_tasks_blocked()
    gone.cancel()
    source.go.set()
    assert await stays == ("a", 1)
    with pytest.raises(asyncio.CancelledError):
        await gone
