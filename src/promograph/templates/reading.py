"""Reading a part of a message: from its source to a tree that is safe to run."""

import html
import re
from collections.abc import Iterator, Sequence

from jinja2 import Environment, TemplateSyntaxError, nodes

from promograph.domain.conditions.value_reading import MOST_VALUES
from promograph.domain.sending.messages import MessagePart, TemplateFault, TemplateProblem
from promograph.templates.expressions import Expressions, Turned
from promograph.templates.facts import Fact, Source
from promograph.templates.slots import Slots
from promograph.templates.tags import BadTag, Tag, pieces

MOST_STEPS = 10_000
"""What a part may do at most, counted in nodes; those of a loop count as often as a list can be long."""

MOST_PROBLEMS = 50
MOST_TAGS = 3_000

_DEEPEST = 8
_BRACES = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_CURLY = "\u2018\u2019\u201c\u201d\u201e"
_LOOP = "A loop goes over an attribute that is a list, as in {% for one in client.attributes.interests %}."


class Reader:
    """Reads one part. What is wrong with it is gathered in `problems`; the tree is whole when there are none."""

    def __init__(self, part: MessagePart, environment: Environment, slots: Slots) -> None:
        self.problems: list[TemplateProblem] = []
        self._part = part
        self._environment = environment
        self._slots = slots
        self._steps = 0
        self._weight = 1
        self._expressions = Expressions(self._slot, self._spend)

    def read(self, source: str) -> nodes.Template:
        try:
            body = list(self._statements(self._parse(source), 0))
        # However deep somebody nests brackets, it is the depth of our own calls that gives out first.
        except RecursionError:
            self._tell(Turned(1, TemplateFault.TOO_LARGE, "There are too many brackets or tags inside one another."))
            body = []
        tree = nodes.Template(body, lineno=1)
        tree.set_environment(self._environment)
        return tree

    def _parse(self, source: str) -> Sequence[nodes.Node]:
        if self._part is MessagePart.HTML:
            # Editors of HTML write the quotes in a tag as entities.
            source = _BRACES.sub(lambda found: html.unescape(found[0]), source)
        tags = source.count("{{") + source.count("{%")
        if tags > MOST_TAGS:
            message = f"There are at most {MOST_TAGS:,} tags in a part; these are {tags:,}."
            self._tell(Turned(1, TemplateFault.TOO_LARGE, message))
            return ()
        try:
            return self._environment.parse(source).body
        except TemplateSyntaxError as problem:
            self._tell(Turned(problem.lineno, TemplateFault.SYNTAX, _mending(problem.message or "", source)))
        except (ValueError, OverflowError, MemoryError):
            self._tell(Turned(1, TemplateFault.TOO_LARGE, "A number in it is too large, or brackets are too deep."))
        return ()

    def _statements(self, body: Sequence[nodes.Node], depth: int) -> Iterator[nodes.Node]:
        for node in body:
            try:
                yield from self._statement(node, depth)
            except Turned as problem:
                self._tell(problem)

    def _statement(self, node: nodes.Node, depth: int) -> Iterator[nodes.Node]:
        self._spend(node.lineno)
        if depth > _DEEPEST:
            raise Turned(node.lineno, TemplateFault.TOO_LARGE, f"At most {_DEEPEST} tags inside one another.")
        match node:
            case nodes.Output():
                yield nodes.Output(list(self._output(node)), lineno=node.lineno)
            case nodes.If():
                yield self._if(node, depth)
            case nodes.For():
                yield self._for(node, depth)
            case _:
                message = "Templates have {% if %}, {% elif %}, {% else %} and {% for %}; there are no other tags."
                raise Turned(node.lineno, TemplateFault.NOT_ALLOWED, message)

    def _output(self, node: nodes.Output) -> Iterator[nodes.Expr]:
        for each in node.nodes:
            try:
                if isinstance(each, nodes.TemplateData):
                    yield from self._text(each)
                else:
                    yield self._expressions.resolve(each)
            except Turned as problem:
                self._tell(problem)

    def _text(self, node: nodes.TemplateData) -> Iterator[nodes.Expr]:
        for lines, piece in pieces(node.data):
            line = node.lineno + lines
            if isinstance(piece, str):
                yield nodes.TemplateData(piece, lineno=line)
            elif isinstance(piece, BadTag):
                self._tell(Turned(line, TemplateFault.SYNTAX, piece.message))
            else:
                yield self._tag(piece, line)

    def _tag(self, tag: Tag, line: int) -> nodes.Expr:
        self._spend(line)
        code = self._slot(tag.fact, line)
        if tag.default is None:
            return code
        # Whoever wrote the part wrote this text too: in HTML it is HTML.
        other = nodes.TemplateData(tag.default, lineno=line)
        return nodes.Filter(code, "default", [other], [], None, None, lineno=line)

    def _if(self, node: nodes.If, depth: int) -> nodes.If:
        return nodes.If(
            self._expressions.resolve(node.test),
            list(self._statements(node.body, depth + 1)),
            [self._if(other, depth) for other in node.elif_],
            list(self._statements(node.else_, depth + 1)),
            lineno=node.lineno,
        )

    def _for(self, node: nodes.For, depth: int) -> nodes.For:
        line, names = node.lineno, self._expressions.loops
        if names:
            raise Turned(line, TemplateFault.NOT_ALLOWED, "A loop cannot stand in another loop.")
        if not isinstance(node.target, nodes.Name) or node.recursive or node.test is not None:
            raise Turned(line, TemplateFault.NOT_ALLOWED, _LOOP)
        over = self._over(node.iter)
        names.append(node.target.name)
        self._weight = MOST_VALUES
        try:
            body = list(self._statements(node.body, depth + 1))
        finally:
            self._weight = 1
            names.clear()
        target = nodes.Name(f"l_{node.target.name}", "store", lineno=line)
        otherwise = list(self._statements(node.else_, depth + 1))
        return nodes.For(target, over, body, otherwise, None, False, lineno=line)

    def _over(self, node: nodes.Node) -> nodes.Expr:
        over = self._expressions.resolve(node)
        lists = {name for fact, name in self._slots.names.items() if fact.source is Source.ATTRIBUTE}
        if not isinstance(over, nodes.Name) or over.name not in lists:
            raise Turned(node.lineno, TemplateFault.NOT_ALLOWED, _LOOP)
        return nodes.Filter(over, "each", [], [], None, None, lineno=node.lineno)

    def _slot(self, fact: Fact, line: int) -> nodes.Expr:
        return self._slots.take(fact, (self._part, line))

    def _spend(self, line: int) -> None:
        self._steps += self._weight
        if self._steps > MOST_STEPS:
            message = f"There is too much in braces: at most {MOST_STEPS:,} steps, those of a loop {MOST_VALUES} times."
            raise Turned(line, TemplateFault.TOO_LARGE, message)

    def _tell(self, problem: Turned) -> None:
        told = any(problem.fault is TemplateFault.TOO_LARGE is other.fault for other in self.problems)
        if not told and len(self.problems) < MOST_PROBLEMS:
            self.problems.append(
                TemplateProblem(part=self._part, line=problem.line, fault=problem.fault, message=str(problem))
            )


def _mending(message: str, source: str) -> str:
    """What Jinja says, and what it is as a rule."""
    if any(quote in found[0] for found in _BRACES.finditer(source) for quote in _CURLY):
        return f"This is not a tag: {message.rstrip('.')}. Write straight quotes: 'spring-sale'."
    return f"This is not a tag: {message.rstrip('.')}. Tags are {{{{ client.email }}}} and {{% if client.email %}}."
