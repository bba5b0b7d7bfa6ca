"""What PostgreSQL is asked about an attribute: a path into its jsonb that must lead somewhere.

`[*]` goes through the members of a list, and takes anything else for a list of one. Comparing values of two types is
never true there, numbers are compared to their last digit, and texts letter by letter.
"""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import orjson

from promograph.domain.conditions.attributes import AttributeIs
from promograph.domain.conditions.days import MovingDay
from promograph.domain.conditions.values import Op, Scalar
from promograph.store.people.values import written_scalar

# From more values than these on PostgreSQL makes a table of an array.
_FEW = 8

_SIGNS = {Op.EQUALS: "==", Op.IN: "==", Op.LT: "<", Op.LTE: "<=", Op.GT: ">", Op.GTE: ">="}


def attribute_is(leaf: AttributeIs, put: Callable[[Any], str]) -> str:
    """The expression over `c.attributes`."""
    if leaf.op is Op.EXISTS:
        return f"c.attributes -> CAST({put(leaf.name)} AS text) IS NOT NULL"
    assert leaf.value is not None and not isinstance(leaf.value, MovingDay), (
        "only EXISTS has no value, and no day moves"
    )
    values = leaf.value if isinstance(leaf.value, tuple) else (leaf.value,)
    if len(values) > _FEW:
        return _is_among(leaf, values, put)
    return _matches(leaf, values, put)


def _is_among(leaf: AttributeIs, values: Sequence[Scalar], put: Callable[[Any], str]) -> str:
    """Looked up in a table that is made once, where a path would go through all of the values for each customer."""
    held = f"c.attributes -> CAST({put(leaf.name)} AS text)"
    wanted = put([written_scalar(value) for value in values])
    return (
        f"CASE WHEN jsonb_typeof({held}) = 'array' THEN {_matches(leaf, values, put)} "
        f"ELSE coalesce({held} = ANY(CAST({wanted} AS jsonb[])), false) END"
    )


def _matches(leaf: AttributeIs, values: Sequence[Scalar], put: Callable[[Any], str]) -> str:
    is_date = isinstance(values[0], date) if values else False
    step = '."date"' if is_date else ""
    compared = " || ".join(f"@ {_SIGNS[leaf.op]} {_literal(value)}" for value in values)
    path = f"$.{orjson.dumps(leaf.name).decode()}[*]{step} ? ({compared})"
    return f"c.attributes @? CAST({put(path)} AS jsonpath)"


def _literal(value: Scalar) -> str:
    """In a path, values are written as in JSON."""
    return orjson.dumps(value.isoformat()).decode() if isinstance(value, date) else written_scalar(value)
