"""One execution of a compiled operation, and the library's executor for whatever is out of the ordinary."""

from collections.abc import Awaitable, Callable, Iterator
from functools import cached_property
from typing import Any

from graphql import FieldNode, GraphQLError, GraphQLSchema
from graphql.execution.executor import CollectedErrors, Executor
from graphql.pyutils import Path, gather_with_cancel

from strawberry_compiled.plain import is_awaitable
from strawberry_compiled.steps import Step, field_step, path_of

BuildExecutor = Callable[[Any, dict[str, Any], Any, Any], Any]


class VariablesRefused(Exception):
    """The library does not accept the variables; nothing has run yet, so that it can say so itself."""


class Run:
    """What generated code is handed: `context`, and `values`, the arguments that were made from the variables."""

    __slots__ = ("__dict__", "_build", "_extensions", "_variables", "context", "root", "values")

    def __init__(
        self, build: BuildExecutor, variables: dict[str, Any], context: Any, root: Any, extensions: Any
    ) -> None:
        self._build = build
        self._variables = variables
        self._extensions = extensions
        self.context = context
        self.root = root
        self.values: tuple[Any, ...] = ()

    @cached_property
    def executor(self) -> "Executor[Any]":
        """Made when something goes wrong, or when a resolver wants to know more than the context."""
        built = self._build(self.root, self._variables, self.context, self._extensions)
        if isinstance(built, list):
            raise VariablesRefused
        executor: Executor[Any] = built
        return executor

    @property
    def errors(self) -> list[GraphQLError] | None:
        """Those collected on the way; None where there are none."""
        made = self.__dict__.get("executor")
        return (made.collected_errors.errors or None) if made is not None else None

    @property
    def collected(self) -> CollectedErrors:
        return self.executor.collected_errors

    def abandon(self, out: Any, waiting: list[Any] | None, rest: Iterator[Any] | None = None) -> None:
        """An error goes up past values that are still awaited: they are finished by themselves."""
        left = [out[key] for key in waiting or ()]
        left += [item for item in rest or () if is_awaitable(item)]
        if left:
            self.executor.settle_in_background(left)


async def gathered(out: Any, waiting: list[Any]) -> Any:
    """`out`, its awaitables at the keys `waiting` replaced by what they give; as the library does it."""
    if len(waiting) == 1:
        out[waiting[0]] = await out[waiting[0]]
        return out
    found = await gather_with_cancel(*(out[key] for key in waiting))
    for key, value in zip(waiting, found, strict=True):
        out[key] = value
    return out


class FieldInfo:
    """Stands for the library's resolve info. What is known is at hand; anything else is made when asked for."""

    __slots__ = ("_found", "_plan", "_run", "_step", "context")

    @property
    def field_name(self) -> str:
        name: str = self._plan.name
        return name

    @property
    def field_nodes(self) -> list[FieldNode]:
        return [detail.node for detail in self._plan.details]

    @property
    def schema(self) -> GraphQLSchema:
        schema: GraphQLSchema = self._plan.schema
        return schema

    @property
    def path(self) -> Path | None:
        return path_of(field_step(self._step))

    def __init__(self, run: Run, plan: Any, step: Step) -> None:
        self.context = run.context
        self._run = run
        self._plan = plan
        self._step = step
        self._found: Any = None

    def __getattr__(self, name: str) -> Any:
        if self._found is None:
            self._found = self._plan.resolve_info(self._run, self._step)
        return getattr(self._found, name)


async def root_result(run: Run, data: Any | Awaitable[Any]) -> Any:
    """The data of the whole answer; None where an error came up to the top."""
    try:
        return await data
    except GraphQLError as error:
        run.collected.add(error, path_of(None))
        return None
