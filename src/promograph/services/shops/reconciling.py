"""The job that holds what a shop says was used against what was redeemed here, and mends it where that was asked."""

import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from promograph.channels import OrderPage
from promograph.domain.clock import Clock
from promograph.domain.jobs import Job, JobKind, Progress, Result
from promograph.domain.orders.news import OrderNews
from promograph.domain.shops.differences import Difference
from promograph.domain.stock.exports import harmless
from promograph.errors import BadInput, InputProblem
from promograph.services.export_files import CSV_BEGINNING, csv_lines
from promograph.services.jobs import Asking, Jobs
from promograph.services.jobs.runs import Run
from promograph.services.orders import Orders
from promograph.services.shops import Shops
from promograph.services.shops.asking import Asker
from promograph.store.databases.database import Connection, Database
from promograph.store.jobs import NewJob
from promograph.store.jobs import files as job_files
from promograph.store.listing import Page, Slice
from promograph.store.shops import reconciling

REPORT = "report"
"""The role of the file that lists the differences."""

_KEPT = timedelta(days=7)
_LISTED = 1_000
_EARLIER = timedelta(days=1)
"""How much earlier the shop is asked from: what was redeemed late belongs to orders from before."""

_HEAD = ("what", "order", "code", "there", "here", "currency", "why", "mended")


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    """`after`: the page at hand; `is_kept`: what does not agree on it is written down, under ids above `kept_after`;
    `is_listed`: it was the last.
    """

    after: str | None = None
    is_kept: bool = False
    kept_after: int = 0
    is_listed: bool = False
    orders: int = 0
    mended: int = 0


class Reconciling:
    """The kind SHOP_RECONCILE, and how to begin one. Its input: `shop`, `since`, `until`, `mend`."""

    def __init__(self, database: Database, clock: Clock, jobs: Jobs, shops: Shops, orders: Orders) -> None:
        self._database = database
        self._clock = clock
        self._jobs = jobs
        self._shops = shops
        self._orders = orders

    async def begin(self, name: str, since: datetime, *, mend: bool, key: str | None = None) -> Job:
        """A job, or the one that the key has; BadInput where there is no such shop, or `since` is to come."""
        self._shops.shop(name)
        now = self._clock()
        if since > now:
            raise BadInput(InputProblem.OUT_OF_RANGE, "This is yet to come.", field=("since",))
        asked = {"shop": name, "since": since.isoformat(), "mend": mend}
        new = NewJob(kind=JobKind.SHOP_RECONCILE, input={**asked, "until": now.isoformat()})
        return await self._jobs.submit(new, Asking(operation="shopReconcile", key=key, asked=asked))

    async def page(self, job_id: int, part: Slice) -> Page:
        """`Difference`s that the job has found so far, in the order in which it found them."""
        return await self._database.read(lambda connection: reconciling.page(connection, job_id, part))

    async def run(self, run: Run) -> None:
        """A `Kind`'s."""
        name = run.input["shop"]
        shop, channel = self._shops.shop(name), self._shops.channel_of(name)
        since = datetime.fromisoformat(run.input["since"])
        asker = Asker(run, shop)
        state = _State(**(run.progress.state or {}))
        while not state.is_listed:
            page = await asker.ask(partial(shop.orders, since - _EARLIER, state.after))
            state = await self._page(run, channel, name, state, page)
        await self._finish(run, channel, name, since, state)

    async def undo(self, run: Run) -> None:
        """A `Kind`'s. Nothing: what was found is shown, what was mended stays so."""

    async def _page(self, run: Run, channel: str, name: str, state: _State, page: OrderPage) -> _State:
        compare = partial(reconciling.compared, channel=channel, shop=name, orders=page.orders)
        job = run.job.id
        if not state.is_kept:
            differing, told = await self._database.read(compare, heavy=True)
            last = await self._database.read(lambda connection: reconciling.last(connection, job))
            state = replace(state, is_kept=True, kept_after=last)
            await _step(run, state, partial(reconciling.keep, job_id=job, differing=differing, told=told))
        gone = await self._mend(channel, page.orders, job, state.kept_after, compare) if run.input["mend"] else []
        state = _State(
            after=page.after,
            is_listed=page.after is None,
            orders=state.orders + len(page.orders),
            mended=state.mended + len(gone),
        )
        await _step(run, state, partial(reconciling.mended, those=gone))
        return state

    async def _mend(
        self, channel: str, orders: Sequence[OrderNews], job_id: int, kept_after: int, compare: Any
    ) -> list[int]:
        """Hear these orders as if the shop had told of them by itself; the ids of what agrees then.

        What is wrong was written down before: whoever goes on may find it right already.
        """
        wrong = await self._database.read(lambda connection: reconciling.mendable(connection, job_id, kept_after))
        if not wrong:
            return []
        refs = {one.order for one in wrong.values()}
        await self._orders.report(channel, [news for news in orders if news.order in refs])
        left, _ = await self._database.read(compare, heavy=True)
        still = {(one.order, one.code) for one in left if one.kind.is_mendable}
        return [id_ for id_, one in wrong.items() if (one.order, one.code) not in still]

    async def _finish(self, run: Run, channel: str, name: str, since: datetime, state: _State) -> None:
        now, job = self._clock(), run.job.id
        until, is_only = datetime.fromisoformat(run.input["until"]), self._shops.is_only(name)

        def end(connection: Connection) -> Result:
            reconciling.drop_superseded(connection, job)
            reconciling.not_sold_there(connection, job, channel, name, since, until, is_only=is_only)
            left = reconciling.close(connection, job)
            file = job_files.make(
                connection, REPORT, f"reconcile-{job}.csv", job_id=job, now=now, expires_at=now + _KEPT
            )
            for part, content in enumerate(_report(connection, job)):
                job_files.add(connection, file.id, part, content)
            counts = {"orders": state.orders, "mended": state.mended, "differences": left}
            report = counts | {"file": file.id, "token": secrets.token_urlsafe(32)}  # what `Exporting` opens
            return Result(report=report, done=state.orders, total=state.orders, failed=left)

        await run.finish(end)


async def _step(run: Run, state: _State, work: Any) -> None:
    def chunk(connection: Connection) -> Progress:
        work(connection)
        return Progress(state=asdict(state), done=state.orders, total=None)

    await run.step(chunk)


def _report(connection: Connection, job_id: int) -> Any:
    """The file's parts."""
    yield CSV_BEGINNING.encode() + csv_lines([_HEAD])
    part = Slice(count=_LISTED)
    while True:
        page = reconciling.page(connection, job_id, part)
        if page.rows:
            yield csv_lines([_line(one) for _, one in page.rows])
        if not page.has_next:
            return
        part = Slice(count=_LISTED, start=page.rows[-1][0])


def _line(one: Difference) -> tuple[str, ...]:
    money = one.there or one.here
    return (
        one.kind.value,
        harmless(one.order),
        harmless(one.code),
        "" if one.there is None else one.there.amount,
        "" if one.here is None else one.here.amount,
        "" if money is None else money.currency,
        harmless(one.why),
        "yes" if one.is_mended else "no",
    )
