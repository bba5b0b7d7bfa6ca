"""Telling one plugin what has happened, so that it can hold up nobody but itself."""

import logging
from collections.abc import Callable, Sequence
from threading import Thread

from promograph.channels import Happening

_log = logging.getLogger(__name__)

Hear = Callable[[Sequence[Happening]], None]


class Listener:
    """Calls `hear` of the plugin `name` in a thread. While a call goes on, what happens is left out and counted."""

    def __init__(self, name: str, hear: Hear, *, seconds: float) -> None:
        self._name = name
        self._hear = hear
        self._seconds = seconds
        self._running: Thread | None = None
        self._missed = 0

    def tell(self, happenings: Sequence[Happening]) -> None:
        """Returns when the plugin has heard them, or has taken longer than it may."""
        if self._running is not None and self._running.is_alive():
            self._missed += len(happenings)
            return
        if self._missed:
            _log.warning("The plugin %r was too slow and has missed %d happenings.", self._name, self._missed)
            self._missed = 0
        self._running = Thread(target=self._call, args=(happenings,), daemon=True)
        self._running.start()
        self._running.join(self._seconds)
        if self._running.is_alive():
            _log.warning("The plugin %r takes longer than %g s to hear what happened.", self._name, self._seconds)

    def _call(self, happenings: Sequence[Happening]) -> None:
        try:
            self._hear(happenings)
        # Whatever it is, it is the plugin's, and the next one is told all the same.
        except BaseException:
            _log.exception("The plugin %r failed to hear what happened.", self._name)
