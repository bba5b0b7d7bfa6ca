"""Values of one of several types, as conditions compare them and customers have them."""

import datetime
from decimal import Decimal
from typing import Any

import strawberry
from strawberry import UNSET

from promograph.api.rights import EVERYBODY
from promograph.domain.conditions import days as condition_days
from promograph.domain.conditions import values as condition_values
from promograph.domain.conditions.values import Scalar, ValueType, type_of

_FIELDS = ("text", "number", "boolean", "date", "day", "texts", "numbers", "booleans", "dates")
_OF_TYPE = {
    ValueType.TEXT: "text",
    ValueType.NUMBER: "number",
    ValueType.BOOLEAN: "boolean",
    ValueType.DATE: "date",
}


_DAYS = "How many days after today; -1 is yesterday."
_ZONE = "The time zone in which it is today, by its IANA name."


@strawberry.input(description="A day that moves with the clock.")
class MovingDayInput:
    days: int = strawberry.field(description=_DAYS)
    time_zone: str = strawberry.field(default="UTC", description=_ZONE)


@strawberry.type(description="A day that moves with the clock.", directives=EVERYBODY)
class MovingDay:
    days: int = strawberry.field(description=_DAYS)
    time_zone: str = strawberry.field(description=_ZONE)


@strawberry.input(one_of=True, description="A value, or a list of values of one type.")
class ValueInput:
    text: str | None = strawberry.field(default=UNSET, description="A text, at most 500 characters.")
    number: Decimal | None = strawberry.field(default=UNSET, description="A number, at most 9 decimal places.")
    boolean: bool | None = strawberry.field(default=UNSET, description="Yes or no.")
    date: datetime.date | None = strawberry.field(default=UNSET, description="A day.")
    day: MovingDayInput | None = strawberry.field(default=UNSET, description="A day that moves with the clock.")
    texts: list[str] | None = strawberry.field(default=UNSET, description="Texts, at most 100.")
    numbers: list[Decimal] | None = strawberry.field(default=UNSET, description="Numbers, at most 100.")
    booleans: list[bool] | None = strawberry.field(default=UNSET, description="Yes and no, at most 100.")
    dates: list[datetime.date] | None = strawberry.field(default=UNSET, description="Days, at most 100.")


@strawberry.type(description="A value: the one field that is not null has it.", directives=EVERYBODY)
class Value:
    text: str | None = strawberry.field(default=None, description="A text.")
    number: Decimal | None = strawberry.field(default=None, description="A number.")
    boolean: bool | None = strawberry.field(default=None, description="Yes or no.")
    date: datetime.date | None = strawberry.field(default=None, description="A day.")
    day: MovingDay | None = strawberry.field(default=None, description="A day that moves with the clock.")
    texts: list[str] | None = strawberry.field(default=None, description="Texts.")
    numbers: list[Decimal] | None = strawberry.field(default=None, description="Numbers.")
    booleans: list[bool] | None = strawberry.field(default=None, description="Yes and no.")
    dates: list[datetime.date] | None = strawberry.field(default=None, description="Days.")


def given_field(input: ValueInput) -> str:
    """The name of the one field that the caller has filled in."""
    return next(name for name in _FIELDS if getattr(input, name) is not UNSET)


def read_value(input: ValueInput) -> Any:
    """The value as the rules read it: see `condition_value_reading`."""
    given = getattr(input, given_field(input))
    return {"day": {"days": given.days, "timeZone": given.time_zone}} if isinstance(given, MovingDayInput) else given


def shown_value(value: condition_values.Value | condition_days.MovingDay) -> Value:
    if isinstance(value, condition_days.MovingDay):
        return Value(day=MovingDay(days=value.days, time_zone=value.time_zone))
    return Value(**{_field(value): list(value) if isinstance(value, tuple) else value})  # type: ignore[arg-type]


def value_as_input(value: condition_values.Value | condition_days.MovingDay) -> dict[str, Any]:
    """What a ValueInput of this value is as JSON."""
    if isinstance(value, condition_days.MovingDay):
        return {"day": value.dump()}
    plain = [_plain(member) for member in value] if isinstance(value, tuple) else _plain(value)
    return {_field(value): plain}


def _field(value: condition_values.Value) -> str:
    if isinstance(value, tuple):
        return f"{_OF_TYPE[type_of(value[0])]}s" if value else "texts"
    return _OF_TYPE[type_of(value)]


def _plain(value: Scalar) -> Any:
    """Numbers as texts, which lose no digit on the way."""
    match value:
        case bool() | str():
            return value
        case datetime.date():
            return value.isoformat()
        case _:
            return f"{value:f}" if isinstance(value, Decimal) else str(value)
