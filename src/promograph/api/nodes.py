"""Global ids, by which any object of the schema can be fetched again."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable

import strawberry

from promograph.api.rights import EVERYBODY
from promograph.errors import BadInput, InputProblem

_BYTES = 7  # so many fit into a number of an id, which has less than 19 digits


@strawberry.interface(description="An object with an id that is unique among all objects.")
class Node:
    id: strawberry.ID = strawberry.field(description="The object's global id.", directives=EVERYBODY)


def global_id(kind: str, *numbers: int) -> strawberry.ID:
    """The id of the object of that kind with those numbers: opaque to clients, the same for ever."""
    text = ":".join([kind, *map(str, numbers)])
    return strawberry.ID(urlsafe_b64encode(text.encode()).decode().rstrip("="))


def numbers_of_name(name: str) -> tuple[int, ...]:
    """A name that somebody else gave an object, as numbers for its global id: seven bytes in each."""
    written = name.encode()
    return tuple(int.from_bytes(b"\1" + written[at : at + _BYTES]) for at in range(0, len(written), _BYTES))


def name_of_numbers(numbers: Iterable[int]) -> str | None:
    """The name that these are; None where they are none."""
    try:
        parts = [number.to_bytes(_BYTES + 1).lstrip(b"\0") for number in numbers]
        name = b"".join(part[1:] for part in parts).decode()
    except (OverflowError, UnicodeDecodeError):
        return None
    # Other numbers may be read as the same name; an object has one id.
    return name if numbers_of_name(name) == tuple(numbers) else None


def read_global_id(id_: str, *field: str) -> tuple[str, tuple[int, ...]]:
    """Kind and numbers; BadInput (INVALID) naming `field` for what is no id of ours."""
    try:
        text = urlsafe_b64decode(id_ + "=" * (-len(id_) % 4)).decode("ascii")
        kind, *numbers = text.split(":")
        if not kind.isalpha() or not all(number.lstrip("-").isdigit() and len(number) < 19 for number in numbers):
            raise ValueError
        return kind, tuple(int(number) for number in numbers)
    except (ValueError, binascii.Error):
        raise BadInput(InputProblem.INVALID, "This is not an id of this API.", field=field) from None


def read_number(id_: str, kind: str, field: str = "id") -> int:
    """The number in the id of an object of that kind; BadInput naming `field` for any other id."""
    try:
        found, numbers = read_global_id(id_)
    except BadInput:
        found, numbers = "", ()
    if found != kind or len(numbers) != 1:
        raise BadInput(
            InputProblem.INVALID,
            f"This is not the id of {'an' if kind[0] in 'AI' else 'a'} {kind.lower()}.",
            field=(field,),
        )
    return numbers[0]
