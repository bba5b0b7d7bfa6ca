"""A look over a promotion before it runs: what keeps it from running, and what its maker may not have meant.

Pure, like the decisions of redeeming: terms and counts in, findings out.
"""

from collections.abc import Callable, Iterator, Sequence

from promograph.domain import conditions
from promograph.domain.promotions import CodeKind, OnEmpty, PromotionStatus, PromotionTerms
from promograph.domain.reviews.findings import Concern, Finding, Reviewed, Supply
from promograph.domain.reviews.money import look_at_currencies, look_at_reward


def review(reviewed: Reviewed) -> tuple[Finding, ...]:
    """What was found, obstacles first; nothing about a promotion that has ended."""
    if reviewed.promotion.status(reviewed.now) in (PromotionStatus.ENDED, PromotionStatus.ARCHIVED):
        return ()
    found = [finding for look in _LOOKS for finding in look(reviewed)]
    return (*obstacles(reviewed.terms, reviewed.supply), *found)


def obstacles(terms: PromotionTerms, supply: Supply) -> tuple[Finding, ...]:
    """Why it could give nothing to anybody."""
    return tuple(_obstacles(terms, supply))


def _obstacles(terms: PromotionTerms, supply: Supply) -> Iterator[Finding]:
    is_single = terms.code_kind is CodeKind.SINGLE
    if terms.on_empty is OnEmpty.FALLBACK and not is_single and not supply.shared:
        yield Finding(
            Concern.FALLBACK_MISSING, "onEmpty FALLBACK needs a fallback code: set `fallbackCode`.", "fallbackCode"
        )
    if not terms.code_required:
        return
    if is_single and not supply.shared:
        yield Finding(
            Concern.SINGLE_CODE_MISSING,
            "A promotion with a single code needs that code: set `singleCode`.",
            "singleCode",
        )
    elif terms.on_empty is OnEmpty.REFUSE and not supply.codes:
        yield Finding(
            Concern.NO_CODES,
            "The promotion has no codes: generate, import or paste some, or let onEmpty GENERATE them.",
            "onEmpty",
        )


def _pool(reviewed: Reviewed) -> Iterator[Finding]:
    terms, supply = reviewed.terms, reviewed.supply
    usable = supply.codes - supply.blocked
    is_pool = terms.code_kind is not CodeKind.SINGLE and terms.on_empty is OnEmpty.REFUSE
    if is_pool and supply.codes and terms.audience_cap is not None and terms.audience_cap > usable:
        yield Finding(
            Concern.CAP_ABOVE_POOL,
            f"Up to {terms.audience_cap:,} customers may get a code, and there are {usable:,}: the others get none.",
            "audienceCap",
        )


def _window(reviewed: Reviewed) -> Iterator[Finding]:
    window, now = reviewed.terms.window, reviewed.now
    if reviewed.promotion.stored_status is not PromotionStatus.DRAFT:
        return
    if window.is_over(now):
        yield Finding(Concern.ALREADY_OVER, "It would end before it starts: its window is over already.", "window")
    elif window.starts_at is not None and window.starts_at < now:
        yield Finding(
            Concern.STARTS_IN_PAST, "Its window began in the past: it runs from the moment it is activated.", "window"
        )


def _limits(reviewed: Reviewed) -> Iterator[Finding]:
    terms = reviewed.terms
    if terms.budget is not None or terms.redemption_cap is not None:
        return
    one_by_one = terms.uses_per_customer is not None or terms.uses_per_period is not None
    if not terms.code_required and terms.condition is None and not one_by_one:
        yield Finding(
            Concern.APPLIES_TO_EVERYBODY,
            "Without a code and without a condition it applies to every cart, any number of times.",
            "condition",
        )
    if terms.window.ends_at is None and terms.audience_cap is None and _is_endless(terms):
        yield Finding(
            Concern.NO_LIMIT, "It never ends and nothing bounds it: no date, no cap, no budget, no number of codes."
        )
    if terms.on_empty is OnEmpty.FALLBACK and terms.code_kind is not CodeKind.SINGLE and not one_by_one:
        yield Finding(
            Concern.FALLBACK_WITHOUT_LIMIT,
            "Whoever learns the fallback code can use it any number of times: usesPerCode does not bind it.",
            "redemptionCap",
        )


def _is_endless(terms: PromotionTerms) -> bool:
    """Whether codes (or the lack of need for one) set no bound, whoever comes."""
    if not terms.code_required or terms.uses_per_code is None:
        return True
    if terms.code_kind is CodeKind.SINGLE:
        return False
    return terms.on_empty is not OnEmpty.REFUSE


def _customer(reviewed: Reviewed) -> Iterator[Finding]:
    terms = reviewed.terms
    if terms.code_kind is CodeKind.PERSONALIZED and terms.code_required:
        return
    wants = [
        ("the condition", terms.condition is not None and conditions.needs(terms.condition).customer),
        ("usesPerCustomer", terms.uses_per_customer is not None),
        ("usesPerPeriod", terms.uses_per_period is not None),
        ("holderOnly", terms.holder_only),
    ]
    named = [name for name, wanted in wants if wanted]
    if named:
        yield Finding(
            Concern.CUSTOMER_NEEDED,
            f"Its uses are anonymous, and these ask who the customer is: {', '.join(named)}. "
            "A checkout that does not say is refused.",
        )


def _references(reviewed: Reviewed) -> Iterator[Finding]:
    if reviewed.unknown:
        yield Finding(
            Concern.UNKNOWN_REFERENCE,
            f"The condition names what is not there: {', '.join(reviewed.unknown)}. That part of it never holds.",
            "condition",
        )


def _idle_settings(reviewed: Reviewed) -> Iterator[Finding]:
    terms = reviewed.terms
    if terms.priority and not terms.combinable:
        yield Finding(
            Concern.WITHOUT_EFFECT,
            "priority orders promotions that share a cart, and this one shares none.",
            "priority",
        )
    if terms.low_stock_threshold is not None and (
        terms.code_kind is CodeKind.SINGLE or terms.on_empty is OnEmpty.GENERATE
    ):
        yield Finding(
            Concern.WITHOUT_EFFECT,
            "lowStockThreshold is about a pool that can run out, and this promotion's never does.",
            "lowStockThreshold",
        )
    if terms.code_kind is not CodeKind.SINGLE:
        return
    if terms.valid_for is not None:
        yield Finding(
            Concern.WITHOUT_EFFECT,
            "validFor counts from the issue of a code of one's own; a SINGLE code has none.",
            "validFor",
        )
    if terms.holder_only:
        yield Finding(
            Concern.WITHOUT_EFFECT,
            "holderOnly is about codes of one's own; a SINGLE code is everybody's.",
            "holderOnly",
        )


_LOOKS: Sequence[Callable[[Reviewed], Iterator[Finding]]] = (
    _pool,
    _window,
    _limits,
    look_at_reward,
    look_at_currencies,
    _customer,
    _references,
    _idle_settings,
)
