"""A million customers of whom everything is known by their number, and conditions of five leaves over them.

What a condition counts can so be told without a store: `Question.holds` says it of one number.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

SPRING, SUMMER = "spring", "summer"

_SINCE = "2020-01-01T00:00:00Z"

Json = dict[str, Any]


def person(number: int) -> str:
    """As `customers.told` calls them."""
    return f"person-{number:08}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """`size` customers. Codes are issued for two sends: of spring to the first 60 %, of summer to every third of the
    first 90 %; to the first fifth of either a second one.
    """

    size: int

    def takers(self, promotion: str) -> tuple[range, range]:
        """The numbers of those who get a code with the first send, and with the second."""
        step, share = (1, 6) if promotion == SPRING else (3, 9)
        last = self.size * share // 10
        return range(0, last, step), range(0, last // 5, step)

    def codes(self, promotion: str, number: int) -> int:
        """How many codes of it a customer has."""
        return sum(number in takers for takers in self.takers(promotion))


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A condition as the API takes it, and whether a customer passes it, from the codes of spring and of summer."""

    what: str
    condition: Json
    holds: Callable[[int, int, int], bool]

    def count(self, crowd: Crowd) -> int:
        """What it is to count."""
        spring, summer = crowd.takers(SPRING), crowd.takers(SUMMER)
        return sum(
            self.holds(n, (n in spring[0]) + (n in spring[1]), (n in summer[0]) + (n in summer[1]))
            for n in range(crowd.size)
        )


def questions() -> tuple[Question, ...]:
    """Five leaves each, two or more of them over issued codes."""
    return _all(), _nearly_everybody(), _any(), _tree()


def _all() -> Question:
    return Question(
        what="all of: three attributes, issued ≥ 1 of a promotion, not issued ≥ 2",
        condition={
            "all": [
                _attribute("tier", "IN", texts=["silver", "gold"]),
                _attribute("age", "GTE", number="30"),
                _attribute("newsletter", "EQUALS", boolean=True),
                _issued("GTE", 1, promotion=SPRING),
                {"not": _issued("GTE", 2, since=_SINCE)},
            ]
        },
        holds=lambda n, spring, summer: (
            n % 3 < 2 and 18 + n % 70 >= 30 and n % 2 == 0 and spring >= 1 and spring + summer < 2
        ),
    )


def _nearly_everybody() -> Question:
    return Question(
        what="all of: three attributes, not issued ≥ 2 of a promotion, issued ≤ 3; nearly everybody passes",
        condition={
            "all": [
                _attribute("age", "GTE", number="18"),
                _attribute("spent", "LT", number="89000"),
                _attribute("born", "LT", date="1998-01-01"),
                {"not": _issued("GTE", 2, promotion=SUMMER)},
                _issued("LTE", 3, since=_SINCE),
            ]
        },
        holds=lambda n, spring, summer: (
            n % 90_000 < 89_000 and 1940 + n % 60 < 1998 and summer < 2 and spring + summer <= 3
        ),
    )


def _any() -> Question:
    return Question(
        what="any of: three attributes, issued ≥ 1 of a promotion, issued ≥ 2",
        condition={
            "any": [
                _attribute("city", "EQUALS", text="City 5"),
                _attribute("likes", "EQUALS", text="sport 3"),
                _attribute("seen", "GT", date="2026-11-15"),
                _issued("GTE", 1, promotion=SUMMER),
                _issued("GTE", 2, since=_SINCE),
            ]
        },
        holds=lambda n, spring, summer: (
            n % 97 == 5 or n % 7 == 3 or (1 + n % 12, 1 + n % 28) > (11, 15) or summer >= 1 or spring + summer >= 2
        ),
    )


def _tree() -> Question:
    return Question(
        what="(issued = 1 of one promotion or holds another's) and three attributes",
        condition={
            "all": [
                {"any": [_issued("EQUALS", 1, promotion=SPRING), {"holds": SUMMER}]},
                _attribute("vip", "EQUALS", boolean=False),
                _attribute("spent", "GT", number="99.5"),
                _attribute("city", "IN", texts=[f"City {number}" for number in range(33)]),
            ]
        },
        holds=lambda n, spring, summer: (
            (spring == 1 or summer >= 1) and n % 10 > 0 and n % 90_000 + 0.25 > 99.5 and n % 97 < 33
        ),
    )


def _attribute(name: str, op: str, **value: Any) -> Json:
    return {"attribute": {"name": name, "op": op, "value": value}}


def _issued(op: str, count: int, **more: str) -> Json:
    return {"issued": {"op": op, "count": count, **more}}
