"""What a promotion's terms must satisfy, and which of them may change when."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta

from promograph.domain.carts import checked_money
from promograph.domain.codes.placeholders import check_not_reserved
from promograph.domain.promotions import CodeKind, OnEmpty, Promotion, PromotionStatus, PromotionTerms
from promograph.domain.rewards import Effect, Single, checked_reward
from promograph.domain.storable import check_storable
from promograph.domain.windows import checked as checked_window
from promograph.errors import BadInput, InputProblem

_HANDLE = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?")
_LONGEST_NAME = 200
_LONGEST_DESCRIPTION = 10_000
_MOST_PROPERTIES = 50
_LONGEST_PROPERTY = 500
_LARGEST = 10**12
_LONGEST_VALIDITY = timedelta(days=36_500)

# What customers have been told, or what the counters rest on, stays once a promotion has left its draft.
_FIXED = {"code_kind": "codeKind", "issue_policy": "issuePolicy", "reward": "reward", "handle": "handle"}
_LARGEST_PRIORITY = 1_000


def checked_terms(terms: PromotionTerms) -> PromotionTerms:
    """The terms themselves; BadInput with the field that needs mending."""
    _check_texts(terms)
    _check_properties(terms.properties)
    checked_window(terms.window)
    terms.code_format.validate()
    check_not_reserved(terms.code_format)
    for name, limit in (
        ("audienceCap", terms.audience_cap),
        ("usesPerCode", terms.uses_per_code),
        ("usesPerCustomer", terms.uses_per_customer),
        ("usesPerPeriod", None if terms.uses_per_period is None else terms.uses_per_period.uses),
        ("redemptionCap", terms.redemption_cap),
        ("lowStockThreshold", terms.low_stock_threshold),
    ):
        if limit is not None and not 1 <= limit <= _LARGEST:
            raise _bad(InputProblem.OUT_OF_RANGE, f"{name} must be at least 1; leave it out for no limit.", name)
    if terms.valid_for is not None and not timedelta(seconds=1) <= terms.valid_for <= _LONGEST_VALIDITY:
        raise _bad(InputProblem.OUT_OF_RANGE, "validFor must be between one second and a hundred years.", "validFor")
    if terms.code_kind is CodeKind.SINGLE and terms.on_empty is not OnEmpty.REFUSE:
        raise _bad(InputProblem.INVALID, "A single code never runs out: onEmpty must be REFUSE.", "onEmpty")
    if abs(terms.priority) > _LARGEST_PRIORITY:
        raise _bad(
            InputProblem.OUT_OF_RANGE,
            f"priority must be from -{_LARGEST_PRIORITY:,} to {_LARGEST_PRIORITY:,}.",
            "priority",
        )
    _check_money(terms)
    return terms


def check_change(promotion: Promotion, terms: PromotionTerms, now: datetime, *, has_codes: bool) -> None:
    """BadInput when the promotion, where it stands, may not get these terms."""
    status = promotion.status(now)
    if status in (PromotionStatus.ENDED, PromotionStatus.ARCHIVED):
        raise _bad(InputProblem.STATE, f"A promotion that is {status} cannot be changed; duplicate it instead.", "id")
    if status is PromotionStatus.DRAFT:
        if has_codes and (terms.code_kind is CodeKind.SINGLE) != (promotion.terms.code_kind is CodeKind.SINGLE):
            raise _bad(
                InputProblem.STATE, "This draft has codes already; duplicate it to change their kind.", "codeKind"
            )
        return
    for name, field in _FIXED.items():
        if getattr(terms, name) != getattr(promotion.terms, name):
            raise _bad(InputProblem.STATE, f"{field} cannot change once the promotion has left its draft.", field)
    old, new = promotion.terms.budget, terms.budget
    if old is not None and new is not None and old.currency != new.currency:
        raise _bad(
            InputProblem.STATE, "The budget's currency cannot change once the promotion has left its draft.", "budget"
        )


def _check_money(terms: PromotionTerms) -> None:
    budget = terms.budget
    checked_reward(terms.reward, currency=None if budget is None else budget.currency)
    if budget is None:
        return
    checked_money(budget, "budget")
    if isinstance(terms.reward, Single) and terms.reward.effect in (Effect.GIFT, Effect.POINTS):
        raise _bad(
            InputProblem.INVALID,
            f"A budget counts money taken off, and {terms.reward.effect} takes none: use redemptionCap.",
            "budget",
        )


def _check_texts(terms: PromotionTerms) -> None:
    if not terms.name.strip():
        raise _bad(InputProblem.REQUIRED, "A promotion needs a name.", "name")
    if len(terms.name) > _LONGEST_NAME:
        raise _bad(InputProblem.OUT_OF_RANGE, f"A name has at most {_LONGEST_NAME} characters.", "name")
    if len(terms.description) > _LONGEST_DESCRIPTION:
        raise _bad(
            InputProblem.OUT_OF_RANGE, f"A description has at most {_LONGEST_DESCRIPTION} characters.", "description"
        )
    for field, value in (("name", terms.name), ("description", terms.description)):
        check_storable(value, field)
    if not _HANDLE.fullmatch(terms.handle):
        raise _bad(
            InputProblem.INVALID,
            "A handle is 1 to 64 characters: a-z, 0-9, and . _ - in between; give one, or a name with Latin letters.",
            "handle",
        )


def _check_properties(properties: Mapping[str, str]) -> None:
    if len(properties) > _MOST_PROPERTIES:
        raise _bad(InputProblem.TOO_MANY, f"A promotion has at most {_MOST_PROPERTIES} properties.", "properties")
    for name, value in properties.items():
        if not 1 <= len(name) <= 64 or len(value) > _LONGEST_PROPERTY:
            raise _bad(
                InputProblem.OUT_OF_RANGE,
                f"A property has a name of 1 to 64 and a value of at most {_LONGEST_PROPERTY} characters.",
                "properties",
            )
        check_storable(name + value, "properties")


def _bad(problem: InputProblem, sentence: str, field: str) -> BadInput:
    return BadInput(problem, sentence, field=(field,))
