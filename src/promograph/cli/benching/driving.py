"""The load client, seen from the process that runs the bench."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict

import orjson

from promograph.cli.benching.failures import BenchFailed
from promograph.cli.benching.jobs import Job, Window
from promograph.cli.benching.processes import begun, ended

__all__ = ["Job", "LoadClient", "Window", "load_client"]


class LoadClient:
    """Runs one job at a time in the client's process."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process

    def run(self, job: Job) -> Window:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(orjson.dumps(asdict(job)) + b"\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise BenchFailed("The load client ended by itself.")
        answer = orjson.loads(line)
        if "failed" in answer:
            raise BenchFailed(f"The load on {job.operation} broke off: {answer['failed']}.")
        window = Window(**answer)
        if not window.rate:
            raise BenchFailed(f"The load on {job.operation} had no answer in its window.")
        return window


@contextmanager
def load_client() -> Iterator[LoadClient]:
    """A client whose process ends with the block."""
    process = begun(["promograph.cli.benching.load"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with ended(process):
        yield LoadClient(process)
