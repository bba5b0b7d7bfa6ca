"""The Python client against a server: the round, and what becomes of sales when nobody answers, either way of grace."""

import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from promograph_client import (
    CartCodeInput,
    CartInput,
    CartLineInput,
    CheckoutClient,
    CodeHoldInput,
    CodeRedeemInput,
    CodesRedeemInput,
    Grace,
    MoneyInput,
    Rejected,
    Reported,
    Unreachable,
    UserErrorCode,
    Wish,
)

from .shop import DOCUMENTS, Cut, Network, Shop

ACCEPTS = {"when_unreachable": Grace.ACCEPT_AND_REPORT_LATER}
OFF = MoneyInput(amount=Decimal("5.00"), currency="EUR")


def cart(amount: str) -> CartInput:
    return CartInput(currency="EUR", lines=[CartLineInput(id="1", sku="SHOE", quantity=1, amount=Decimal(amount))])


def sale(code: str, order: str = "A-1") -> CodeRedeemInput:
    return CodeRedeemInput(code=code, order=order, discount=OFF, idempotency_key=f"order:{order}:{code}")


@pytest.fixture
def network() -> Network:
    return Network()


@pytest.mark.parametrize(("path", "by_id"), [("", False), ("/strict", False), ("/strict", True)])
def test_the_round(shop: Shop, late: Path, path: str, by_id: bool) -> None:
    texts = [f"R{len(path)}{by_id:d}-{n}" for n in range(3)]
    handle = shop.percentage(
        "20",
        *texts,
        condition={"subtotal": {"op": "GTE", "value": {"amount": "50.00", "currency": "EUR"}}},
        combinable=True,
    )
    code, second, third = texts
    with shop.client(late, path=path, by_id=by_id) as client:
        refused = client.validate(code, cart=cart("42.00"))
        assert [error.code for error in refused.user_errors] == [UserErrorCode.MINIMUM_NOT_MET]
        assert refused.user_errors[0].data["missing"] == "8.00"
        good = client.validate(code.lower(), cart=cart("60.00"))
        assert good.is_valid and good.promotion_handle == handle
        assert good.discount and good.discount.total.amount == Decimal("12.00")
        held = client.hold(CodeHoldInput(code=code, cart=cart("60.00"), order="A-1", valid_for="PT10M")).hold
        assert held and held.amount and held.amount.amount == Decimal("12.00")
        done = client.redeem(CodeRedeemInput(hold=held.token, idempotency_key=f"{code}:redeem"))
        assert done.is_accepted and done.answer and done.answer.redemption
        redemption = done.answer.redemption
        assert (redemption.order, redemption.redeemed_at, redemption.reported_at) == ("A-1", shop.clock.now, None)
        used = client.redeem(CodeRedeemInput(code=code, cart=cart("60.00"), idempotency_key=f"{code}:again"))
        assert used.answer and not used.is_accepted and used.answer.user_errors[0].code == UserErrorCode.NOT_FOUND
        part = client.roll_back(redemption.id, key=f"{code}:part", amount=OFF, reason="one shoe came back")
        assert part.rollback and not part.rollback.is_whole
        rest = client.roll_back(redemption.id, key=f"{code}:rest")
        assert rest.rollback and rest.rollback.is_whole and rest.rollback.amount
        assert rest.rollback.amount.amount == Decimal("7.00")

        other = client.hold(CodeHoldInput(code=second, cart=cart("60.00"))).hold
        assert other
        released = client.release(other.token).hold
        assert released and released.state == "RELEASED"
        both = client.validate_together([second, third], cart=cart("60.00"))
        assert both.is_valid
        assert [each.discount and each.discount.total.amount for each in both.results] == [
            Decimal("12"),
            Decimal("9.6"),
        ]
        order = CodesRedeemInput(
            codes=[CartCodeInput(code=second), CartCodeInput(code=third)],
            cart=cart("60.00"),
            idempotency_key=f"{second}:both",
        )
        together = client.redeem_together(order)
        assert together.answer and len(together.answer.redemptions) == 2
        assert client.promotions_for(cart("60.00")) == []
    assert shop.uses(handle) == 2
    assert not late.exists(), "nothing was late"


def test_a_lost_answer_is_asked_for_again_and_nothing_is_used_twice(shop: Shop, late: Path, network: Network) -> None:
    handle = shop.promotion("L-1", "L-2")
    network.cut, network.cuts_left = Cut.AFTER, 1
    with shop.client(late, network, patience=60) as client:
        done = client.redeem(sale("L-1"))
        assert done.answer and done.answer.replayed and done.is_accepted
        network.cuts_left = 1
        held = client.hold(CodeHoldInput(code="L-2"))
        assert held.replayed and held.hold
    assert network.asked == 4
    assert (shop.uses(handle), shop.history("L-2")) == (1, ["HELD"])
    assert not late.exists()


