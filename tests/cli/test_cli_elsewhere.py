"""The command line on a system that is not this one."""

import subprocess
import sys

# What Windows has not, as far as Python's own library bears that it is missing.
ELSEWHERE = """
import os, signal, sys

del os.geteuid
for name in ("SIGHUP", "SIGKILL", "SIGQUIT"):
    delattr(signal, name)
sys.modules.update(dict.fromkeys(["fcntl", "grp", "pwd", "resource", "termios", "uvloop"]))

from promograph.cli.main import app

app(["--help"])
"""


def test_it_is_there_without_what_only_posix_has() -> None:
    ended = subprocess.run([sys.executable, "-c", ELSEWHERE], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "serve" in ended.stdout
