"""Where the values are that a message is filled with, once for all of its parts."""

from dataclasses import dataclass, field

from jinja2 import nodes

from promograph.domain.sending.messages import CodeAsk, MessagePart
from promograph.templates.facts import Fact, Source

CODES = "codes"
"""The name under which a tree finds the codes; those of other slots begin with `f_`, those of loops with `l_`."""

Place = tuple[MessagePart, int]
"""A part and a line."""


@dataclass(slots=True)
class Slots:
    """What is asked for, each once: where it was first mentioned, and under which name a tree finds it.

    `asks` are the codes, and their places in here are how a tree names them.
    """

    places: dict[Fact, Place] = field(default_factory=dict)
    names: dict[Fact, str] = field(default_factory=dict)
    asks: list[CodeAsk] = field(default_factory=list)

    def take(self, fact: Fact, place: Place) -> nodes.Expr:
        """What stands for the fact in a tree."""
        self.places.setdefault(fact, place)
        ask, (_, line) = fact.ask, place
        if ask is None:
            name = self.names.setdefault(fact, f"f_{len(self.names)}")
            return nodes.Name(name, "load", lineno=line)
        if ask not in self.asks:
            self.asks.append(ask)
        number = nodes.Const(self.asks.index(ask))
        codes = nodes.Name(CODES, "load", lineno=line)
        return nodes.Filter(codes, fact.source.value.lower(), [number], [], None, None, lineno=line)


_CHOOSE = (nodes.If, nodes.For, nodes.CondExpr, nodes.And, nodes.Or)
_OF_CODES = (Source.CODE.value.lower(), Source.EXPIRY.value.lower())


def asks_codes(node: nodes.Node) -> bool:
    """Whether there is a code in it."""
    inside = (node, *node.find_all(nodes.Filter))
    return any(isinstance(each, nodes.Filter) and each.name in _OF_CODES for each in inside)


def chooses_codes(tree: nodes.Node) -> bool:
    """Whether it depends on something which codes are asked for."""
    return any(asks_codes(node) for node in tree.find_all(_CHOOSE))
