"""Messages rendered for real: codes are issued, repeated, fallen back on, and nothing is used up twice."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from promograph.domain.issuing import IssuanceKind
from promograph.domain.people.customers import Customer
from promograph.domain.promotions import CodeKind, IssuePolicy, OnEmpty, Promotion
from promograph.domain.refusals import Refusal
from promograph.domain.sending.messages import CodeAct, Medium, MessageContent, TemplateFault
from promograph.errors import BadInput
from promograph.services.sending.filling import PreparedMessage, Recipient, Rendering
from promograph.services.sending.templating import MessageDraft

from .world import World, why

pytestmark = pytest.mark.anyio

EVERY_MACRO = "|".join(
    [
        "{{ client.promocode('spring') | default('D1') }}",
        "{{ client.last_promocode('Promotion 1') | default('D2') }}",
        "[iai:promotional_code(spring)]",
        "*~PROMOCODE:D3~*".replace("~", "|"),
        "{{ promocode | default('D4') }}",
        "{{ promotion('spring').properties.theme }}",
        "{{ client.attributes.city }}",
    ]
)


def draft(text: str, *, promotion: str | None = None) -> MessageDraft:
    return MessageDraft(medium=Medium.SMS, content=MessageContent(text=text), promotion=promotion)


async def prepared(world: World, text: str, *, promotion: str | None = None) -> PreparedMessage:
    return await world.services.templating.prepare(draft(text, promotion=promotion))


async def customers(world: World, *ids: str) -> list[Customer]:
    await world.services.people.upsert([{"id": id_, "attributes": {"city": "Lyon"}} for id_ in ids])
    found = [await world.services.people.get(id_) for id_ in ids]
    return [customer for customer in found if customer is not None]


async def texts(world: World, message: PreparedMessage, *ids: str, key: str = "m", **more: Any) -> list[str | None]:
    """What each gets, or the name of the refusal."""
    return [_told(one) for one in await rendered(world, message, *ids, key=key, **more)]


async def rendered(world: World, message: PreparedMessage, *ids: str, key: str = "m", **more: Any) -> list[Rendering]:
    recipients = [Recipient(customer=customer, message=key) for customer in await customers(world, *ids)]
    return await world.services.templating.render(message, recipients, **more)


def _told(one: Rendering) -> str | None:
    if isinstance(one.problem, Refusal):
        return one.problem.code
    assert one.problem is None
    return None if one.message is None else one.message.text


async def spring(world: World, **terms: Any) -> Promotion:
    terms.setdefault("codes", ["ONE", "TWO"])
    return await world.promotion(handle="spring", properties={"theme": "green"}, **terms)


async def test_every_macro_for_one_who_has_a_code_one_who_has_none_and_an_empty_pool(world: World) -> None:
    promotion = await spring(world)
    await customers(world, "ann")
    message = await prepared(world, EVERY_MACRO, promotion="spring")
    assert await world.code(promotion, "ann") == "ONE"
    found = await texts(world, message, "ann", "bob")
    assert found == ["ONE|ONE|ONE|ONE|ONE|green|Lyon", "TWO|TWO|TWO|TWO|TWO|green|Lyon"]
    # `[iai:…]` has no text instead, so that there is no message without a code.
    assert await texts(world, message, "cem") == ["POOL_EMPTY"]
    instead = await prepared(world, EVERY_MACRO.replace("[iai:promotional_code(spring)]", "-"), promotion="spring")
    assert await texts(world, instead, "cem", "ann") == ["D1|D2|-|D3|D4|green|Lyon", "ONE|ONE|-|ONE|ONE|green|Lyon"]
    numbers = await world.inventory(promotion)
    assert (numbers.issued, numbers.available, numbers.customers) == (2, 0, 2)


async def test_an_empty_pool_falls_back_or_makes_a_code(world: World) -> None:
    shared = await spring(world, codes=["ONE"], shared="FALL", on_empty=OnEmpty.FALLBACK)
    await customers(world, "ann")
    message = await prepared(world, EVERY_MACRO, promotion="spring")
    found = await texts(world, message, "ann", "bob")
    assert [text and text.split("|")[:5] for text in found] == [["ONE"] * 5, ["FALL"] * 5]
    assert (await world.inventory(shared)).fallback_issued == 1
    making = await world.promotion(codes=["OWN"], on_empty=OnEmpty.GENERATE)
    made = await prepared(world, f"[iai:promotional_code({making.terms.handle})]")
    one, other = await texts(world, made, "ann", "bob")
    assert one == "OWN"
    assert other not in (None, "OWN")
    assert other == await world.code(making, "bob")


@pytest.mark.parametrize("policy", IssuePolicy)
async def test_the_same_message_twice_has_the_same_codes(world: World, policy: IssuePolicy) -> None:
    promotion = await world.promotion(handle="p", codes=10, issue_policy=policy)
    message = await prepared(world, "{{ client.promocode('p') }} {{ client.last_promocode('p') }}")
    first = await rendered(world, message, "ann", "bob", key="m1", send="s1", channel="sms")
    again = await rendered(world, message, "bob", "ann", "ann", key="m1", send="s1", channel="sms")
    assert [one.message for one in again] == [first[1].message, first[0].message, first[0].message]
    assert {each.number for one in again for each in one.issuances} == {
        each.number for one in first for each in one.issuances
    }
    assert {each.kind for each in first[0].issuances} == {IssuanceKind.INITIAL, IssuanceKind.REPEAT}
    assert {(each.channel, each.send) for each in first[0].issuances} == {("sms", "s1")}
    await rendered(world, message, "ann", key="m2", send="s2")
    assert (await world.inventory(promotion)).issued == (2 if policy is IssuePolicy.PER_CUSTOMER else 3)


async def test_the_last_code_is_repeated_and_never_new(world: World) -> None:
    promotion = await world.promotion(handle="p", codes=["ONE", "TWO"])
    message = await prepared(world, "{{ client.last_promocode('p') }}")
    await customers(world, "ann")
    await world.code(promotion, "ann")
    assert await texts(world, message, "ann", "bob") == ["ONE", "NOTHING_HELD"]
    new = await prepared(world, "{{ client.last_promocode('p') | default(client.promocode('p')) }}")
    assert await texts(world, new, "ann", "bob") == ["ONE", "TWO"]
    assert (await world.inventory(promotion)).issued == 2
    kinds = [one.kind for one in await world.services.people.issuances_of("ann")]
    assert kinds == [IssuanceKind.REPEAT, IssuanceKind.INITIAL]


async def test_a_repeat_for_a_message_tells_the_codes_own_expiry_each_time(world: World) -> None:
    promotion = await world.promotion(handle="p", codes=1, valid_for=timedelta(hours=4))
    message = await prepared(world, "{{ client.last_promocode('p') }}")
    await customers(world, "ann")
    await world.code(promotion, "ann")
    first = (await rendered(world, message, "ann"))[0].issuances[0]
    world.clock.move(hours=1)
    again = (await rendered(world, message, "ann"))[0].issuances[0]
    assert (again.number, again.expires_at) == (first.number, first.expires_at)


async def test_one_message_rendered_by_many_at_once_has_one_code(world: World) -> None:
    """As channels do that call twice, and servers that share a send."""
    terms = {"issue_policy": IssuePolicy.PER_MESSAGE, "codes": 50}
    promotion = await world.promotion(handle="p", **terms)
    message = await prepared(world, "{{ client.promocode('p') }} {{ client.last_promocode('p') }}")
    recipients = [Recipient(customer=customer, message="m") for customer in await customers(world, "ann", "bob")]
    servers = [world.services, world.reopen()]
    calls = [servers[n % 2].templating.render(message, recipients) for n in range(20)]
    answers = await asyncio.gather(*calls)
    assert len({tuple(one.message for one in answer) for answer in answers}) == 1
    assert len({each.number for answer in answers for one in answer for each in one.issuances}) == 4
    assert (await world.inventory(promotion)).issued == 2


async def test_codes_that_a_message_does_not_come_to_are_not_issued(world: World) -> None:
    lyon = await world.promotion(handle="lyon", codes=5)
    others = await world.promotion(handle="others", codes=5)
    text = "{% if client.attributes.city == 'Lyon' %}{{ client.promocode('lyon') }}{% else %}"
    await customers(world, "ann")
    message = await prepared(world, text + "{{ client.promocode('others') }}{% endif %}")
    assert [text and text[:2] for text in await texts(world, message, "ann", "bob")] == ["P1", "P1"]
    assert (await world.inventory(lyon)).issued == 2
    assert (await world.inventory(others)).issued == 0


async def test_a_preview_uses_nothing_up(world: World) -> None:
    promotion = await spring(world)
    (ann,) = await customers(world, "ann")
    message = await prepared(world, EVERY_MACRO, promotion="spring")
    before = await world.inventory(promotion)
    shown = await world.services.templating.preview(message, ann)
    assert shown.message is not None and shown.message.text is not None
    (code,) = shown.message.codes
    assert shown.message.text == "|".join([*[code] * 5, "green", "Lyon"])
    assert why(await world.redeem(code)) == ["TEST_CODE"]
    without = await world.services.templating.preview(message, ann, has_codes=False)
    assert why_not(without) == "POOL_EMPTY"
    sample = await world.services.templating.sample({"attributes": {"city": "Rome"}})
    assert (
        (await world.services.templating.preview(message, sample)).message or shown.message
    ).text != shown.message.text
    assert await world.inventory(promotion) == before


def why_not(one: Rendering) -> str | None:
    return one.problem.code if isinstance(one.problem, Refusal) else None


async def test_names_are_checked_before_anything_runs(world: World) -> None:
    await world.services.people.upsert([{"id": "x", "attributes": {"city": "Lyon"}}])
    await spring(world)
    for handle in ("twin-1", "twin-2"):
        await world.promotion(handle=handle, name="Twin", codes=1)
    over = await world.promotion(handle="over", codes=1)
    await world.services.promoting.end(over.id, stop_redeeming=False)
    text = "{{ client.promocode('sprung') }}\n{{ client.attributes.ctiy }}\n{{ promotion('spring').properties.them }}\n"
    text += "{{ client.promocode('Twin') }}\n{{ promocode }}\n{{ client.promocode('over') }}"
    text += "{{ client.last_promocode('over') }}"
    checked = await world.services.templating.check(draft(text))
    assert checked.prepared is None
    assert [(problem.line, problem.fault) for problem in checked.problems] == [
        (1, TemplateFault.UNKNOWN_PROMOTION),
        (2, TemplateFault.UNKNOWN_NAME),
        (3, TemplateFault.UNKNOWN_NAME),
        (4, TemplateFault.UNKNOWN_PROMOTION),
        (5, TemplateFault.UNKNOWN_PROMOTION),
        (6, TemplateFault.PROMOTION_OVER),
    ]
    words = ["'sprung'", "'city'", "theme", "twin-1, twin-2", "which promotion", "ENDED"]
    for problem, word in zip(checked.problems, words, strict=True):
        assert word in problem.message
    with pytest.raises(BadInput, match="Line 1"):
        await world.services.templating.prepare(draft(text))


async def test_a_check_tells_which_codes_and_attributes_a_message_asks_for(world: World) -> None:
    promotion = await spring(world)
    await customers(world, "ann")
    checked = await world.services.templating.check(draft(EVERY_MACRO, promotion="Promotion 1"))
    assert checked.problems == ()
    assert checked.asks == ((promotion, CodeAct.ISSUE), (promotion, CodeAct.REPEAT))
    assert checked.attributes == ("city",)


async def test_a_code_of_an_sms_is_kept_on_one_segment(world: World) -> None:
    await world.promotion(handle="p", code_kind=CodeKind.SINGLE, shared="WHOLE-CODE")
    message = await prepared(world, "a" * 148 + " {{ client.promocode('p') }} " + "b" * 100)
    (text,) = await texts(world, message, "ann")
    assert text is not None
    assert text.index("WHOLE-CODE") == 153


@pytest.mark.parametrize(
    ("medium", "content", "field"),
    [
        (Medium.EMAIL, MessageContent(text="x"), ("subject",)),
        (Medium.EMAIL, MessageContent(subject="x"), ("text",)),
        (Medium.SMS, MessageContent(text="x", html="x"), ("html",)),
        (Medium.SMS, MessageContent(text=" "), ("text",)),
        (Medium.EMAIL, MessageContent(subject="x" * 501, text="x"), ("subject",)),
        (Medium.SMS, MessageContent(text="\0"), ("text",)),
    ],
)
async def test_parts_that_do_not_fit_the_medium(
    world: World, medium: Medium, content: MessageContent, field: tuple[str, ...]
) -> None:
    with pytest.raises(BadInput) as problem:
        await world.services.templating.check(MessageDraft(medium=medium, content=content))
    assert problem.value.field == field
