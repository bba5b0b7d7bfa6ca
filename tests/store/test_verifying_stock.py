"""Recounting what was told of pools: what is damaged by hand is told."""

import pytest

from promograph.domain.issuing import IssueRequest

from .ground import Ground

pytestmark = pytest.mark.anyio

DAMAGES = {
    "UPDATE stock SET level = 0": "its pool is low or empty and that was not told, or is not any more and that was not",
    "UPDATE stock SET level = 1": "its pool is low or empty and that was not told, or is not any more and that was not",
    "UPDATE promotion SET low_stock_threshold = 9": "level (0, expected 2)",
    "UPDATE promotion SET on_empty = 'GENERATE'": "dry: its pool was told to be low or empty and cannot be: level (2,",
    "UPDATE stock SET repeats = 1": "dry: repeats is kept as 1, and its rows count 0",
    "UPDATE issue_mark SET asked = 5": "dry: a mark of how many codes it was asked for is wrong: mark (5, expected 0)",
    "UPDATE issue_mark SET promotion_id = 4711": "promotion 4711: rows belong to a promotion that is not there",
}


async def test_what_was_told_wrongly_is_told(ground: Ground) -> None:
    await ground.promotion("dry", ["D-1"])
    await ground.promotion("full", ["F-1", "F-2"])
    await ground.services.issuing.issue(IssueRequest(promotion="dry", customer="ann"))
    assert await ground.services.verify() == []
    for damage, told in DAMAGES.items():
        assert any(told in sentence for sentence in await ground.found_after(damage)), damage
