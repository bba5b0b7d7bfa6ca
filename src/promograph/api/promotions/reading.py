"""From what the promotion mutations take to what the rules know."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from strawberry import UNSET

from promograph.api.answering import Places
from promograph.api.conditions import ConditionInput, read_condition
from promograph.api.money import read_money
from promograph.api.promotions.inputs import (
    CodeFormatInput,
    PeriodCapInput,
    PromotionCreateInput,
    PromotionUpdateInput,
    PropertyInput,
    WindowInput,
)
from promograph.api.reward_inputs import RewardInput, places_of_reward, read_reward
from promograph.domain import windows
from promograph.domain.codes import formats as code_formats
from promograph.domain.conditions.nodes import Condition
from promograph.domain.conditions.values import ValueType
from promograph.domain.promotions import CodeKind, PeriodCap, PromotionTerms
from promograph.domain.rewards import External, Reward
from promograph.errors import BadInput, InputProblem
from promograph.services.promoting import Draft

FORMAT_FIELDS = ("prefix", "suffix", "length", "alphabet", "pattern")


Types = Mapping[str, ValueType]
"""Of customers' attributes, as far as known, by name."""


def draft_of(input: PromotionCreateInput, types: Types) -> Draft:
    """BadInput where texts of the input cannot be meant."""
    is_single = input.code_kind is CodeKind.SINGLE
    uses = input.uses_per_code
    terms = PromotionTerms(
        handle=input.handle or "",
        name=input.name,
        description=input.description,
        properties=_properties(input.properties),
        reward=_reward(input.reward),
        condition=_condition(input.condition, types),
        code_kind=input.code_kind,
        issue_policy=input.issue_policy,
        on_empty=input.on_empty,
        return_policy=input.return_policy,
        code_format=format_of(input.code_format),
        window=_window(input.window),
        valid_for=input.valid_for,
        audience_cap=input.audience_cap,
        uses_per_code=(None if is_single else 1) if uses is UNSET else uses,
        uses_per_customer=input.uses_per_customer,
        uses_per_period=_period_cap(input.uses_per_period),
        redemption_cap=input.redemption_cap,
        low_stock_threshold=input.low_stock_threshold,
        budget=read_money(input.budget, "budget"),
        holder_only=input.holder_only,
        code_required=input.code_required,
        combinable=input.combinable,
        priority=input.priority,
    )
    return Draft(terms=terms, shared_code=_shared(is_single, input.single_code, input.fallback_code))


_PLAIN = (
    "name",
    "handle",
    "description",
    "code_kind",
    "issue_policy",
    "on_empty",
    "return_policy",
    "holder_only",
    "code_required",
    "combinable",
    "priority",
)
_LIMITS = ("valid_for", "audience_cap", "uses_per_code", "uses_per_customer", "redemption_cap", "low_stock_threshold")


def changed(terms: PromotionTerms, input: PromotionUpdateInput, types: Types) -> tuple[Draft, bool]:
    """The promotion with the changes in, and whether its shared code is to stay as it is."""
    changes: dict[str, Any] = {}
    for name in _PLAIN:
        value = getattr(input, name)
        if value is not UNSET and value is not None:
            changes[name] = value
    for name in _LIMITS:
        if getattr(input, name) is not UNSET:
            changes[name] = getattr(input, name)
    for name, read in _READ.items():
        if getattr(input, name) is not UNSET:
            changes[name] = read(getattr(input, name))
    if input.condition is not UNSET:
        changes["condition"] = _condition(input.condition, types)
    new = replace(terms, **changes)
    is_single = new.code_kind is CodeKind.SINGLE
    single, fallback = input.single_code, input.fallback_code
    if single is UNSET and fallback is UNSET:
        return Draft(terms=new), True
    shared = _shared(is_single, None if single is UNSET else single, None if fallback is UNSET else fallback)
    return Draft(terms=new, shared_code=shared), False


def format_of(input: CodeFormatInput | None) -> code_formats.CodeFormat:
    if input is None:
        return code_formats.CodeFormat()
    return code_formats.CodeFormat(
        prefix=input.prefix,
        suffix=input.suffix,
        length=input.length,
        alphabet=input.alphabet,
        pattern=input.pattern,
        check=input.check_character,
    )


