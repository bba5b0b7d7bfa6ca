"""Where the command begins: to load all that it needs takes a second, and Ctrl-C is to be quiet in it."""

import signal
from importlib import import_module


def main() -> None:
    """Load the commands and run the one that is asked for."""
    is_ours = signal.getsignal(signal.SIGINT) is signal.default_int_handler  # else whoever began us wants none of it
    if is_ours:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    app = import_module("promograph.cli.main").app
    if is_ours:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    app()
