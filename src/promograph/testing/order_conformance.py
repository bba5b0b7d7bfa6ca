"""The conformance kit for shops: what every channel that hears of orders has to stand.

An author writes an `OrderStage`, which tells in the shop's words what a case wants told; each of `CASES` is a
test:

    @pytest.mark.parametrize("case", CASES)
    def test_my_shop_conforms(case: Case) -> None:
        run(case, MyShopStage)
"""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import replace
from itertools import permutations

from promograph.channels import BadSignature, Capability, OrderChannel, ProviderRequest
from promograph.domain.sending.deliveries import DeliveryEventKind
from promograph.plugins.checking import check_channel
from promograph.testing.fake_desk import FakeDesk
from promograph.testing.stages import BareStage, run

__all__ = ["CASES", "CODE", "Case", "OrderStage", "run"]

CODE = "SPRING-7H2K"


class OrderStage(BareStage, ABC):
    """A shop with one order of 100.00, on which the code `CODE` took 10.00 off. What it tells is signed."""

    @abstractmethod
    def channel(self) -> OrderChannel:
        """A new channel before the same shop."""

    @abstractmethod
    def sold(self) -> ProviderRequest:
        """The order was placed and paid."""

    @abstractmethod
    def refunded(self) -> ProviderRequest:
        """30.00 of it went back, and with them 3.00 of what the code took off."""

    @abstractmethod
    def cancelled(self) -> ProviderRequest:
        """It was cancelled, last of all."""

    @abstractmethod
    def forged(self) -> ProviderRequest:
        """As `sold`, signed with another secret."""


Case = Callable[[OrderStage], Awaitable[None]]


async def it_says_that_it_hears_of_orders(stage: OrderStage) -> None:
    channel = stage.channel()
    check_channel(channel, ())
    assert Capability.RECEIVE_ORDERS in channel.can
    assert not [secret for secret in stage.secrets if secret in f"{channel!r} {channel}"], "the channel shows a secret"


async def only_the_shop_is_heard(stage: OrderStage) -> None:
    channel, good = stage.channel(), stage.sold()
    flipped = bytes([good.body[0] ^ 1]) + good.body[1:], good.body[:-1] + bytes([good.body[-1] ^ 1])
    bare = replace(good, headers=())
    for request in (stage.forged(), bare, *(replace(good, body=body) for body in flipped)):
        try:
            channel.receive(request)
        except BadSignature as refusal:
            assert not [secret for secret in stage.secrets if secret in str(refusal)]
        else:
            raise AssertionError(f"the channel heard {request}")


async def an_order_is_told_once(stage: OrderStage) -> None:
    channel = stage.channel()
    first, again = channel.receive(stage.sold()), channel.receive(stage.sold())
    assert [(event.id, event.raw) for event in first] == [(event.id, event.raw) for event in again]
    assert [event.kind for event in first] == [DeliveryEventKind.ORDER]
    ids = {event.id for told in (stage.sold(), stage.refunded(), stage.cancelled()) for event in channel.receive(told)}
    assert len(ids) == 3, "what says something else has another id"


async def a_sale_uses_its_code(stage: OrderStage) -> None:
    found = (await _told(stage, stage.sold())).aim(CODE)
    assert (found.stands, found.undone, found.of) == (True, 0, 1000), found


async def a_refund_gives_a_part_back(stage: OrderStage) -> None:
    for told in ((stage.sold(), stage.refunded()), (stage.refunded(), stage.sold())):
        found = (await _told(stage, *told)).aim(CODE)
        assert (found.stands, found.undone, found.of) == (True, 300, 1000), found


async def a_cancelled_order_uses_nothing_in_whatever_order_it_is_told(stage: OrderStage) -> None:
    for told in permutations((stage.sold(), stage.refunded(), stage.cancelled())):
        assert (await _told(stage, *told, *told)).aim(CODE).stands is False


async def what_could_not_be_reported_is_said_to_have_failed(stage: OrderStage) -> None:
    channel, desk = stage.channel(), FakeDesk()
    desk.is_away = True
    events = channel.receive(stage.sold())
    try:
        await channel.handle(events, desk)
    except Exception:
        desk.is_away = False
    assert not desk.is_away, "the channel swallowed it: the order would be lost"
    await channel.handle(events, desk)
    assert desk.aim(CODE).stands


async def _told(stage: OrderStage, *requests: ProviderRequest) -> FakeDesk:
    """One by one, as by servers that know nothing of each other."""
    desk = FakeDesk()
    for request in requests:
        channel = stage.channel()
        await channel.handle(channel.receive(request), desk)
    return desk


CASES: tuple[Case, ...] = (
    it_says_that_it_hears_of_orders,
    only_the_shop_is_heard,
    an_order_is_told_once,
    a_sale_uses_its_code,
    a_refund_gives_a_part_back,
    a_cancelled_order_uses_nothing_in_whatever_order_it_is_told,
    what_could_not_be_reported_is_said_to_have_failed,
)
