"""Ctrl-C before a command has begun, and while it runs a job."""

import asyncio
import signal
import subprocess
import sys
import time
from pathlib import Path

from promograph.domain.promotions import PromotionTerms
from promograph.services.app import Services
from promograph.services.promoting import Draft

_INTERRUPTED = (
    "import os, signal; from promograph.cli import start; "
    "start.import_module = lambda name: os.kill(os.getpid(), signal.SIGINT); start.main()"
)
_COMMAND = [sys.executable, "-c", "from promograph.cli.start import main; main()"]


def test_an_interrupt_while_the_command_is_loaded_is_quiet() -> None:
    done = subprocess.run([sys.executable, "-c", _INTERRUPTED], capture_output=True, timeout=300)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, b"", b"")


def test_an_interrupted_command_says_that_its_job_goes_on(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/promograph.db"
    asyncio.run(_prepared(store))
    arguments = ["codes", "generate", "sale", "3000000", "--store", store]
    command = subprocess.Popen([*_COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        deadline = time.monotonic() + 60
        while not asyncio.run(_is_at_work(store)):
            assert command.poll() is None and time.monotonic() < deadline
            time.sleep(0.05)
        command.send_signal(signal.SIGINT)
        _, said = command.communicate(timeout=300)
    finally:
        command.kill()
        command.wait()
    assert b"goes on with it" in said
    assert b"Traceback" not in said
    assert command.returncode not in (0, None)


async def _prepared(store: str) -> None:
    services = Services.open(store)
    try:
        await services.prepare()
        await services.promoting.create(Draft(terms=PromotionTerms(handle="sale", name="Sale")))
    finally:
        await services.close()


async def _is_at_work(store: str) -> bool:
    """Whether the store's first job has made some of its codes."""
    services = Services.open(store)
    try:
        job = await services.jobs.get(1)
        return job is not None and job.done > 0
    finally:
        await services.close()
