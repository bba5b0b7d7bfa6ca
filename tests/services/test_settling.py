"""Tentative codes: what becomes of them with their messages, said in any order, twice, and beside everything else."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from promograph import Capability, Channel, Delivery, DeliveryEventKind, Happening, HappeningKind, ProviderEvent
from promograph.domain.issuing import IssuanceState, IssueRequest
from promograph.domain.promotions import CodeKind, IssuePolicy, OnEmpty, Promotion, PromotionTerms, ReturnPolicy
from promograph.domain.redeeming import HoldRequest, RollbackRequest
from promograph.domain.sending.deliveries import DeliveryState
from promograph.services.promoting import Draft
from promograph.testing.fake_channel import FakeChannel

from .world import World, issued, why

pytestmark = pytest.mark.anyio


def asked(promotion: Promotion, customer: str, message: str, **more: Any) -> IssueRequest:
    """As a message asks for the code that it will show."""
    more = {"channel": "email", "tentative": True, **more}
    return IssueRequest(promotion=promotion.terms.handle, customer=customer, message=message, **more)


async def carry(world: World, promotion: Promotion, customer: str, message: str, **more: Any) -> str:
    """The code that this message shows."""
    return issued(await world.services.issuing.issue(asked(promotion, customer, message, **more))).text


async def states(world: World, customer: str) -> list[tuple[str, str]]:
    """Kind and state of all that the customer was given, the first first."""
    found = await world.services.people.issuances_of(customer)
    return [(one.kind.value, one.state.value) for one in sorted(found, key=lambda one: one.number)]


async def test_an_issuance_waits_for_its_message_and_is_delivered(world: World) -> None:
    promotion = await world.promotion(codes=["A"])
    outcome = await world.services.issuing.issue(asked(promotion, "ann", "m1"))
    assert issued(outcome).state is IssuanceState.TENTATIVE
    assert why(await world.validate("A", "ann")) == []  # it works at once: nothing is known but that it is on its way
    settling = world.services.settling
    assert await settling.settle("email", {"m1": DeliveryState.PENDING}) == await settling.lost("sms", ["m1"])
    assert await states(world, "ann") == [("INITIAL", "TENTATIVE")]
    assert (await settling.seen("email", ["m1", "m2"])).delivered == 1
    assert (await settling.seen("email", ["m1"])).delivered == 0
    assert (await settling.lost("email", ["m1"])).returned == ()
    assert await states(world, "ann") == [("INITIAL", "DELIVERED")]
    assert (await world.inventory(promotion)).issued == 1


async def test_a_code_that_nobody_has_seen_goes_to_the_back_of_its_pool(world: World) -> None:
    promotion = await world.promotion(codes=["A", "B"], audience_cap=9)
    assert await carry(world, promotion, "ann", "m1") == "A"
    heard: list[Happening] = []
    world.services.telling.listen(heard.extend)
    settled = await world.services.settling.lost("email", ["m1"])
    assert [(one.promotion, one.customer, one.code) for one in settled.returned] == [("promotion-1", "ann", "A")]
    assert (await world.services.settling.lost("email", ["m1"])).returned == ()
    await world.services.settling.seen("email", ["m1"])  # too late: it may be somebody else's by now
    assert await states(world, "ann") == [("RETURNED", "RETURNED")]
    found = await world.inventory(promotion)
    assert (found.available, found.issued, found.customers) == (2, 0, 0)
    assert why(await world.redeem("A", "ann")) == ["NOT_ISSUED"]
    assert [await carry(world, promotion, who, "m2") for who in ("bob", "ann")] == ["B", "A"]
    code = await world.services.lookup.code("A")
    assert code is not None
    events = await world.services.lookup.history(code.promotion_id, code.seq)
    assert [event.kind.value for event in events if event.customer == "ann"].count("ISSUED") == 2
    await world.services.telling.told()
    assert (heard[0].kind, heard[0].code) == (HappeningKind.CODE_RETURNED, "A")


@pytest.mark.parametrize("trace", ["redeemed", "rolled back", "held", "let go"])
async def test_what_somebody_has_used_or_held_was_seen(world: World, trace: str) -> None:
    promotion = await world.promotion(codes=["A"])
    await carry(world, promotion, "ann", "m1")
    redeeming = world.services.redeeming
    if trace in ("redeemed", "rolled back"):
        used = await world.redeem("A", "ann")
        assert used.redemption is not None
        if trace == "rolled back":
            await redeeming.roll_back(RollbackRequest(promotion_id=promotion.id, number=used.redemption.number))
    else:
        held = await redeeming.hold(HoldRequest(code="A", customer="ann", ttl=timedelta(hours=1)))
        if trace == "let go":
            assert held.hold is not None
            await redeeming.release(held.hold.token)
    settled = await world.services.settling.lost("email", ["m1"])
    assert (settled.delivered, settled.returned) == (1, ())
    assert await states(world, "ann") == [("INITIAL", "DELIVERED")]
    refusal = await world.services.replacing.give_back("A")
    assert refusal is not None


async def test_a_code_is_lost_when_all_messages_that_carry_it_are(world: World) -> None:
    promotion = await world.promotion(codes=["A", "B"])
    assert {await carry(world, promotion, "ann", message) for message in ("m1", "m2")} == {"A"}
    repeat = asked(promotion, "ann", "m3", channel="sms")
    assert issued((await world.services.issuing.reissue_many([repeat]))[0]).text == "A"
    assert (await world.services.settling.lost("email", ["m1", "m2"])).returned == ()
    assert await states(world, "ann") == [("INITIAL", "TENTATIVE"), ("REPEAT", "FINAL")]
    assert len((await world.services.settling.lost("sms", ["m3"])).returned) == 1
    assert await states(world, "ann") == [("RETURNED", "RETURNED"), ("REPEAT", "RETURNED")]
    # The message that repeated it, rendered once more, must not show what may be somebody else's.
    assert why((await world.services.issuing.reissue_many([repeat]))[0]) == ["NOTHING_HELD"]
    await world.code(promotion, "ann")
    assert issued((await world.services.issuing.reissue_many([repeat]))[0]).text == "B"


@pytest.mark.parametrize("shown", ["issued", "in the same call", "repeated", "the message again"])
async def test_a_code_that_is_shown_elsewhere_is_final(world: World, shown: str) -> None:
    promotion = await world.promotion(codes=["A", "B"])
    plain = IssueRequest(promotion=promotion.terms.handle, customer="ann")
    request = asked(promotion, "ann", "m1")
    issuing = world.services.issuing
    if shown == "in the same call":
        first, second = await issuing.issue_many([request, plain])
        assert issued(first).text == issued(second).text
    else:
        await issuing.issue(request)
    if shown == "issued":
        assert issued(await issuing.issue(plain)).state is IssuanceState.FINAL
    elif shown == "repeated":
        await world.reissue(promotion, "ann")
    elif shown == "the message again":
        await issuing.reissue_many([asked(promotion, "ann", "m1")])
        await issuing.reissue_many([asked(promotion, "ann", "m1", tentative=False)])
    assert (await world.services.settling.lost("email", ["m1"])).returned == ()
    assert (await states(world, "ann"))[0] == ("INITIAL", "FINAL")


async def test_who_keeps_codes_waits_for_nothing_and_a_shared_code_is_final(world: World) -> None:
    keeping = await world.promotion(codes=["A"], return_policy=ReturnPolicy.NEVER)
    single = await world.promotion(shared="SAVE", code_kind=CodeKind.SINGLE)
    falling = await world.promotion(shared="LATER", on_empty=OnEmpty.FALLBACK)
    for promotion in (keeping, single, falling):
        outcome = await world.services.issuing.issue(asked(promotion, "ann", "m1"))
        assert issued(outcome).state is IssuanceState.FINAL
    assert (await world.services.settling.lost("email", ["m1"])).returned == ()
    changed = await world.promotion(codes=["X", "Y"])
    await carry(world, changed, "ann", "m2")
    await carry(world, changed, "bob", "m3")
    await world.void("Y")

    def keep(terms: PromotionTerms) -> tuple[Draft, bool]:
        return Draft(terms=replace(terms, return_policy=ReturnPolicy.NEVER)), True

    await world.services.promoting.update(changed.id, keep)
    assert (await world.services.settling.lost("email", ["m2", "m3"])).final == 2
    assert await states(world, "bob") == [("INITIAL", "FINAL")]


async def test_a_blocked_code_goes_back_and_stays_blocked(world: World) -> None:
    promotion = await world.promotion(codes=["A"])
    await carry(world, promotion, "ann", "m1")
    await world.block("A")
    assert len((await world.services.settling.lost("email", ["m1"])).returned) == 1
    found = await world.inventory(promotion)
    assert (found.available, found.blocked, found.customers) == (0, 1, 0)
    await world.unblock("A")
    assert await world.code(promotion, "bob") == "A"


async def test_what_is_on_its_way_is_not_taken_back_by_hand(world: World) -> None:
    promotion = await world.promotion(codes=["A"])
    await carry(world, promotion, "ann", "m1")
    for _ in range(2):
        refusal = await world.services.replacing.give_back("A")
        assert refusal is not None
        assert refusal.code == "MAYBE_SEEN"
        await world.services.settling.seen("email", ["m1"])


async def test_no_first_answer_tells_a_code_that_went_back(world: World) -> None:
    promotion = await world.promotion(codes=["A", "B"], issue_policy=IssuePolicy.PER_SEND)
    request = asked(promotion, "ann", "m1", send="s1", idempotency_key="k")
    issuing = world.services.issuing
    await issuing.issue(request)
    assert issued((await issuing.issue_many([request], key="k"))[0]).text == "A"
    await world.services.settling.lost("email", ["m1"])
    assert await world.code(promotion, "bob", send="s1") == "B"
    assert await world.code(promotion, "bob", send="s2") == "A"
    assert why(await issuing.issue(request)) == ["CODE_RETURNED"]
    assert why((await issuing.issue_many([request], key="k"))[0]) == ["CODE_RETURNED"]
    repeated = IssueRequest(promotion=promotion.terms.handle, customer="bob", idempotency_key="r")
    assert issued(await issuing.reissue(repeated)).text == "A"
    assert await world.services.replacing.give_back("A") is None
    assert why(await issuing.reissue(repeated)) == ["CODE_RETURNED"]


async def test_a_tentative_request_names_its_message_and_channel(world: World) -> None:
    promotion = await world.promotion(codes=["A"])
    for missing in ({"message": None}, {"channel": None}):
        request = asked(promotion, "ann", **{"message": "m1", **missing})  # type: ignore[arg-type]
        assert why(await world.services.issuing.issue(request)) == ["REQUIRED"]


def answers(key: str) -> Sequence[Delivery]:
    return [
        Delivery.accepted(f"{key}-accepted"),
        Delivery.refused(f"{key}-refused", "no such mailbox"),
        Delivery.try_again(f"{key}-again", "busy"),
        Delivery.try_again(f"{key}-maybe", "no answer", maybe_taken=True),
    ]


@pytest.mark.parametrize("hears", [True, False])
async def test_what_a_channel_answers_settles_what_is_settled_by_that(world: World, hears: bool) -> None:
    promotion = await world.promotion(codes=4)
    channel: Channel = FakeChannel()
    if not hears:
        channel = Deaf()
    for delivery in answers("m"):
        await carry(world, promotion, delivery.key, delivery.key, channel=channel.name)
    await world.services.settling.answered(channel, answers("m"))
    found = {key: (await states(world, f"m-{key}"))[0][1] for key in ("accepted", "refused", "again", "maybe")}
    accepted = "TENTATIVE" if hears else "DELIVERED"
    assert found == {"accepted": accepted, "refused": "RETURNED", "again": "TENTATIVE", "maybe": "DELIVERED"}
    # What may have been taken at one try was seen, whatever the next one says.
    await world.services.settling.answered(channel, [Delivery.refused("m-maybe", "no")])
    assert await states(world, "m-maybe") == [("INITIAL", "DELIVERED")]


class Deaf:
    """A channel that hears of nothing once a message is out of its hands."""

    name, title, description = "deaf", "Deaf", "For tests."
    can = frozenset({Capability.SEND_MESSAGES})


def said(id_: str, kind: DeliveryEventKind, key: str) -> ProviderEvent:
    return ProviderEvent(id=id_, kind=kind, key=key)


async def test_what_providers_tell_settles_what_an_adapter_asked_for(world: World) -> None:
    promotion = await world.promotion(codes=3, issue_policy=IssuePolicy.PER_MESSAGE)
    desk = world.services.desk("pigeons")
    keys = ("gone", "there", "both")
    # Under whatever label: the events come under the channel's own name.
    outcomes = await desk.request_codes([asked(promotion, key, key, channel="label") for key in keys])
    assert {issued(outcome).channel for outcome in outcomes} == {"pigeons"}
    kinds = DeliveryEventKind
    await desk.report_delivery([said("1", kinds.SUPPRESSED, "gone"), said("2", kinds.DELIVERED, "there")])
    await desk.report_delivery([said("3", kinds.BOUNCED, "both"), said("4", kinds.OPENED, "both")])
    await world.services.inbound.work()
    found = {key: (await states(world, key))[0][1] for key in keys}
    assert found == {"gone": "RETURNED", "there": "DELIVERED", "both": "DELIVERED"}


async def test_of_a_bounce_and_a_redemption_of_the_same_code_one_wins(world: World) -> None:
    """Through two sets of connections at once, many times over."""
    promotion = await world.promotion(codes=20)
    requests = [asked(promotion, f"c{n}", f"m{n}") for n in range(20)]
    texts = [issued(outcome).text for outcome in await world.services.issuing.issue_many(requests)]
    other = world.reopen()
    redeemed = returned = 0
    for n, text in enumerate(texts):
        use, settled = await asyncio.gather(world.redeem(text, f"c{n}"), other.settling.lost("email", [f"m{n}"]))
        assert (use.redemption is not None) is not bool(settled.returned)
        redeemed += use.redemption is not None
        returned += len(settled.returned)
    found = await world.inventory(promotion)
    assert (found.redeemed, found.available) == (redeemed, returned)
    assert redeemed + returned == 20
    assert await other.verify() == []


async def test_messages_settled_by_the_thousand(world: World) -> None:
    promotion = await world.promotion(codes=2_500)
    requests = [asked(promotion, f"c{n}", f"m{n}") for n in range(2_500)]
    await world.services.issuing.issue_many(requests)
    states = {f"m{n}": DeliveryState.FAILED if n % 5 else DeliveryState.DELIVERED for n in range(2_500)}
    settled = await world.services.settling.settle("email", states)
    assert (settled.delivered, len(settled.returned)) == (500, 2_000)
    found = await world.inventory(promotion)
    assert (found.available, found.issued, found.customers) == (2_000, 500, 500)


class Story:
    """What a small model knows: of each customer's code the messages that carry it, and what is certain of it."""

    def __init__(self) -> None:
        self.holder: dict[str, str] = {}  # code -> customer
        self.open: dict[str, set[str]] = {}  # code -> messages
        self.state: dict[str, str] = {}  # code -> state
        self.back: list[tuple[str, str]] = []

    def given(self, code: str, customer: str, message: str | None) -> None:
        if self.holder.get(code) != customer:
            assert code not in self.holder, "somebody else has it"
            self.holder[code], self.open[code] = customer, set()
            self.state[code] = "TENTATIVE" if message else "FINAL"
        if self.state[code] == "TENTATIVE":
            if message is None:
                self.close(code, "FINAL")
            else:
                self.open[code].add(message)

    def close(self, code: str, state: str) -> None:
        self.state[code] = state
        self.open[code].clear()

    def told(self, message: str, *, seen: bool, used: set[str]) -> None:
        for code in [code for code, messages in self.open.items() if message in messages]:
            if seen:
                self.close(code, "DELIVERED")
                continue
            self.open[code].discard(message)
            if not self.open[code] and code in used:
                self.close(code, "DELIVERED")
            elif not self.open[code]:
                self.back.append((self.holder.pop(code), code))
                del self.state[code], self.open[code]


