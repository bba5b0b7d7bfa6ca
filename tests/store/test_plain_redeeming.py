"""A batch of redemptions has the same answers and leaves the same rows, with the plain ones told apart or not."""

import random
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Connection, text

from promograph.domain.carts import Cart, Line, Money
from promograph.domain.promotions import CodeKind, OnEmpty
from promograph.domain.redeeming import HoldRequest, RedeemOutcome, RedeemRequest
from promograph.domain.rewards import Effect, Percentage, RewardType, Single
from promograph.domain.windows import Window
from promograph.store import plain_redeeming, redeeming

from .ground import Ground

pytestmark = pytest.mark.anyio

NOW = datetime(2100, 1, 1, tzinfo=UTC)  # whenever this runs
# Without ids that are drawn or counted anew each time.
LEFT = {
    "code": "*",
    "redemption": "*",
    "stock": "promotion_id, available, issued, void, redeemed, redemptions, redemption_number, holds, spent, held",
    "hold": "*",
    "promotion": "*",
    "event": "promotion_id, kind",
}
BATCHES = 40
SIZE = 8

# By handle, the terms of promotions whose codes can be redeemed plainly, and of some whose cannot.
PLAIN: dict[str, dict[str, Any]] = {
    "usual": {"valid_for": timedelta(days=30)},
    "thrice": {"uses_per_code": 3},
    "no-limit": {"code_kind": CodeKind.MULTIPLE, "uses_per_code": None},
    "ends": {"window": Window(time_zone="UTC", ends_at=NOW + timedelta(hours=1)), "audience_cap": 50},
    "falls": {"on_empty": OnEmpty.FALLBACK},
    "for-all": {"code_kind": CodeKind.SINGLE, "uses_per_code": 5},
}
OTHERS: dict[str, dict[str, Any]] = {
    "over": {"window": Window(time_zone="UTC", ends_at=NOW)},
    "budget": {"budget": Money(minor=500, currency="EUR")},
    "capped": {"redemption_cap": 2},
    "each-once": {"uses_per_customer": 1},
    "holders": {"holder_only": True},
    "ten-off": {"reward": Single(type="off", value=Percentage(basis_points=1000))},
    "no-code": {"code_required": False},
    "held": {},
}
TERMS = PLAIN | OTHERS
SHARED = {"falls": "FALL-BACK", "for-all": "FOR-ALL"}
CART = Cart(currency="EUR", lines=(Line(id="1", sku="a", quantity=1, amount=1000),))
# An issue that has just run out, and one that is about to; a promotion asked for by its name between its codes.
CHOSEN = [
    [RedeemRequest(code="USUAL-6")],
    [RedeemRequest(code="USUAL-5")],
    [RedeemRequest(code="NO-CODE-0")],
    [RedeemRequest(promotion="no-code"), RedeemRequest(code="NO-CODE-0"), RedeemRequest(promotion="no-code")],
]


class _Undone(Exception):
    """Ends a transaction of which nothing is to stay."""


