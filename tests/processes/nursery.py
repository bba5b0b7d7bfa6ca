"""A process that has promograph loaded; for each message it makes a process that runs one command.

To load it takes two seconds of a core, and the tests of this folder start a hundred servers. What a command finds is
as in a new process: its arguments, environment, folder, files and a session of its own.
"""

import gc
import json
import os
import signal
import socket
import sys
from typing import Any

import promograph.cli.main  # noqa: F401 (this is what takes the time)
from promograph.cli import start

LONGEST = 2**17


def await_a_command(asked: socket.socket) -> None:
    """Returns in each process that is made; the first one ends when there is nobody left to ask."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # else each of the watchers would stay as a zombie
    while True:
        message, files, _, _ = socket.recv_fds(asked, LONGEST, 4)
        if not message:
            sys.exit()
        if os.fork() == 0:
            asked.close()
            teller, *streams = files
            _watch(socket.socket(fileno=teller))
            _become(json.loads(message), streams)
            return
        for file in files:
            os.close(file)


def _watch(teller: socket.socket) -> None:
    """Returns in a child; tells what number it has and how it ended, for only its parent hears of that."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with teller:
        pid = os.fork()
        if pid == 0:
            return
        teller.send(str(pid).encode())
        _, status = os.waitpid(pid, 0)
        teller.send(str(os.waitstatus_to_exitcode(status)).encode())
        os._exit(0)


def _become(command: dict[str, Any], streams: list[int]) -> None:
    os.setsid()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(command["folder"])
    os.environ.clear()
    os.environ.update(command["environment"])
    sys.argv = ["promograph", *command["arguments"]]


if __name__ == "__main__":
    gc.freeze()  # else each process would copy all that is loaded as it looks for garbage in it
    await_a_command(socket.socket(fileno=int(sys.argv[1])))
    start.main()
