"""The load client: a process of its own that keeps connections busy over HTTP/1.1 and checks every answer.

It reads a job a line from the standard input (JSON: the fields of `Job`) and writes what it saw of each, a line a job
(the fields of `Window`). All requests are encoded before the clock starts, and answers are parsed no further than
checking them needs, so that one client takes less of a processor than the server that it measures.
"""

import asyncio
import gc
import sys
from dataclasses import asdict
from time import perf_counter
from typing import Any, cast

import orjson

from promograph.cli.benching import loops
from promograph.cli.benching.figures import percentile
from promograph.cli.benching.jobs import Job, Window
from promograph.cli.benching.operations import OPERATIONS

_HOST = "127.0.0.1"
_PATIENCE_SECONDS = 60.0


def requests_of(job: Job) -> list[bytes]:
    """Each input's whole request."""
    query = OPERATIONS[job.operation].query
    head = (
        f"POST {job.path} HTTP/1.1\r\nHost: {_HOST}:{job.port}\r\nAccept: application/json\r\n"
        f"Authorization: Bearer {job.token}\r\nContent-Type: application/json\r\nContent-Length: "
    ).encode()
    start = b'{"query":' + orjson.dumps(query) + b',"variables":{"input":'
    requests = []
    for given in job.inputs:
        body = start + orjson.dumps(given) + b"}}"
        requests.append(b"%b%d\r\n\r\n%b" % (head, len(body), body))
    return requests


class _Run:
    """The state that the connections of one job share."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._check = OPERATIONS[job.operation].check
        self._requests = requests_of(job)
        self._seen: set[str] = set()
        self._latencies: list[float] = []
        self._begin = self._end = self._stop = self._last = 0.0
        self._wrong = 0
        self._first_wrong: str | None = None
        self._answered: list[_Connection] = []
        self.sent = 0

    def start(self) -> None:
        now = perf_counter()
        self._last = self._begin = now + self._job.warm_up
        self._stop = self._begin + self._job.seconds

    def next(self) -> tuple[int, bytes] | None:
        """The place of the next input, and its request; None when sending is over."""
        place = self.sent if self._job.together is None else self.sent // self._job.connections
        if perf_counter() >= self._stop and self._job.together is None:
            return None
        if place >= len(self._requests):
            if not self._job.cycle:
                return None
            place %= len(self._requests)
        self.sent += 1
        return place, self._requests[place]

    def go_on(self, connection: "_Connection") -> None:
        """Have it send what is next: at once, or with all others."""
        if self._job.together is None:
            connection.send_next()
            return
        self._answered.append(connection)
        if len(self._answered) == self._job.connections:
            asyncio.get_running_loop().call_later(self._job.together, self._all_go_on)

    def _all_go_on(self) -> None:
        connections, self._answered = self._answered, []
        for connection in connections:
            connection.send_next()

    def answered(self, place: int, sent_at: float, head: bytes, body: bytes) -> None:
        now = perf_counter()
        if now >= self._begin:
            self._latencies.append(now - sent_at)
            self._last = now
        fault = self._fault(place, head, body)
        if fault is not None:
            self._wrong += 1
            self._first_wrong = self._first_wrong or fault

    def _fault(self, place: int, head: bytes, body: bytes) -> str | None:
        if head[9:12] != b"200":
            return f"status {head[9:12].decode()}: {body[:300].decode(errors='replace')}"
        try:
            answer = orjson.loads(body)
            if "errors" in answer:
                return f"errors: {answer['errors'][:1]}"
            return self._check(answer["data"], self._job.inputs[place] if self._job.own else None, self._seen)
        except (KeyError, TypeError, ValueError):
            return f"not the answer that was asked for: {body[:300].decode(errors='replace')}"

    def window(self) -> Window:
        self._latencies.sort()
        counted = len(self._latencies)
        return Window(
            rate=counted / (self._last - self._begin) if counted else 0.0,
            p50_ms=percentile(self._latencies, 0.5) * 1000 if counted else 0.0,
            p99_ms=percentile(self._latencies, 0.99) * 1000 if counted else 0.0,
            used=self.sent,
            wrong=self._wrong,
            first_wrong=self._first_wrong,
        )


class _Connection(asyncio.Protocol):
    """Sends a request, waits for its answer, sends the next. `done` ends when there is no next."""

    def __init__(self, run: _Run) -> None:
        self._run = run
        self._got = bytearray()
        self._head_end = 0
        self._size = 0
        self._place = 0
        self._sent_at = 0.0
        self._transport: asyncio.WriteTransport | None = None
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)  # uvloop's are, without saying so

    def send_next(self) -> None:
        following = self._run.next()
        if following is None or self._transport is None:
            if not self.done.done():
                self.done.set_result(None)
            return
        self._place, request = following
        self._sent_at = perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._got += data
        if not self._size:
            self._head_end = self._got.find(b"\r\n\r\n")
            if self._head_end < 0:
                return
            self._size = self._head_end + 4 + _content_length(self._got, self._head_end)
        if len(self._got) < self._size:
            return
        head, body = bytes(self._got[: self._head_end]), bytes(self._got[self._head_end + 4 : self._size])
        self._got.clear()
        self._size = 0
        self._run.answered(self._place, self._sent_at, head, body)
        self._run.go_on(self)

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(error or ConnectionError("the server closed a connection over a request"))

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
        # Where one is lost so are most. The first has been told; of those that nobody looks at asyncio would complain.
        if not self.done.cancel() and not self.done.cancelled():
            self.done.exception()


def _content_length(head: bytearray, end: int) -> int:
    """The server is ours: it writes names in lower case, and no answer in chunks."""
    start = head.index(b"content-length: ", 0, end) + 16
    stop = head.find(b"\r\n", start, end)
    return int(head[start : end if stop < 0 else stop])


async def run(job: Job) -> Window:
    """Put the job's load on the server. An OSError when a connection is refused or lost, or nothing is answered."""
    loop = asyncio.get_running_loop()
    shared = _Run(job)
    connections: list[_Connection] = []
    try:
        for _ in range(job.connections):
            _, connection = await loop.create_connection(lambda: _Connection(shared), _HOST, job.port)
            connections.append(connection)
        shared.start()
        for connection in connections:
            connection.send_next()
        patience = job.warm_up + job.seconds + _PATIENCE_SECONDS
        await asyncio.wait_for(asyncio.gather(*(connection.done for connection in connections)), patience)
    finally:
        for connection in connections:
            connection.close()
    return shared.window()


def main() -> None:
    """Answer jobs until the standard input ends."""
    gc.disable()  # a pause of the client's would be taken for the server's
    with loops.runner() as runner:
        for line in sys.stdin.buffer:
            try:
                answer: dict[str, Any] = asdict(runner.run(run(Job(**orjson.loads(line)))))
            except (OSError, TimeoutError) as failure:
                answer = {"failed": str(failure) or "the server did not answer in time"}
            gc.collect()
            sys.stdout.buffer.write(orjson.dumps(answer) + b"\n")
            sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
