"""Shopify as a shop that is told of promotions: a discount each, with its codes in it."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from json import dumps
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from promograph import CodeAnswer, Offer, OfferGone, Opened, OrderPage, ShopCode, ShopFault, ShopRefusal

from . import shopify_documents as documents
from . import shopify_offers as offers
from .push_settings import ShopifySettings
from .settings import EcommerceSettings
from .shop_http import said
from .shopify_client import ShopifyClient
from .shopify_orders import ShopifyOrders

_FIRST_LOOK = 0.2
_LONGEST_LOOK = 3.0
_LOOKS = 40
_ORDERS = 100
_ELSEWHERE = "Another discount of the shop has this code."
_OTHER_USES = (
    "Shopify lets all codes of a discount be used equally often, and this one, the fallback, has no limit of uses."
)


class Shopify:
    """`settings` have a URL and a token; `events` say from when on an order counts."""

    name: Final = "shopify"
    title: Final = "Shopify"
    codes_at_once: Final = 250
    offer_on_codes: Final = False

    def __init__(self, settings: ShopifySettings, events: EcommerceSettings) -> None:
        self._client = ShopifyClient(settings)
        self._orders = ShopifyOrders(events)
        self._currency: str | None = None

    def obstacles(self, offer: Offer) -> list[str]:
        return list(offers.obstacles(offer))

    def words(self, offer: Offer) -> str:
        return dumps([offers.as_input(offer), offer.is_open])

    async def open(self, offer: Offer, first: ShopCode) -> Opened:
        await self._check_currency(offer)
        found = await self._look_up([first.text])
        if found[0] is not None:
            remote, title = found[0]
            if not offers.is_ours(title, offer):
                return Opened(remote=None, first=CodeAnswer(why=_ELSEWHERE))
            await self.change(remote, offer)
            (answer,) = await self.find(remote, offer, [first])
            return Opened(remote=remote, first=answer)
        document = documents.SHIPPING_CREATE if offers.is_shipping(offer) else documents.BASIC_CREATE
        made = (await self._client.ask(document, offer={**offers.as_input(offer), "code": first.text}))["made"]
        errors = made["userErrors"]
        if errors and all("code" in (error["field"] or ()) for error in errors):
            return Opened(remote=None, first=CodeAnswer(why=_sentence(errors)))
        if errors:
            raise ShopRefusal(_sentence(errors))
        remote = made["codeDiscountNode"]["id"]
        if not offer.is_open:
            await self._client.do(documents.DEACTIVATE, id=remote)
        (node,) = made["codeDiscountNode"]["codeDiscount"]["codes"]["nodes"]
        return Opened(remote=remote, first=CodeAnswer(remote=node["id"]))

    async def change(self, remote: str, offer: Offer) -> None:
        await self._check_there(remote)
        if not offer.is_open:
            await self._client.do(documents.DEACTIVATE, id=remote)
            return
        await self._check_currency(offer)
        document = documents.SHIPPING_UPDATE if offers.is_shipping(offer) else documents.BASIC_UPDATE
        await self._client.do(document, id=remote, offer=offers.as_input(offer))

    async def put(self, remote: str, offer: Offer, codes: Sequence[ShopCode]) -> list[CodeAnswer]:
        fitting = [code for code in codes if code.uses == offer.uses_per_code]
        answers = dict(zip(fitting, await self._add(remote, offer, fitting) if fitting else (), strict=True))
        return [answers.get(code, CodeAnswer(why=_OTHER_USES)) for code in codes]

    async def stop(self, remote: str, codes: Sequence[ShopCode]) -> list[CodeAnswer]:
        known = [code.remote for code in codes if code.remote is not None]
        unknown = [code.text for code in codes if code.remote is None]
        ids = known + list((await self._ids(remote, unknown)).values())
        if ids:
            made = await self._client.do(documents.REMOVE, id=remote, ids=ids)
            if made["job"] is not None:
                await self._until_done(documents.REMOVED, made["job"]["id"], "job")
        return [CodeAnswer() for _ in codes]

    async def find(self, remote: str, offer: Offer, codes: Sequence[ShopCode]) -> list[CodeAnswer | None]:
        found = await self._look_up([code.text for code in codes])
        pairs = list(zip(codes, found, strict=True))
        ids = await self._ids(remote, [code.text for code, node in pairs if node is not None and node[0] == remote])
        answers: list[CodeAnswer | None] = []
        for code, node in pairs:
            if node is None:
                answers.append(None)
            elif node[0] == remote:
                answers.append(CodeAnswer(remote=ids.get(_key(code.text))))
            else:
                answers.append(CodeAnswer(why=_ELSEWHERE))
        return answers

    async def orders(self, since: datetime, after: str | None) -> OrderPage:
        first = {"status": "any", "updated_at_min": since.isoformat(), "order": "updated_at asc"}
        response = await self._client.orders(
            {"limit": str(_ORDERS), **(first if after is None else {"page_info": after})}
        )
        told = said(response, changes=False)["orders"]
        listed = [self._orders.listed(order, since) for order in told]
        following = parse_qs(urlsplit(response.links.get("next", {}).get("url", "")).query)
        return OrderPage(
            orders=[news for news in listed if news is not None],
            after=next(iter(following.get("page_info", ())), None),
        )

    async def close(self) -> None:
        await self._client.close()

    async def _add(self, remote: str, offer: Offer, codes: Sequence[ShopCode]) -> list[CodeAnswer]:
        await self._check_there(remote)
        made = await self._client.do(documents.ADD, id=remote, codes=[{"code": code.text} for code in codes])
        creation = await self._until_done(documents.ADDED, made["bulkCreation"]["id"], "discountRedeemCodeBulkCreation")
        nodes = {_key(node["code"]): node for node in creation["codes"]["nodes"]}
        answers = [_added(nodes.get(_key(code.text))) for code in codes]
        # Of these Shopify says only that somebody has them, and it may be this very discount.
        doubtful = [code for code, answer in zip(codes, answers, strict=True) if answer is None]
        found = iter(await self.find(remote, offer, doubtful) if doubtful else ())
        return [answer or next(found) or CodeAnswer(why=_ELSEWHERE) for answer in answers]

    async def _until_done(self, document: str, id_: str, field: str) -> dict[str, Any]:
        """Shopify takes such orders at once and does them by and by."""
        pause = _FIRST_LOOK
        for _ in range(_LOOKS):
            try:
                there: dict[str, Any] | None = (await self._client.ask(document, id=id_))[field]
            except ShopFault as fault:
                raise ShopFault(str(fault), after=fault.after, maybe_done=True) from None
            if there is not None and there["done"]:
                return there
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_LOOK)
        raise ShopFault("It has taken the codes and does not get round to them.", maybe_done=True)

    async def _look_up(self, texts: Sequence[str]) -> list[tuple[str, str] | None]:
        """Id and title of the discount that has each of these codes; an empty title of one that is of no such kind."""
        found: list[tuple[str, str] | None] = []
        for start in range(0, len(texts), documents.MOST_LOOKED_UP):
            part = texts[start : start + documents.MOST_LOOKED_UP]
            document, variables = documents.look_up(part)
            answer = await self._client.ask(document, **variables)
            nodes = [answer[f"c{n}"] for n in range(len(part))]
            found += [node and (node["id"], node["codeDiscount"].get("title", "")) for node in nodes]
        return found

    async def _ids(self, remote: str, texts: Sequence[str]) -> dict[str, str]:
        """Shopify's ids of codes of a discount, by their keys; the latest are looked at first."""
        wanted = {_key(text) for text in texts}
        ids: dict[str, str] = {}
        after = None
        while wanted - ids.keys():
            node = (await self._client.ask(documents.CODES, id=remote, after=after))["codeDiscountNode"]
            if node is None:
                raise OfferGone("The discount is not there any more.")
            codes = node["codeDiscount"]["codes"]
            ids |= {_key(each["code"]): each["id"] for each in codes["nodes"] if _key(each["code"]) in wanted}
            if not codes["pageInfo"]["hasNextPage"]:
                break
            after = codes["pageInfo"]["endCursor"]
        return ids

    async def _check_there(self, remote: str) -> None:
        if (await self._client.ask(documents.EXISTS, id=remote))["codeDiscountNode"] is None:
            raise OfferGone("The discount is not there any more.")

    async def _check_currency(self, offer: Offer) -> None:
        if self._currency is None:
            self._currency = (await self._client.ask(documents.CURRENCY))["shop"]["currencyCode"]
        for money in offers.moneys(offer):
            if money.currency != self._currency:
                raise ShopRefusal(f"The shop's currency is {self._currency}, and the promotion names {money}.")


def _added(node: dict[str, Any] | None) -> CodeAnswer | None:
    """None where it has to be looked up."""
    if node is None:
        return None
    if node["discountRedeemCode"] is not None:
        return CodeAnswer(remote=node["discountRedeemCode"]["id"])
    errors = node["errors"]
    if not errors or any(error["code"] == "TAKEN" for error in errors):
        return None
    return CodeAnswer(why=_sentence(errors))


def _sentence(errors: Sequence[dict[str, Any]]) -> str:
    return " ".join(f"{error['message'].rstrip('.')}." for error in errors)[:300]


def _key(text: str) -> str:
    """Shopify knows no difference between capitals and small letters."""
    return text.casefold()