async def test_batches_are_answered_as_each_way_would(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = await _filled(ground)
    choices, plain = random.Random(1), set[str]()
    drawn = [_drawn(choices, texts) for _ in range(BATCHES)]
    for requests in (*CHOSEN, *drawn):
        with monkeypatch.context() as watched:
            watched.setattr(plain_redeeming, "redeem", partial(_noting, plain, plain_redeeming.redeem))
            made = await _redeemed(ground, requests)
        with monkeypatch.context() as alone:
            alone.setattr(plain_redeeming, "plain_uses", lambda promotion, now: None)
            assert await _redeemed(ground, requests) == made
    assert plain == PLAIN.keys() | {"no-code"}


def _noting(plain: set[str], redeem: Callable[..., Mapping[int, RedeemOutcome]], *asked: Any) -> Any:
    """Redeem, and note the promotions of which some were told apart."""
    outcomes = redeem(*asked)
    plain.update(one.redemption.handle for one in outcomes.values() if one.redemption is not None)
    return outcomes


async def _redeemed(ground: Ground, requests: Sequence[RedeemRequest]) -> tuple[list[RedeemOutcome], Any, Any]:
    """The answers, the rows that are left, and what webhooks are told; then nothing of it has happened."""
    seen: list[Any] = []

    def work(connection: Connection) -> None:
        seen.append(redeeming.redeem(connection, requests, NOW))
        seen.append({table: _rows(connection, f"SELECT {columns} FROM {table}") for table, columns in LEFT.items()})
        seen.append(_rows(connection, "SELECT body FROM webhook_delivery"))
        raise _Undone

    with pytest.raises(_Undone):
        await ground.database.write(work)
    outcomes, rows, told = seen
    return outcomes, rows, told


def _rows(connection: Connection, question: str) -> list[tuple[Any, ...]]:
    return sorted((tuple(row) for row in connection.execute(text(question))), key=repr)


async def _filled(ground: Ground) -> dict[str, list[str]]:
    """By handle the texts of codes: used, stopped, expired, issued or not."""
    await ground.services.reward_types.create(RewardType(handle="off", name="Off", effect=Effect.PERCENTAGE))
    texts = {"": ["NOBODYS"]}
    for handle, terms in TERMS.items():
        codes = [f"{handle}-{n}".upper() for n in range(10)] if handle != "for-all" else []
        promotion = await ground.promotion(handle, codes, shared=SHARED.get(handle), **terms)
        await ground.issue(handle, *(f"c{n}" for n in range(11 if handle == "falls" else 8)))
        texts[handle] = [*codes, *3 * [SHARED.get(handle, f"{handle}-0".upper())]]
        if codes:
            await ground.say(
                f"UPDATE code SET blocked = true WHERE promotion_id = {promotion.id} AND seq = 2",
                f"UPDATE code SET void = true WHERE promotion_id = {promotion.id} AND seq = 3",
                f"UPDATE code SET uses = 1 WHERE promotion_id = {promotion.id} AND seq = 4",
                f"UPDATE code SET expires_at = {_micros(NOW)} WHERE promotion_id = {promotion.id} AND seq = 5",
                f"UPDATE code SET expires_at = {_micros(NOW) + 1} WHERE promotion_id = {promotion.id} AND seq = 6",
            )
    since = _micros(NOW - timedelta(days=30))
    await ground.services.redeeming.hold(HoldRequest(code="HELD-0", ttl=timedelta(hours=1)))
    await ground.say(
        f"UPDATE hold SET expires_at = {_micros(NOW) + 1}",
        f"UPDATE issuance SET issued_at = {_micros(NOW) - 1}",
        f"UPDATE issuance SET issued_at = {since} WHERE customer = 'c6'",
        f"UPDATE issuance SET issued_at = {since + 1} WHERE customer = 'c5'",
        "INSERT INTO webhook (url, description, types, is_enabled, secret, old_secrets, failures, created_at,"
        " updated_at) VALUES ('https://a.example', '', '[\"code.redeemed\"]', true, 's', '[]', 0, 0, 0)",
    )
    return texts


def _drawn(choices: random.Random, texts: dict[str, list[str]]) -> list[RedeemRequest]:
    some = [text for handle in choices.sample(list(texts), 4) for text in texts[handle]]
    return [_request(choices, some) for _ in range(choices.randint(1, SIZE))]


def _request(choices: random.Random, texts: Sequence[str]) -> RedeemRequest:
    subject: dict[str, Any] = {"code": choices.choice(texts)}
    if choices.random() < 0.1:
        subject["code"] = subject["code"].lower() + " "
    if "NO-CODE-0" in texts and choices.random() < 0.2:
        subject = {"promotion": "no-code"}
    return RedeemRequest(
        **subject,
        customer=choices.choice([None, "c0", "c1", "c5", "somebody"]),
        order=choices.choice([None, "o-1"]),
        order_amount=choices.choice([None, Money(minor=900, currency="EUR")]),
        discount=choices.choice([None, Money(minor=100, currency="EUR")]),
        channel=choices.choice([None, "shop"]),
        cart=choices.choice([None, None, CART]),
    )


def _micros(instant: datetime) -> int:
    return int(instant.timestamp()) * 1_000_000
