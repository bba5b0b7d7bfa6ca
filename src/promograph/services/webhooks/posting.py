"""One request to one endpoint, and nothing more: no redirect, no proxy, no cookies, no retry.

A name is looked up here, each address found is judged, and the one that passes is the one connected to: what a name
leads to cannot change in between. TLS still asks for the name's certificate.
"""

import asyncio
import socket
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress

import httpcore2

from promograph.domain.webhooks.addresses import is_public
from promograph.domain.webhooks.retrying import Answer

_IDLE_SECONDS = 30.0
_MOST_IDLE = 64
_MOST_ADDRESSES = 3
_MOST_READ = 16 * 1024
_READ_SECONDS = 1.0


Place = tuple[bytes, bytes, int]
"""Scheme, host and port."""


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
    """Connections are kept and used again, the last one first.

    Not by the library's pool: that looks at all that it has for each request, which costs more than the request.
    """

    def __init__(self, *, to_private: bool, seconds: float) -> None:
        self._seconds = seconds
        self._ssl_context = httpcore2.default_ssl_context()
        self._network = Network(to_private=to_private)
        self._idle: defaultdict[Place, list[httpcore2.AsyncHTTPConnection]] = defaultdict(list)

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """What came of it within `seconds`, whatever the other side does. Raises nothing of its own."""
        address = httpcore2.URL(url)
        place = (address.origin.scheme, address.origin.host, address.origin.port)
        connection = await self._connection(place, address.origin)
        answer = None
        try:
            async with (
                asyncio.timeout(self._seconds),
                connection.stream("POST", address, headers=list(headers.items()), content=body) as response,
            ):
                answer = _answer(response)
                await _drain(response)
        except Exception as failure:
            # Once there is a status, what became of the rest of the answer is of no interest.
            return answer or Answer(failure=self._why(failure))
        finally:
            await self._put_back(place, connection)
        return answer

    async def close(self) -> None:
        connections = [connection for idle in self._idle.values() for connection in idle]
        self._idle.clear()
        for connection in connections:
            await connection.aclose()

    async def _connection(self, place: Place, origin: httpcore2.Origin) -> httpcore2.AsyncHTTPConnection:
        idle = self._idle[place]
        while idle:
            connection = idle.pop()
            if not connection.has_expired():
                return connection
            await connection.aclose()
        return httpcore2.AsyncHTTPConnection(
            origin, ssl_context=self._ssl_context, keepalive_expiry=_IDLE_SECONDS, network_backend=self._network
        )

    async def _put_back(self, place: Place, connection: httpcore2.AsyncHTTPConnection) -> None:
        if connection.is_idle() and not connection.is_closed() and len(self._idle[place]) < _MOST_IDLE:
            self._idle[place].append(connection)
        else:
            with suppress(Exception):
                await connection.aclose()

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
