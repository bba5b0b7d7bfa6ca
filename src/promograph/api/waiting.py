"""How long a mutation waits for the end of its job."""

from promograph.errors import BadInput, InputProblem

_LONGEST = 600
WAIT = f"How long to wait for the end of the work, 0 to {_LONGEST} seconds; the job goes on."


def checked_wait(seconds: int) -> int:
    """The seconds; BadInput where nobody would wait so long."""
    if not 0 <= seconds <= _LONGEST:
        sentence = f"waitSeconds must be 0 to {_LONGEST}; it is {seconds:,}."
        raise BadInput(InputProblem.OUT_OF_RANGE, sentence, field=("waitSeconds",))
    return seconds
