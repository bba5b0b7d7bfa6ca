"""Child processes: begun, found ready, and ended with the block that wanted them."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO
from urllib.request import urlopen

from promograph.cli.benching.failures import BenchFailed
from promograph.config import environment

_PATIENCE_SECONDS = 30.0
_ADDRESS = re.compile(r"http://127\.0\.0\.1:(\d+)/graphql")


class Server:
    """A server process that listens on 127.0.0.1."""

    def __init__(self, process: "subprocess.Popen[bytes]", port: int) -> None:
        self._process = process
        self._proc = Path(f"/proc/{process.pid}")
        self.port = port

    def kill(self) -> None:
        """As a machine that loses its power would."""
        self._process.kill()
        self._process.wait()

    @property
    def cpu_seconds(self) -> float | None:
        """The processor time that it has had; None where the system does not say."""
        try:
            # Source: proc_pid_stat(5). The name may hold spaces; user and system time are the 12th and 13th after it.
            fields = (self._proc / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            return None
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def forget_peak(self) -> None:
        """Let `peak_mb` begin anew; a system that cannot goes on with the peak since the server's start."""
        with suppress(OSError):
            # Source: proc_pid_clear_refs(5).
            (self._proc / "clear_refs").write_text("5")

    @property
    def peak_mb(self) -> float | None:
        """The most memory that it has had, in millions of bytes; None where the system does not say."""
        try:
            status = (self._proc / "status").read_text()
        except OSError:
            return None
        found = re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
        return None if found is None else int(found[1]) * 1024 / 1e6


@contextmanager
def product_server(store: str, folder: Path, settings: Mapping[str, str] | None = None) -> Iterator[Server]:
    """`promograph serve` on the store: what is measured is what runs in earnest. `settings`: of its environment."""
    arguments = ["promograph.cli.main", "serve", "--host", "127.0.0.1", "--port", "0", "--workers", "1"]
    with _server([*arguments, "--store", store], folder / "server.log", settings) as server:
        yield server


@contextmanager
def idle_server(folder: Path) -> Iterator[Server]:
    """The server whose operations answer from memory."""
    with _server(["promograph.cli.benching.idle"], folder / "idle.log") as server:
        yield server


def begun(
    module: Sequence[str],
    *,
    stdin: int,
    stdout: IO[bytes] | int,
    stderr: IO[bytes] | None = None,
    settings: Mapping[str, str] | None = None,
) -> "subprocess.Popen[bytes]":
    """A Python module, with its arguments, as a process of its own."""
    command = [sys.executable, "-m", *module]
    # In a session of its own: Ctrl-C goes to every process of the terminal's, and each would complain in its own way.
    own = environment(settings or {})
    return subprocess.Popen(command, stdin=stdin, stdout=stdout, stderr=stderr, env=own, start_new_session=True)


@contextmanager
def ended(process: "subprocess.Popen[bytes]") -> Iterator[None]:
    """End this process, and no other, with the block."""
    try:
        yield
    finally:
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        process.terminate()
        try:
            process.wait(_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def _server(module: Sequence[str], log: Path, settings: Mapping[str, str] | None = None) -> Iterator[Server]:
    with log.open("wb") as output:
        process = begun(module, stdin=subprocess.DEVNULL, stdout=output, stderr=output, settings=settings)
    with ended(process):
        yield Server(process, _ready_port(process, log))


def _ready_port(process: "subprocess.Popen[bytes]", log: Path) -> int:
    """The port that the server says it has; it listens before it says so, and answers when it is ready."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        said = _ADDRESS.search(log.read_text(errors="replace"))
        if said is not None:
            with urlopen(f"http://127.0.0.1:{said[1]}/health", timeout=_PATIENCE_SECONDS):
                return int(said[1])
        time.sleep(0.02)
    raise BenchFailed(f"A server did not start. It wrote: {log.read_text(errors='replace')[-2000:].strip()}")
