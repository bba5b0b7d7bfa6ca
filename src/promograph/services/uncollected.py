"""Holding back the look for garbage while thousands of objects are made that are all in use.

A call of ten thousand customers makes some hundred thousand objects, and frees them when it ends. Each look for garbage
in between passes over all of them and finds nothing: that was a third of the whole call.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_YOUNGEST = 0

_calls = 0
"""How many are under way: it is the process that looks for garbage, not the call."""


@contextmanager
def uncollected() -> Iterator[None]:
    """No look for garbage inside; one at the young objects afterwards, for whatever else was made meanwhile."""
    global _calls
    if not _calls and not gc.isenabled():  # somebody else's will
        yield
        return
    gc.disable()
    _calls += 1
    try:
        yield
    finally:
        _calls -= 1
        if not _calls:
            gc.enable()
        gc.collect(_YOUNGEST)
