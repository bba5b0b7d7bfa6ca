"""What the names in a message mean, and which of them mean nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from difflib import get_close_matches
from typing import Any

from promograph.domain.promotions import Promotion, PromotionStatus
from promograph.domain.sending.messages import CodeAct, TemplateFault, TemplateProblem
from promograph.domain.windows import last_instant, zone
from promograph.store import promotions
from promograph.store.databases.database import Connection
from promograph.store.people import attributes
from promograph.templates.facts import OWN, Fact, Source
from promograph.templates.rendering import ReadContent
from promograph.templates.slots import Place

_OVER = (PromotionStatus.ENDED, PromotionStatus.ARCHIVED)


class _Wrong(Exception):
    def __init__(self, fault: TemplateFault, message: str) -> None:
        super().__init__(message)
        self.fault = fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """Of the names in a message: `found` are the promotions as the templates name them, `constants` what is the same
    for every customer, `problems` the names that mean nothing, in the order of their first mention."""

    found: Mapping[str, Promotion]
    constants: Mapping[Fact, Any] = field(default_factory=dict)
    problems: tuple[TemplateProblem, ...] = ()


def look_up(connection: Connection, read: ReadContent, own: str | None, now: datetime) -> Meaning:
    """`own`: the handle or name of the promotion that the message is for, if it is for one."""
    named = {fact.promotion for fact in read.places if fact.source not in (Source.CUSTOMER, Source.ATTRIBUTE)}
    wanted = {own if name == OWN and own is not None else name for name in named} - {OWN}
    by_handle = promotions.by_handle(connection, sorted(wanted))
    by_name = promotions.by_name(connection, sorted(wanted - by_handle.keys()))
    known = list(attributes.every(connection))
    found: dict[str, Promotion] = {}
    constants: dict[Fact, Any] = {}
    problems = []
    for fact, place in read.places.items():
        try:
            if fact.source is Source.ATTRIBUTE:
                _check_attribute(fact.name, known)
            elif fact.source is not Source.CUSTOMER:
                name = own if fact.promotion == OWN else fact.promotion
                found[fact.promotion] = _one(name, by_handle, by_name)
                _settle(fact, found[fact.promotion], constants, now)
        except _Wrong as wrong:
            problems.append(_told(wrong, place))
    return Meaning(found=found, constants=constants, problems=tuple(problems))


def _one(name: str | None, by_handle: Mapping[str, Promotion], by_name: Mapping[str, list[Promotion]]) -> Promotion:
    if name is None:
        sentence = "Say which promotion the message is for, or name one here: client.promocode('spring-sale')."
        raise _Wrong(TemplateFault.UNKNOWN_PROMOTION, sentence)
    if name in by_handle:
        return by_handle[name]
    there = by_name.get(name, [])
    if len(there) == 1:
        return there[0]
    if there:
        handles = ", ".join(promotion.terms.handle for promotion in there[:5])
        sentence = f"{len(there)} promotions are named {name!r}; write the handle of one: {handles}."
    else:
        sentence = f"No promotion has the handle or the name {name!r}; look for it in the lobby, or create it first."
    raise _Wrong(TemplateFault.UNKNOWN_PROMOTION, sentence)


def _settle(fact: Fact, promotion: Promotion, constants: dict[Fact, Any], now: datetime) -> None:
    """Put into `constants` what the promotion says, if it is that which is asked for."""
    terms = promotion.terms
    match fact.source:
        case Source.PROMOTION:
            constants[fact] = _field(promotion, fact.name)
        case Source.PROPERTY:
            if fact.name not in terms.properties:
                has = f"it has {', '.join(terms.properties)}" if terms.properties else "it has none"
                sentence = f"The promotion {terms.handle!r} has no property {fact.name!r}; {has}."
                raise _Wrong(TemplateFault.UNKNOWN_NAME, sentence)
            constants[fact] = terms.properties[fact.name]
        case _ if fact.name == CodeAct.ISSUE and promotion.status(now) in _OVER:
            sentence = f"The promotion {terms.handle!r} is {promotion.status(now)} and issues no codes any more."
            raise _Wrong(TemplateFault.PROMOTION_OVER, sentence)


def _field(promotion: Promotion, name: str) -> Any:
    """Instants as days of the promotion's own time zone: the first, and the last that still counts."""
    window = promotion.terms.window
    match name:
        case "starts_at":
            return None if window.starts_at is None else window.starts_at.astimezone(zone(window.time_zone))
        case "ends_at":
            return last_instant(window.ends_at, window.time_zone)
    return getattr(promotion.terms, name)


def _check_attribute(name: str, known: list[str]) -> None:
    if name in known:
        return
    near = get_close_matches(name, known, 1)
    hint = f"did you mean {near[0]!r}?" if near else "tell of customers who have it first."
    raise _Wrong(TemplateFault.UNKNOWN_NAME, f"No customer has the attribute {name!r}; {hint}")


def _told(wrong: _Wrong, place: Place) -> TemplateProblem:
    part, line = place
    return TemplateProblem(part=part, line=line, fault=wrong.fault, message=str(wrong))
