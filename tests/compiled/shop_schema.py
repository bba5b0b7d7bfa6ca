"""A schema with everything that a compiled operation meets: each kind of resolver, type, argument and failure."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Annotated, Any

import strawberry
from strawberry import UNSET, relay
from strawberry.dataloader import DataLoader
from strawberry.extensions import FieldExtension
from strawberry.permission import BasePermission
from strawberry.scalars import JSON


@dataclass
class Context:
    may: bool = True
    calls: list[str] = field(default_factory=list)
    loader: Any = None

    async def load(self, key: int) -> str:
        if self.loader is None:

            async def load(keys: list[int]) -> list[str]:
                self.calls.append(f"load {sorted(keys)}")
                return [f"loaded {key}" for key in keys]

            self.loader = DataLoader(load_fn=load, cache=False)
        return str(await self.loader.load(key))


class Broken(Exception):
    pass


class Soon:
    """An awaitable in a place where a plain value is expected; without a text it fails."""

    def __init__(self, text: str | None) -> None:
        self._text = text

    def __await__(self) -> Any:
        yield from asyncio.sleep(0).__await__()
        if self._text is None:
            raise Broken("awaited")
        return self._text


@strawberry.enum
class Colour(Enum):
    RED = "red"
    GREEN = "green"


@strawberry.enum
class Size(IntEnum):
    SMALL = 1
    LARGE = 2


class Allowed(BasePermission):
    message = "You may not."

    def has_permission(self, source: Any, info: strawberry.Info, **_: Any) -> bool:
        return bool(info.context.may)


class Loud(FieldExtension):
    def resolve(self, next_: Any, source: Any, info: strawberry.Info, **given: Any) -> Any:
        return f"{next_(source, info, **given)}!"


@strawberry.interface
class Thing:
    name: str

    @strawberry.field
    def described(self, info: strawberry.Info) -> str:
        return f"{info.field_name} {info.path.as_list()} {info.return_type.__name__} {len(info.selected_fields)}"


@strawberry.type
class Part:
    number: int
    weight: float | None = None


@strawberry.type
class Book(Thing):
    pages: int | None
    parts: list[Part]
    grid: list[list[int | None] | None]

    @strawberry.field
    async def loaded(self, info: strawberry.Info) -> str:
        return await info.context.load(self.pages or 0)

    @strawberry.field
    async def sometimes(self) -> int:
        await asyncio.sleep(0)
        if self.pages and self.pages > 200:
            raise Broken(f"{self.name} is too long")
        return self.pages or 0

    @strawberry.field
    def sequel(self, title: str = "II", colours: list[Colour] | None = None) -> "Book | None":
        if title == "":
            raise Broken("no title")
        return book(f"{self.name} {title} {colours}", (self.pages or 0) + 100) if title != "a" else None


@strawberry.type
class Lamp(Thing):
    colour: Colour
    size: Size | None
    price: Decimal
    lit_at: datetime | None
    data: JSON
    tags: list[str]
    odd: int
    never: str

    @strawberry.field(permission_classes=[Allowed])
    def secret(self, times: int = 1) -> str:
        return "s" * min(times, 5)

    @strawberry.field(extensions=[Loud()])
    def shout(self, word: str) -> str:
        return word

    @strawberry.field
    def other(self) -> "Item | None":
        return book("below", 10)


Item = Annotated[Book | Lamp, strawberry.union("Item")]


@strawberry.type
class Numbered(relay.Node):
    id: relay.NodeID[int]
    title: str


@strawberry.input
class Range:
    low: int
    high: int | None = 10


@strawberry.input
class Wish:
    text: str
    colour: Colour = Colour.RED
    size: Size | None = UNSET
    ranges: list[Range] = strawberry.field(default_factory=list)
    best: Range | None = None
    tags: list[str | None] | None = strawberry.field(default_factory=lambda: ["new"])
    price: Decimal = Decimal("1.50")
    when: datetime | None = None
    data: JSON | None = None
    keyword: str | None = strawberry.field(name="class", default=None)


@strawberry.input
class Tree:
    value: int
    children: list["Tree"] | None = None


@strawberry.input(one_of=True)
class Either:
    number: int | None = UNSET
    text: str | None = UNSET


@strawberry.input
class Checked:
    amount: int
    perhaps: strawberry.Maybe[str | None]

    def __post_init__(self) -> None:
        if self.amount > 2:
            raise Broken("too much")


def book(name: str, pages: int | None) -> Book:
    return Book(name=name, pages=pages, parts=[Part(number=1), Part(number=2, weight=0.25)], grid=[[1, None], None])


def lamp(**others: Any) -> Lamp:
    given: dict[str, Any] = {
        "name": "lamp",
        "colour": Colour.GREEN,
        "size": Size.LARGE,
        "price": Decimal("9.90"),
        "lit_at": datetime(2026, 1, 1, tzinfo=UTC),
        "data": {"a": [1, 2]},
        "tags": ["x", "y"],
        "odd": 1,
        "never": "n",
    }
    return Lamp(**(given | others))


@strawberry.type
class Query:
    @strawberry.field
    def version(self) -> str:
        return "1"

    @strawberry.field
    async def things(self, many: int = 2) -> list[Thing]:
        await asyncio.sleep(0)
        return [book("one", 100), lamp(), book("two", 300)][: max(0, many)]

    @strawberry.field
    def items(self) -> list[Item | None] | None:
        return [book("three", None), None, lamp(size=None, lit_at=None)]

    @strawberry.field
    def broken_lamps(self) -> list[Lamp | None]:
        return [
            lamp(colour="blue"),
            lamp(odd="one", never=None),
            lamp(price=None),
            lamp(tags=None),
            lamp(tags=("t", 5)),
            lamp(tags=iter(["i"])),
            lamp(name=Soon("later")),
            lamp(never=Broken("returned")),
            lamp(never=Soon(None)),
            lamp(odd=2**40, data=Decimal(1)),
            "no lamp",
        ]  # type: ignore[list-item]

    @strawberry.field
    def many_books(self) -> list[Book]:
        return [book(str(number), number * 90) for number in range(5)]

    @strawberry.field
    def streamed(self) -> list[str]:
        def words() -> Iterator[str]:
            yield "one"
            raise Broken("in the middle")

        return words()  # type: ignore[return-value]

    @strawberry.field
    def slowly(self) -> list[str] | None:
        async def words() -> AsyncIterator[str]:
            yield "one"
            yield "two"

        return words()  # type: ignore[return-value]

    @strawberry.field
    async def fails(self, how: str = "x") -> str:
        raise Broken(how)

    @strawberry.field
    async def maybe_fails(self, info: strawberry.Info, after: int = 0) -> str | None:
        for _ in range(min(after, 5)):
            await asyncio.sleep(0)
        if after:
            raise Broken(f"after {after}")
        return f"{info.variable_values} {info.operation.name.value if info.operation.name else None}"

    @strawberry.field
    def wishes(self, wishes: list[Wish] | None = None, wish: Wish | None = None) -> str:
        return f"{wishes} {wish}"

    @strawberry.field
    def wish(self, wish: Wish) -> str:
        return repr(wish)

    @strawberry.field
    def tree(self, tree: Tree) -> str:
        return repr(tree)

    @strawberry.field
    def either(self, either: Either, numbers: list[int] | None = None) -> str:
        return f"{either} {numbers}"

    @strawberry.field
    def checked(self, checked: Checked | None = None) -> str:
        return repr(checked)

    @strawberry.field
    def plain(
        self,
        id: strawberry.ID,
        flag: bool | None = None,
        ratio: float = 0.5,
        colour: Colour | None = Colour.GREEN,
        sizes: list[Size] | None = UNSET,
        node: relay.GlobalID | None = None,
    ) -> str:
        return f"{id!r} {flag} {ratio} {colour} {sizes} {node}"

    @strawberry.field
    def numbered(self) -> Numbered:
        return Numbered(id=5, title="five")

    @strawberry.field(permission_classes=[Allowed])
    async def guarded(self, word: str | None = None) -> Thing | None:
        return lamp(name=word or "guarded")


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def first(self, info: strawberry.Info, wish: Wish | None = None) -> Lamp:
        await asyncio.sleep(0)
        info.context.calls.append("first")
        return lamp(name=wish.text if wish else "no wish")

    @strawberry.mutation
    def second(self, info: strawberry.Info, fail: bool = False) -> Book | None:
        info.context.calls.append("second")
        if fail:
            raise Broken("second")
        return book("second", 1)

    @strawberry.mutation
    async def third(self, fail: bool = False) -> int:
        if fail:
            raise Broken("third")
        return 3


def shop_schema(**others: Any) -> strawberry.Schema:
    return strawberry.Schema(Query, mutation=Mutation, types=[Book, Lamp], **others)
