"""Scalars of this schema."""

from datetime import timedelta
from typing import Any, NewType

import strawberry
from starlette.datastructures import UploadFile
from strawberry.file_uploads import Upload

from promograph.domain.currencies import DIGITS
from promograph.domain.durations import parse_duration, show_duration

Duration = NewType("Duration", timedelta)
CurrencyCode = NewType("CurrencyCode", str)


def _currency(value: Any) -> str:
    if not isinstance(value, str) or value not in DIGITS:
        raise ValueError("A currency is an ISO 4217 code in upper case, such as EUR.")
    return value


def _duration(value: Any) -> timedelta:
    if not isinstance(value, str):
        raise ValueError("A duration is a text such as PT48H.")
    return parse_duration(value)


def _file(value: Any) -> UploadFile:
    if not isinstance(value, UploadFile):
        raise ValueError("A file is sent by the GraphQL multipart request specification, with null in its place here.")
    return value


SCALARS: dict[object, Any] = {
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
