"""Requests at random for any schema, to compare the answers of compiled operations with the schema's own.

Most are right; now and then a variable is wrong.
"""

from random import Random
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    is_leaf_type,
)
from graphql.type import is_required_argument, is_required_input_field

Scalars = dict[str, list[Any]]
"""Values to choose from, by the name of the scalar."""

USUAL: Scalars = {
    "String": ["", "a", "zwölf", "SAVE20"],
    "ID": ["1", "x", 7],
    "Int": [0, 1, 3, 2147483647],
    "Float": [0.5, 2, 1e9],
    "Boolean": [True, False],
}
_WRONG: list[Any] = [None, "wrong", 2**40, -1, 1.5, True, [], {}, ["x", None], {"no": "such"}]


class Maker:
    """Makes one document after the other; `depth` bounds the levels of fields."""

    def __init__(self, schema: GraphQLSchema, random: Random, scalars: Scalars | None = None, depth: int = 5) -> None:
        self._schema = schema
        self._random = random
        self._scalars = {**USUAL, **(scalars or {})}
        self._depth = depth

    def request(self, root: GraphQLObjectType, field: str | None = None) -> tuple[str, dict[str, Any]]:
        """A document with one operation on `root` (on that field of it, or on some), and its variables."""
        self._variables: dict[str, tuple[str, Any]] = {}
        self._fragments: list[str] = []
        self._aliases = 0
        kind = "mutation" if root is self._schema.mutation_type else "query"
        if field is None:
            selections = self._selections(root, self._depth)
        else:
            selections = " ".join(self._field(root, field, self._depth) for _ in range(self._some(1, 1, 1, 2)))
        declared = ", ".join(f"${name}: {type_}" for name, (type_, _) in self._variables.items())
        text = f"{kind} It{f'({declared})' if declared else ''} {{ {selections} }} {' '.join(self._fragments)}"
        given = {name: value for name, (_, value) in self._variables.items() if value is not ...}
        if given and self._maybe(0.15):
            given[self._random.choice(list(given))] = self._random.choice(_WRONG)
        if given and self._maybe(0.05):
            del given[self._random.choice(list(given))]
        return text, given

    def _selections(self, kind: Any, depth: int) -> str:
        if isinstance(kind, GraphQLUnionType):
            names: list[str] = []
        else:
            names = [
                name for name, field in kind.fields.items() if depth > 1 or is_leaf_type(get_named_type(field.type))
            ]
        chosen = self._random.sample(names, min(len(names), self._some(1, 2, 3, 5)))
        parts = [self._field(kind, name, depth) for name in chosen]
        if self._maybe(0.2) or not parts:
            parts.append(f"{self._alias() if self._maybe(0.3) else ''}__typename{self._directive()}")
        if self._maybe(0.3) or isinstance(kind, GraphQLUnionType | GraphQLInterfaceType):
            parts += [self._fragment(kind, depth) for _ in range(self._some(1, 1, 2))]
        if parts and self._maybe(0.1):
            parts.append(self._random.choice(parts))
        self._random.shuffle(parts)
        return " ".join(parts)

    def _fragment(self, kind: Any, depth: int) -> str:
        possible = list(self._schema.get_possible_types(kind)) if not isinstance(kind, GraphQLObjectType) else [kind]
        on = self._random.choice([*possible, kind])
        inner = self._selections(on, depth)
        if self._maybe(0.5):
            return (
                f"... {f'on {on.name}' if on is not kind or self._maybe(0.5) else ''}{self._directive()} {{ {inner} }}"
            )
        name = f"F{len(self._fragments)}"
        self._fragments.append(f"fragment {name} on {on.name} {{ {inner} }}")
        return f"...{name}{self._directive()}"

    def _field(self, kind: Any, name: str, depth: int) -> str:
        field = kind.fields[name]
        arguments = []
        for argument, declared in field.args.items():
            if is_required_argument(declared) or self._maybe(0.5):
                arguments.append(f"{argument}: {self._literal(declared.type, 3)}")
        below = get_named_type(field.type)
        inner = "" if is_leaf_type(below) else f" {{ {self._selections(below, depth - 1)} }}"
        alias = self._alias() if arguments or self._maybe(0.2) else ""
        return f"{alias}{name}{f'({chr(44).join(arguments)})' if arguments else ''}{self._directive()}{inner}"

    def _literal(self, type_: Any, depth: int) -> str:
        """As a literal or as a variable; an object may hold either."""
        if self._maybe(0.4):
            value: Any = self._value(type_, depth)
            if not isinstance(type_, GraphQLNonNull) and self._maybe(0.15):
                value = ...
            return f"${self._variable(str(type_), value)}"
        if isinstance(type_, GraphQLNonNull):
            return self._of(type_.of_type, depth)
        return "null" if self._maybe(0.1) else self._of(type_, depth)

    def _of(self, type_: Any, depth: int) -> str:
        if isinstance(type_, GraphQLList):
            return f"[{', '.join(self._literal(type_.of_type, depth - 1) for _ in range(self._some(0, 1, 2)))}]"
        if isinstance(type_, GraphQLInputObjectType):
            fields = [
                f"{name}: {self._literal(type_.fields[name].type, depth - 1)}" for name in self._names(type_, depth)
            ]
            return f"{{{', '.join(fields)}}}"
        return _written(self._leaf(type_), type_)

    def _value(self, type_: Any, depth: int) -> Any:
        if isinstance(type_, GraphQLNonNull):
            return self._value_of(type_.of_type, depth)
        return None if self._maybe(0.1) else self._value_of(type_, depth)

    def _value_of(self, type_: Any, depth: int) -> Any:
        if isinstance(type_, GraphQLList):
            return [self._value(type_.of_type, depth - 1) for _ in range(self._some(0, 1, 2))]
        if isinstance(type_, GraphQLInputObjectType):
            return {name: self._value(type_.fields[name].type, depth - 1) for name in self._names(type_, depth)}
        return self._leaf(type_)

    def _names(self, type_: GraphQLInputObjectType, depth: int) -> list[str]:
        if type_.is_one_of or (type_.out_type.__name__ == "check_one_of"):
            flat = [name for name, field in type_.fields.items() if _is_leaf(field)]
            return [self._random.choice(flat if depth <= 0 and flat else list(type_.fields))]
        needed = [name for name, field in type_.fields.items() if is_required_input_field(field)]
        others = [name for name in type_.fields if name not in needed] if depth > 0 else []
        return needed + self._random.sample(others, min(len(others), self._some(0, 1, 2)))

    def _leaf(self, type_: Any) -> Any:
        if isinstance(type_, GraphQLEnumType):
            return self._random.choice(list(type_.values))
        return self._random.choice(self._scalars.get(type_.name, ["x"]))

    def _variable(self, type_: str, value: Any) -> str:
        name = f"v{len(self._variables)}"
        self._variables[name] = (type_, value)
        return name

    def _directive(self) -> str:
        if self._maybe(0.88):
            return ""
        value = self._random.choice(["true", "false", None, None])
        if value is None:
            value = f"${self._variable('Boolean!', self._random.choice([True, False]))}"
        return f" @{self._random.choice(['skip', 'include'])}(if: {value})"

    def _alias(self) -> str:
        self._aliases += 1
        return f"a{self._aliases}: "

    def _maybe(self, probability: float) -> bool:
        return self._random.random() < probability

    def _some(self, *counts: int) -> int:
        return self._random.choice(counts)


def _is_leaf(field: Any) -> bool:
    return is_leaf_type(get_named_type(field.type))


def _written(value: Any, type_: Any) -> str:
    if isinstance(type_, GraphQLEnumType):
        return str(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{name}: {_written(each, None)}' for name, each in value.items())}}}"
    if isinstance(value, int | float):
        return repr(value)
    text = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'
