"""A server whose clock is wrong is told so before it shares a store with others."""

from datetime import timedelta

import pytest

from promograph.domain.clock import system_clock
from promograph.errors import StoreError
from promograph.services.app import Services

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(("hours", "word"), [(2, "ahead of"), (-2, "behind"), (0, None)])
async def test_clocks_far_apart_are_told(store_url: str, hours: int, word: str | None) -> None:
    services = Services.open(store_url, lambda: system_clock() + timedelta(hours=hours))
    try:
        if word is None or store_url.startswith("sqlite"):
            await services.check_clock()
            return
        with pytest.raises(StoreError, match=rf"clock is 7,[12]\d\d seconds {word} the database's"):
            await services.check_clock()
    finally:
        await services.close()
