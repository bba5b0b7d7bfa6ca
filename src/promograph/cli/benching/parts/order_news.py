"""What a shop tells of its orders, as signed requests: bought, cancelled, given back in part."""

import base64
import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count, islice
from typing import Any

import orjson

SECRET = "whsec_" + base64.b64encode(b"the secret of the bench").decode()
SETTINGS = {
    "PROMOGRAPH_ECOMMERCE__WEBHOOK_SECRET": SECRET,
    # Requests are signed before the clock starts, and some are repeated long afterwards.
    "PROMOGRAPH_ECOMMERCE__EVENT_WINDOW": "36000",
}

_AGO = timedelta(hours=2)

News = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """A shop and its codes, of which each is used by an order, or by two, the first of them cancelled before."""

    name: str
    opened: datetime

    def code(self, number: int) -> str:
        return f"{self.name.upper()}-{number:06}"

    def news(self, events: int) -> list[News]:
        """So many, in the order in which they came to be; fewer codes than that are used."""
        return list(islice(self._news(), events))

    def _news(self) -> Iterator[News]:
        for number in count():
            yield from self._of_a_code(number)

    def _of_a_code(self, number: int) -> Iterator[News]:
        code, order = self.code(number), f"{number}-A"
        yield self._told(order, 1, state="placed", code=code)
        yield self._told(order, 2, state="paid", code=code)
        match number % 4:
            case 0:
                yield self._told(order, 3, state="cancelled", code=code)
                yield self._told(f"{number}-B", 100, state="paid", code=code)
            case 1:
                yield self._told(order, 3, refunds=[{"id": "r1", "amount": "30.00", "lines": {"1": 1}}])
                yield self._told(order, 4, refunds=[{"id": "r2", "amount": "5.00"}])
            case 2:
                yield self._told(order, 3, refunds=[{"id": f"r{n}", "lines": {"1": 1}} for n in range(2)])
                yield self._told(order, 4, refunds=[{"id": "r9", "lines": {"2": 1}}])

    def _told(
        self, order: str, second: int, *, state: str | None = None, code: str = "", refunds: list[Any] | None = None
    ) -> News:
        at = (self.opened - _AGO + timedelta(seconds=second)).isoformat()
        data: News = {"order": order, "shop": self.name, "currency": "EUR", "refunds": refunds or []}
        if state is not None:
            data |= {
                "state": state,
                "total": "100.00",
                "name": f"#{order}",
                "placedAt": at,
                "codes": [{"code": code, "discount": "10.00"}, {"code": "SOMEBODY-ELSES", "discount": "1.00"}],
                "lines": [
                    {"id": "1", "sku": "A", "quantity": 2, "amount": "60.00", "discounts": {code: "6.00"}},
                    {"id": "2", "sku": "B", "quantity": 1, "amount": "51.00", "discounts": {code: "4.00"}},
                ],
            }
        return {"type": "order", "timestamp": at, "data": data}


def request(news: News, id_: str) -> bytes:
    """The news as a whole HTTP request, signed as Standard Webhooks has it."""
    body, stamp = orjson.dumps(news), str(int(datetime.now(UTC).timestamp()))
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    signed = hmac.new(key, f"{id_}.{stamp}.".encode() + body, hashlib.sha256).digest()
    head = (
        "POST /channels/ecommerce/events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"webhook-id: {id_}\r\nwebhook-timestamp: {stamp}\r\n"
        f"webhook-signature: v1,{base64.b64encode(signed).decode()}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