@pytest.mark.parametrize("cut", Cut)
def test_a_sale_that_was_accepted_is_reported_later(shop: Shop, late: Path, network: Network, cut: Cut) -> None:
    code = f"G-{cut.name}"
    handle = shop.promotion(code)
    sold_at = shop.clock.now
    network.cut = cut
    with shop.client(late, network, **ACCEPTS) as client:
        sold = client.redeem(sale(code))
        assert sold.is_accepted and sold.answer is None
        with pytest.raises(Unreachable):
            client.validate(code)
        assert client.report_late().waiting == 1
    shop.clock.move(hours=1)
    # Another process of the shop, after the first has died.
    with shop.client(late, **ACCEPTS) as client:
        done = client.report_late()
        assert ([one.key for one in done.reported], done.waiting) == ([f"order:A-1:{code}"], 0)
        assert client.report_late().reported == []
        again = client.redeem(sale(code))
        assert again.answer and again.answer.redemption and again.answer.replayed
        assert again.answer.redemption.redeemed_at == sold_at
        was_late = cut is Cut.BEFORE  # else it had come through, and only the answer was lost
        assert (again.answer.redemption.reported_at == shop.clock.now) is was_late
    assert (shop.uses(handle), shop.history(code)) == (1, ["REDEEMED"])


@pytest.mark.parametrize("cut", Cut)
def test_a_sale_that_was_refused_leaves_the_code_unused(shop: Shop, late: Path, network: Network, cut: Cut) -> None:
    code = f"F-{cut.name}"
    handle = shop.promotion(code)
    network.cut = cut
    with shop.client(late, network) as client:
        with pytest.raises(Unreachable) as failure:
            client.redeem(sale(code))
        assert failure.value.maybe_done is (cut is Cut.AFTER)
        network.cut = None
        undone = client.report_late().undone
        assert [one.wish for one in undone] == ([Wish.UNDO] if cut is Cut.AFTER else [])
        if undone:
            with pytest.raises(ValueError, match="a new try needs a new idempotency_key"):
                client.redeem(sale(code))
        assert client.report_late().undone == []
        assert shop.uses(handle) == 0
        assert client.redeem(sale(code, "A-2")).is_accepted
    assert shop.uses(handle) == 1


def test_what_is_turned_down_later_is_kept_for_people(shop: Shop, late: Path, network: Network) -> None:
    shop.promotion("T-1")
    network.cut = Cut.BEFORE
    with shop.client(late, network, **ACCEPTS) as client:
        assert client.redeem(sale("T-1", "A-1")).is_accepted and client.redeem(sale("T-1", "A-2")).is_accepted
        network.cut = None
        done = client.report_late()
        assert (len(done.reported), len(done.refused), done.waiting) == (1, 1, 0)
        (kept,) = client.late.refused()
        assert kept.key == "order:A-2:T-1" and kept.refusals and kept.refusals[0]["code"] == "NOT_FOUND"
        assert client.report_late().refused == [], "it is not asked for ever"
    events = shop.ask("{ events(first: 5, filter: {kinds: [SALE_REFUSED]}) { nodes { data } } }")["nodes"]
    assert events[0]["data"]["sales"][0]["order"] == "A-2"
    assert events[0]["data"]["refusals"] == ["ALREADY_REDEEMED"]


def test_a_hold_keeps_its_promise_to_a_sale_that_is_reported_after_it_has_lapsed(
    shop: Shop, late: Path, network: Network
) -> None:
    window = {"timeZone": "UTC", "endsAt": (shop.clock.now + timedelta(minutes=10)).isoformat()}
    shop.percentage("20", "H-1", window=window)
    with shop.client(late, network, **ACCEPTS) as client:
        held = client.hold(CodeHoldInput(code="H-1", cart=cart("60.00"), valid_for="PT10M")).hold
        assert held
        network.cut = Cut.BEFORE
        shop.clock.move(minutes=5)
        order = CodeRedeemInput(hold=held.token, idempotency_key="order:H-1")
        assert client.redeem(order).is_accepted
        network.cut = None
        shop.clock.move(hours=1)
        assert len(client.report_late().reported) == 1
        known = client.redeem(order).answer
        assert known and known.redemption and known.redemption.discount
        assert known.redemption.discount.amount == Decimal("12.00")


