"""All that was decided about a promotion, in plain words, by the steps in which it is set up."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from promograph.domain import conditions
from promograph.domain.conditions.nodes import Names
from promograph.domain.promotions import CodeKind, IssuePolicy, OnEmpty, PromotionTerms, ReturnPolicy
from promograph.domain.reviews.findings import Supply
from promograph.domain.reviews.reward_texts import reward_text
from promograph.domain.rewards import Single
from promograph.domain.windows import Window, start_of_day, zone


class SetUpStep(StrEnum):
    """In the order in which a promotion is set up."""

    DETAILS = "DETAILS"
    PROPERTIES = "PROPERTIES"
    REWARD = "REWARD"
    LIMITS = "LIMITS"
    CODES = "CODES"


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryStep:
    step: SetUpStep
    lines: tuple[str, ...]


def summarise(
    terms: PromotionTerms, supply: Supply, *, segments: Names, reward_types: Mapping[str, str]
) -> tuple[SummaryStep, ...]:
    """`segments` and `reward_types`: what they are called, by handle."""
    written = {
        SetUpStep.DETAILS: _details(terms),
        SetUpStep.PROPERTIES: (f"{name}: {value}" for name, value in sorted(terms.properties.items())),
        SetUpStep.REWARD: _reward(terms, segments, reward_types),
        SetUpStep.LIMITS: _limits(terms),
        SetUpStep.CODES: _codes(terms, supply),
    }
    return tuple(SummaryStep(step=step, lines=tuple(lines)) for step, lines in written.items())


def _details(terms: PromotionTerms) -> Iterator[str]:
    yield f"{terms.name} ({terms.handle})"
    if terms.description:
        yield terms.description


def _reward(terms: PromotionTerms, segments: Names, reward_types: Mapping[str, str]) -> Iterator[str]:
    reward = terms.reward
    kind = f" ({reward_types.get(reward.type, reward.type)})" if isinstance(reward, Single) else ""
    yield f"{reward_text(reward)}{kind}"
    if terms.condition is not None:
        yield f"if {conditions.render(terms.condition, names=segments)}"
    if not terms.combinable:
        yield "shares a cart with no other promotion"
    else:
        yield f"shares a cart with others that do the same, at priority {terms.priority}"


def _limits(terms: PromotionTerms) -> Iterator[str]:
    yield _window_text(terms.window)
    if terms.budget is not None:
        yield f"at most {terms.budget} of discounts"
    if terms.audience_cap is not None:
        yield f"at most {terms.audience_cap:,} customers are given a code"
    if terms.redemption_cap is not None:
        yield f"at most {_times(terms.redemption_cap)} in all"
    if terms.code_kind is not CodeKind.SINGLE:
        yield f"each code works {_often(terms.uses_per_code)}"
    elif terms.uses_per_code is not None:
        yield f"the code works {_often(terms.uses_per_code)}"
    if terms.uses_per_customer is not None:
        yield f"each customer may use it {_often(terms.uses_per_customer)}"
    if terms.uses_per_period is not None:
        yield f"each customer may use it {_often(terms.uses_per_period.uses)} a {terms.uses_per_period.period.lower()}"
    if terms.holder_only:
        yield "only the customer who was given a code may use it"
    if terms.valid_for is not None:
        yield f"a code of one's own works for {_length(terms.valid_for)} after it is issued"


def _codes(terms: PromotionTerms, supply: Supply) -> Iterator[str]:
    if not terms.code_required:
        yield "applies to an eligible cart without a code"
    if terms.code_kind is CodeKind.SINGLE:
        yield f"one code for everybody{'' if supply.shared else ', which is not set yet'}"
        return
    yield {
        CodeKind.PERSONALIZED: "a code of one's own for each customer, which works only once it is issued",
        CodeKind.MULTIPLE: "a pool of codes that are handed out anonymously",
    }[terms.code_kind]
    blocked = f", {supply.blocked:,} of them blocked" if supply.blocked else ""
    yield f"{supply.codes:,} {'code' if supply.codes == 1 else 'codes'}{blocked}"
    yield {
        IssuePolicy.PER_CUSTOMER: "allocated first in, first out: one code a customer, ever",
        IssuePolicy.PER_SEND: "allocated first in, first out: one code a customer and send",
        IssuePolicy.PER_MESSAGE: "allocated first in, first out: one code a customer and message",
    }[terms.issue_policy]
    yield {
        OnEmpty.GENERATE: "when there are no more, one is made for each customer who comes",
        OnEmpty.FALLBACK: f"when there are no more, everybody gets the fallback code{_unset(supply)}",
        OnEmpty.REFUSE: "when there are no more, nobody gets one",
    }[terms.on_empty]
    yield {
        ReturnPolicy.WHEN_UNSEEN: "a code whose message did not arrive goes back to the pool, if nobody has seen it",
        ReturnPolicy.NEVER: "a code stays issued, even where its message did not arrive",
    }[terms.return_policy]


def _unset(supply: Supply) -> str:
    return "" if supply.shared else ", which is not set yet"


def _window_text(window: Window) -> str:
    parts = []
    if window.starts_at is not None:
        parts.append(f"from {_moment(window.starts_at, window.time_zone)}")
    if window.ends_at is not None:
        parts.append(f"until {_end(window.ends_at, window.time_zone)}")
    if not parts:
        return "open-ended: from its activation until somebody ends it"
    return f"{' '.join(parts)} ({window.time_zone})"


def _moment(instant: datetime, time_zone: str) -> str:
    local = instant.astimezone(zone(time_zone))
    clock = f"{local:%H:%M:%S}" if local.second else f"{local:%H:%M}"
    return f"{local.day} {local:%B} {local.year}, {clock}"


def _end(instant: datetime, time_zone: str) -> str:
    """The first instant after it; where that is the first of a day, the day before."""
    local = instant.astimezone(zone(time_zone))
    if instant != start_of_day(local.date(), time_zone):
        return _moment(instant, time_zone)
    last = local.date() - timedelta(days=1)
    return f"the end of {last.day} {last:%B} {last.year}"


def _often(uses: int | None) -> str:
    if uses is None:
        return "any number of times"
    return "once" if uses == 1 else f"{uses:,} times"


def _times(uses: int) -> str:
    return "one use" if uses == 1 else f"{uses:,} uses"


def _length(length: timedelta) -> str:
    """Whole days, hours, minutes and seconds, those that are not 0."""
    seconds = int(length.total_seconds())
    parts = []
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1)):
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count:,} {unit}{'' if count == 1 else 's'}")
    return " ".join(parts)