def _reward(input: RewardInput | None) -> Reward:
    return External() if input is None else read_reward(input)


def _condition(input: ConditionInput | None, types: Types) -> Condition | None:
    return None if input is None else read_condition(input, types=types)


def _period_cap(input: PeriodCapInput | None) -> PeriodCap | None:
    return None if input is None else PeriodCap(uses=input.uses, period=input.period)


def _properties(inputs: list[PropertyInput]) -> dict[str, str]:
    properties = {item.name: item.value for item in inputs}
    if len(properties) != len(inputs):
        raise BadInput(InputProblem.INVALID, "Each property is named once.", field=("properties",))
    return properties


def _window(input: WindowInput | None) -> windows.Window:
    if input is None:
        return windows.Window()
    zone = input.time_zone
    return windows.Window(
        time_zone=zone,
        starts_at=_edge("starts", input.starts_on, input.starts_at, lambda day: windows.start_of_day(day, zone)),
        ends_at=_edge("ends", input.ends_on, input.ends_at, lambda day: windows.end_of_day(day, zone)),
    )


def check_offset(instant: datetime | None, field: tuple[str, ...]) -> None:
    """BadInput for an instant that does not say where it was meant."""
    if instant is not None and instant.utcoffset() is None:
        raise BadInput(InputProblem.INVALID, "An instant needs its offset, such as 2026-12-01T09:00:00Z.", field=field)


def in_utc(instant: datetime | None, field: tuple[str, ...]) -> datetime | None:
    """The same instant in UTC; BadInput for one without an offset, and for one that UTC has no year for."""
    check_offset(instant, field)
    try:
        return None if instant is None else windows.in_utc(instant)
    except BadInput as problem:
        raise BadInput(problem.problem, str(problem), field=field) from None


def _edge(
    name: str, day: date | None, instant: datetime | None, instant_of: Callable[[date], datetime]
) -> datetime | None:
    """One end of a window in UTC, given as a day or as an instant; `name` is `starts` or `ends`."""
    field = ("window", f"{name}At" if day is None else f"{name}On")
    if day is not None and instant is not None:
        raise BadInput(InputProblem.INVALID, "Give either a day or an instant, not both.", field=field)
    check_offset(instant, field)
    try:
        return windows.in_utc(instant) if day is None else instant_of(day)
    except BadInput as problem:
        if problem.field:
            raise
        raise BadInput(problem.problem, str(problem), field=field) from None


_BUDGET = ("budget",)


def places_of(input: PromotionCreateInput | PromotionUpdateInput) -> Places:
    """Where the fields stand that the rules of promotions name, in an input of this shape."""
    end = "endsOn" if input.window and input.window.ends_on else "endsAt"
    shared = "fallbackCode" if input.fallback_code else "singleCode"
    # Money of a reward that was there before is in another currency than the budget that is new.
    reward = places_of_reward(input.reward) if input.reward else {"reward.value": _BUDGET, "reward.maximum": _BUDGET}
    return {
        **reward,
        "usesPerPeriod": ("usesPerPeriod", "uses"),
        "code": (shared,),
        "timeZone": ("window", "timeZone"),
        "endsAt": ("window", end),
        "endsOn": ("window", "endsOn"),
        **{field: ("codeFormat", field) for field in FORMAT_FIELDS},
    }


def _shared(is_single: bool, single: str | None, fallback: str | None) -> str | None:
    if is_single and fallback is not None:
        raise BadInput(InputProblem.INVALID, "A SINGLE promotion has no fallback code.", field=("fallbackCode",))
    if not is_single and single is not None:
        raise BadInput(InputProblem.INVALID, "Only a SINGLE promotion has a single code.", field=("singleCode",))
    return single if is_single else fallback


# What null means is what these make of it: an external reward, no limit, the defaults.
_READ: Mapping[str, Callable[[Any], Any]] = {
    "reward": _reward,
    "budget": lambda given: read_money(given, "budget"),
    "uses_per_period": _period_cap,
    "properties": lambda given: _properties(given or []),
    "code_format": format_of,
    "window": _window,
}
