"""One request by the schema and by its compiled operation."""

import asyncio
from collections import Counter
from random import Random
from typing import Any

import orjson
import strawberry
from graphql import DocumentNode, GraphQLError, parse, specified_rules, validate
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

import strawberry_compiled
from strawberry_compiled.testing import Maker, Scalars

from .shop_schema import Context

TEXTS: Scalars = {
    "Decimal": ["1.50", "x", 3],
    "DateTime": ["2026-01-01T00:00:00Z", "never"],
    "JSON": [1, "a"],
    "ID": ["1", "Q29kZTox", 7],
}


_RULES = (*specified_rules, MaybeNullValidationRule, OneOfInputValidationRule)


def is_valid(schema: strawberry.Schema, document: DocumentNode) -> bool:
    try:
        return not validate(schema._schema, document, _RULES)
    except (AttributeError, KeyError):  # the last rule looks for a fragment's variable in the wrong place
        return False


async def both(schema: strawberry.Schema, text: str, given: Any = None, *, may: bool = True) -> str:
    """What became of the request: `compiled`, `declined` (the operation) or `left` (these variables).

    Fails where the answers are not the same.
    """
    document = parse(text)
    assert is_valid(schema, document), text
    compiled = strawberry_compiled.compile(schema, document)
    if compiled is None:
        return "declined"
    mine = Context(may=may)
    found = await compiled(given, context=mine)
    if found is None:
        assert mine.calls == [], "nothing may have run"
        return "left"
    usual = Context(may=may)
    wanted = await schema.execute(text, given, context_value=usual)
    assert shown(found.data, found.errors) == shown(wanted.data, wanted.errors), f"{text}\n{given}"
    # Past an error the neighbours still run, for a while that is nobody's business.
    assert found.errors or mine.calls == usual.calls, f"{mine.calls}\n{usual.calls}\n{text}\n{given}"
    return "compiled"


def shown(data: Any, errors: list[GraphQLError] | None) -> bytes:
    """The answer as JSON, with what the errors come from."""
    told = [[error.formatted, repr(error.original_error), error.path] for error in errors or ()]
    return orjson.dumps([data, told], default=repr)


async def compared(schema: strawberry.Schema, seed: int, count: int, depth: int = 5) -> Counter[str]:
    """So many random requests, each both ways; how many went which way."""
    random = Random(seed)
    maker = Maker(schema._schema, random, TEXTS, depth)
    core = schema._schema
    went: Counter[str] = Counter()
    roots = [(root, name) for root in (core.query_type, core.mutation_type) if root for name in root.fields]
    while went.total() < count:
        root, name = random.choice(roots)
        text, given = maker.request(root, name if random.random() < 0.7 else None)
        if not is_valid(schema, parse(text)):
            went["invalid"] += 1
            continue
        went[await asyncio.wait_for(both(schema, text, given, may=random.random() < 0.8), 300)] += 1
    return went
