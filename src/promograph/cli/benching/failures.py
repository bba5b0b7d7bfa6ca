"""Why a run cannot go on."""

from promograph.errors import PromographError


class BenchFailed(PromographError):
    """A process of the bench ended or did not answer; the text says which, and what it said last."""


def expect(good: bool, what: str, answer: object) -> None:
    """BenchFailed unless it is `good`: what was asked, and how it was answered."""
    if not good:
        raise BenchFailed(f"{what} was answered wrongly: {str(answer)[:500]}")
