"""Recounting people: what is damaged by hand is told."""

import pytest

from promograph.domain import conditions
from promograph.domain.people.audiences import AudienceKind
from promograph.services.audiences import NewAudience
from promograph.services.bookings import NewBooking
from promograph.services.segmenting import NewSegment

from .ground import Ground

pytestmark = pytest.mark.anyio

DAMAGES = {
    "UPDATE stock SET booked = 1": "for-gold: booked is kept as 1, and its rows count 2",
    "DELETE FROM booking": "for-gold: booked is kept as 2, and its rows count 0",
    "UPDATE booking SET remaining = 3": "for-gold: a booking has more or less left than it can: s (3, expected 2)",
    "UPDATE audience SET size = size + 1 WHERE handle = 'listed'": (
        "listed: an audience counts other members than it has: members (3, expected 2)"
    ),
    "DELETE FROM audience_member WHERE customer = 'ann'": (
        "listed: an audience counts other members than it has: members (2, expected 1)"
    ),
    "DELETE FROM audience WHERE handle = 'listed'": "members belong to an audience that is not there: members (2,",
    "UPDATE audience_member SET audience_id = (SELECT id FROM audience WHERE handle = 'moving')": (
        "moving: a dynamic audience has members of its own: members (2, expected 0)"
    ),
    "DELETE FROM segment_use WHERE user_kind = 'SEGMENT'": (
        "segment 'both': means the segment 'gold', and is not noted as resting on it"
    ),
    "DELETE FROM segment_use WHERE user_kind = 'PROMOTION'": (
        "promotion 'for-gold': means the segment 'gold', and is not noted as resting on it"
    ),
    "UPDATE segment_use SET segment_id = (SELECT id FROM segment WHERE handle = 'both') WHERE user_kind = 'AUDIENCE'": (
        "audience 'moving': is noted as resting on the segment 'both', which it does not mean"
    ),
}


async def test_what_is_wrong_among_people_is_told(ground: Ground) -> None:
    services = ground.services
    gold = conditions.parse({"attribute": {"name": "tier", "op": "EQUALS", "value": "gold"}})
    await services.segmenting.create(NewSegment(name="Gold", condition=gold))
    both = conditions.parse({"all": [{"segment": "gold"}, {"issued": {"op": "GTE", "count": 1}}]})
    await services.segmenting.create(NewSegment(name="Both", condition=both))
    await ground.promotion("for-gold", ["G-1", "G-2"], condition=conditions.parse({"segment": "gold"}))
    await services.audiences.create(NewAudience(name="Listed", kind=AudienceKind.STATIC, customers=["ann", "bob"]))
    await services.audiences.create(NewAudience(name="Moving", kind=AudienceKind.DYNAMIC, segment="gold"))
    await services.bookings.create(NewBooking(promotion="for-gold", send="s", codes=2))
    assert await services.verify() == []
    for damage, told in DAMAGES.items():
        assert any(told in sentence for sentence in await ground.found_after(damage)), damage
