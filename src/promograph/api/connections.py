"""Lists by the Relay cursor connection specification, over keysets: a page stays right while rows are added."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Generic, TypeVar

import orjson
import strawberry

from promograph.api.rights import EVERYBODY
from promograph.errors import BadInput, InputProblem
from promograph.store.listing import Page, Slice

T = TypeVar("T")

MOST = 100
_USUAL = 20
_LARGEST = 2**63 - 1

First = Annotated[int | None, strawberry.argument(description=f"How many from the beginning, 0 to {MOST}.")]
After = Annotated[str | None, strawberry.argument(description="Begin after the item with this cursor.")]
Last = Annotated[int | None, strawberry.argument(description=f"How many from the end, 0 to {MOST}.")]
Before = Annotated[str | None, strawberry.argument(description="End before the item with this cursor.")]


@strawberry.type(description="Where a page lies in its list.", directives=EVERYBODY)
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether items follow this page.")
    has_previous_page: bool = strawberry.field(description="Whether items come before this page.")
    start_cursor: str | None = strawberry.field(description="The cursor of the page's first item.")
    end_cursor: str | None = strawberry.field(description="The cursor of the page's last item.")


@strawberry.type(description="An item of a list, with its place there.", directives=EVERYBODY)
class Edge(Generic[T]):
    node: T = strawberry.field(description="The item.")
    cursor: str = strawberry.field(description="The item's place, for `after` and `before`.")


@strawberry.type(description="One page of a list.", directives=EVERYBODY)
class Connection(Generic[T]):
    edges: list[Edge[T]] = strawberry.field(description="The page's items with their cursors.")
    nodes: list[T] = strawberry.field(description="The page's items.")
    page_info: PageInfo = strawberry.field(description="Where the page lies.")


def slice_of(
    first: int | None,
    after: str | None,
    last: int | None,
    before: str | None,
    *,
    list_name: str,
    sorted_by: Sequence[type] = (int,),
) -> Slice:
    """The part of a list that these arguments ask for; BadInput for those that make no sense together.

    `sorted_by` are the types of the list's sort values, which a cursor must hold.
    """
    if first is not None and last is not None:
        raise BadInput(InputProblem.INVALID, "Give either first or last, not both.", field=("first",))
    backward = last is not None or (before is not None and first is None)
    if (after if backward else before) is not None:
        raise BadInput(InputProblem.INVALID, "Use first with after, and last with before.", field=("after",))
    name, count = ("last", last) if backward else ("first", first)
    count = _USUAL if count is None else count
    if not 0 <= count <= MOST:
        raise BadInput(InputProblem.OUT_OF_RANGE, f"{name} must be 0 to {MOST}; it is {count}.", field=(name,))
    cursor = before if backward else after
    start = None
    if cursor is not None:
        start = _read_cursor(cursor, list_name, sorted_by)
        if start is None:
            raise _no_cursor("before" if backward else "after")
    return Slice(count=count, start=start, backward=backward)


def connection_of(page: Page, list_name: str, make: Callable[[Any], T]) -> Connection[T]:
    """The page as a connection, each row made into its node."""
    edges = [Edge(node=make(row), cursor=_cursor(values, list_name)) for values, row in page.rows]
    return Connection(
        edges=edges,
        nodes=[edge.node for edge in edges],
        page_info=PageInfo(
            has_next_page=page.has_next,
            has_previous_page=page.has_previous,
            start_cursor=edges[0].cursor if edges else None,
            end_cursor=edges[-1].cursor if edges else None,
        ),
    )


def _cursor(values: tuple[Any, ...], list_name: str) -> str:
    return urlsafe_b64encode(orjson.dumps([list_name, *map(_plain, values)])).decode().rstrip("=")


def _plain(value: Any) -> Any:
    return value if isinstance(value, int | str) else str(value)


def _read_cursor(cursor: str, list_name: str, sorted_by: Sequence[type]) -> tuple[Any, ...] | None:
    """The sort values in a cursor; None for another list's or order's, and for one that we never made."""
    try:
        name, *values = orjson.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, TypeError, binascii.Error):
        return None
    if name != list_name or [type(value) for value in values] != list(sorted_by):
        return None
    return tuple(values) if all(_is_storable(value) for value in values) else None


def _is_storable(value: int | str) -> bool:
    return "\0" not in value if isinstance(value, str) else -_LARGEST <= value <= _LARGEST


def _no_cursor(field: str) -> BadInput:
    return BadInput(
        InputProblem.INVALID,
        f"{field} is not a cursor of this list in this order: begin again without it.",
        field=(field,),
    )
