"""What a template may ask for: each fact is one slot of its own, filled before it is rendered.

Nothing is called and nothing is looked up in objects while a template runs. `client.attributes.city` is not a way
through an object but the name of a fact, known as such when the template is read.
"""

from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum

from promograph.domain.sending.messages import CodeAct, CodeAsk

OWN = ""
"""The promotion that a message is for, where a template names none."""


class Source(StrEnum):
    CUSTOMER = "CUSTOMER"
    ATTRIBUTE = "ATTRIBUTE"
    PROMOTION = "PROMOTION"
    PROPERTY = "PROPERTY"
    CODE = "CODE"
    EXPIRY = "EXPIRY"


@dataclass(frozen=True, slots=True)
class Fact:
    """`name`: of the field, the attribute, the property; of a code, how it is asked for.

    `promotion`: a handle or a name, as the template has it; OWN where it names none.
    """

    source: Source
    name: str
    promotion: str = OWN

    @property
    def ask(self) -> CodeAsk | None:
        """The code that this takes."""
        if self.source not in (Source.CODE, Source.EXPIRY):
            return None
        return CodeAsk(self.promotion, CodeAct(self.name))


class Unknown(Exception):
    """A name that means nothing; the message says what does."""


@dataclass(frozen=True, slots=True)
class Call:
    """A step of a path that has brackets: the one text between them, if any."""

    argument: str | None


Step = str | Call

CUSTOMER_FIELDS = ("id", "email", "phone", "locale")
PROMOTION_FIELDS = ("handle", "name", "description", "starts_at", "ends_at")
_CLIENT = (*CUSTOMER_FIELDS, "attributes", "promocode", "last_promocode")
_ACTS = {"promocode": CodeAct.ISSUE, "last_promocode": CodeAct.REPEAT}
ROOTS = ("client", "customer", "promotion", *_ACTS)
"""The names that mean something by themselves; `customer` is the same as `client`."""


def fact_of(root: str, steps: tuple[Step, ...]) -> Fact:
    """What a path such as `client.attributes.city` means; Unknown where it means nothing."""
    match root, steps:
        case ("client" | "customer", (("promocode" | "last_promocode") as act, Call(promotion), *rest)):
            return _code(act, _named(promotion, f"client.{act}"), tuple(rest))
        case ("client" | "customer", (("promocode" | "last_promocode") as act, *_)):
            raise Unknown(f"Say of which promotion: client.{act}('handle'), or {act} for the message's own.")
        case ("client" | "customer", ("attributes", str(name))):
            return Fact(Source.ATTRIBUTE, name)
        case ("client" | "customer", ("attributes", *_)):
            raise Unknown("An attribute is client.attributes.city, or client.attributes['home town'].")
        case ("client" | "customer", (str(name),)) if name in CUSTOMER_FIELDS:
            return Fact(Source.CUSTOMER, name)
        case ("client" | "customer", (str(name), *_)) if name in CUSTOMER_FIELDS:
            raise Unknown(f"{root}.{name} is a value; it has no parts.")
        case ("client" | "customer", (str(name), *_)):
            raise Unknown(_no_field(root, name))
        case ("promotion", (Call(promotion), *rest)):
            return _of_promotion(_named(promotion, "promotion"), tuple(rest))
        case ("promotion", _):
            return _of_promotion(OWN, steps)
        case ("promocode" | "last_promocode", _):
            if steps and isinstance(steps[0], Call):
                return _code(root, _named(steps[0].argument, root), steps[1:])
            return _code(root, OWN, steps)
    raise Unknown(f"{root!r} is not a value by itself; ask for one, as in client.email or promotion.name.")


def no_name(name: str) -> Unknown:
    """For a root that there is not."""
    near = get_close_matches(name, ROOTS, 1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(ROOTS)}. A text stands in quotes: '{name}'."
    return Unknown(f"There is no {name!r}; {hint}")


def _code(act: str, promotion: str, rest: tuple[Step, ...]) -> Fact:
    match rest:
        case ():
            return Fact(Source.CODE, _ACTS[act], promotion)
        case ("expires_at",):
            return Fact(Source.EXPIRY, _ACTS[act], promotion)
    raise Unknown("A code has nothing but its text, and .expires_at.")


def _of_promotion(promotion: str, rest: tuple[Step, ...]) -> Fact:
    match rest:
        case ("properties", str(name)):
            return Fact(Source.PROPERTY, name, promotion)
        case (str(name),) if name in PROMOTION_FIELDS:
            return Fact(Source.PROMOTION, name, promotion)
    known = ", ".join(PROMOTION_FIELDS)
    raise Unknown(f"A promotion has {known}, and properties such as .properties.theme.")


def _named(promotion: str | None, written: str) -> str:
    if not promotion or not promotion.strip():
        raise Unknown(f"Name one promotion, by its handle or name, in quotes: {written}('spring-sale').")
    return promotion.strip()


def _no_field(root: str, name: str) -> str:
    near = get_close_matches(name, _CLIENT, 1)
    hint = f"did you mean {root}.{near[0]}? If not, " if near else ""
    return f"There is no {root}.{name}; {hint}an attribute is {root}.attributes.{name}."
