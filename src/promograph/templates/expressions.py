"""From what somebody wrote between braces to what is evaluated: a few kinds of nodes, and every name a slot.

The tree that comes out holds constants, slots, conditions and the functions of `values`. There is nothing in it that
could call a method or reach into an object, so there is nothing for a sandbox to keep out.
"""

from collections.abc import Callable
from math import isfinite
from typing import Any

from jinja2 import nodes

from promograph.domain.sending.messages import TemplateFault
from promograph.domain.storable import is_storable
from promograph.templates.facts import ROOTS, Call, Fact, Step, Unknown, fact_of, no_name
from promograph.templates.slots import asks_codes
from promograph.templates.values import FILTERS, is_pattern

DEEPEST = 25
_LONGEST_NUMBER = 30

_PATHS = (nodes.Name, nodes.Getattr, nodes.Getitem, nodes.Call)


class Turned(Exception):
    """A part of a template that is not to be had: where, what kind, and what would mend it."""

    def __init__(self, line: int, fault: TemplateFault, message: str) -> None:
        super().__init__(message)
        self.line = line
        self.fault = fault


Slot = Callable[[Fact, int], nodes.Expr]
"""Gives the place of a fact's value, first mentioned on that line."""


class Expressions:
    """Resolves expressions; `loops` are the names that the loops around them have."""

    def __init__(self, slot: Slot, spend: Callable[[int], None]) -> None:
        self._slot = slot
        self._spend = spend
        self.loops: list[str] = []

    def resolve(self, node: nodes.Node, depth: int = 0) -> nodes.Expr:
        """The same with slots for names; Turned where there is something in it that templates do not have."""
        self._spend(node.lineno)
        if depth > DEEPEST:
            raise Turned(node.lineno, TemplateFault.TOO_LARGE, f"At most {DEEPEST} expressions inside one another.")
        match node:
            case nodes.Const():
                return _constant(node)
            case nodes.List() | nodes.Tuple():
                return nodes.Tuple([self.resolve(item, depth + 1) for item in node.items], "load", lineno=node.lineno)
            case nodes.Neg(node=nodes.Const(value=int() | float())):
                return _constant(nodes.Const(-node.node.value, lineno=node.lineno))  # type: ignore[attr-defined]
            case nodes.Filter():
                return self._filter(node, depth)
            case nodes.Compare(ops=[only]):
                sides = (self.resolve(node.expr, depth + 1), self.resolve(only.expr, depth + 1))
                return _apply("compare", sides[0], nodes.Const(only.op), sides[1])
            case nodes.Not():
                return nodes.Not(self.resolve(node.node, depth + 1), lineno=node.lineno)
            case nodes.And() | nodes.Or():
                sides = (self.resolve(node.left, depth + 1), self.resolve(node.right, depth + 1))
                return type(node)(*sides, lineno=node.lineno)
            case nodes.CondExpr():
                return self._choice(node, depth)
            case nodes.Concat():
                parts = [self.resolve(part, depth + 1) for part in node.nodes]
                return _apply("concat", *parts)
        if isinstance(node, _PATHS):
            return self._path(node)
        raise _not_allowed(node)

    def _choice(self, node: nodes.CondExpr, depth: int) -> nodes.Expr:
        otherwise = nodes.Const("") if node.expr2 is None else self.resolve(node.expr2, depth + 1)
        test, then = self.resolve(node.test, depth + 1), self.resolve(node.expr1, depth + 1)
        return nodes.CondExpr(test, then, otherwise, lineno=node.lineno)

    def _filter(self, node: nodes.Filter, depth: int) -> nodes.Expr:
        if node.name not in FILTERS or node.node is None:
            known = ", ".join(FILTERS)
            raise Turned(node.lineno, TemplateFault.UNKNOWN_NAME, f"There is no |{node.name}; there are {known}.")
        _, most = FILTERS[node.name]
        if len(node.args) > most or node.kwargs or node.dyn_args or node.dyn_kwargs:
            takes = "one value in its brackets" if most else "no brackets"
            raise Turned(node.lineno, TemplateFault.NOT_ALLOWED, f"|{node.name} has {takes}.")
        if node.name == "date" and any(_is_no_pattern(argument) for argument in node.args):
            sentence = "A day's pattern is made of YYYY or YY, MM and DD, such as 'DD.MM.YYYY'."
            raise Turned(node.lineno, TemplateFault.NOT_ALLOWED, sentence)
        value = self.resolve(node.node, depth + 1)
        arguments = [self.resolve(argument, depth + 1) for argument in node.args]
        if node.name == "default" and any(map(asks_codes, arguments)):
            # Nobody is given a code for the case that there is none of another: it is asked for when that is so.
            return _apply("known", nodes.Or(_apply("perhaps", value), arguments[0], lineno=node.lineno))
        return _apply(node.name, value, *arguments)

    def _path(self, node: nodes.Expr) -> nodes.Expr:
        root, steps = _steps(node)
        if root in self.loops:
            if steps:
                raise Turned(node.lineno, TemplateFault.UNKNOWN_NAME, f"{root!r} is a value; it has no parts.")
            return nodes.Name(f"l_{root}", "load", lineno=node.lineno)
        try:
            if root not in ROOTS:
                raise no_name(root)
            return self._slot(fact_of(root, steps), node.lineno)
        except Unknown as problem:
            raise Turned(node.lineno, TemplateFault.UNKNOWN_NAME, str(problem)) from None


