"""One request to one endpoint, and nothing more: no redirect, no proxy, no cookies, no retry.

A name is looked up here, each address found is judged, and the one that passes is the one connected to: what a name
leads to cannot change in between. TLS still asks for the name's certificate.
"""

import asyncio
import socket
from collections.abc import Iterable, Mapping
from contextlib import suppress

import httpcore2

from promograph.domain.webhooks.addresses import is_public
from promograph.domain.webhooks.retrying import Answer

_IDLE_SECONDS = 30.0
_KEPT_CONNECTIONS = 100
_MOST_ADDRESSES = 3
_MOST_READ = 16 * 1024
_READ_SECONDS = 1.0


class NoAddress(httpcore2.ConnectError):
    """The text says what is wrong with the name."""


class Network(httpcore2.AsyncNetworkBackend):
    """Connects to public addresses only, unless told."""

    def __init__(self, *, to_private: bool) -> None:
        self._to_private = to_private
        self._inner = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 (the library's own signature)
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        addresses = await self._allowed(host, port)
        for address in addresses[:-1]:
            with suppress(httpcore2.ConnectError, httpcore2.ConnectTimeout):
                return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
        return await self._inner.connect_tcp(addresses[-1], port, timeout, local_address, socket_options)

    async def _allowed(self, host: str, port: int) -> list[str]:
        """Some address of the host that may be called; NoAddress where there is none."""
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise NoAddress("Its name was not found.") from None
        addresses = list(dict.fromkeys(str(one[4][0]) for one in found))
        allowed = [address for address in addresses if self._to_private or is_public(address)]
        if not allowed:
            raise NoAddress("Its address is one of a private network, to which nothing is sent.")
        return allowed[:_MOST_ADDRESSES]


class Poster:
    """Connections are kept and used again."""

    def __init__(self, *, to_private: bool, seconds: float) -> None:
        self._seconds = seconds
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=httpcore2.default_ssl_context(),
            max_connections=None,
            max_keepalive_connections=_KEPT_CONNECTIONS,
            keepalive_expiry=_IDLE_SECONDS,
            network_backend=Network(to_private=to_private),
        )

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """What came of it within `seconds`, whatever the other side does. Raises nothing of its own."""
        answer = None
        try:
            async with (
                asyncio.timeout(self._seconds),
                self._pool.stream("POST", url, headers=list(headers.items()), content=body) as response,
            ):
                answer = _answer(response)
                await _drain(response)
        except Exception as failure:
            # Once there is a status, what became of the rest of the answer is of no interest.
            return answer or Answer(failure=self._why(failure))
        return answer

    async def close(self) -> None:
        await self._pool.aclose()

    def _why(self, failure: Exception) -> str:
        if isinstance(failure, NoAddress):
            return str(failure)
        if isinstance(failure, TimeoutError | httpcore2.TimeoutException):
            return f"It did not answer within {self._seconds:g} s."
        if isinstance(failure, httpcore2.ConnectError):
            return f"It could not be connected to: {failure}"
        return f"The connection broke ({type(failure).__name__})."


def _answer(response: httpcore2.Response) -> Answer:
    after = next((value for name, value in response.headers if name.lower() == b"retry-after"), None)
    return Answer(status=response.status, retry_after=None if after is None else after.decode("latin-1"))


async def _drain(response: httpcore2.Response) -> None:
    """Read the rest where it is short, so that the connection can be used again; a long one is cut off."""
    size = 0
    with suppress(TimeoutError):
        async with asyncio.timeout(_READ_SECONDS):
            async for part in response.aiter_stream():
                size += len(part)
                if size > _MOST_READ:
                    return
