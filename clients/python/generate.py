"""Writes `promograph_client/operations.py` and the manifest of trusted documents from the schema and the documents.

Each type that is shown becomes one frozen dataclass, so every document has to ask the same of it. Run by `just client`;
a test compares what it would write with what is there.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from textwrap import wrap

from graphql import (
    FieldNode,
    GraphQLEnumType,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLScalarType,
    GraphQLSchema,
    OperationDefinitionNode,
    SelectionSetNode,
    build_schema,
    get_named_type,
    parse,
    type_from_ast,
    validate,
)

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = ROOT / "docs/checkout"
MANIFEST = DOCUMENTS / "documents.json"
MODULE = Path(__file__).parent / "promograph_client/operations.py"

HEAD = '''"""Made from schema.graphql and docs/checkout/*.graphql by `just client`; a change by hand does not last."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Generic, Self, TypeVar

Out = TypeVar("Out")


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation(Generic[Out]):
    """A document with one root field; `id` is the SHA-256 of its text, by which a server may know it."""

    name: str
    field: str
    id: str
    text: str
    read: Callable[[Any], Out]
'''

# How a scalar is written in Python, and how it is read from JSON.
SCALARS = {
    "Boolean": ("bool", "{}"),
    "CurrencyCode": ("str", "{}"),
    "DateTime": ("datetime", "datetime.fromisoformat({})"),
    "Decimal": ("Decimal", "Decimal({})"),
    "Duration": ("str", "{}"),
    "ID": ("str", "{}"),
    "Int": ("int", "{}"),
    "JSON": ("Any", "{}"),
    "String": ("str", "{}"),
}


def documents() -> dict[str, str]:
    """The texts by the names of their operations."""
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted(DOCUMENTS.glob("*.graphql"))}


def manifest() -> str:
    """As graphql-codegen and relay-compiler write one: an object of ids and texts."""
    return json.dumps({_id(text): text for text in documents().values()}, indent=2) + "\n"


def module() -> str:
    schema = build_schema((ROOT / "schema.graphql").read_text(encoding="utf-8"))
    written = "\n\n".join([HEAD, *Writer(schema).parts(documents())])
    command = [sys.executable, "-m", "ruff", "format", "--stdin-filename", str(MODULE), "-"]
    return subprocess.run(command, input=written, check=True, capture_output=True, text=True, cwd=ROOT).stdout


class Writer:
    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._selected: dict[str, str] = {}
        self._classes: dict[str, str] = {}

    def parts(self, texts: dict[str, str]) -> Iterator[str]:
        operations = [self._operation(name, text) for name, text in texts.items()]
        yield from self._classes.values()
        yield from operations

    def _operation(self, name: str, text: str) -> str:
        document = parse(text)
        problems = validate(self._schema, document)
        assert not problems, f"{name}: {problems}"
        (operation,) = document.definitions
        assert isinstance(operation, OperationDefinitionNode)
        assert operation.name is not None and operation.name.value == name, f"{name} is to be named as its file"
        for variable in operation.variable_definitions or ():
            self._input(type_from_ast(self._schema, variable.type))
        root = self._schema.get_root_type(operation.operation)
        (field,) = operation.selection_set.selections
        assert root is not None and isinstance(field, FieldNode)
        shown, read = self._output(root.fields[field.name.value].type, field.selection_set, "data")
        return (
            f"{_snake(name).upper()}: Operation[{shown}] = Operation(name={name!r}, field={field.name.value!r}, "
            f'id={_id(text)!r}, text="""{text}""", read=lambda data: {read})'
        )

    def _input(self, given: object) -> str:
        """The class of an input type, written once with those that it needs."""
        kind = get_named_type(given)  # type: ignore[call-overload]
        if isinstance(kind, GraphQLScalarType):
            return SCALARS[kind.name][0]
        assert isinstance(kind, GraphQLInputObjectType), f"{kind} is not provided for"
        if kind.name not in self._classes:
            self._classes[kind.name] = ""  # its place, after what it needs
            lines = [self._given(name, field) for name, field in kind.fields.items()]
            del self._classes[kind.name]
            lines.sort(key=lambda line: " = " in line)
            self._classes[kind.name] = _class(kind.name, kind.description, lines)
        return kind.name

    def _given(self, name: str, field: GraphQLInputField) -> str:
        kind, shown = field.type, self._input(field.type)
        assert field.ast_node is not None
        has_default = field.ast_node.default_value is not None
        inner = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
        if isinstance(inner, GraphQLList):
            return f"{_snake(name)}: Sequence[{shown}]" + (" = ()" if has_default else "")
        needed = isinstance(kind, GraphQLNonNull) and not has_default
        return f"{_snake(name)}: {shown}" + ("" if needed else " | None = None")

    def _output(self, kind: GraphQLOutputType, selected: SelectionSetNode | None, data: str) -> tuple[str, str]:
        """How it is written, and how it is read from `data`."""
        if isinstance(kind, GraphQLNonNull):
            return self._there(kind.of_type, selected, data)
        shown, read = self._there(kind, selected, data)
        return (shown, read) if read == data else (f"{shown} | None", f"None if {data} is None else {read}")

    def _there(self, kind: GraphQLOutputType, selected: SelectionSetNode | None, data: str) -> tuple[str, str]:
        if isinstance(kind, GraphQLList):
            shown, read = self._output(kind.of_type, selected, "each")
            return f"list[{shown}]", f"list({data})" if read == "each" else f"[{read} for each in {data}]"
        if isinstance(kind, GraphQLScalarType):
            shown, read = SCALARS[kind.name]
            return shown, read.format(data)
        if isinstance(kind, GraphQLEnumType):
            self._enum(kind)
            return "str", data
        assert isinstance(kind, GraphQLObjectType) and selected is not None, f"{kind} is not provided for"
        self._object(kind, selected)
        return kind.name, f"{kind.name}.read({data})"

    def _object(self, kind: GraphQLObjectType, selected: SelectionSetNode) -> None:
        names = []
        lines, reads = [], []
        for field in selected.selections:
            assert isinstance(field, FieldNode) and field.alias is None, "fields only"
            name = field.name.value
            names.append(name)
            declared = kind.fields[name].type
            shown, read = self._output(declared, field.selection_set, f'data["{name}"]')
            if not isinstance(declared, GraphQLNonNull) and not shown.endswith("None") and shown != "Any":
                shown = f"{shown} | None"
            lines.append(f"{_snake(name)}: {shown}")
            reads.append(f"{_snake(name)}={read}")
        known = self._selected.setdefault(kind.name, " ".join(names))
        assert known == " ".join(names), f"every document is to ask the same of {kind.name}: {known}"
        if kind.name in self._classes:
            return
        reader = f"@classmethod\n    def read(cls, data: Any) -> Self:\n        return cls({', '.join(reads)})"
        self._classes[kind.name] = _class(kind.name, kind.description, [*lines, "", reader])

    def _enum(self, kind: GraphQLEnumType) -> None:
        said = f"{kind.description} A newer server may know more: fields that hold one are plain texts."
        lines = [_said(said), "", *(f'{name} = "{name}"' for name in kind.values)]
        self._classes[kind.name] = f"class {kind.name}(StrEnum):\n    " + "\n    ".join(lines)


def _said(text: str) -> str:
    """A docstring within the lines of the house."""
    return "\n    ".join(wrap(f'"""{text}"""', 110, break_long_words=False))


def _class(name: str, description: str | None, lines: list[str]) -> str:
    body = "\n    ".join([_said(description or name), "", *lines])
    return f"@dataclass(frozen=True, slots=True, kw_only=True)\nclass {name}:\n    {body}"


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])([A-Z])", r"_\1", name).lower()


def _id(text: str) -> str:
    return sha256(text.encode()).hexdigest()


if __name__ == "__main__":
    MANIFEST.write_text(manifest(), encoding="utf-8")
    MODULE.write_text(module(), encoding="utf-8")
