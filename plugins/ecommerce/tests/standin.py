"""Two shops on 127.0.0.1 that keep their providers' limits, and go wrong as they are told.

They answer in the shapes that Shopify (Admin API, GraphQL) and WooCommerce (REST, wc/v3) publish. `GET /state` says
what is in them. `python standin.py PORT EVERY SILENCE` runs them in a process of their own.
"""

import asyncio
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from threading import Event, Thread
from time import monotonic, sleep
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

FAULTS = ("busy", "broken", "broken-after", "silent-after")
"""It says 429; fails having done nothing; fails having done it; does it, and answers after the caller has gone."""

_OPERATION = re.compile(r"(?:query|mutation) (\w+)")


@dataclass
class Faults:
    """Each request that has `every` others between it and the last faulty one goes wrong, in the ways given in turn."""

    every: int = 0
    ways: tuple[str, ...] = FAULTS
    silence: float = 1.0
    changes_only: bool = False
    asked: int = 0
    happened: dict[str, int] = field(default_factory=dict)

    def next(self, *, changes: bool) -> str | None:
        if self.changes_only and not changes:
            return None
        self.asked += 1
        if not self.every or self.asked % self.every:
            return None
        way = self.ways[(self.asked // self.every) % len(self.ways)]
        if not changes and way.endswith("after"):
            way = "broken"
        self.happened[way] = self.happened.get(way, 0) + 1
        return way


class Shopify:
    """Discounts with codes; a bucket of points that fills up again; bulk work that is done by and by."""

    def __init__(self, faults: Faults, *, points: float = 1_000, restores: float = 2_000, looks: int = 2) -> None:
        self.faults = faults
        self.points = self._there = points
        self.restores = restores
        self.looks = looks
        self._at = monotonic()
        self._ids = count(1_001)
        self.discounts: dict[str, dict[str, Any]] = {}
        self.owners: dict[str, tuple[str, str, str]] = {}  # discount, id, text by key
        self.bulks: dict[str, dict[str, Any]] = {}
        self.orders: list[dict[str, Any]] = []
        self.waits_at: int | None = None
        """Whoever asks for orders from this place on waits for `go_on`."""
        self.go_on = Event()
        self.throttled = 0

    async def answer(self, request: Request) -> Response:
        if request.headers.get("X-Shopify-Access-Token") != "shpat_right":
            return JSONResponse({"errors": "[API] Invalid API key or access token"}, 401)
        asked = await request.json()
        found = _OPERATION.match(asked["query"])
        assert found
        operation, variables = found[1], asked["variables"]
        changes = asked["query"].startswith("mutation")
        fault = self.faults.next(changes=changes)
        if fault == "busy":
            return JSONResponse({"errors": "Too many requests"}, 429, {"Retry-After": "0.05"})
        if fault == "broken":
            return Response("Internal Server Error", 500)
        cost = 10.0 if changes else 2.0 + len(variables)
        if not self._pays(cost):
            self.throttled += 1
            error = {"message": "Throttled", "extensions": {"code": "THROTTLED"}}
            return JSONResponse({"errors": [error], "extensions": self._cost(cost)})
        data = getattr(self, f"do_{_name(operation)}")(**variables)
        if fault == "broken-after":
            return Response("Bad Gateway", 502)
        if fault == "silent-after":
            await asyncio.sleep(self.faults.silence)
        return JSONResponse({"data": data, "extensions": self._cost(cost)})

    def _pays(self, cost: float) -> bool:
        now = monotonic()
        self._there = min(self.points, self._there + (now - self._at) * self.restores)
        self._at = now
        if self._there < cost:
            return False
        self._there -= cost
        return True

    def _cost(self, cost: float) -> dict[str, Any]:
        status = {
            "maximumAvailable": self.points,
            "currentlyAvailable": int(self._there),
            "restoreRate": self.restores,
        }
        return {"cost": {"requestedQueryCost": cost, "actualQueryCost": cost, "throttleStatus": status}}

    def do_currency(self) -> Any:
        return {"shop": {"currencyCode": "EUR"}}

    def do_exists(self, id: str) -> Any:
        return {"codeDiscountNode": {"id": id} if id in self.discounts else None}

    def do_create(self, offer: dict[str, Any]) -> Any:
        code = offer.pop("code")
        if code.casefold() in self.owners:
            error = {"field": ["basicCodeDiscount", "code"], "message": "Code must be unique", "code": "TAKEN"}
            return {"made": {"codeDiscountNode": None, "userErrors": [error]}}
        id_ = f"gid://shopify/DiscountCodeNode/{next(self._ids)}"
        self.discounts[id_] = {**offer, "active": True}
        node = {"id": self._own(id_, code), "code": code}
        return {
            "made": {"codeDiscountNode": {"id": id_, "codeDiscount": {"codes": {"nodes": [node]}}}, "userErrors": []}
        }

    def do_update(self, id: str, offer: dict[str, Any]) -> Any:
        self.discounts[id] = {**self.discounts[id], **offer, "active": True}
        return {"made": {"userErrors": []}}

    def do_deactivate(self, id: str) -> Any:
        self.discounts[id]["active"] = False
        return {"made": {"userErrors": []}}

    def do_add(self, id: str, codes: list[dict[str, str]]) -> Any:
        if len(codes) > 250:
            error = {"field": ["codes"], "message": "Too many codes", "code": "TOO_MANY_ARGUMENTS"}
            return {"made": {"bulkCreation": None, "userErrors": [error]}}
        bulk = f"gid://shopify/DiscountRedeemCodeBulkCreation/{next(self._ids)}"
        self.bulks[bulk] = {"discount": id, "codes": [each["code"] for each in codes], "looks": self.looks, "nodes": []}
        return {"made": {"bulkCreation": {"id": bulk}, "userErrors": []}}

    def do_added(self, id: str) -> Any:
        bulk = self.bulks[id]
        if bulk["looks"] > 0:
            bulk["looks"] -= 1
            return {"discountRedeemCodeBulkCreation": {"done": False, "codes": {"nodes": []}}}
        if not bulk["nodes"]:
            bulk["nodes"] = [self._added(bulk["discount"], code) for code in bulk["codes"]]
        return {"discountRedeemCodeBulkCreation": {"done": True, "codes": {"nodes": bulk["nodes"]}}}

    def _added(self, discount: str, code: str) -> dict[str, Any]:
        errors: list[dict[str, str]] = []
        if code.casefold() in self.owners:
            errors = [{"message": "must be unique. Please try a different code.", "code": "TAKEN"}]
        elif code.endswith("-BAD"):
            errors = [{"message": "is not allowed here", "code": "INVALID"}]
        redeem = None if errors else {"id": self._own(discount, code)}
        return {"code": code, "discountRedeemCode": redeem, "errors": errors}

    def do_remove(self, id: str, ids: list[str]) -> Any:
        for key in [key for key, (discount, each, _) in self.owners.items() if discount == id and each in set(ids)]:
            del self.owners[key]
        return {"made": {"job": {"id": f"gid://shopify/Job/{next(self._ids)}"}, "userErrors": []}}

    def do_removed(self, id: str) -> Any:
        return {"job": {"done": True}}

    def do_look_up(self, **codes: str) -> Any:
        return {name: self._node(code) for name, code in codes.items()}

    def do_codes(self, id: str, after: str | None) -> Any:
        if id not in self.discounts:
            return {"codeDiscountNode": None}
        mine = [{"id": each, "code": text} for discount, each, text in self.owners.values() if discount == id]
        start = int(after or 0)
        page = mine[::-1][start : start + 250]
        info = {"hasNextPage": start + 250 < len(mine), "endCursor": str(start + 250)}
        return {"codeDiscountNode": {"codeDiscount": {"codes": {"nodes": page, "pageInfo": info}}}}

    async def listed(self, request: Request) -> Response:
        start, size = int(request.query_params.get("page_info", "0")), int(request.query_params["limit"])
        if self.waits_at is not None and start >= self.waits_at:
            await asyncio.to_thread(self.go_on.wait)
        more = {}
        if start + size < len(self.orders):
            url = request.url.replace_query_params(limit=size, page_info=start + size)
            more = {"Link": f'<{url}>; rel="next"'}
        return JSONResponse({"orders": self.orders[start : start + size]}, 200, more)

    def _node(self, code: str) -> Any:
        owner = self.owners.get(code.casefold())
        if owner is None:
            return None
        return {"id": owner[0], "codeDiscount": {"title": self.discounts[owner[0]]["title"]}}

    def _own(self, discount: str, code: str) -> str:
        id_ = f"gid://shopify/DiscountRedeemCode/{next(self._ids)}"
        assert code.casefold() not in self.owners
        self.owners[code.casefold()] = (discount, id_, code)
        return id_


class WooCommerce:
    """Coupons, kept in small letters; nothing but a look before keeps a code from being there twice."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self._ids = count(719)
        self.coupons: dict[int, dict[str, Any]] = {}
        self.orders: list[dict[str, Any]] = []

    async def answer(self, request: Request) -> Response:
        if request.headers.get("Authorization") != "Basic Y2tfMTpjc18x":  # ck_1:cs_1
            return JSONResponse({"code": "woocommerce_rest_cannot_view", "data": {"status": 401}}, 401)
        changes = request.method == "POST"
        fault = self.faults.next(changes=changes)
        if fault == "busy":
            return Response("slow down", 429, {"Retry-After": "0.05"})
        if fault == "broken":
            return Response("Error establishing a database connection", 500)
        path = request.url.path.removeprefix("/wp-json/wc/v3")
        if path == "/coupons/batch":
            answer = self._batch(await request.json())
        elif path == "/data/currencies/current":
            answer = JSONResponse({"code": "EUR", "name": "Euro", "symbol": "&euro;"})
        elif path == "/orders":
            page = int(request.query_params.get("page", "1"))
            answer = JSONResponse(self.orders[(page - 1) * 100 : page * 100])
        else:
            code = request.query_params["code"].lower()
            found = self._published(code)
            answer = JSONResponse([] if found is None else [found])
        if fault == "broken-after":
            return Response("Gateway Time-out", 504)
        if fault == "silent-after":
            await asyncio.sleep(self.faults.silence)
        return answer

    def _batch(self, asked: dict[str, list[dict[str, Any]]]) -> Response:
        if sum(len(each) for each in asked.values()) > 100:
            error = {"code": "woocommerce_rest_request_entity_too_large", "data": {"status": 413}}
            return JSONResponse(error, 413)
        done = {"create": self._create, "update": self._update}
        return JSONResponse({what: [done[what](each) for each in items] for what, items in asked.items()})

    def _create(self, fields: dict[str, Any]) -> dict[str, Any]:
        code = fields["code"].lower()
        if self._published(code) is not None:
            return _woo_error("woocommerce_rest_coupon_code_already_exists", "The coupon code already exists")
        if code.endswith("-bad"):
            return _woo_error("woocommerce_rest_invalid_coupon", "The coupon is not allowed here")
        id_ = next(self._ids)
        self.coupons[id_] = {**fields, "id": id_, "code": code}
        return self.coupons[id_]

    def _update(self, fields: dict[str, Any]) -> dict[str, Any]:
        if fields["id"] not in self.coupons:
            return {"id": fields["id"], **_woo_error("woocommerce_rest_shop_coupon_invalid_id", "Invalid ID.")}
        self.coupons[fields["id"]] |= fields
        return self.coupons[fields["id"]]

    def _published(self, code: str) -> dict[str, Any] | None:
        # Looking through all of them for each would make the stand-in the slowest of all shops.
        if len(self.coupons) != len(self._by_code):
            self._by_code = {each["code"]: id_ for id_, each in self.coupons.items()}
        found = self.coupons.get(self._by_code.get(code, 0))
        return found if found is not None and found["status"] == "publish" else None

    _by_code: dict[str, int] = {}  # noqa: RUF012


def _woo_error(code: str, message: str) -> dict[str, Any]:
    return {"id": 0, "error": {"code": code, "message": message, "data": {"status": 400}}}


def _name(operation: str) -> str:
    short = {"BasicCreate": "create", "ShippingCreate": "create", "BasicUpdate": "update", "ShippingUpdate": "update"}
    return short.get(operation) or re.sub(r"(?<!^)(?=[A-Z])", "_", operation).lower()


@dataclass
class StandIn:
    """Both shops behind one address."""

    faults: Faults = field(default_factory=Faults)
    shopify: Shopify = field(init=False)
    woocommerce: WooCommerce = field(init=False)
    url: str = ""

    def __post_init__(self) -> None:
        self.empty()

    def empty(self) -> None:
        """New shops, in which nothing goes wrong."""
        if self.url:
            self.faults = Faults()
        self.shopify = Shopify(self.faults)
        self.woocommerce = WooCommerce(self.faults)

    def sell(self, number: int, code: str, *, is_cancelled: bool = False) -> None:
        """An order over 40.00 with 5.00 off for the code, in both shops."""
        allocation = {"amount": "5.00", "discount_application_index": 0}
        at = "2027-03-01T12:00:00"
        line = {"id": number, "sku": "S", "quantity": 1, "price": "45.00", "discount_allocations": [allocation]}
        item = {"id": number, "sku": "S", "product_id": 1, "quantity": 1, "subtotal": "45.00", "subtotal_tax": "0.00"}
        self.shopify.orders.append(
            {
                "id": number,
                "name": f"#{number}",
                "created_at": f"{at}Z",
                "updated_at": f"{at}Z",
                "cancelled_at": f"{at}Z" if is_cancelled else None,
                "financial_status": "paid",
                "currency": "EUR",
                "total_price": "40.00",
                "test": False,
                "discount_codes": [{"code": code, "amount": "5.00", "type": "fixed_amount"}],
                "discount_applications": [{"type": "discount_code", "code": code, "value": "5.0"}],
                "line_items": [line],
                "shipping_lines": [],
                "refunds": [],
            }
        )
        self.woocommerce.orders.append(
            {
                "id": number,
                "number": str(number),
                "status": "cancelled" if is_cancelled else "processing",
                "currency": "EUR",
                "date_created_gmt": at,
                "date_modified_gmt": at,
                "date_paid_gmt": at,
                "total": "40.00",
                "shipping_total": "0.00",
                "customer_id": 0,
                "coupon_lines": [{"id": 1, "code": code.lower(), "discount": "5.00", "discount_tax": "0.00"}],
                "line_items": [item],
                "refunds": [],
            }
        )

    def app(self) -> Starlette:
        async def shopify(request: Request) -> Response:
            return await self.shopify.answer(request)

        async def woocommerce(request: Request) -> Response:
            return await self.woocommerce.answer(request)

        async def orders(request: Request) -> Response:
            return await self.shopify.listed(request)

        async def state(_: Request) -> Response:
            return JSONResponse(self.state())

        return Starlette(
            routes=[
                Route("/admin/api/{version}/graphql.json", shopify, methods=["POST"]),
                Route("/admin/api/{version}/orders.json", orders),
                Route("/wp-json/wc/v3/{path:path}", woocommerce, methods=["GET", "POST"]),
                Route("/state", state),
            ]
        )

    def state(self) -> dict[str, Any]:
        return {
            "discounts": len(self.shopify.discounts),
            "shopify": sorted(text for _, _, text in self.shopify.owners.values()),
            "woocommerce": sorted(each["code"] for each in self.woocommerce.coupons.values()),
            "faults": self.faults.happened,
            "throttled": self.shopify.throttled,
            "asked": self.faults.asked,
        }


@contextmanager
def open_shops() -> Iterator[StandIn]:
    """Shops that answer on a free port until the block is left."""
    shops = StandIn()
    config = uvicorn.Config(shops.app(), port=0, log_level="warning", lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        sleep(0.005)
    shops.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    try:
        yield shops
    finally:
        server.should_exit = True
        thread.join()


if __name__ == "__main__":
    _, port, every, silence = sys.argv
    standin = StandIn(Faults(every=int(every), silence=float(silence)))
    uvicorn.run(standin.app(), port=int(port), log_level="warning")
