"""Messages made of templates: compiled once, rendered for many."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from jinja2 import StrictUndefined, nodes
from jinja2.environment import Template
from jinja2.sandbox import ImmutableSandboxedEnvironment

from promograph.domain.people.customers import Customer
from promograph.domain.refusals import Refusal
from promograph.domain.sending.messages import (
    LONGEST_RENDERED,
    CodeAsk,
    Message,
    MessageCode,
    MessageContent,
    MessagePart,
    TemplateFault,
    TemplateProblem,
)
from promograph.templates import values
from promograph.templates.facts import Fact, Source
from promograph.templates.reading import Reader
from promograph.templates.slots import CODES, Place, Slots, chooses_codes
from promograph.templates.values import CannotRender, Missing

Codes = Mapping[CodeAsk, MessageCode | Refusal]
"""What came of asking for codes."""

_PENDING = MessageCode("PENDING")


class _Filling:
    """The codes of one message while it is rendered; `wanted` are those that nobody has asked for yet."""

    __slots__ = ("_asks", "_given", "used", "wanted")

    def __init__(self, asks: Sequence[CodeAsk], given: Codes) -> None:
        self._asks = asks
        self._given = given
        self.used: dict[str, None] = {}
        self.wanted: set[CodeAsk] = set()

    def look(self, number: int) -> MessageCode | Missing:
        ask = self._asks[number]
        found = self._given.get(ask)
        if found is None:
            self.wanted.add(ask)
            return _PENDING
        return Missing(found) if isinstance(found, Refusal) else found


def _code(filling: _Filling, number: int) -> str | Missing:
    found = filling.look(number)
    if isinstance(found, Missing):
        return found
    filling.used[found.text] = None
    return found.text


def _expiry(filling: _Filling, number: int) -> Any:
    found = filling.look(number)
    return found if isinstance(found, Missing) else found.expires_at


def _environment(*, is_html: bool) -> ImmutableSandboxedEnvironment:
    made = ImmutableSandboxedEnvironment(
        autoescape=is_html,
        finalize=values.show,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        cache_size=0,
    )
    made.globals = {}
    made.tests = {}
    made.filters = {name: function for name, (function, _) in values.FILTERS.items()}
    for function in (values.compare, values.concat, values.each, values.perhaps, values.known):
        made.filters[function.__name__] = function
    made.filters |= {"code": _code, "expiry": _expiry, "decimal": Decimal}
    return made


_HTML, _PLAIN = _environment(is_html=True), _environment(is_html=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadContent:
    """A message as read: what its parts ask for, what is wrong with it, and what it runs as if nothing is."""

    content: MessageContent
    places: Mapping[Fact, Place]
    names: Mapping[Fact, str]
    asks: tuple[CodeAsk, ...]
    chooses_codes: bool
    problems: tuple[TemplateProblem, ...]
    templates: tuple[tuple[MessagePart, Template], ...]


def read_content(content: MessageContent) -> ReadContent:
    """Read and compile all parts. Names of promotions, properties and attributes are not looked up here."""
    slots, problems, trees = Slots(), list[TemplateProblem](), list[tuple[MessagePart, nodes.Template]]()
    for part, source in content.parts():
        reader = Reader(part, _HTML if part is MessagePart.HTML else _PLAIN, slots)
        trees.append((part, reader.read(source)))
        problems += reader.problems
    templates = [] if problems else [(part, _compiled(part, tree, problems)) for part, tree in trees]
    return ReadContent(
        content=content,
        places=slots.places,
        names=slots.names,
        asks=tuple(slots.asks),
        chooses_codes=any(chooses_codes(tree) for _, tree in trees),
        problems=tuple(problems),
        templates=tuple((part, template) for part, template in templates if template is not None),
    )


def _compiled(part: MessagePart, tree: nodes.Template, problems: list[TemplateProblem]) -> Template | None:
    environment = _HTML if part is MessagePart.HTML else _PLAIN
    try:
        return Template.from_code(environment, environment.compile(tree), {})
    # The bounds on depth keep away from this; what Python's own compiler can take differs by version.
    except (RecursionError, MemoryError, SyntaxError):
        message = "There are too many brackets or tags inside one another."
        problems.append(TemplateProblem(part=part, line=1, fault=TemplateFault.TOO_LARGE, message=message))
        return None


class MessageTemplate:
    """A message that is ready to be rendered. `asks` name promotions by their handles.

    `constants` are the values of facts that are the same for everybody, `handles` those of the promotions as the
    templates name them.
    """

    def __init__(self, read: ReadContent, *, constants: Mapping[Fact, Any], handles: Mapping[str, str]) -> None:
        self.asks = tuple(ask.of(handles[ask.promotion]) for ask in read.asks)
        self.chooses_codes = read.chooses_codes
        self._templates = read.templates
        self._constants = {name: constants[fact] for fact, name in read.names.items() if fact in constants}
        self._fields = [(name, fact.name) for fact, name in read.names.items() if fact.source is Source.CUSTOMER]
        self._attributes = [(name, fact.name) for fact, name in read.names.items() if fact.source is Source.ATTRIBUTE]

    def render(
        self, customer: Customer, codes: Codes, *, longest: Mapping[MessagePart, int] = LONGEST_RENDERED
    ) -> Message:
        """The message for this customer. CannotRender where a code is missing and nothing stands in for it."""
        filling = _Filling(self.asks, codes)
        rendered = self._run(customer, filling)
        return Message(codes=tuple(filling.used), **{part.value.lower(): text for part, text in rendered.items()})

    def wanted(self, customer: Customer, codes: Codes) -> set[CodeAsk]:
        """The codes that have yet to be asked for before this customer's message can be rendered."""
        if not self.chooses_codes:
            return {ask for ask in self.asks if ask not in codes}
        filling = _Filling(self.asks, codes)
        try:
            self._run(customer, filling)
        except CannotRender:
            return set()  # nor will it be rendered, so that no more codes are to be used up for it
        return filling.wanted

    def _run(self, customer: Customer, filling: _Filling) -> dict[MessagePart, str]:
        known = dict(self._constants)
        known[CODES] = filling
        for name, field in self._fields:
            known[name] = getattr(customer, field)
        attributes = customer.attributes
        for name, attribute in self._attributes:
            known[name] = attributes.get(attribute)
        rendered = {part: _joined(template, known, LONGEST_RENDERED[part]) for part, template in self._templates}
        if MessagePart.SUBJECT in rendered:
            # A line break in somebody's name must not become a header of its own.
            rendered[MessagePart.SUBJECT] = " ".join(rendered[MessagePart.SUBJECT].split())
        return rendered


def _joined(template: Template, known: dict[str, Any], longest: int) -> str:
    texts, length = [], 0
    for text in template.root_render_func(template.new_context(known, shared=True)):
        length += len(text)
        if length > longest:
            raise CannotRender(f"The message becomes longer than {longest:,} characters.")
        texts.append(text)
    return "".join(texts)
