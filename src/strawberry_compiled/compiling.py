"""An operation becomes a Python callable."""

import logging
from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

from graphql import DocumentNode, ExecutionResult
from strawberry import Schema
from strawberry.execution import optimized_is_awaitable
from strawberry.extensions import SchemaExtension

from strawberry_compiled.arguments import Arguments, Make
from strawberry_compiled.declined import Declined
from strawberry_compiled.inputs import Inputs, Irregular
from strawberry_compiled.reading import Reading
from strawberry_compiled.run import Run, VariablesRefused, root_result
from strawberry_compiled.selections import Selections
from strawberry_compiled.variables import Variable, variables_of

logger = logging.getLogger(__name__)

MOST_VARIANTS = 8
"""Of one operation: each combination of the values of its conditions is compiled when it is first asked for."""

_inputs: "WeakKeyDictionary[Schema, Inputs]" = WeakKeyDictionary()


def _unforeseen() -> None:
    """A fault of ours: the schema answers all the same."""
    logger.exception("An operation could not be compiled, and is left to the schema.")


def compile(schema: Schema, document: DocumentNode, operation_name: str | None = None) -> "Compiled | None":
    """The operation as a callable; None where it is declined: then the schema executes it as ever.

    `document` must be valid. The name may be left out where there is one operation. The schema's extensions are not
    called: whoever calls the operation sees to what they would do. With one that resolves fields all is declined.
    """
    try:
        if any(type(extension).resolve is not SchemaExtension.resolve for extension in schema.get_extensions()):
            raise Declined("an extension that resolves fields")
        return Compiled(schema, document, operation_name)
    except Declined:
        return None
    except Exception:
        _unforeseen()
        return None


class Compiled:
    """One operation of a document; may be called by any number of tasks at once."""

    def __init__(self, schema: Schema, document: DocumentNode, operation_name: str | None) -> None:
        self._schema = schema
        self._document = document
        self._name = operation_name
        self._reading = Reading(schema._schema, document, operation_name)
        self._variables = variables_of(schema._schema, self._reading.operation)
        self._variants: dict[tuple[bool, ...], _Variant | None] = {}
        if not self._reading.conditions and self._variant(()) is None:
            raise Declined("nothing in it is known")

    async def __call__(
        self,
        variables: Mapping[str, Any] | None = None,
        *,
        context: Any = None,
        root: Any = None,
        extensions: Mapping[str, Any] | None = None,
    ) -> ExecutionResult | None:
        """What the schema would answer; None where these variables are left to it, and nothing has run."""
        given: Any = variables or {}
        conditions = []
        for name in self._reading.conditions:
            value = given.get(name, self._variables[name].default)
            if value is not True and value is not False:
                return None
            conditions.append(value)
        variant = self._variant(tuple(conditions))
        if variant is None:
            return None
        run = Run(self._build_executor, given, context, root, extensions)
        try:
            run.values = tuple([make(given) for make in variant.makers])
            if variant.asks_library:
                _ = run.executor
        except (Irregular, VariablesRefused):
            return None
        except Exception:
            # A conversion that fails does so again, at its field.
            return None
        data = await root_result(run, variant.root(run, root))
        return ExecutionResult(data, run.errors)

    def _variant(self, conditions: tuple[bool, ...]) -> "_Variant | None":
        if conditions not in self._variants:
            if len(self._variants) >= MOST_VARIANTS:
                return None
            try:
                values = dict(zip(self._reading.conditions, conditions, strict=True))
                self._variants[conditions] = _Variant(self._schema, self._reading, self._variables, values)
            except Declined:
                self._variants[conditions] = None
            except Exception:
                _unforeseen()
                self._variants[conditions] = None
        return self._variants[conditions]

    def _build_executor(self, root: Any, variables: dict[str, Any], context: Any, extensions: Any) -> Any:
        executor_class: Any = self._schema.execution_context_class
        return executor_class.build(
            self._schema._schema,
            self._document,
            root_value=root,
            context_value=context,
            raw_variable_values=variables,
            operation_name=self._name,
            is_awaitable=optimized_is_awaitable,
            operation_extensions=extensions,
        )


class _Variant:
    """The operation with its conditions decided."""

    __slots__ = ("asks_library", "makers", "root")

    def __init__(
        self, schema: Schema, reading: Reading, variables: Mapping[str, Variable], conditions: dict[str, bool]
    ) -> None:
        inputs = _inputs.setdefault(schema, Inputs(schema))
        arguments = Arguments(inputs, variables)
        selections = Selections(schema, reading, conditions, arguments)
        self.root = selections.root()
        self.makers: tuple[Make, ...] = tuple(selections.makers)
        if selections.left_to_library and not selections.compiled:
            raise Declined("nothing in it is known")
        # Each variable is checked by being read; one that is not read in a known way is checked by the library.
        self.asks_library = bool(set(variables) - selections.checked - set(conditions))
