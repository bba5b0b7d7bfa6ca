"""Use cases of a pool: generate codes, import or paste them, list them."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import aclosing
from dataclasses import asdict, dataclass
from hashlib import sha256

from promograph.domain.clock import Clock
from promograph.domain.codes.formats import CodeFormat
from promograph.domain.codes.placeholders import check_not_reserved
from promograph.domain.jobs import Job, JobKind, JobStatus
from promograph.domain.keys import checked_optional
from promograph.domain.promotions import Promotion
from promograph.domain.sheets.text import read_pasted
from promograph.domain.stock.batches import Added, AddReport, BatchSource, CodeBatch
from promograph.domain.stock.checks import checked
from promograph.domain.stock.lists import read_codes
from promograph.domain.stock.reports import Repeats, Tally
from promograph.domain.stock.rows import Batch
from promograph.domain.stock.selections import CodeSelection
from promograph.domain.stock.taking import checked_taker
from promograph.errors import BadInput, InputProblem
from promograph.services.ahead import ahead
from promograph.services.jobs import Asking, Jobs
from promograph.services.jobs.loading import claim_line
from promograph.services.loading import Loader
from promograph.store import code_looks, load_orders, promotions, stock
from promograph.store.codes.listing import code_page
from promograph.store.databases.database import Connection, Database
from promograph.store.jobs import NewJob
from promograph.store.listing import Page, Slice, batch_page, batch_row
from promograph.store.load_orders import AlreadyDone, Order

MOST_GENERATED = 10_000_000
MOST_PASTED = 100_000

_FEW = 100_000
"""So many codes are a matter of a second: they wait for no room."""

_LONG_SECONDS = 3_600.0


@dataclass(frozen=True, slots=True)
class GenerationPlan:
    """The look of codes to be made; once they are, one guess in `odds` hits a code of the promotion."""

    look: CodeFormat
    odds: int


class Stocking:
    """Codes of promotions by id. A load that fails leaves nothing behind."""

    def __init__(self, database: Database, clock: Clock, jobs: Jobs) -> None:
        self._database = database
        self._clock = clock
        self._jobs = jobs

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
        job = await self.begin_generating(promotion_id, count, format_, channel=channel, key=key)
        while not job.is_over:
            job = await self._jobs.wait(job.id, _LONG_SECONDS)
        if job.status is not JobStatus.DONE:
            raise job.error or BadInput(InputProblem.STATE, "Somebody cancelled it; none of its codes was added.")
        return await self._added(job)

    async def begin_generating(
        self,
        promotion_id: int,
        count: int,
        format_: CodeFormat | None,
        *,
        channel: str | None,
        key: str | None = None,
    ) -> Job:
        """The job that generates them, at work already where this process has room for it."""
        _check_count(count)
        checked_optional(channel, "channel", longest=64)
        asking = Asking(operation=JobKind.CODES_GENERATE, key=key, asked=(promotion_id, count, format_, channel))
        earlier = await self._jobs.earlier(asking)
        if earlier is not None:
            return earlier
        plan = await self.plan_generating(promotion_id, count, format_)
        input_ = {"format": asdict(plan.look), "count": count, "channel": channel}
        new = NewJob(kind=JobKind.CODES_GENERATE, input=input_, total=count, promotion_id=promotion_id)
        now = self._clock()

        def begin(connection: Connection, job: Job) -> dict[str, int]:
            code_looks.keep(connection, plan.look)
            return claim_line(connection, job, now)

        return await self._jobs.submit(new, asking, begin, quick=count <= _FEW)

    async def plan_generating(self, promotion_id: int, count: int, format_: CodeFormat | None) -> GenerationPlan:
        """What would be made, and how hard to guess it would be; nothing is. BadInput as from `begin_generating`."""
        _check_count(count)
        promotion = await self._open(promotion_id)
        look = promotion.terms.code_format if format_ is None else format_
        look.validate()
        check_not_reserved(look)
        counters = await self._database.read(lambda connection: stock.read(connection, [promotion_id]))
        existing = counters[promotion_id].total
        look.check_room(existing, count)
        return GenerationPlan(look, look.guess_odds(existing + count))

    async def _added(self, job: Job) -> Added:
        """What a job that is done has added."""
        assert job.batch_id is not None, "a job that generates codes makes a batch"
        id_ = job.batch_id
        row = await self._database.read(lambda connection: batch_row(connection, id_))
        batch = CodeBatch(
            id=row.id,
            promotion_id=row.promotion_id,
            source=BatchSource(row.source),
            channel=row.channel,
            size=row.size,
            created_at=row.created_at,
        )
        return Added(batch, AddReport(read=row.size, added=row.size))

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
            async with aclosing(ahead(checked(batches, repeats), loader.pace)) as coming:
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


def _check_count(count: int) -> None:
    if not 1 <= count <= MOST_GENERATED:
        raise BadInput(
            InputProblem.OUT_OF_RANGE, f"count must be 1 to {MOST_GENERATED:,}; it is {count:,}.", field=("count",)
        )


def _digest(content: bytes) -> str:
    return sha256(content).hexdigest()
