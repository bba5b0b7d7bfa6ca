"""What is known of a field before anything runs, and what generated code calls when its short way does not fit."""

from collections.abc import Awaitable, Callable
from copy import copy
from typing import Any

from graphql import GraphQLObjectType
from graphql.execution.collect_fields import FieldDetails
from strawberry import Schema
from strawberry.types.cast import TYPE_CAST_ATTRIBUTE

from strawberry_compiled.plain import is_awaitable, is_plain, is_plain_class
from strawberry_compiled.run import FieldInfo, Run
from strawberry_compiled.steps import Step, field_step, path_of

Select = Callable[[Run, Any, Step], Any]


class Plan:
    """A field of a type, or an item of its list: then `returns` is the item's type.

    `step` is where the value stands. Whatever is not common is left to the library's executor, so that it comes out
    as it always does.
    """

    __slots__ = ("definition", "details", "info_class", "name", "parent", "returns", "schema", "strawberry_field")

    def __init__(
        self, schema: Schema, parent: GraphQLObjectType, definition: Any, details: list[FieldDetails], returns: Any
    ) -> None:
        self.schema = schema._schema
        self.parent = parent
        self.name = details[0].node.name.value
        self.definition = definition
        self.details = details
        self.returns = returns
        self.info_class: Any = schema.config.info_class
        self.strawberry_field = definition.extensions.get("strawberry-definition")

    def of_items(self, returns: Any) -> "Plan":
        made = copy(self)
        made.returns = returns
        return made

    def resolve_info(self, run: Run, step: Step) -> Any:
        nodes = [detail.node for detail in self.details]
        path: Any = path_of(field_step(step))
        return run.executor.build_resolve_info(self.definition, nodes, self.parent, path)

    def failed(self, run: Run, error: Exception, step: Step) -> Any:
        """Collect the error, and the value is null; or raise it, located, where it may not be."""
        path: Any = path_of(step)
        run.executor.handle_field_error(error, self.returns, self.details, path)

    async def guarded(self, run: Run, value: Awaitable[Any], step: Step) -> Any:
        try:
            return await value
        except Exception as error:
            return self.failed(run, error, step)

    def whole(self, run: Run, source: Any, step: Step) -> Any:
        """The field from its arguments on, by the library."""
        path: Any = path_of(step)
        return run.executor.execute_field(self.parent, source, self.details, path, None)

    def completed(self, run: Run, value: Any, step: Step) -> Any:
        """The value completed by the library; it may have to be awaited."""
        path: Any = path_of(step)
        info = self.resolve_info(run, step)
        return run.executor.complete_value(self.returns, self.details, info, path, value, None)

    def other(self, run: Run, value: Any, step: Step) -> Any:
        """The same of a value that a resolver gave as it is: it may be awaitable itself."""
        if not is_awaitable(value):
            return self.completed(run, value, step)
        path: Any = path_of(step)
        info = self.resolve_info(run, step)
        return run.executor.complete_awaitable_value(self.returns, self.details, info, path, value, None)


class ObjectPlan:
    """How the fields of a value of an object type are selected.

    Values of `own_class` are of the type, unless `strawberry.cast` says otherwise; None where that cannot be said.
    """

    __slots__ = ("kind", "own_class", "select")

    def __init__(self, kind: GraphQLObjectType, select: Select) -> None:
        self.kind = kind
        self.select = select
        definition: Any = kind.extensions.get("strawberry-definition")
        is_simple = definition is not None and not definition.is_type_of and not definition.concrete_of
        self.own_class: Any = definition.origin if is_simple and is_plain_class(definition.origin) else None

    def of(self, plan: Plan, run: Run, value: Any, step: Step) -> Any:
        if not is_plain(value) or value is None or not self._fits(plan, run, value, step):
            return plan.other(run, value, step)
        return self.select(run, value, step)

    def _fits(self, plan: Plan, run: Run, value: Any, step: Step) -> bool:
        is_type_of = self.kind.is_type_of
        if is_type_of is None:
            return True
        if not is_strawberrys_own(is_type_of):
            return False
        fitting: Any = is_type_of(value, FieldInfo(run, plan, step))  # type: ignore[arg-type]
        return fitting is True


class AbstractPlan:
    """How the fields of a value of an interface or a union are selected, by the name of the value's own type."""

    __slots__ = ("kind", "objects")

    def __init__(self, kind: Any, objects: dict[str, ObjectPlan]) -> None:
        self.kind = kind
        self.objects = objects

    def of(self, plan: Plan, run: Run, value: Any, step: Step) -> Any:
        if not is_plain(value) or value is None:
            return plan.other(run, value, step)
        name = self.kind.resolve_type(value, FieldInfo(run, plan, step), self.kind)
        found = self.objects.get(name) if isinstance(name, str) else None
        if found is None:
            return plan.other(run, value, step)
        return found.of(plan, run, value, step)


def is_strawberrys_own(function: Any) -> bool:
    """Whether Strawberry has written it, so that it is known what it does."""
    return str(getattr(function, "__module__", "")).startswith("strawberry.")


def is_cast(value: Any) -> bool:
    """Whether `strawberry.cast` says what type the value is of."""
    return getattr(value, TYPE_CAST_ATTRIBUTE, None) is not None
