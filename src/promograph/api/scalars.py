"""Scalars of this schema."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, NewType

import strawberry
from starlette.datastructures import UploadFile
from strawberry.file_uploads import Upload
from strawberry.schema.types.base_scalars import DateTimeDefinition

from promograph.domain.currencies import DIGITS
from promograph.domain.durations import parse_duration, show_duration

Duration = NewType("Duration", timedelta)
CurrencyCode = NewType("CurrencyCode", str)
Attributes = NewType("Attributes", dict[str, Any])


def _currency(value: Any) -> str:
    if not isinstance(value, str) or value not in DIGITS:
        raise ValueError("A currency is an ISO 4217 code in upper case, such as EUR.")
    return value


def _duration(value: Any) -> timedelta:
    if not isinstance(value, str):
        raise ValueError("A duration is a text such as PT48H.")
    return parse_duration(value)


def _attributes(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError('Attributes are an object of names and values, such as {"tier": "gold"}.')
    return value


def _shown_instant(value: Any) -> Any:
    """ISO 8601, as Strawberry's own. Answers of a page or of a batch share their instants, and to find one's text again
    takes a tenth of the time of writing it. Only those in UTC: equal ones of other zones are written differently.
    """
    if value.__class__ is datetime and value.tzinfo is UTC:
        return _shown_utc(value)
    return value.isoformat()


_shown_utc = lru_cache(maxsize=1024)(datetime.isoformat)


def _file(value: Any) -> UploadFile:
    if not isinstance(value, UploadFile):
        raise ValueError("A file is sent by the GraphQL multipart request specification, with null in its place here.")
    return value


SCALARS: dict[object, Any] = {
    datetime: replace(DateTimeDefinition, serialize=_shown_instant),
    Attributes: strawberry.scalar(
        name="Attributes",
        description="Attributes of a customer: an object of names and values. A value is a text, a number (as such or, "
        'to the last digit, as `{"number": "12.50"}`), true or false, a date (`{"date": "2026-12-15"}`), a list of one '
        "of these, or null, which takes the attribute away. The first value of an attribute settles its type; where "
        "that is a date, the plain text `2026-12-15` is one too.",
        parse_value=_attributes,
    ),
    Upload: strawberry.scalar(
        name="Upload",
        description="A file, sent by the GraphQL multipart request specification.",
        parse_value=_file,
    ),
    Duration: strawberry.scalar(
        name="Duration",
        description="A length of time as ISO 8601 writes it, without months and years: `PT48H`, `P30D`.",
        serialize=show_duration,
        parse_value=_duration,
    ),
    CurrencyCode: strawberry.scalar(
        name="CurrencyCode",
        description="A currency's ISO 4217 code, such as `EUR`.",
        serialize=str,
        parse_value=_currency,
    ),
}
