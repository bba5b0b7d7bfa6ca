"""Recounting sends: what is damaged by hand is told."""

import pytest

from promograph.domain.people.audiences import AudienceKind
from promograph.domain.sending.messages import MessageContent
from promograph.domain.sending.sends import SendTerms
from promograph.services.audiences import NewAudience
from promograph.testing.fake_channel import FakeChannel

from .ground import Ground

pytestmark = pytest.mark.anyio

DAMAGES = {
    "UPDATE send_tally SET messages = messages + 1 WHERE status = 'SKIPPED'": (
        "letter: a send counts other messages of a status than it has: SKIPPED UNKNOWN_CUSTOMER (3, expected 2)"
    ),
    "UPDATE send_message SET status = 'BOUNCED' WHERE status = 'ACCEPTED'": "than it has: BOUNCED  (0, expected 1)",
    "UPDATE send SET messages = 4": (
        "letter: a send's messages have other numbers than their count gives them: the last (4, expected 3)"
    ),
    "DELETE FROM send": "messages belong to a send that is not there: messages (3, expected 0)",
    "UPDATE send_message SET due_at = 1 WHERE status = 'ACCEPTED'": (
        "letter: a message is open and nothing will come of it, or over and due: message 1 ACCEPTED (1, expected 0)"
    ),
}


async def test_what_is_wrong_with_a_send_is_told(ground: Ground) -> None:
    services = ground.services
    services.carriers.connect({"email": FakeChannel(name="email")})
    await services.people.upsert([{"id": "ann", "email": "ann@example.com", "consent": {"email": True}}])
    new = NewAudience(name="Listed", kind=AudienceKind.STATIC, customers=["ann", "bob", "cem"])
    audience = await services.audiences.create(new)
    content = MessageContent(subject="Hello", text="Good morning!")
    terms = SendTerms(key="letter", name="Letter", channel="email", content=content, audience=audience.id)
    await services.sends.start((await services.sends.create(terms)).id)
    await services.dispatcher.work()
    assert await services.verify() == []
    for damage, told in DAMAGES.items():
        assert any(told in sentence for sentence in await ground.found_after(damage)), damage
