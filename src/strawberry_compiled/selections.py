"""Writes the functions that select the fields of an object, one for each type and set of fields."""

from typing import Any

from graphql import GraphQLObjectType
from graphql.execution.collect_fields import FieldDetails
from strawberry import Schema

from strawberry_compiled.arguments import Argument, Arguments, Make
from strawberry_compiled.declined import Declined
from strawberry_compiled.fields import Attribute, Call, way_of
from strawberry_compiled.plain import PLAIN, is_awaitable
from strawberry_compiled.plans import AbstractPlan, ObjectPlan, Plan, is_strawberrys_own
from strawberry_compiled.reading import Grouped, Reading
from strawberry_compiled.run import FieldInfo, gathered
from strawberry_compiled.source import Source
from strawberry_compiled.values import Place, Values

MOST_FIELDS = 500
"""Of one operation, each counted for each type that it is asked of."""


class Selections:
    """One operation under given conditions.

    `makers` make the values of a run, in their order, and check the variables in `checked` thereby.
    """

    def __init__(self, schema: Schema, reading: Reading, conditions: dict[str, bool], arguments: Arguments) -> None:
        self._schema = schema
        self._reading = reading
        self._conditions = conditions
        self._arguments = arguments
        self._objects: dict[tuple[str, tuple[int, ...], bool], ObjectPlan] = {}
        self._fields = 0
        self.makers: list[Make] = []
        self.checked: set[str] = set()
        self.left_to_library = 0
        self.compiled = 0

    def root(self) -> Any:
        """A coroutine function of a run and the root value."""
        fields = self._reading.root_fields(self._conditions)
        serially = self._reading.operation.operation.value == "mutation"
        writer = _Writer(self, self._reading.root, fields, once=True)
        return writer.written_root(serially=serially)

    def object(self, kind: GraphQLObjectType, plan: Plan, *, once: bool) -> ObjectPlan:
        key = (kind.name, tuple(id(detail.node) for detail in plan.details), once)
        if key not in self._objects:
            fields = self._reading.subfields(kind, plan.details, self._conditions)
            made = self._objects[key] = ObjectPlan(kind, None)  # type: ignore[arg-type]
            made.select = _Writer(self, kind, fields, once=once).written()
        return self._objects[key]

    def abstract(self, kind: Any, plan: Plan, *, once: bool) -> AbstractPlan:
        if kind.resolve_type is None or not is_strawberrys_own(kind.resolve_type):
            raise Declined(f"{kind.name} finds out the types of its values in a way of its own")
        possible = self._reading.schema.get_possible_types(kind)
        return AbstractPlan(kind, {each.name: self.object(each, plan, once=once) for each in possible})

    def field(self, kind: GraphQLObjectType, details: list[FieldDetails], *, once: bool) -> tuple[Plan, Any]:
        """What is known of a field, and the way to its value."""
        self._fields += 1
        if self._fields > MOST_FIELDS:
            raise Declined("too many fields")
        name = details[0].node.name.value
        definition = self._reading.schema.get_field(kind, name)
        if definition is None or name in ("__schema", "__type"):
            raise Declined(name)
        plan = Plan(self._schema, kind, definition, details, definition.type)
        if name == "__typename":
            return plan, name
        way = way_of(self._schema, plan, self._arguments, once=once)
        if way is None:
            self.left_to_library += 1
        else:
            self.compiled += 1
        return plan, way

    def value_of(self, argument: Argument) -> str:
        """An expression for an argument's value."""
        self.checked |= argument.reads
        self.makers.append(argument.make)
        return f"run.values[{len(self.makers) - 1}]"