def test_many_processes_of_a_shop_share_the_file(shop: Shop, late: Path) -> None:
    codes = [f"M-{n}" for n in range(12)]
    handle = shop.promotion(*codes)

    def sell(code: str) -> bool:
        network = Network()  # whoever closes a client closes its network
        network.cut = Cut.AFTER
        with shop.client(late, network, patience=0.01, **ACCEPTS) as client:
            return client.redeem(sale(code)).is_accepted

    def report(_: int) -> Reported:
        with shop.client(late, **ACCEPTS) as client:
            return client.report_late()

    with ThreadPoolExecutor(6) as threads:
        assert all(threads.map(sell, codes))
        done = list(threads.map(report, range(3)))
    assert {each.key for part in done for each in part.reported} == {f"order:A-1:{code}" for code in codes}
    assert (shop.uses(handle), report(0)) == (12, Reported())


def test_the_examples_of_the_documentation(shop: Shop, late: Path) -> None:
    examples = re.findall(r"```python\n(.*?)```", (DOCUMENTS.parent / "checkout.md").read_text(), re.DOTALL)
    assert len(examples) == 2
    shop.percentage("20", "SAVE20")
    url = f"{shop.base}/graphql"
    known: dict[str, Any] = {"url": url, "token": shop.checkout}
    first, second = (text.replace("http://127.0.0.1:8000/graphql", url) for text in examples)
    exec(first.replace("late-sales.db", str(late)), known)
    assert known["found"].discount.total.amount == Decimal("12.00")
    with shop.client(late) as client:
        known["held"] = client.hold(CodeHoldInput(code="SAVE20", cart=known["cart"])).hold
    exec(second.replace("late-sales.db", str(late)), known)
    assert known["sale"].answer.redemption.order == "A-1002"


def test_an_order_that_is_cancelled_before_it_was_reported(shop: Shop, late: Path, network: Network) -> None:
    handle = shop.promotion("C-1", "C-2")
    network.cut = Cut.BEFORE
    with shop.client(late, network, **ACCEPTS) as client:
        several = CodesRedeemInput(codes=[CartCodeInput(code="C-1", discount=OFF)], idempotency_key="order:B-1")
        assert client.redeem_together(several).is_accepted
        assert client.redeem(sale("C-2")).is_accepted
        assert client.late.cancel("order:B-1") and not client.late.cancel("order:B-9")
        network.cut = None
        done = client.report_late()
        assert ([one.key for one in done.undone], len(done.reported)) == (["order:B-1"], 1)
    assert shop.uses(handle) == 1


def test_an_order_that_is_cancelled_while_it_is_reported(shop: Shop, late: Path, network: Network) -> None:
    handle = shop.promotion("D-1")
    network.cut = Cut.BEFORE
    with shop.client(late, network, **ACCEPTS) as client:
        key = client.redeem(sale("D-1")).key
        network.cut, network.meanwhile = None, lambda: client.late.cancel(key)
        client.report_late()
        assert (shop.uses(handle), [one.wish for one in client.late.waiting()]) == (1, [Wish.UNDO])
        assert [one.key for one in client.report_late().undone] == [key]
    assert shop.uses(handle) == 0


def test_nobody_waits_long_for_a_server_that_is_away(shop: Shop, late: Path, network: Network) -> None:
    shop.promotion("W-1", "W-2")
    network.cut = Cut.BEFORE
    with shop.client(late, network, rest=3600, **ACCEPTS) as client:
        client.redeem(sale("W-1"))
        asked = network.asked
        client.redeem(sale("W-2"))
        assert network.asked == asked, "the second shopper is not made to wait"
        assert len(client.late.waiting()) == 2


def test_a_mistake_of_the_program_is_no_grace(shop: Shop, late: Path) -> None:
    with CheckoutClient(f"{shop.base}/graphql", "no-such-token", late=late, **ACCEPTS) as client:  # type: ignore[arg-type]
        with pytest.raises(Rejected, match="token"):
            client.redeem(sale("X"))
        with pytest.raises(ValueError, match="idempotency_key"):
            client.redeem(CodeRedeemInput(code="X"))
    with (
        CheckoutClient(f"{shop.base}/none", shop.checkout, late=late) as client,
        pytest.raises(Rejected, match="is this address promograph's"),
    ):
        client.validate("X")


def test_a_sale_outlives_the_process_that_made_it(late: Path) -> None:
    """Killed as soon as the shopper was told: the sale is on disk."""
    program = f"""
import os, signal
from promograph_client import *
client = CheckoutClient("http://127.0.0.1:9/graphql", "t", late={str(late)!r}, patience=0.1,
                        when_unreachable=Grace.ACCEPT_AND_REPORT_LATER)
assert client.redeem(CodeRedeemInput(code="K", idempotency_key="order:K")).is_accepted
os.kill(os.getpid(), signal.SIGKILL)
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert ended.returncode == -9, ended.stderr
    with CheckoutClient("http://127.0.0.1:9/graphql", "t", late=late) as client:
        assert [one.key for one in client.late.waiting()] == ["order:K"]
