"""The examples of docs/templates.md, rendered."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from promograph.domain.promotions import OnEmpty
from promograph.domain.sending.messages import Medium, MessageContent
from promograph.domain.windows import Window
from promograph.services.sending.filling import Recipient
from promograph.services.sending.templating import MessageDraft

from .world import World

pytestmark = pytest.mark.anyio

PAGE = (Path(__file__).parent.parent.parent / "docs/templates.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```jinja\n(.*?)\n```\n\n```text\n(.*?)\n```", PAGE, re.DOTALL)


async def test_the_examples_of_the_documentation(world: World) -> None:
    assert len(EXAMPLES) == PAGE.count("```jinja") > 5
    window = Window(time_zone="Europe/Paris", ends_at=datetime(2027, 5, 31, 22, tzinfo=UTC))
    sale = await world.promotion(
        handle="spring-sale", name="Spring sale", codes=["SPRING-7Q"], properties={"theme": "green"}, window=window
    )
    gone = await world.promotion(handle="sold-out", codes=["GONE"], on_empty=OnEmpty.REFUSE)
    await world.code(gone, "bob")
    attributes = {"name": "Ada", "city": "Lyon", "points": 120, "likes": ["tea", "milk"]}
    await world.services.people.upsert([{"id": "ada", "email": "ada@example.com", "attributes": attributes}])
    ada = await world.services.people.get("ada")
    assert ada is not None
    await world.code(sale, "ada")
    for source, expected in EXAMPLES:
        draft = MessageDraft(medium=Medium.SMS, content=MessageContent(text=source), promotion="spring-sale")
        message = await world.services.templating.prepare(draft)
        (found,) = await world.services.templating.render(message, [Recipient(customer=ada, message="m")])
        assert found.message is not None, source
        assert found.message.text == expected, source
