"""Writes how a value is completed, by its type: the common case in line, anything else by a call."""

from collections.abc import Callable
from dataclasses import dataclass
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

from strawberry_compiled.plans import AbstractPlan, ObjectPlan, Plan, is_cast
from strawberry_compiled.source import Source

ObjectOf = Callable[[GraphQLObjectType, Plan], ObjectPlan]
AbstractOf = Callable[[Any, Plan], AbstractPlan]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands, as an expression, and what writes the code that goes on with it.

    `put` is handed an expression for the completed value; `wait` sees to a `v` that may have to be awaited before.
    """

    step: str
    put: Callable[[str], None]
    wait: Callable[[], None]


class Values:
    """Writes into `source` how the value in `v` is completed."""

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

    def complete(self, plan: Plan, place: Place) -> None:
        """What is as its type wants it goes the short way; None and whatever else is odd is asked about elsewhere."""
        kind, is_nullable = plan.returns, True
        if isinstance(kind, GraphQLNonNull):
            kind, is_nullable = kind.of_type, False
        bound = self._source.bind("plan", plan)
        otherwise = f"{bound}.other(run, v, {place.step})"
        if is_leaf_type(kind):
            # It is never to be awaited once it is completed.
            test, shown = self._leaf(kind)
            self._branch("if", test, lambda: place.put(shown))
            if is_nullable:
                self._branch("elif", "v is None", lambda: place.put("None"))
            self._branch("else", "", lambda: self._put_later(place, otherwise))
        elif is_nullable:
            self._branch("if", "v is None", lambda: place.put("None"))
            self._branch("else", "", lambda: self._composite(kind, plan, place, otherwise))
        else:
            self._composite(kind, plan, place, otherwise)

    def _branch(self, word: str, test: str, write_inside: Callable[[], None]) -> None:
        self._source.write(f"{word} {test}".rstrip() + ":")
        with self._source.indented():
            write_inside()

    def _put_later(self, place: Place, value: str) -> None:
        self._source.write(f"v = {value}")
        place.wait()
        place.put("v")

    def _composite(self, kind: Any, plan: Plan, place: Place, otherwise: str) -> None:
        bound, step = self._source.bind("plan", plan), place.step
        if isinstance(kind, GraphQLList):
            items = self._items(plan.of_items(kind.of_type))
            value = f"{items}(run, v, {step}) if v.__class__ is list or v.__class__ is tuple else {otherwise}"
        elif isinstance(kind, GraphQLObjectType):
            made = self._object_of(kind, plan)
            object_plan = self._source.bind("object_plan", made)
            test = self._fits(made)
            value = f"{object_plan}.of({bound}, run, v, {step})"
            value = f"{object_plan}.select(run, v, {step}) if {test} else {value}" if test else value
        elif is_abstract_type(kind):
            value = f"{self._source.bind('abstract_plan', self._abstract_of(kind, plan))}.of({bound}, run, v, {step})"
        else:
            value = otherwise
        self._put_later(place, value)

    def _fits(self, made: ObjectPlan) -> str | None:
        """A test for most values that are of the type beyond doubt."""
        if made.kind.is_type_of is None:
            return "v.__class__ in PLAIN and v is not None"
        if made.own_class is None:
            return None
        own_class = self._source.bind("own_class", made.own_class)
        return f"v.__class__ is {own_class} and not {self._source.bind('is_cast', is_cast)}(v)"

    def _leaf(self, kind: Any) -> tuple[str, str]:
        """A test for common values, and the expression for what is shown of them."""
        if kind is GraphQLString or kind is GraphQLID:
            return "v.__class__ is str", "v"
        if kind is GraphQLBoolean:
            return "v is True or v is False", "v"
        if kind is GraphQLInt:
            return "v.__class__ is int and -2147483648 <= v <= 2147483647", "v"
        members = getattr(kind, "wrapped_cls", None) if isinstance(kind, GraphQLEnumType) else None
        if members is not None:
            # Strawberry made the type of an enum: the member tells the name.
            names = self._source.bind("names", {member: kind.coerce_output_value(member) for member in members})
            members = self._source.bind("Members", members)
            return f"v.__class__ is {members} and (w := {names}.get(v)) is not None", "w"
        shown = self._source.bind("shown", kind.coerce_output_value)
        undefined = self._source.bind("Undefined", Undefined)
        # The library says what is wrong with a value that shows as nothing.
        is_shown = f"(w := {shown}(v)) is not None and w is not {undefined}"
        return f"v is not None and v.__class__ in PLAIN and {is_shown}", "w"

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
                        step = "(step, index, None)"
                        self.complete(plan, self.among_others(bound, step, "index", "out.append({})"))
                    write("except Exception as error:")
                    write(f"    out.append({bound}.failed(run, error, (step, index, None)))")
                    write("index += 1")
            write("except Exception:")
            write("    run.abandon(out, waiting, rest)")
            write("    raise")
            write("return out if waiting is None else gathered(out, waiting)")

    def among_others(self, bound: str, step: str, key: str, put: str) -> Place:
        """A value with neighbours: what is to be awaited is so together with them, and fails by itself."""
        write = self._source.write

        def wait() -> None:
            write("if v.__class__ not in PLAIN and is_awaitable(v):")
            with self._source.indented():
                write(f"v = {bound}.guarded(run, v, {step})")
                write(f"if waiting is None: waiting = [{key}]")
                write(f"else: waiting.append({key})")

        return Place(step, lambda value: write(put.format(value)), wait)