def _steps(node: nodes.Expr) -> tuple[str, tuple[Step, ...]]:
    """A path's first name and its steps; in a loop, however long it is."""
    steps: list[Step] = []
    while not isinstance(node, nodes.Name):
        match node:
            case nodes.Getattr():
                steps.append(node.attr)
                node = node.node
            case nodes.Getitem(arg=nodes.Const(value=str(name))):
                steps.append(name)
                node = node.node
            case nodes.Call():
                steps.append(Call(_argument(node)))
                node = node.node
            case _:
                raise _not_allowed(node)
    return node.name, tuple(reversed(steps))


def _argument(node: nodes.Call) -> str | None:
    if not node.args and not (node.kwargs or node.dyn_args or node.dyn_kwargs):
        return None
    match node:
        case nodes.Call(args=[nodes.Const(value=str(text))], kwargs=[], dyn_args=None, dyn_kwargs=None):
            return text
    message = "Between the brackets stands one text in quotes, and nothing else."
    raise Turned(node.lineno, TemplateFault.NOT_ALLOWED, message)


def _constant(node: nodes.Const) -> nodes.Expr:
    value: Any = node.value
    match value:
        case str() if not is_storable(value):
            raise Turned(node.lineno, TemplateFault.NOT_ALLOWED, "This text holds a character that cannot be sent.")
        case float():
            # What was written, not what a machine makes of it: 0.1 is to be equal to a customer's 0.1.
            if not isfinite(value):
                raise Turned(node.lineno, TemplateFault.TOO_LARGE, "This number is too large.")
            return _apply("decimal", nodes.Const(repr(value), lineno=node.lineno))
        case int() if abs(value) >= 10**_LONGEST_NUMBER:
            raise Turned(node.lineno, TemplateFault.TOO_LARGE, "This number is too large.")
    return nodes.Const(value, lineno=node.lineno)


def _is_no_pattern(argument: nodes.Expr) -> bool:
    return isinstance(argument, nodes.Const) and not (isinstance(argument.value, str) and is_pattern(argument.value))


def _apply(name: str, value: nodes.Expr, *arguments: nodes.Expr) -> nodes.Expr:
    return nodes.Filter(value, name, list(arguments), [], None, None, lineno=value.lineno)


def _not_allowed(node: nodes.Node) -> Turned:
    words: dict[type[nodes.Node], str] = {
        nodes.Compare: "Compare two values at a time, and put `and` between.",
        nodes.Test: "Instead of `is …`, write the value by itself: {% if client.attributes.city %}.",
        nodes.Sub: "There is no arithmetic; a name with - in it is written client.attributes['home-town'].",
    }
    message = words.get(type(node), "Templates have values, filters, conditions and loops; there is nothing else.")
    return Turned(node.lineno, TemplateFault.NOT_ALLOWED, message)
