"""Why a run cannot go on."""

from promograph.errors import PromographError


class BenchFailed(PromographError):
    """A process of the bench ended or did not answer; the text says which, and what it said last."""
