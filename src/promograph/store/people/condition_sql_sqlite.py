"""What SQLite is asked about an attribute in a JSON text.

`->` gives a part as it is written, with its type in the writing, and equal values are written alike (see
`customer_values`): so equality is one of texts. Numbers with decimals are the hard part of comparing: SQLite reads them
as binary fractions, which decide wherever they are not nearly equal; where they are, the digits do.
"""

from collections.abc import Callable
from datetime import date
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

import orjson

from promograph.domain.conditions.attributes import AttributeIs
from promograph.domain.conditions.days import MovingDay
from promograph.domain.conditions.values import ORDERING, Op
from promograph.store.people.values import written_scalar

Put = Callable[[Any], str]

_SIGNS = {Op.LT: "<", Op.LTE: "<=", Op.GT: ">", Op.GTE: ">="}
_TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}

_WHOLE_DIGITS, _DECIMALS = 19, 9
_WIDTH = _WHOLE_DIGITS + 1 + _DECIMALS
_NEAR = 1e-12
"""Numbers that differ by less of their size may be one number to SQLite; it is off by less than a thousandth of it."""


def attribute_is(leaf: AttributeIs, put: Put) -> str:
    """The expression over `c.attributes`."""
    if '"' in leaf.name or "\\" in leaf.name:
        return "false"  # no path leads there, and no attribute has such a name
    path = put(f'$."{leaf.name}"')
    if leaf.op is Op.EXISTS:
        return f"json_type(c.attributes, {path}) IS NOT NULL"
    assert leaf.value is not None and not isinstance(leaf.value, MovingDay), (
        "only EXISTS has no value, and no day moves"
    )
    if leaf.op not in ORDERING:
        return _is_one_of(leaf, path, put)
    assert not isinstance(leaf.value, tuple), "lists have no order"
    if isinstance(leaf.value, date):
        return _date_compares(leaf, leaf.value, path, put)
    assert isinstance(leaf.value, int | Decimal), "texts and truths have no order"
    return _number_compares(_SIGNS[leaf.op], Decimal(leaf.value), path, put)


def _is_one_of(leaf: AttributeIs, path: str, put: Put) -> str:
    values = leaf.value if isinstance(leaf.value, tuple) else (leaf.value,)
    written = [written_scalar(value) for value in values if value is not None and not isinstance(value, MovingDay)]
    wanted = (
        f"= {put(written[0])}"
        if len(written) == 1
        else f"IN (SELECT value FROM json_each({put(orjson.dumps(written).decode())}))"
    )
    member = (
        f"EXISTS (SELECT 1 FROM json_each(c.attributes, {path}) e WHERE (c.attributes -> {path}) -> e.key {wanted})"
    )
    return (
        f"CASE json_type(c.attributes, {path}) WHEN 'array' THEN {member} "
        f"ELSE coalesce(c.attributes -> {path} {wanted}, false) END"
    )


def _date_compares(leaf: AttributeIs, value: date, path: str, put: Put) -> str:
    """Dates as they are written sort as they come."""
    inside, compared = put(f'$."{leaf.name}"."date"'), f"{_SIGNS[leaf.op]} {put(value.isoformat())}"
    member = (
        f"EXISTS (SELECT 1 FROM json_each(c.attributes, {path}) e "
        f"WHERE e.type = 'object' AND json_extract(e.value, '$.date') {compared})"
    )
    return (
        f"CASE json_type(c.attributes, {path}) WHEN 'object' THEN json_extract(c.attributes, {inside}) {compared} "
        f"WHEN 'array' THEN {member} ELSE false END"
    )


def _number_compares(sign: str, value: Decimal, path: str, put: Put) -> str:
    bound = _Bound(sign, value, put)
    member = (
        f"EXISTS (SELECT 1 FROM json_each(c.attributes, {path}) e WHERE CASE e.type "
        f"{bound.cases('e.value', f'((c.attributes -> {path}) -> e.key)')} ELSE false END)"
    )
    number = bound.cases(f"json_extract(c.attributes, {path})", f"(c.attributes -> {path})")
    return f"CASE json_type(c.attributes, {path}) {number} WHEN 'array' THEN {member} ELSE false END"


class _Bound:
    """What a number is compared with, as parameters."""

    def __init__(self, sign: str, value: Decimal, put: Put) -> None:
        self._sign = sign
        self._is_negative = value < 0
        # A whole number is over 2.5 where it is over 2, and at least 2.5 where it is at least 3.
        rounding = ROUND_FLOOR if sign in (">", "<=") else ROUND_CEILING
        self._whole = put(int(value.to_integral_value(rounding)))
        near = abs(float(value)) * _NEAR
        self._low, self._high = put(float(value) - near), put(float(value) + near)
        self._digits = put(_padded(abs(value)))

    def cases(self, number: str, written: str) -> str:
        """For the two kinds of numbers that JSON has: WHEN … THEN whether it compares."""
        sure, unsure = (self._high, self._low) if self._sign.startswith(">") else (self._low, self._high)
        strictly = self._sign[0]
        closely = f"({number} {strictly}= {unsure} AND {self._exactly(written)})"
        return (
            f"WHEN 'integer' THEN {number} {self._sign} {self._whole} "
            f"WHEN 'real' THEN {number} {strictly} {sure} OR {closely}"
        )

    def _exactly(self, written: str) -> str:
        """By the digits. Near the bound it has the bound's sign, and behind a minus larger digits are less."""
        digits = f"substr({written}, 2)" if self._is_negative else written
        sign = _TURNED[self._sign] if self._is_negative else self._sign
        decimals = f"substr('{'0' * _DECIMALS}', 1, {_DECIMALS} - length({digits}) + instr({digits}, '.'))"
        return f"substr('{'0' * _WHOLE_DIGITS}' || {digits} || {decimals}, -{_WIDTH}) {sign} {self._digits}"


def _padded(value: Decimal) -> str:
    return f"{value:0{_WIDTH}.{_DECIMALS}f}"
