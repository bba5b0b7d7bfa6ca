"""Which process has a job, and whether that process is surely dead.

A beat that stands still tells it on any machine, after a while. About a process of this very machine the operating
system knows at once, so that a server that was killed and started again goes on without waiting.
"""

import os
import socket
from pathlib import Path
from uuid import uuid4

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_PROCESSES = Path("/proc/self/ns/pid")


def new_owner() -> str:
    """A name for a runner of this process; two runners have two names."""
    pid = os.getpid()
    return f"{_machine()}/{pid}/{_begun(pid)}/{uuid4().hex[:8]}"


def is_gone(owner: str) -> bool:
    """Whether it was a process of this machine that is no more; False where that cannot be told."""
    machine, pid, begun, _ = owner.split("/")
    return machine == _machine() and _begun(int(pid)) != begun


def _machine() -> str:
    """This machine since it was started; within it, this space of process numbers (containers have their own)."""
    try:
        since = f"{_BOOT.read_text().strip()}.{_PROCESSES.readlink().name.strip('pid:[]')}"
    except OSError:
        since = "?"
    return f"{socket.gethostname()[:40]}.{since}".replace("/", "_")


def _begun(pid: int) -> str:
    """When a process was started, as the system counts; empty for one that is not there."""
    try:
        state, *_, begun = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:20]
    except OSError:
        return "" if _BOOT.exists() else _alive(pid)
    return "" if state == "Z" else begun


def _alive(pid: int) -> str:
    """Where there is no /proc: only whether it is there."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return ""
    except OSError:
        pass
    return "there"
