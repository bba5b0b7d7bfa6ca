"""Shopify's Admin API: one document at a time, at the pace that it allows.

Each answer says how many points are left and how fast they come back; a document waits until there are as many as it
cost the last time. https://shopify.dev/docs/apps/build/apis/graphql-admin/rate-limits
"""

import asyncio
from datetime import timedelta
from functools import partial
from time import monotonic
from typing import Any

import httpx2

from promograph import ShopFault, ShopRefusal

from .push_settings import ShopifySettings
from .shop_http import ShopHttp, patiently, said

_FIRST_COST = 20.0
_SOON = timedelta(seconds=2)
_OURS_AGAIN = frozenset({"INTERNAL_SERVER_ERROR", "TIMEOUT", "SERVICE_UNAVAILABLE"})


class ShopifyClient:
    def __init__(self, settings: ShopifySettings) -> None:
        token = settings.token.get_secret_value() if settings.token else ""
        base = f"{settings.url}/admin/api/{settings.version}"
        self._http = ShopHttp(base, headers={"X-Shopify-Access-Token": token}, auth=None, timeout=settings.timeout)
        self._costs: dict[str, float] = {}
        self._available = _FIRST_COST
        self._restores = 0.0
        self._seen_at = monotonic()

    async def ask(self, document: str, **variables: Any) -> dict[str, Any]:
        """The answer's `data`. ShopFault, ShopRefusal."""
        return await patiently(partial(self._ask, document, variables))

    async def _ask(self, document: str, variables: dict[str, Any]) -> dict[str, Any]:
        changes = document.startswith("mutation")
        await self._room(document)
        response = await self._http.send(
            "POST", "/graphql.json", changes=changes, body={"query": document, "variables": variables}
        )
        answer = said(response, changes=changes)
        if not isinstance(answer, dict):
            raise ShopFault("Its answer makes no sense.", maybe_done=changes)
        self._note(document, answer)
        for error in answer.get("errors") or ():
            self._complain(document, error, changes)
        data = answer.get("data")
        if not isinstance(data, dict):
            raise ShopFault("Its answer makes no sense.", maybe_done=changes)
        return data

    async def do(self, document: str, **variables: Any) -> dict[str, Any]:
        """What a mutation has `made`; ShopRefusal where it has complaints."""
        made: dict[str, Any] = (await self.ask(document, **variables))["made"]
        if made["userErrors"]:
            raise ShopRefusal(" ".join(f"{error['message']}." for error in made["userErrors"])[:500])
        return made

    async def orders(self, params: dict[str, str]) -> httpx2.Response:
        """A page of the REST list of orders: its orders are those of the webhooks, word for word.

        https://shopify.dev/docs/api/admin-rest/latest/resources/order
        """
        return await patiently(partial(self._http.send, "GET", "/orders.json", changes=False, params=params))

    async def close(self) -> None:
        await self._http.close()

    async def _room(self, document: str) -> None:
        """Wait until there are points enough."""
        needed = self._costs.get(document, _FIRST_COST)
        there = self._available + (monotonic() - self._seen_at) * self._restores
        if self._restores and there < needed:
            await asyncio.sleep((needed - there) / self._restores)

    def _note(self, document: str, answer: dict[str, Any]) -> None:
        cost = (answer.get("extensions") or {}).get("cost") or {}
        status = cost.get("throttleStatus")
        if status:
            self._costs[document] = float(cost["requestedQueryCost"])
            self._available = float(status["currentlyAvailable"])
            self._restores = float(status["restoreRate"])
            self._seen_at = monotonic()

    def _complain(self, document: str, error: dict[str, Any], changes: bool) -> None:
        code = (error.get("extensions") or {}).get("code")
        if code == "THROTTLED":
            short = self._costs.get(document, _FIRST_COST) - self._available
            after = timedelta(seconds=max(short, 0) / self._restores) if self._restores else _SOON
            raise ShopFault("It has been asked too much.", after=max(after, timedelta(milliseconds=100)))
        if code in _OURS_AGAIN:
            raise ShopFault(f"It failed: {error.get('message', '')[:200]}", maybe_done=changes)
        raise ShopRefusal(f"It said: {error.get('message', '')[:300]}")
