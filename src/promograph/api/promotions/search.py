"""Which promotions the lobby shows, and in which order."""

from enum import Enum

import strawberry

from promograph.api.enums import described
from promograph.domain.promotions import CodeKind, PromotionStatus
from promograph.errors import BadInput, InputProblem
from promograph.store.listing import PromotionQuery

_LONGEST_SEARCH = 200
_LONGEST_PROPERTY = 500
_MOST_PROPERTIES = 50
_MOST_REWARD_TYPES = 100


class PromotionSort(Enum):
    CREATED_AT = "created"
    UPDATED_AT = "updated"
    NAME = "name"
    HANDLE = "handle"


described(
    PromotionSort,
    "PromotionSort",
    "In which order promotions are listed.",
    {
        "CREATED_AT": "The oldest first.",
        "UPDATED_AT": "The one that was not changed for the longest time first.",
        "NAME": "By name, without regard to letter case.",
        "HANDLE": "By handle.",
    },
)


SORTED_BY: dict[PromotionSort, tuple[type, ...]] = {
    PromotionSort.CREATED_AT: (int, int),
    PromotionSort.UPDATED_AT: (int, int),
    PromotionSort.NAME: (str, int),
    PromotionSort.HANDLE: (str, int),
}
"""The types of the values by which a page is found again, the promotion's number last."""


@strawberry.input(description="A property's exact value.")
class PropertyFilter:
    name: str = strawberry.field(description="The property's name.")
    value: str = strawberry.field(description="The value that it must have.")


@strawberry.input(description="Which promotions; all conditions must hold.")
class PromotionFilter:
    status: list[PromotionStatus] | None = strawberry.field(default=None, description="In one of these states.")
    code_kind: list[CodeKind] | None = strawberry.field(default=None, description="With codes of one of these kinds.")
    reward_type: list[str] | None = strawberry.field(
        default=None, description="Rewarding with one of these reward types, by handle."
    )
    properties: list[PropertyFilter] | None = strawberry.field(
        default=None, description="With all of these properties."
    )


def query_of(
    search: str | None, filter: PromotionFilter | None, sort: PromotionSort, *, descending: bool
) -> PromotionQuery:
    """What the store is to look for; BadInput for texts that it could not."""
    if search is not None:
        _check_text(search, "search", longest=_LONGEST_SEARCH)
    if filter is None:
        return PromotionQuery(search=search, sort=sort.value, descending=descending)
    return PromotionQuery(
        search=search,
        statuses=frozenset(filter.status or ()),
        kinds=frozenset(filter.code_kind or ()),
        reward_types=_reward_types(filter.reward_type or []),
        properties=_properties(filter.properties or []),
        sort=sort.value,
        descending=descending,
    )


def _reward_types(handles: list[str]) -> frozenset[str]:
    if len(handles) > _MOST_REWARD_TYPES:
        sentence = f"A filter names at most {_MOST_REWARD_TYPES} reward types."
        raise BadInput(InputProblem.TOO_MANY, sentence, field=("filter", "rewardType"))
    for place, handle in enumerate(handles):
        _check_text(handle, "filter", "rewardType", str(place), longest=_LONGEST_PROPERTY)
    return frozenset(handles)


def _properties(wanted: list[PropertyFilter]) -> tuple[tuple[str, str], ...]:
    if len(wanted) > _MOST_PROPERTIES:
        raise BadInput(
            InputProblem.TOO_MANY,
            f"A filter names at most {_MOST_PROPERTIES} properties.",
            field=("filter", "properties"),
        )
    for place, asked in enumerate(wanted):
        for name in ("name", "value"):
            _check_text(getattr(asked, name), "filter", "properties", str(place), name, longest=_LONGEST_PROPERTY)
    return tuple((asked.name, asked.value) for asked in wanted)


def _check_text(text: str, *field: str, longest: int) -> None:
    if len(text) > longest:
        raise BadInput(InputProblem.OUT_OF_RANGE, f"{field[-1]} has at most {longest} characters.", field=field)
    if "\0" in text:
        raise BadInput(InputProblem.INVALID, f"{field[-1]} holds a character that cannot be stored.", field=field)
