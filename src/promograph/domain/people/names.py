"""What segments and audiences are called by people."""

from promograph.domain.storable import check_storable
from promograph.errors import BadInput, InputProblem

_LONGEST = 200


def checked_name(name: str, of: str) -> str:
    """The name without spaces around it; BadInput where there is none, or one too long. `of`: such as `A segment`."""
    shown = name.strip()
    if not shown:
        raise BadInput(InputProblem.REQUIRED, f"{of} needs a name.", field=("name",))
    if len(shown) > _LONGEST:
        raise BadInput(InputProblem.OUT_OF_RANGE, f"A name has at most {_LONGEST} characters.", field=("name",))
    check_storable(shown, "name")
    return shown
