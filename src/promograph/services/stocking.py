"""Use cases of a pool: generate codes, import or paste them, list them."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import aclosing
from hashlib import sha256
from typing import TypeVar

from promograph.domain.batches import Added, AddReport, BatchSource
from promograph.domain.clock import Clock
from promograph.domain.code_checks import checked
from promograph.domain.code_formats import CodeFormat
from promograph.domain.code_lists import read_codes
from promograph.domain.code_making import generate
from promograph.domain.code_reports import Repeats, Tally
from promograph.domain.code_rows import Batch
from promograph.domain.code_selections import CodeSelection
from promograph.domain.code_taking import checked_taker
from promograph.domain.codes import normalise
from promograph.domain.keys import checked_optional
from promograph.domain.placeholders import check_not_reserved, is_placeholder
from promograph.domain.promotions import Promotion
from promograph.domain.sheet_text import read_pasted
from promograph.errors import BadInput, InputProblem
from promograph.services.ahead import ahead
from promograph.services.loading import Loader
from promograph.store import load_orders, promotions, stock
from promograph.store.code_listing import code_page
from promograph.store.database import Database
from promograph.store.listing import Page, Slice, batch_page
from promograph.store.load_orders import AlreadyDone, Order

T = TypeVar("T")

MOST_GENERATED = 10_000_000
MOST_PASTED = 100_000
_ROUND = 100_000


class Stocking:
    """Codes of promotions by id. A load that fails leaves nothing behind."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def generate(
        self,
        promotion_id: int,
        count: int,
        format_: CodeFormat | None,
        *,
        channel: str | None,
        key: str | None = None,
    ) -> Added:
        """Exactly `count` new codes, of the promotion's look unless told; BadInput where they could be guessed."""
        if not 1 <= count <= MOST_GENERATED:
            raise BadInput(
                InputProblem.OUT_OF_RANGE, f"count must be 1 to {MOST_GENERATED:,}; it is {count:,}.", field=("count",)
            )
        order = Order(promotion_id, BatchSource.GENERATED, channel, key, asked=(count, format_))
        return await self._once(order, lambda promotion: self._generate(promotion, count, format_, order))

    async def _generate(self, promotion: Promotion, count: int, format_: CodeFormat | None, order: Order) -> Added:
        look = promotion.terms.code_format if format_ is None else format_
        look.validate()
        check_not_reserved(look)
        counters = await self._database.read(lambda connection: stock.read(connection, [promotion.id]))
        look.check_room(counters[promotion.id].total, count)
        async with Loader(self._database, self._clock, order) as loader:
            while loader.added < count:
                async with aclosing(ahead(_rounds(look, count - loader.added))) as rounds:
                    async for texts, keys in rounds:
                        await loader.put(texts, keys)
            return await loader.publish(order, AddReport(read=count, added=count))

    async def paste(self, promotion_id: int, text: str, *, channel: str | None, key: str | None = None) -> Added:
        """Codes typed or pasted, one a line."""
        if text.count("\n") > MOST_PASTED:
            raise BadInput(
                InputProblem.TOO_MANY, f"A paste holds at most {MOST_PASTED:,} lines: import a file.", field=("codes",)
            )
        order = Order(
            promotion_id, BatchSource.PASTED, channel, key, asked=_digest(text.encode(errors="surrogatepass"))
        )
        return await self._once(order, lambda promotion: self._add(promotion, read_codes(read_pasted(text)), order))

    async def _once(
        self,
        order: Order,
        act: Callable[[Promotion], Awaitable[Added]],
    ) -> Added:
        """The answer that the order's key has already, or else what `act` gives."""
        checked_optional(order.channel, "channel", longest=64)
        checked_optional(order.key, "idempotencyKey")
        if not await self._database.read(lambda connection: load_orders.is_known(connection, order)):
            try:
                return await act(await self._open(order.promotion_id))
            except AlreadyDone:
                pass  # the same call, made twice: the other one was quicker
        earlier = await self._database.read(lambda connection: load_orders.recall(connection, order))
        assert earlier is not None, "answers are kept for ever"
        return earlier

    async def _add(
        self,
        promotion: Promotion,
        batches: Iterator[Batch],
        order: Order,
    ) -> Added:
        tally, repeats = Tally(), Repeats()
        already_here = 0
        async with Loader(self._database, self._clock, order) as loader:
            async with aclosing(ahead(checked(batches, repeats))) as coming:
                async for batch in coming:
                    tally.add(batch)
                    taken = await loader.put(batch.texts, batch.keys)
                    already_here += sum(owner == promotion.id for owner in taken.values())
            seen = tally.report()
            report = AddReport(
                read=seen.read,
                added=loader.added,
                repeated=seen.repeated,
                repeated_rows=seen.repeated_rows,
                already_here=already_here,
                already_elsewhere=seen.good - loader.added - already_here,
                bad=seen.bad,
                bad_rows=seen.bad_rows,
                header_skipped=seen.header_skipped,
                notes=seen.notes,
            )
            return await loader.publish(order, report)

    async def codes(self, selection: CodeSelection, part: Slice) -> Page:
        """`CodeStanding`s."""
        now = self._clock()
        return await self._database.read(lambda connection: code_page(connection, selection, part, now), heavy=True)

    async def batches(self, promotion_id: int, part: Slice) -> Page:
        return await self._database.read(lambda connection: batch_page(connection, promotion_id, part))

    async def _open(self, promotion_id: int) -> Promotion:
        found = await self._database.read(lambda connection: promotions.by_id(connection, [promotion_id]))
        return checked_taker(found.get(promotion_id), self._clock())


def _rounds(look: CodeFormat, count: int) -> Iterator[tuple[list[str], list[str]]]:
    """New texts with their keys, `count` of them."""
    for made in range(0, count, _ROUND):
        texts = generate(look, min(count - made, _ROUND))
        keys = _keys(texts)
        if any(map(is_placeholder, keys)):
            texts = [text for text, key in zip(texts, keys, strict=True) if not is_placeholder(key)]
            keys = _keys(texts)
        yield texts, keys


def _keys(texts: list[str]) -> list[str]:
    block = "\n".join(texts)
    if not block.isascii():
        return [normalise(text) for text in texts]
    upper = block.upper()  # of made texts, which have no space around them, this is the key
    return texts if upper == block else upper.split("\n")


def _digest(content: bytes) -> str:
    return sha256(content).hexdigest()