class _Writer:
    """One function `select` and the functions that it needs, as a module of their own."""

    def __init__(self, selections: Selections, kind: GraphQLObjectType, fields: Grouped, *, once: bool) -> None:
        self._selections = selections
        self._kind = kind
        self._once = once
        self._source = source = Source(kind.name)
        for name, value in (("PLAIN", PLAIN), ("is_awaitable", is_awaitable), ("gathered", gathered)):
            source.bind(name, value)
        self._values = Values(
            source,
            lambda below, plan: selections.object(below, plan, once=once and not _has_list(plan)),
            lambda below, plan: selections.abstract(below, plan, once=once and not _has_list(plan)),
        )
        self._fields = [(key, *selections.field(kind, details, once=once)) for key, details in fields.items()]

    def written(self) -> Any:
        write = self._source.write
        self._write_coroutines()
        write("def select(run, source, step):")
        with self._source.indented():
            write("out = {}")
            write("waiting = None")
            write("try:")
            with self._source.indented():
                for key, plan, way in self._fields:
                    self._field(key, plan, way)
                write("pass")
            write("except Exception:")
            write("    run.abandon(out, waiting)")
            write("    raise")
            write("return out if waiting is None else gathered(out, waiting)")
        self._values.write_later()
        return self._source.made()["select"]

    def written_root(self, *, serially: bool) -> Any:
        if not serially:
            select = self.written()

            async def root(run: Any, source: Any) -> Any:
                found = select(run, source, None)
                return found if type(found) is dict else await found

            return root
        write = self._source.write
        self._write_coroutines()
        write("async def root(run, source):")
        with self._source.indented():
            write("step = None")
            write("out = {}")
            for key, plan, way in self._fields:
                write("waiting = None")
                self._field(key, plan, way)
                write(f"if waiting is not None: out[{key!r}] = await out[{key!r}]")
            write("return out")
        self._values.write_later()
        return self._source.made()["root"]

    def _field(self, key: str, plan: Plan, way: Any) -> None:
        write = self._source.write
        if way == "__typename":
            write(f"out[{key!r}] = {self._kind.name!r}")
            return
        bound = self._source.bind("plan", plan)
        step = self._step(key)
        write("try:")
        with self._source.indented():
            if isinstance(way, Call) and way.is_async:
                write(f"out[{key!r}] = {self._coroutine(key)}(run, source, {step})")
                write(f"if waiting is None: waiting = [{key!r}]")
                write(f"else: waiting.append({key!r})")
            else:
                self._value(bound, plan, way, self._values.among_others(bound, step, repr(key), f"out[{key!r}] = {{}}"))
        write("except Exception as error:")
        write(f"    out[{key!r}] = {bound}.failed(run, error, {step})")

    def _value(self, bound: str, plan: Plan, way: Any, place: Place) -> None:
        write = self._source.write
        if isinstance(way, Attribute):
            write(f"v = source.{way.name}")
            self._values.complete(plan, place)
        elif isinstance(way, Call):
            write(f"v = {self._call(bound, plan, way, place.step)}")
            self._values.complete(plan, place)
        else:
            write(f"v = {bound}.whole(run, source, {place.step})")
            place.wait()
            place.put("v")

    def _write_coroutines(self) -> None:
        """One for each field with an asynchronous resolver."""
        write = self._source.write
        alone = Place(
            "step",
            lambda value: write(f"return {value}"),
            lambda: write("if v.__class__ not in PLAIN and is_awaitable(v): v = await v"),
        )
        for key, plan, way in self._fields:
            if not isinstance(way, Call) or not way.is_async:
                continue
            bound = self._source.bind("plan", plan)
            write(f"async def {self._coroutine(key)}(run, source, step):")
            with self._source.indented():
                write("try:")
                with self._source.indented():
                    write(f"v = await {self._call(bound, plan, way, 'step')}")
                    self._values.complete(plan, alone)
                write("except Exception as error:")
                write(f"    return {bound}.failed(run, error, step)")

    def _call(self, bound: str, plan: Plan, way: Call, step: str) -> str:
        given = ["source"] if way.wants_self else []
        given += [f"{name}=source" for name in way.source_names]
        given += [f"{name}={self._selections.value_of(argument)}" for name, argument in way.arguments.items()]
        if way.info_name:
            info = self._source.bind("Info", plan.info_class)
            field = self._source.bind("field", plan.strawberry_field)
            raw = f"{self._source.bind('FieldInfo', FieldInfo)}(run, {bound}, {step})"
            given.append(f"{way.info_name}={info}(_raw_info={raw}, _field={field})")
        return f"{self._source.bind('resolve', way.function)}({', '.join(given)})"

    def _step(self, key: str) -> str:
        return f"(step, {key!r}, {self._kind.name!r})"

    @staticmethod
    def _coroutine(key: str) -> str:
        return f"field_{key}"


def _has_list(plan: Plan) -> bool:
    kind = plan.definition.type
    while hasattr(kind, "of_type"):
        if kind.__class__.__name__ == "GraphQLList":
            return True
        kind = kind.of_type
    return False
