"""Whether a promotion takes codes."""

from datetime import datetime

from promograph.domain.promotions import CodeKind, Promotion, takes_codes
from promograph.errors import BadInput, InputProblem


def checked_taker(promotion: Promotion | None, now: datetime) -> Promotion:
    """The promotion itself; BadInput unless there is one and codes may be added to it."""
    if promotion is None:
        raise BadInput(InputProblem.NOT_FOUND, "No promotion has this id.", field=("promotion",))
    if promotion.terms.code_kind is CodeKind.SINGLE:
        raise BadInput(
            InputProblem.STATE, "This promotion has one code for everybody; it takes no more.", field=("promotion",)
        )
    if not takes_codes(promotion, now):
        raise BadInput(
            InputProblem.STATE, "This promotion has ended; duplicate it to use it again.", field=("promotion",)
        )
    return promotion