@pytest.mark.parametrize("seed", range(3))
async def test_random_histories_agree_with_a_small_model(world: World, seed: int) -> None:
    random, story, used = Random(seed), Story(), set[str]()
    promotion = await world.promotion(codes=12, issue_policy=IssuePolicy.PER_SEND, audience_cap=50)
    people, messages = ["ann", "bob", "cy", "dee"], [f"m{n}" for n in range(8)]
    for _ in range(60):
        customer, message, send = random.choice(people), random.choice(messages), random.choice(["s1", "s2"])
        act = random.choice(["carry", "carry", "carry", "repeat", "show", "seen", "lost", "lost", "redeem"])
        tentative = act != "show"
        request = asked(promotion, customer, f"{message}-{customer}", send=send, tentative=tentative)
        if act in ("carry", "show", "repeat"):
            give = world.services.issuing.reissue_many if act == "repeat" else world.services.issuing.issue_many
            outcome = (await give([request]))[0]
            if outcome.issuance is not None:
                story.given(outcome.issuance.text, customer, request.message if tentative else None)
        elif act == "redeem" and story.holder:
            code = random.choice(sorted(story.holder))
            if code not in used:
                assert why(await world.redeem(code, story.holder[code])) == []
                used.add(code)
        else:
            told = [f"{message}-{who}" for who in random.sample(people, 2)]
            for key in told:
                story.told(key, seen=act == "seen", used=used)
            say = world.services.settling.seen if act == "seen" else world.services.settling.lost
            await say("email", told * 2)
    found = {
        one.text: (one.customer, one.state.value)
        for who in people
        for one in await world.services.people.issuances_of(who)
        if one.kind == "INITIAL"
    }
    assert found == {code: (holder, story.state[code]) for code, holder in story.holder.items()}
    inventory = await world.inventory(promotion)
    assert (inventory.issued, inventory.customers) == (len(story.holder), len(set(story.holder.values())))
