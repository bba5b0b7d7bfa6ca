"""Real servers: started, asked, killed, and never left behind."""

import os
import re
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

from .commands import PATIENCE_SECONDS, Process, Surroundings

_API = re.compile(r"^  API +(http://\S+)/graphql$", re.MULTILINE)


class Server:
    """One `promograph serve` on a free port of 127.0.0.1, in a process group of its own; it may be started again."""

    def __init__(
        self,
        surroundings: Surroundings,
        log: Path,
        store: str,
        *options: str,
        settings: Mapping[str, str] | None = None,
        anew: bool = False,
        prepare: Callable[[], None] | None = None,
    ) -> None:
        self._surroundings = surroundings
        self._log = log
        self._arguments = ["serve", "--port", "0", "--store", store, *options]
        self._settings = settings or {}
        self._anew = anew
        self._prepare = prepare
        self._process: Process | None = None
        self.base = ""

    def launch(self) -> None:
        """Start the process and return at once; `wait_until_healthy` comes next."""
        assert self._process is None, "it runs already"
        with self._log.open("wb") as log:
            self._process = self._surroundings.begin(
                self._arguments, self._settings, out=log, err=log, anew=self._anew, prepare=self._prepare
            )

    def wait_until_healthy(self) -> None:
        poll(self._is_healthy, f"{self._arguments} does not answer")

    def start(self) -> None:
        self.launch()
        self.wait_until_healthy()

    @property
    def pid(self) -> int:
        assert self._process is not None, "it does not run"
        return self._process.pid

    @property
    def said(self) -> str:
        """What it wrote since it was started last."""
        return self._log.read_text(errors="replace")

    def health(self) -> int:
        """The status of /health; 0 when nobody answers."""
        address = urlsplit(self.base)
        connection = HTTPConnection(str(address.hostname), address.port, timeout=PATIENCE_SECONDS)
        try:
            connection.request("GET", "/health")
            return connection.getresponse().status
        except OSError:
            return 0
        finally:
            connection.close()

    def processes(self) -> list[int]:
        """Every process of its group that has not ended."""
        return [pid for pid in _running() if _group(pid) == self.pid]

    def kill(self) -> None:
        """`kill -9`, the workers too."""
        process, self._process = self._process, None
        if process is None:
            return
        # Not an error: a server that ended by itself is what a test may have been about.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(PATIENCE_SECONDS)

    def ask_to_stop(self) -> None:
        """`kill`, as a service manager does."""
        os.kill(self.pid, signal.SIGTERM)

    def wait(self) -> int:
        """Its exit status, negative for a signal, once it has ended by itself."""
        assert self._process is not None, "it does not run"
        status = self._process.wait(PATIENCE_SECONDS)
        poll(lambda: not self.processes(), "a process of the server is left")
        self._process = None
        return status

    def _is_healthy(self) -> bool:
        assert self._process is not None, "it does not run"
        assert self._process.poll() is None, f"the server ended: {self.said}"
        found = _API.search(self.said)
        self.base = found[1] if found else ""
        return bool(found) and self.health() == 200


@contextmanager
def running(servers: Sequence[Server]) -> Iterator[None]:
    """The servers, started at the same time; whatever is left of them at the end is killed."""
    try:
        for server in servers:
            server.launch()
        for server in servers:
            server.wait_until_healthy()
        yield
    finally:
        for server in servers:
            server.kill()


def poll(check: Callable[[], bool], otherwise: str) -> None:
    """Wait until it is so; AssertionError when it is not so in good time."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not check():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.02)


def _running() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]


def _group(pid: int) -> int:
    """The process group; 0 for a process that has ended."""
    try:
        state, _, group = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:3]
    except OSError:
        return 0
    return 0 if state == "Z" else int(group)
