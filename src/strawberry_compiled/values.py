"""Writes how a value is completed, by its type: the common case in line, anything else by a call."""

from collections.abc import Callable
from typing import Any

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLID,
    GraphQLInt,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLString,
    Undefined,
)
from graphql.type import is_abstract_type, is_leaf_type

from strawberry_compiled.plans import AbstractPlan, ObjectPlan, Plan
from strawberry_compiled.source import Source

ObjectOf = Callable[[GraphQLObjectType, Plan], ObjectPlan]
AbstractOf = Callable[[Any, Plan], AbstractPlan]


class Values:
    """Writes into `source`. What it writes finds the value in `v` and leaves it there, completed or to be awaited."""

    def __init__(self, source: Source, object_of: ObjectOf, abstract_of: AbstractOf) -> None:
        self._source = source
        self._object_of = object_of
        self._abstract_of = abstract_of
        self._item_functions = 0
        self._later: list[Callable[[], None]] = []

    def write_later(self) -> None:
        """The functions for the items of lists, which stand beside those that call them."""
        while self._later:
            self._later.pop()()

    def complete(self, plan: Plan, step: str) -> None:
        """`step` is an expression for where the value stands."""
        kind = plan.returns
        write, bound = self._source.write, self._source.bind("plan", plan)
        otherwise = f"v = {bound}.other(run, v, {step})"
        if isinstance(kind, GraphQLNonNull):
            kind = kind.of_type
            write(f"if v is None: {otherwise}")
        else:
            write("if v is None: pass")
        if is_leaf_type(kind):
            self._leaf(kind, otherwise)
        elif isinstance(kind, GraphQLList):
            items = self._items(plan.of_items(kind.of_type))
            write(f"elif v.__class__ is list or v.__class__ is tuple: v = {items}(run, v, {step})")
        elif isinstance(kind, GraphQLObjectType):
            made = self._object_of(kind, plan)
            object_plan = self._source.bind("object_plan", made)
            if kind.is_type_of is None:
                write(f"elif v.__class__ in PLAIN: v = {object_plan}.select(run, v, {step})")
            otherwise = f"v = {object_plan}.of({bound}, run, v, {step})"
        elif is_abstract_type(kind):
            abstract = self._source.bind("abstract_plan", self._abstract_of(kind, plan))
            otherwise = f"v = {abstract}.of({bound}, run, v, {step})"
        write(f"else: {otherwise}")

    def _leaf(self, kind: Any, otherwise: str) -> None:
        write = self._source.write
        if kind is GraphQLString or kind is GraphQLID:
            write("elif v.__class__ is str: pass")
        elif kind is GraphQLBoolean:
            write("elif v is True or v is False: pass")
        elif kind is GraphQLInt:
            write("elif v.__class__ is int and -2147483648 <= v <= 2147483647: pass")
        elif isinstance(kind, GraphQLEnumType):
            self._enum(kind)
        else:
            shown = self._source.bind("shown", kind.coerce_output_value)
            write("elif v.__class__ in PLAIN:")
            with self._source.indented():
                write(f"w = {shown}(v)")
                # The library says what is wrong with a value that shows as nothing.
                write(f"if w is None or w is Undefined: {otherwise}")
                write("else: v = w")
            self._source.bind("Undefined", Undefined)

    def _enum(self, kind: GraphQLEnumType) -> None:
        """By the member, where Strawberry made the type of an enum."""
        members = getattr(kind, "wrapped_cls", None)
        if members is None:
            return
        names = self._source.bind("names", {member: kind.coerce_output_value(member) for member in members})
        members = self._source.bind("Members", members)
        self._source.write(f"elif v.__class__ is {members} and v in {names}: v = {names}[v]")

    def _items(self, plan: Plan) -> str:
        self._item_functions += 1
        name = f"items_{self._item_functions}"
        self._later.append(lambda: self._write_items(name, plan))
        return name

    def _write_items(self, name: str, plan: Plan) -> None:
        write, indented = self._source.write, self._source.indented
        bound = self._source.bind("plan", plan)
        write(f"def {name}(run, values, step):")
        with indented():
            write("out = []")
            write("waiting = None")
            write("index = 0")
            write("rest = iter(values)")
            write("try:")
            with indented():
                write("for v in rest:")
                with indented():
                    write("try:")
                    with indented():
                        self.complete(plan, "(step, index, None)")
                        self.note_awaitable(bound, "(step, index, None)", "index")
                        write("out.append(v)")
                    write("except Exception as error:")
                    write(f"    out.append({bound}.failed(run, error, (step, index, None)))")
                    write("index += 1")
            write("except Exception:")
            write("    run.abandon(out, waiting, rest)")
            write("    raise")
            write("return out if waiting is None else gathered(out, waiting)")

    def note_awaitable(self, bound: str, step: str, key: str) -> None:
        """A value that is to be awaited is so together with its neighbours, and fails by itself."""
        write = self._source.write
        write("if v.__class__ not in PLAIN and is_awaitable(v):")
        with self._source.indented():
            write(f"v = {bound}.guarded(run, v, {step})")
            write(f"if waiting is None: waiting = [{key}]")
            write(f"else: waiting.append({key})")
