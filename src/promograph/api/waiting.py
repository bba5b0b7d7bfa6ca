"""How long a mutation waits for the end of its job."""

from promograph.domain.jobs import Job
from promograph.errors import BadInput, InputProblem
from promograph.services.jobs import Jobs

_LONGEST = 600
_IMPORT_SECONDS = 30.0
WAIT = f"How long to wait for the end of the work, 0 to {_LONGEST} seconds; the job goes on."


def checked_wait(seconds: int) -> int:
    """The seconds; BadInput where nobody would wait so long."""
    if not 0 <= seconds <= _LONGEST:
        sentence = f"waitSeconds must be 0 to {_LONGEST}; it is {seconds:,}."
        raise BadInput(InputProblem.OUT_OF_RANGE, sentence, field=("waitSeconds",))
    return seconds


async def imported(jobs: Jobs, begun: Job) -> Job:
    """The job of a file that is read, done or not after half a minute; BadInput where it could not be done."""
    job = await jobs.wait(begun.id, _IMPORT_SECONDS)
    if job.error is not None:
        raise job.error
    return job
