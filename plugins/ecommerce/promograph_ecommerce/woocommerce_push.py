"""WooCommerce as a shop that is told of promotions: a coupon for each code."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from json import dumps
from typing import Any, Final

from promograph import CodeAnswer, Offer, Opened, OrderPage, ShopCode, ShopFault, ShopRefusal

from . import woocommerce_coupons as coupons
from .push_settings import WooCommerceSettings
from .settings import EcommerceSettings
from .shop_http import ShopHttp, patiently, said
from .woocommerce_orders import WooCommerceOrders

_API = "/wp-json/wc/v3"
_BATCH = "/coupons/batch"
_LOOKED_UP_AT_ONCE = 5
_ORDERS = 100
_ALREADY_THERE = "woocommerce_rest_coupon_code_already_exists"
_GONE = frozenset({"woocommerce_rest_shop_coupon_invalid_id", "woocommerce_rest_coupon_invalid_id"})
_ELSEWHERE = "Another coupon of the shop has this code."


class WooCommerce:
    """`settings` have a URL and a key; `events` say from when on an order counts."""

    name: Final = "woocommerce"
    title: Final = "WooCommerce"
    codes_at_once: Final = 100
    offer_on_codes: Final = True

    def __init__(self, settings: WooCommerceSettings, events: EcommerceSettings) -> None:
        self._orders = WooCommerceOrders(events)
        secret = settings.consumer_secret.get_secret_value() if settings.consumer_secret else ""
        auth = (settings.consumer_key or "", secret)
        self._http = ShopHttp(f"{settings.url}{_API}", headers={}, auth=auth, timeout=settings.timeout)

    def obstacles(self, offer: Offer) -> list[str]:
        return list(coupons.obstacles(offer))

    def words(self, offer: Offer) -> str:
        ends = None if offer.ends_at is None else offer.ends_at.astimezone(UTC).isoformat()
        return dumps([coupons.offer_fields(offer), offer.uses_per_code, ends])

    async def open(self, offer: Offer, first: ShopCode) -> Opened:
        """There is nothing to make: each coupon has the offer with it."""
        await self._check_currency(offer)
        return Opened(remote="coupons")

    async def change(self, remote: str, offer: Offer) -> None:
        await self._check_currency(offer)

    async def put(self, remote: str, offer: Offer, codes: Sequence[ShopCode]) -> list[CodeAnswer]:
        had = [code for code in codes if code.remote is not None]
        answers = dict(zip(had, await self._update(offer, had), strict=True)) if had else {}
        new = [code for code in codes if answers.get(code) is None]
        if new:
            answers |= zip(new, await self._create(offer, new), strict=True)
        return [answers[code] or CodeAnswer(why=_ELSEWHERE) for code in codes]

    async def stop(self, remote: str, codes: Sequence[ShopCode]) -> list[CodeAnswer]:
        known = [code for code in codes if code.remote is not None]
        drafts = [{"id": int(code.remote or 0), "status": "draft"} for code in known]
        said_of = dict(zip(known, await self._batch("update", drafts), strict=True)) if known else {}
        return [_stopped(code, said_of.get(code)) for code in codes]

    async def find(self, remote: str, offer: Offer, codes: Sequence[ShopCode]) -> list[CodeAnswer | None]:
        free = asyncio.Semaphore(_LOOKED_UP_AT_ONCE)

        async def one(code: ShopCode) -> CodeAnswer | None:
            async with free:
                return await self._find(offer, code)

        looking = [asyncio.ensure_future(one(code)) for code in codes]
        try:
            return list(await asyncio.gather(*looking))
        finally:
            for task in looking:
                task.cancel()

    async def orders(self, since: datetime, after: str | None) -> OrderPage:
        # By their ids: an order that is changed meanwhile stays where it is.
        told = await self._read(
            "/orders",
            modified_after=since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
            dates_are_gmt="true",
            orderby="id",
            order="asc",
            per_page=str(_ORDERS),
            page=after or "1",
        )
        listed = [self._orders.listed(order, since) for order in told]
        return OrderPage(
            orders=[news for news in listed if news is not None],
            after=str(int(after or 1) + 1) if len(told) == _ORDERS else None,
        )

    async def close(self) -> None:
        await self._http.close()

    async def _create(self, offer: Offer, codes: Sequence[ShopCode]) -> list[CodeAnswer | None]:
        found = await self._batch("create", [coupons.new_coupon(offer, code) for code in codes])
        answers: list[CodeAnswer | None] = [_answer(each) for each in found]
        # Of these WooCommerce says only that there is such a coupon, and it may be this very one.
        doubtful = [place for place, each in enumerate(found) if _error(each) == _ALREADY_THERE]
        for place, answer in zip(
            doubtful, await self.find("", offer, [codes[place] for place in doubtful]), strict=True
        ):
            answers[place] = answer
        return answers

    async def _update(self, offer: Offer, codes: Sequence[ShopCode]) -> list[CodeAnswer | None]:
        """None of those that somebody has deleted there."""
        asked = [{**coupons.coupon(offer, code), "id": int(code.remote or 0)} for code in codes]
        found = await self._batch("update", asked)
        return [None if _error(each) in _GONE else _answer(each) for each in found]

    async def _batch(self, what: str, asked: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        response = await self._http.send("POST", _BATCH, changes=True, body={what: list(asked)})
        answer = said(response, changes=True)
        found = answer.get(what) if isinstance(answer, dict) else None
        if not isinstance(found, list) or len(found) != len(asked):
            raise ShopFault("Its answer makes no sense.", maybe_done=True)
        return found

    async def _find(self, offer: Offer, code: ShopCode) -> CodeAnswer | None:
        answer = await self._read("/coupons", code=code.text)
        if not isinstance(answer, list):
            raise ShopFault("Its answer makes no sense.")
        if not answer:
            return None
        ours = next((each for each in answer if coupons.is_ours(each, offer)), None)
        return CodeAnswer(why=_ELSEWHERE) if ours is None else CodeAnswer(remote=str(ours["id"]))

    async def _read(self, path: str, **params: str) -> Any:
        async def ask() -> Any:
            return said(await self._http.send("GET", path, changes=False, params=params), changes=False)

        return await patiently(ask)

    async def _check_currency(self, offer: Offer) -> None:
        named = coupons.moneys(offer)
        if not named:
            return
        currency = (await self._read("/data/currencies/current"))["code"]
        for money in named:
            if money.currency != currency:
                raise ShopRefusal(f"The shop's currency is {currency}, and the promotion names {money}.")


def _error(each: dict[str, Any]) -> str | None:
    error = each.get("error")
    return None if error is None else str(error.get("code"))


def _answer(each: dict[str, Any]) -> CodeAnswer:
    error = each.get("error")
    if error is not None:
        return CodeAnswer(why=str(error.get("message") or error.get("code"))[:300])
    return CodeAnswer(remote=str(each["id"]))


def _stopped(code: ShopCode, each: dict[str, Any] | None) -> CodeAnswer:
    """The coupon stays, as a draft, and with it what it has seen."""
    if each is None or _error(each) in _GONE:
        return CodeAnswer()
    return _answer(each)
