"""What a review of a promotion looks at, and what it may find."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from promograph.domain.promotions import Promotion, PromotionTerms


class Concern(StrEnum):
    """The first three keep a promotion from running, the others are for its maker to judge."""

    SINGLE_CODE_MISSING = "SINGLE_CODE_MISSING"
    FALLBACK_MISSING = "FALLBACK_MISSING"
    NO_CODES = "NO_CODES"
    CAP_ABOVE_POOL = "CAP_ABOVE_POOL"
    ALREADY_OVER = "ALREADY_OVER"
    STARTS_IN_PAST = "STARTS_IN_PAST"
    NO_LIMIT = "NO_LIMIT"
    FALLBACK_WITHOUT_LIMIT = "FALLBACK_WITHOUT_LIMIT"
    APPLIES_TO_EVERYBODY = "APPLIES_TO_EVERYBODY"
    BUDGET_BELOW_DISCOUNT = "BUDGET_BELOW_DISCOUNT"
    TAKES_EVERYTHING = "TAKES_EVERYTHING"
    NO_MINIMUM = "NO_MINIMUM"
    AMOUNT_ABOVE_MINIMUM = "AMOUNT_ABOVE_MINIMUM"
    CURRENCIES_DIFFER = "CURRENCIES_DIFFER"
    CUSTOMER_NEEDED = "CUSTOMER_NEEDED"
    UNKNOWN_REFERENCE = "UNKNOWN_REFERENCE"
    WITHOUT_EFFECT = "WITHOUT_EFFECT"


OBSTACLES = frozenset({Concern.SINGLE_CODE_MISSING, Concern.FALLBACK_MISSING, Concern.NO_CODES})


@dataclass(frozen=True, slots=True, kw_only=True)
class Supply:
    """What a promotion has to give: `codes` in all, however many of them `blocked`; `shared`: whether it has the code
    that everybody shares, of SINGLE promotions and for empty pools."""

    codes: int
    blocked: int = 0
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """`setting` is the field of promotionUpdate that would mend it, where one would."""

    concern: Concern
    message: str
    setting: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewed:
    """What is looked at. `unknown`: what the condition names and is not there, in words such as "segment 'gold'"."""

    promotion: Promotion
    supply: Supply
    now: datetime
    unknown: Sequence[str] = ()

    @property
    def terms(self) -> PromotionTerms:
        return self.promotion.terms
