"""Customers' attributes as JSON in the store, in one form for each value, so that equal values are equal texts.

Texts and truths are themselves, numbers are decimals without zeros at the end and without an exponent, a date is
`{"date": "2026-12-15"}`, a list an array of these. Numbers come back to the last digit.
"""

import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import orjson

from promograph.domain.conditions.values import Scalar, Value
from promograph.domain.people.attributes import Written, plain_scalar


def dump_attributes(attributes: Mapping[str, Written]) -> str:
    """As JSON, in which None is null."""
    return dump_json(attributes)


def dump_json(data: object) -> str:
    """With the values of attributes as they are kept."""
    return orjson.dumps(data, default=_written, option=orjson.OPT_PASSTHROUGH_DATETIME).decode()


def load_attributes(text: str) -> dict[str, Value]:
    return {name: value_of(data) for name, data in load_json(text).items()}


def load_json(text: str) -> Any:
    """With decimals as such. orjson knows only binary fractions, and is asked where there is none."""
    return orjson.loads(text) if "." not in text else json.loads(text, parse_float=Decimal)


def value_of(data: Any) -> Value:
    """From what `load_json` gave."""
    if isinstance(data, list):
        return tuple(map(_scalar, data))
    return _scalar(data)


def written_scalar(value: Scalar) -> str:
    """As it stands in the JSON of the attributes."""
    return dump_json(plain_scalar(value))


def _scalar(data: Any) -> Scalar:
    return date.fromisoformat(data["date"]) if isinstance(data, dict) else data


def _written(value: object) -> Any:
    if isinstance(value, Decimal):
        return orjson.Fragment(f"{value:f}")
    if isinstance(value, date):
        return {"date": value.isoformat()}
    raise TypeError(f"a {type(value).__name__} is no value of an attribute")
