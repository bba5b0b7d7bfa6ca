"""A promotion that is remembered is the one that is locked, whoever has changed it since."""

from dataclasses import replace

import pytest

from promograph.domain.promotions import PromotionStatus, PromotionTerms
from promograph.services.promoting import Draft
from promograph.store import locking, promotions
from promograph.store.databases.database import Connection

from .ground import Ground

pytestmark = pytest.mark.anyio


class _Undone(Exception):
    pass


def _capped(terms: PromotionTerms) -> tuple[Draft, bool]:
    return Draft(terms=replace(terms, audience_cap=2)), False


async def test_what_another_server_has_changed_is_seen_under_the_lock(ground: Ground, prepared_url: str) -> None:
    promotion = await ground.promotion("one", ["A", "B", "C"])
    assert await ground.issue("one", "ann") == ["A"]
    other = Ground(prepared_url)
    try:
        await other.services.promoting.pause(promotion.id)
        assert await ground.issue("one", "ben") == [None]
        await other.services.promoting.activate(promotion.id)
        assert await ground.issue("one", "ben") == ["B"]
        await other.services.promoting.update(promotion.id, _capped)
        assert await ground.issue("one", "cem") == [None]
    finally:
        await other.services.close()


async def test_a_change_that_was_undone_is_not_remembered(ground: Ground) -> None:
    promotion = await ground.promotion("one", ["A", "B"])

    def pause_and_undo(connection: Connection) -> None:
        locking.by_id(connection, [promotion.id])
        promotions.set_status(connection, promotion.id, PromotionStatus.PAUSED, now=0)
        ((paused, _),) = locking.by_handle(connection, ["one"]).values()
        assert paused.stored_status is PromotionStatus.PAUSED
        raise _Undone

    with pytest.raises(_Undone):
        await ground.database.write(pause_and_undo)
    assert await ground.issue("one", "ann") == ["A"]


async def test_of_two_promotions_without_an_edition_none_is_taken_for_the_other(ground: Ground) -> None:
    await ground.promotion("one", ["A"])
    await ground.promotion("two", ["B"])
    await ground.say("UPDATE stock SET edition = 0")
    assert await ground.issue("one", "ann") == ["A"]
    assert await ground.issue("two", "ann") == ["B"]
