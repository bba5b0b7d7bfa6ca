"""What TEST and PREVIEW give out: texts shaped like codes that no checkout redeems."""

from enum import StrEnum
from hashlib import blake2b

from promograph.domain.codes import normalise
from promograph.domain.codes.formats import DEFAULT_ALPHABET, CodeFormat
from promograph.errors import BadInput, InputProblem

RESERVED_PREFIX = "TEST-"
"""No real code may begin with it, in any letter case: this is what makes a placeholder tell-tale."""

RESERVED = "Codes that begin with TEST- are kept for tests and previews."

_LENGTH = 8


class Purpose(StrEnum):
    """LIVE uses codes up; TEST and PREVIEW give a placeholder and touch no counter."""

    LIVE = "LIVE"
    TEST = "TEST"
    PREVIEW = "PREVIEW"


def is_placeholder(key: str) -> bool:
    """Whether a normalised text can only be a placeholder."""
    return key.startswith(RESERVED_PREFIX)


def check_not_reserved(look: CodeFormat) -> None:
    """BadInput where the codes of this format would begin as placeholders do."""
    start = normalise(look.literals[0])
    comes_close = start == RESERVED_PREFIX[:-1] and RESERVED_PREFIX[-1] in look.letters
    if start.startswith(RESERVED_PREFIX) or comes_close:
        field = "prefix" if look.prefix else "pattern"
        raise BadInput(InputProblem.INVALID, RESERVED, field=(field,))


def placeholder(handle: str, customer: str) -> str:
    """The same for the same promotion and customer, so that a repeated preview does not flicker."""
    digest = blake2b(f"{handle}\0{customer}".encode(errors="surrogatepass"), digest_size=_LENGTH).digest()
    return RESERVED_PREFIX + "".join(DEFAULT_ALPHABET[byte % len(DEFAULT_ALPHABET)] for byte in digest)
