"""What the figures were measured on."""

import os
import platform
import re
import sqlite3
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from time import perf_counter

import promograph

_LIBRARIES = ("strawberry-graphql", "graphql-core", "uvicorn", "uvloop", "starlette", "SQLAlchemy", "asyncpg")
_FLUSHES = 50


def machine_facts(folder: Path) -> dict[str, str]:
    """Name and value of whatever the figures depend on; `folder` is where the stores will lie."""
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "promograph": promograph.__version__,
        "cpu": f"{os.cpu_count()} of {_cpu_model()}",
        "system": f"{platform.system()} {platform.release()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "libraries": ", ".join(f"{name} {version(name)}" for name in _LIBRARIES),
        "sqlite": sqlite3.sqlite_version,
        "flush": f"{flush_ms(folder):.2f} ms to write 4 KiB and flush them to the disk (median)",
        "busy": f"{os.getloadavg()[0]:.2f} processes on average in the last minute, before the bench began",
        "command": " ".join(["promograph", *sys.argv[1:]]),
    }


def flush_ms(folder: Path) -> float:
    """What every commit has to wait for at the least."""
    times = []
    with (folder / "flushed").open("wb", buffering=0) as file:
        for _ in range(_FLUSHES):
            began = perf_counter()
            file.write(b"\0" * 4096)
            os.fsync(file.fileno())
            times.append(perf_counter() - began)
    return median(times) * 1000


def _cpu_model() -> str:
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        found = None
    return found[1].strip() if found else platform.processor() or platform.machine()
