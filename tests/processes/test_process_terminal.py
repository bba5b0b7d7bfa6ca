"""A command on a real terminal."""

import os
import pty
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from promograph.domain.promotions import OnEmpty, PromotionTerms
from promograph.services.app import Services
from promograph.services.promoting import Draft

from .commands import COMMAND, PATIENCE_SECONDS, Surroundings
from .stores import using

CODES = 20_000
_FRAME = re.compile(r"generating .*?([\d,]+)/([\d,]+)")
_CONTROL = re.compile(r"\x1b\[[\d;?]*[A-Za-z]")


def test_a_terminal_shows_a_bar_until_the_job_is_done(surroundings: Surroundings, tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/promograph.db"
    using(store, _prepared)
    shown, out = _on_terminal(surroundings, "codes", "generate", "sale", str(CODES), "--store", store)
    frames = [tuple(int(number.replace(",", "")) for number in frame) for frame in _FRAME.findall(shown)]
    assert frames, shown
    assert all(total == CODES for _, total in frames)
    done = [count for count, _ in frames]
    assert done == sorted(done) and done[-1] == CODES, done
    assert f"{CODES:,} codes made; one guess in " in shown.splitlines()[-1], "and then no bar"
    assert out.strip().isdecimal(), "the batch, for who reads the output"


async def _prepared(services: Services) -> None:
    await services.prepare()
    terms = PromotionTerms(handle="sale", name="Sale", on_empty=OnEmpty.GENERATE)
    await services.promoting.create(Draft(terms=terms, shared_code=None))


def _on_terminal(surroundings: Surroundings, *arguments: str) -> tuple[str, str]:
    """What it shows on a terminal of 100 columns, control sequences taken out; what it writes to its output."""
    ours, its = pty.openpty()
    size = {"COLUMNS": "100", "LINES": "30", "TERM": "xterm"}
    with subprocess.Popen(
        [COMMAND, *arguments], env=surroundings.variables(size), stdin=its, stdout=subprocess.PIPE, stderr=its
    ) as process:
        os.close(its)
        shown = b"".join(_read_to_the_end(ours))
        out, _ = process.communicate(timeout=PATIENCE_SECONDS)
    os.close(ours)
    assert process.returncode == 0, shown
    return _CONTROL.sub("", shown.decode()), out.decode()


def _read_to_the_end(terminal: int) -> Iterator[bytes]:
    while True:
        try:
            read = os.read(terminal, 1 << 16)
        except OSError:  # how Linux says that nobody has its other end any more
            return
        if not read:
            return
        yield read
