"""Order events from many connections, shuffled and repeated, with the server killed: codes end where they belong."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from standardwebhooks import Webhook

from .asking import Client, tell
from .conftest import BothStores, NewServer
from .servers import Server, poll, running
from .stores import differences, sql

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SETTINGS = {"PROMOGRAPH_ECOMMERCE__WEBHOOK_SECRET": SECRET}
NOW = datetime.now(UTC)
PAIRS = 40
IS_DUE = "SELECT count(*) FROM inbound_event WHERE due_at IS NOT NULL"
# By order, what stands of the use of its code; what is not here has none.
STANDING = (
    "SELECT o.ref, d.discount_minor - coalesce((SELECT sum(b.minor) FROM rollback b "
    "WHERE b.promotion_id = d.promotion_id AND b.number = d.number), 0) FROM redemption d "
    "JOIN order_code c ON c.promotion_id = d.promotion_id AND c.redemption = d.number AND c.state = 'REDEEMED' "
    "JOIN shop_order o ON o.id = c.order_id"
)


def event(order: str, at: int, state: str | None = None, refunds: Any = ()) -> dict[str, Any]:
    """Of 100.00 with one of ours, which took 10.00 off."""
    data: dict[str, Any] = {"order": order, "currency": "EUR", "refunds": refunds}
    if state is not None:
        codes = [{"code": f"ORDERED-{order.partition('-')[0]}", "discount": "10.00"}, {"code": "SOMEBODY-ELSES"}]
        data |= {"state": state, "total": "100.00", "codes": codes}
    return {"type": "order", "timestamp": (NOW + timedelta(seconds=at - 1000)).isoformat(), "data": data}


def stories() -> tuple[list[dict[str, Any]], dict[str, int]]:
    """What happens, and what is to stand then: cancelled with its code used again, refunded in part, in full, sold."""
    told, wanted = [], {}
    for pair in range(PAIRS):
        first, second = f"{pair}-a", f"{pair}-b"
        told += [event(first, 1, "placed"), event(first, 2, "paid")]
        wanted[first] = 1000
        if pair % 4 == 0:
            told += [event(first, 3, "cancelled"), event(second, 9, "paid")]
            del wanted[first]
            wanted[second] = 1000
        elif pair % 4 == 1:
            told += [event(first, 3, refunds=[{"id": f"r{n}", "amount": "3.33"}]) for n in range(3)]
            wanted[first] = 900
        elif pair % 4 == 2:
            told += [event(first, 3, refunds=[{"id": f"r{n}", "amount": "50.00"}]) for n in range(2)]
            del wanted[first]
    return told, wanted


def signed(told: dict[str, Any], id_: str) -> tuple[bytes, dict[str, str]]:
    body, now = json.dumps(told), datetime.now(UTC)
    signature = Webhook(SECRET).sign(id_, now, body)
    return body.encode(), {
        "webhook-id": id_,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signature,
    }


def test_shuffled_orders_end_as_in_order_though_the_server_is_killed(
    both_stores: BothStores, new_server: NewServer
) -> None:
    def survive(store: str, token: str) -> None:
        random, server = Random(3), new_server(store, settings=SETTINGS)
        told, wanted = stories()
        picked = list(enumerate(told))
        picked += random.sample(picked, len(picked) // 5)
        random.shuffle(picked)
        with running([server]):
            asyncio.run(_prepare(server, token))
            body, headers = signed(told[0], "flipped")
            assert tell(server, body[:-2] + b" }", headers) == 401
            assert sql(store, "SELECT count(*) FROM inbound_event") == [(0,)]
            waiting = [(f"told-{n}", each) for n, each in picked]
            asyncio.run(_send(server, waiting, kill_when=len(waiting) // 2))
            # What the killed server had taken up is its own for two minutes, which nobody waits for here.
            sql(store, "UPDATE inbound_event SET due_at = 0 WHERE due_at IS NOT NULL")
            poll(lambda: sql(store, IS_DUE) == [(0,)], "something is not worked on")
            sql(store, "UPDATE order_code SET due_at = 0 WHERE due_at IS NOT NULL")
            poll(lambda: dict(sql(store, STANDING)) == wanted, "codes do not end where they belong")
            assert sql(store, "SELECT count(*) FROM inbound_event") == [(len(told),)], "kept once"
        assert differences(store) == []

    both_stores(survive)


async def _prepare(server: Server, token: str) -> None:
    async with Client(server.base, token) as client:
        await client.promotion("orders", [f"ORDERED-{n}" for n in range(PAIRS)], codeKind="MULTIPLE")


async def _send(server: Server, waiting: list[tuple[str, dict[str, Any]]], *, kill_when: int) -> None:
    """Over 16 connections, each until it is answered with 200; when so few are left the server is killed, once."""
    restarted = asyncio.Lock()

    async def one() -> None:
        nonlocal kill_when
        while waiting:
            id_, told = waiting.pop()
            try:
                status = await asyncio.to_thread(tell, server, *signed(told, id_))
            except OSError:
                waiting.append((id_, told))
                async with restarted:
                    continue
            assert status == 200
            if len(waiting) < kill_when:
                kill_when = -1
                async with restarted:
                    await asyncio.to_thread(server.kill)
                    await asyncio.to_thread(server.start)

    await asyncio.gather(*(one() for _ in range(16)))
