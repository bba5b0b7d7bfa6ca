"""The real `promograph` as processes: its commands, run to their end or left to run."""

import json
import os
import select
import socket
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

PATIENCE_SECONDS = 300.0
"""How long anything may take before a test gives up; a machine under load is slow, not wrong."""

COMMAND = str(Path(sysconfig.get_path("scripts")) / "promograph")
_NURSERY = Path(__file__).with_name("nursery.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A command that ran to its end; `status` is negative for a signal."""

    status: int
    out: str
    err: str


class Process(Protocol):
    """What `Popen` and `Born` have in common. It leads a process group."""

    @property
    def pid(self) -> int: ...

    def poll(self) -> int | None: ...

    def wait(self, timeout: float | None = None) -> int: ...


class Born:
    """A process made by the nursery, which tells of its end."""

    def __init__(self, told: socket.socket) -> None:
        self._told = told
        self._status: int | None = None
        self.pid = self._hear()

    def poll(self) -> int | None:
        if self._status is None and select.select([self._told], [], [], 0)[0]:
            return self.wait()
        return self._status

    def wait(self, timeout: float | None = None) -> int:
        if self._status is None:
            self._told.settimeout(timeout)
            self._status = self._hear()
            self._told.close()
        return self._status

    def _hear(self) -> int:
        number = self._told.recv(64)
        assert number, "the nursery is no more"
        return int(number)


class Surroundings:
    """What processes find around them: this machine's environment without its PROMOGRAPH_* settings."""

    def __init__(self, bytecode: Path) -> None:
        self._bytecode = bytecode
        self._asking, asked = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with asked:
            # No terminal, for what is printed depends on it and is decided when the libraries are loaded.
            self._nursery = subprocess.Popen(
                [sys.executable, str(_NURSERY), str(asked.fileno())],
                env=self.variables({}),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[asked.fileno()],
            )

    def close(self) -> None:
        """The nursery ends; processes made there that still run are left alone."""
        self._asking.close()
        self._nursery.wait(PATIENCE_SECONDS)

    def run(self, *arguments: str, settings: Mapping[str, str] | None = None, anew: bool = False) -> Ended:
        """Run a command to its end; `anew` as in `begin`."""
        with tempfile.TemporaryFile("w+b") as out, tempfile.TemporaryFile("w+b") as err:
            process = self.begin(arguments, settings or {}, out=out, err=err, anew=anew)
            status = process.wait(PATIENCE_SECONDS)
            out.seek(0)
            err.seek(0)
            return Ended(status=status, out=out.read().decode(), err=err.read().decode())

    def begin(
        self,
        arguments: Sequence[str],
        settings: Mapping[str, str],
        *,
        out: IO[Any],
        err: IO[Any],
        anew: bool = False,
        prepare: Callable[[], None] | None = None,
    ) -> Process:
        """Start a command and return at once; `anew` or with something to do before it, by its script and a new Python.

        Else the nursery does it, for a hundredth of the time.
        """
        if anew or prepare is not None:
            return subprocess.Popen(
                [COMMAND, *arguments],
                env=self.variables(settings),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
                preexec_fn=prepare,
            )
        message = {"arguments": arguments, "environment": self.variables(settings), "folder": str(Path.cwd())}
        told, teller = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with teller, Path(os.devnull).open("rb") as nothing:
            files = [teller.fileno(), nothing.fileno(), out.fileno(), err.fileno()]
            socket.send_fds(self._asking, [json.dumps(message).encode()], files)
        return Born(told)

    def variables(self, more: Mapping[str, str]) -> dict[str, str]:
        """The environment of a process, with `more` in it."""
        own = {name: value for name, value in os.environ.items() if not name.startswith("PROMOGRAPH_")}
        if sys.dont_write_bytecode:
            # Else each of the many processes would compile every library again, which takes seconds.
            own.pop("PYTHONDONTWRITEBYTECODE", None)
            own["PYTHONPYCACHEPREFIX"] = str(self._bytecode)
        return {**own, **more}
