"""Requests to a shop, and what may go wrong with them."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

import httpx2

from promograph import ShopFault, ShopRefusal

T = TypeVar("T")

_SOON = timedelta(seconds=2)
_LONGEST_WAIT = timedelta(minutes=10)
_LONGEST_PAUSE = timedelta(seconds=10)
_PAUSES = tuple(timedelta(milliseconds=each) for each in (100, 400, 1_000))
_NOTHING_DONE = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)


class ShopHttp:
    """A shop's API at `base`. Connections are made when they are needed, and after `close` anew."""

    def __init__(self, base: str, *, headers: dict[str, str], auth: tuple[str, str] | None, timeout: float) -> None:
        self._base = base
        self._headers = headers
        self._auth = auth
        self._timeout = timeout
        self._client: httpx2.AsyncClient | None = None

    async def send(
        self, method: str, path: str, *, changes: bool, body: Any = None, params: dict[str, Any] | None = None
    ) -> httpx2.Response:
        """An answer of success. ShopFault, ShopRefusal; `changes`: what is asked changes something there."""
        client = self._client = self._client or self._new_client()
        try:
            response = await client.request(method, f"{self._base}{path}", json=body, params=params)
        except _NOTHING_DONE as failure:
            raise ShopFault(f"It could not be reached ({type(failure).__name__}).") from None
        except httpx2.HTTPError as failure:
            why = f"Its answer was lost ({type(failure).__name__})."
            raise ShopFault(why, maybe_done=changes) from None
        _check(response, changes)
        return response

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    def _new_client(self) -> httpx2.AsyncClient:
        auth = None if self._auth is None else httpx2.BasicAuth(*self._auth)
        return httpx2.AsyncClient(timeout=self._timeout, headers=self._headers, auth=auth)


async def patiently(call: Callable[[], Awaitable[T]]) -> T:
    """What `call` gives; where nothing was done, it is called again a few times.

    What takes several requests would else begin anew whenever one of them is turned down.
    """
    for pause in _PAUSES:
        try:
            return await call()
        except ShopFault as fault:
            if fault.maybe_done:
                raise
            wait = max(fault.after or timedelta(), pause)
            if wait > _LONGEST_PAUSE:
                raise
            await asyncio.sleep(wait.total_seconds())
    return await call()


def said(response: httpx2.Response, *, changes: bool) -> Any:
    """What an answer holds, as JSON."""
    try:
        return response.json()
    except ValueError:
        raise ShopFault("Its answer makes no sense.", maybe_done=changes) from None


def _check(response: httpx2.Response, changes: bool) -> None:
    status = response.status_code
    if status == 429:
        raise ShopFault("It has been asked too much.", after=_retry_after(response) or _SOON)
    if status >= 500:
        raise ShopFault(f"It failed with status {status}.", after=_retry_after(response), maybe_done=changes)
    if status in (401, 403):
        raise ShopRefusal(f"It does not let us in (status {status}): are the keys right, and do they have the rights?")
    if not response.is_success:
        raise ShopRefusal(f"It turned a request down with status {status}: {response.text[:200]}")


def _retry_after(response: httpx2.Response) -> timedelta | None:
    """As the header says, in seconds or as a date, within reason."""
    header = response.headers.get("Retry-After", "")
    try:
        return min(timedelta(seconds=max(float(header), 0)), _LONGEST_WAIT)
    except (ValueError, OverflowError):
        pass
    try:
        wait = parsedate_to_datetime(header) - datetime.now(UTC)
    except (ValueError, TypeError):
        return None
    return min(max(wait, timedelta()), _LONGEST_WAIT)
