"""A mail server that takes everything and counts it: a process of its own, so that it shares no processor's time.

It speaks as much SMTP (RFC 5321) as a client needs to hand messages over, and two words more, of its own:
`XBEGIN` counts anew, `XTALLY` says what was taken since.
"""

import asyncio
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import cast

from promograph.cli.benching import loops
from promograph.cli.benching.failures import BenchFailed
from promograph.cli.benching.processes import begun, ended

_HOST = "127.0.0.1"
_END = b"\r\n.\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What the server has taken: so many messages to so many addresses, of so many bytes in all.

    `seconds` are those from the first of them to the last.
    """

    messages: int
    addresses: int
    size: int
    seconds: float


class MailServer:
    """The server, seen from the process that runs the bench."""

    def __init__(self, port: int) -> None:
        self.port = port

    def begin(self) -> None:
        """Count anew."""
        self._ask("XBEGIN")

    @property
    def tally(self) -> Tally:
        messages, addresses, size, seconds = self._ask("XTALLY").split()
        return Tally(messages=int(messages), addresses=int(addresses), size=int(size), seconds=float(seconds))

    def _ask(self, word: str) -> str:
        with socket.create_connection((_HOST, self.port), timeout=30) as line, line.makefile("rwb") as both:
            both.readline()
            both.write(f"{word}\r\n".encode())
            both.flush()
            return both.readline().decode().removeprefix("250 ")


@contextmanager
def mail_server() -> Iterator[MailServer]:
    """A mail server whose process ends with the block."""
    process = begun(["promograph.cli.benching.mail_server"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    with ended(process):
        assert process.stdout is not None
        port = process.stdout.readline()
        if not port:
            raise BenchFailed("The mail server did not start.")
        yield MailServer(int(port))


class _Taken:
    """What all connections have taken."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        self.messages = self.size = 0
        self.addresses = set[bytes]()
        self.first = self.last = 0.0

    def add(self, address: bytes, size: int) -> None:
        self.last = perf_counter()
        self.first = self.first or self.last
        self.messages += 1
        self.addresses.add(address)
        self.size += size

    def __bytes__(self) -> bytes:
        return f"{self.messages} {len(self.addresses)} {self.size} {self.last - self.first}".encode()


class _Session(asyncio.Protocol):
    """One connection: commands line by line, and a message up to the line that is a dot."""

    def __init__(self, taken: _Taken) -> None:
        self._taken = taken
        self._got = bytearray()
        self._in_message = False
        self._address = b""
        self._answers: dict[bytes, Callable[[bytes], bytes]] = {
            b"EHLO": lambda _: b"250-bench.example\r\n250 PIPELINING",
            b"RCPT": self._addressed,
            b"DATA": self._opened,
            b"QUIT": lambda _: b"221 Bye",
            b"XBEGIN": self._begun,
            b"XTALLY": lambda _: b"250 " + bytes(self._taken),
        }

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)  # uvloop's are, without saying so
        self._say(b"220 bench.example")

    def data_received(self, data: bytes) -> None:
        self._got += data
        while (end := self._got.find(_END if self._in_message else b"\r\n")) >= 0:
            if self._in_message:
                self._taken.add(self._address, end)
                self._in_message = False
                del self._got[: end + len(_END)]
                self._say(b"250 OK")
                continue
            line = bytes(self._got[:end])
            del self._got[: end + 2]
            word, _, rest = line.partition(b" ")
            answer = self._answers.get(word.upper())
            self._say(b"250 OK" if answer is None else answer(rest))

    def _say(self, line: bytes) -> None:
        self._transport.write(line + b"\r\n")

    def _addressed(self, rest: bytes) -> bytes:
        self._address = rest
        return b"250 OK"

    def _opened(self, _: bytes) -> bytes:
        self._in_message = True
        return b"354 Go on"

    def _begun(self, _: bytes) -> bytes:
        self._taken.begin()
        return b"250 OK"


async def _serve() -> None:
    taken = _Taken()
    server = await asyncio.get_running_loop().create_server(lambda: _Session(taken), _HOST, 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    loops.run(_serve())
