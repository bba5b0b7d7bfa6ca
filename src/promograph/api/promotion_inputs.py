"""What the promotion mutations take."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import strawberry
from strawberry import UNSET

from promograph.api.answering import Places
from promograph.api.scalars import Duration
from promograph.domain import code_formats, windows
from promograph.domain.promotions import CodeKind, IssuePolicy, OnEmpty, PromotionTerms, RewardKind
from promograph.errors import BadInput, InputProblem
from promograph.services.promoting import Draft

KEY = "Repeat the call with the same key and it is done once: at most 128 characters."
FORMAT_FIELDS = ("prefix", "suffix", "length", "alphabet", "pattern")


@strawberry.input(description="A free property.")
class PropertyInput:
    name: str = strawberry.field(description="The property's name, 1 to 64 characters.")
    value: str = strawberry.field(description="The property's value, at most 500 characters.")


@strawberry.input(
    description="When a promotion runs. A day is meant in the time zone, from its first instant to its last; an "
    "instant is an instant anywhere. Leave both out for an open end."
)
class WindowInput:
    time_zone: str = strawberry.field(default="UTC", description="An IANA time zone, such as `America/Toronto`.")
    starts_on: date | None = strawberry.field(default=None, description="The first day.")
    starts_at: datetime | None = strawberry.field(default=None, description="The first instant, instead of a day.")
    ends_on: date | None = strawberry.field(default=None, description="The last day, included.")
    ends_at: datetime | None = strawberry.field(
        default=None, description="The first instant after it, instead of a day."
    )


@strawberry.input(description="How generated codes look: a length or a pattern, between a prefix and a suffix.")
class CodeFormatInput:
    prefix: str = strawberry.field(default="", description="Stands before the random part.")
    suffix: str = strawberry.field(default="", description="Stands after the random part.")
    length: int = strawberry.field(default=code_formats.DEFAULT_LENGTH, description="How many random characters.")
    alphabet: str = strawberry.field(
        default=code_formats.DEFAULT_ALPHABET, description="The random characters are of these."
    )
    pattern: str | None = strawberry.field(
        default=None, description="Instead of a length: `#` is a random character, others stand for themselves."
    )


@strawberry.input(description="A promotion to set up. What is left out has the default that is named.")
class PromotionCreateInput:
    name: str = strawberry.field(description="The name for people, at most 200 characters.")
    handle: str | None = strawberry.field(
        default=None,
        description="The unique name for programs: a-z, 0-9, and . _ - inside; made from the name if left out.",
    )
    description: str = strawberry.field(default="", description="What it is about.")
    properties: list[PropertyInput] = strawberry.field(default_factory=list, description="At most 50, each name once.")
    reward: RewardKind = strawberry.field(default=RewardKind.EXTERNAL, description="What its codes are worth.")
    code_kind: CodeKind = strawberry.field(default=CodeKind.PERSONALIZED, description="How codes relate to people.")
    single_code: str | None = strawberry.field(default=None, description="The code of a SINGLE promotion.")
    issue_policy: IssuePolicy = strawberry.field(
        default=IssuePolicy.PER_CUSTOMER, description="On which occasions a customer gets a code."
    )
    on_empty: OnEmpty = strawberry.field(default=OnEmpty.REFUSE, description="What happens when the pool is empty.")
    fallback_code: str | None = strawberry.field(
        default=None, description="The code that everybody shares when the pool is empty; not for SINGLE."
    )
    code_format: CodeFormatInput | None = strawberry.field(
        default=None, description="How generated codes look: ten unambiguous characters if left out."
    )
    window: WindowInput | None = strawberry.field(default=None, description="When it runs; open if left out.")
    valid_for: Duration | None = strawberry.field(default=None, description="How long an issued code works.")
    audience_cap: int | None = strawberry.field(default=None, description="At most so many customers get a code.")
    uses_per_code: int | None = strawberry.field(
        default=UNSET, description="How often a code works; null: without limit. Left out: 1, and for SINGLE no limit."
    )
    uses_per_customer: int | None = strawberry.field(default=None, description="How often a customer may redeem.")
    holder_only: bool = strawberry.field(
        default=False, description="Whether only the customer who has a code may redeem it."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="Changes of a promotion. What is left out stays; null takes a limit away.")
class PromotionUpdateInput:
    id: strawberry.ID = strawberry.field(description="The promotion.")
    name: str | None = strawberry.field(default=UNSET, description="The name for people.")
    handle: str | None = strawberry.field(default=UNSET, description="The name for programs; only while it is a draft.")
    description: str | None = strawberry.field(default=UNSET, description="What it is about.")
    properties: list[PropertyInput] | None = strawberry.field(default=UNSET, description="All of the properties anew.")
    code_kind: CodeKind | None = strawberry.field(default=UNSET, description="Only while it is a draft.")
    single_code: str | None = strawberry.field(
        default=UNSET, description="The code of a SINGLE promotion, until it is given out."
    )
    issue_policy: IssuePolicy | None = strawberry.field(default=UNSET, description="Only while it is a draft.")
    on_empty: OnEmpty | None = strawberry.field(default=UNSET, description="What happens when the pool is empty.")
    fallback_code: str | None = strawberry.field(default=UNSET, description="The shared code, until it is given out.")
    code_format: CodeFormatInput | None = strawberry.field(default=UNSET, description="How generated codes look.")
    window: WindowInput | None = strawberry.field(default=UNSET, description="When it runs.")
    valid_for: Duration | None = strawberry.field(default=UNSET, description="How long a code works once issued.")
    audience_cap: int | None = strawberry.field(default=UNSET, description="At most so many customers get a code.")
    uses_per_code: int | None = strawberry.field(default=UNSET, description="How often a code works.")
    uses_per_customer: int | None = strawberry.field(default=UNSET, description="How often a customer may redeem.")
    holder_only: bool | None = strawberry.field(default=UNSET, description="Whether only its holder may redeem a code.")


def draft_of(input: PromotionCreateInput) -> Draft:
    """BadInput where texts of the input cannot be meant."""
    is_single = input.code_kind is CodeKind.SINGLE
    uses = input.uses_per_code
    terms = PromotionTerms(
        handle=input.handle or "",
        name=input.name,
        description=input.description,
        properties=_properties(input.properties),
        reward=input.reward,
        code_kind=input.code_kind,
        issue_policy=input.issue_policy,
        on_empty=input.on_empty,
        code_format=format_of(input.code_format),
        window=_window(input.window),
        valid_for=input.valid_for,
        audience_cap=input.audience_cap,
        uses_per_code=(None if is_single else 1) if uses is UNSET else uses,
        uses_per_customer=input.uses_per_customer,
        holder_only=input.holder_only,
    )
    return Draft(terms=terms, shared_code=_shared(is_single, input.single_code, input.fallback_code))


_PLAIN = ("name", "handle", "description", "code_kind", "issue_policy", "on_empty", "holder_only")
_LIMITS = ("valid_for", "audience_cap", "uses_per_code", "uses_per_customer")


def changed(terms: PromotionTerms, input: PromotionUpdateInput) -> tuple[Draft, bool]:
    """The promotion with the changes in, and whether its shared code is to stay as it is."""
    changes: dict[str, Any] = {}
    for name in _PLAIN:
        value = getattr(input, name)
        if value is not UNSET and value is not None:
            changes[name] = value
    for name in _LIMITS:
        if getattr(input, name) is not UNSET:
            changes[name] = getattr(input, name)
    if input.properties is not UNSET:
        changes["properties"] = _properties(input.properties or [])
    if input.code_format is not UNSET:
        changes["code_format"] = format_of(input.code_format)
    if input.window is not UNSET:
        changes["window"] = _window(input.window)
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
    )


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


def _edge(
    name: str, day: date | None, instant: datetime | None, instant_of: Callable[[date], datetime]
) -> datetime | None:
    """One end of a window in UTC, given as a day or as an instant; `name` is `starts` or `ends`."""
    field = ("window", f"{name}At" if day is None else f"{name}On")
    if day is not None and instant is not None:
        raise BadInput(InputProblem.INVALID, "Give either a day or an instant, not both.", field=field)
    if instant is not None and instant.utcoffset() is None:
        raise BadInput(InputProblem.INVALID, "An instant needs its offset, such as 2026-12-01T09:00:00Z.", field=field)
    try:
        return windows.in_utc(instant) if day is None else instant_of(day)
    except BadInput as problem:
        if problem.field:
            raise
        raise BadInput(problem.problem, str(problem), field=field) from None


def places_of(input: PromotionCreateInput | PromotionUpdateInput) -> Places:
    """Where the fields stand that the rules of promotions name, in an input of this shape."""
    end = "endsOn" if input.window and input.window.ends_on else "endsAt"
    shared = "fallbackCode" if input.fallback_code else "singleCode"
    return {
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
