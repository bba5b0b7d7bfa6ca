"""One push in the hands of one process: a shop brought up to date with a promotion, some codes at a time."""

import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any

from promograph.channels import CodeAnswer, OfferGone
from promograph.domain.clock import Clock
from promograph.domain.jobs import Progress, Result
from promograph.domain.promotions import Promotion
from promograph.domain.shops.offers import Offer
from promograph.domain.shops.pushes import Push, ToldState
from promograph.domain.stock.exports import harmless
from promograph.domain.stock.selections import CodeSelection
from promograph.services.export_files import CSV_BEGINNING, csv_lines
from promograph.services.jobs.runs import Run
from promograph.services.shops import Shops
from promograph.services.shops.asking import Asker
from promograph.store import promotions
from promograph.store.codes import selecting
from promograph.store.codes.selecting import LEAST, Range
from promograph.store.databases.database import Connection, Database
from promograph.store.jobs import files as job_files
from promograph.store.shops import codes as shop_codes
from promograph.store.shops import pushes
from promograph.store.shops.codes import OnItsWay, Told

REPORT = "report"
"""The role of the file that says what the shop would not take."""

_KEPT = timedelta(days=7)
_LOOKED_AT = 5_000
_HEAD = csv_lines([("code", "what", "why")])


@dataclass(frozen=True, slots=True, kw_only=True)
class PushProgress:
    """`stamp` is how things stood when the job began, `next` the number to go on from; `report` is a file of `lines`
    parts.
    """

    stamp: str
    report: int
    next: int = LEAST
    lines: int = 1
    put: int = 0
    stopped: int = 0
    refused: int = 0


class PushRun:
    """Goes on with a push from where its job is. BadInput where the shop turns it down."""

    def __init__(self, database: Database, clock: Clock, run: Run, shops: Shops, push: Push) -> None:
        self._database = database
        self._clock = clock
        self._run = run
        self._shops = shops
        self._shop = shops.shop(push.shop)
        self._asker = Asker(run, self._shop)
        self.push = push
        self._promotion: Promotion
        self._offer: Offer
        self._range: Range = (0, 0)
        self._progress = PushProgress(stamp="", report=0)

    @property
    def stamp(self) -> str:
        return self._progress.stamp

    async def to_the_end(self) -> None:
        """Until the shop knows all that it did not."""
        await self._begin()
        try:
            await self._tell()
        except OfferGone:
            # Whatever the shop had of it has gone with it.
            forgotten = replace(self.push, remote=None, told=None, revision=self.push.revision + 1)
            await self._step(lambda connection: pushes.forget(connection, self.push.id), next=LEAST)
            self.push = forgotten
            await self._tell()

    def result(self, connection: Connection) -> Result:
        done = self._progress
        job_files.close(connection, done.report, "")
        counts = {"put": done.put, "stopped": done.stopped, "refused": done.refused}
        report = counts | {"file": done.report, "token": secrets.token_urlsafe(32)}  # what `Exporting` opens
        total = self._range[1] - self._range[0] + 1
        return Result(report=report, done=total, total=total, failed=done.refused)

    async def _begin(self) -> None:
        """Look at the promotion; the first time, at how all stands, and begin the report."""
        now = self._clock()

        def look(connection: Connection) -> tuple[Promotion, str, list[Range]]:
            promotion = promotions.by_id(connection, [self.push.promotion_id])[self.push.promotion_id]
            stamp = pushes.stock_stamps(connection, [promotion.id], now)[promotion.id]
            return promotion, stamp, selecting.extent(connection, CodeSelection(promotion=promotion))

        self._promotion, stock_stamp, ranges = await self._database.read(look)
        self._offer = self._shops.offer(self._promotion, self._shop, now)
        self._range = (ranges[0][0], ranges[-1][1]) if ranges else (0, -1)
        if self._run.progress.state is not None:
            self._progress = PushProgress(**self._run.progress.state)
            return
        stamp = self._shops.stamp(self._promotion, self._shop, stock_stamp, now)

        def begin(connection: Connection) -> Progress:
            name, job = f"push-{self._run.job.id}-report.csv", self._run.job.id
            file = job_files.make(connection, REPORT, name, job_id=job, now=now, expires_at=now + _KEPT)
            job_files.add(connection, file.id, 0, CSV_BEGINNING.encode() + _HEAD)
            self._progress = PushProgress(stamp=stamp, report=file.id)
            return self._shown(self._progress)

        await self._run.step(begin)

    async def _tell(self) -> None:
        await self._settle()
        await self._change()
        low, high = self._range
        for part in selecting.windows([(max(low, self._progress.next), high)], lambda: _LOOKED_AT):
            await self._stretch(part)

    async def _settle(self) -> None:
        """Find out about the codes that were on their way when somebody died."""
        lost = await self._on_their_way()
        if self.push.remote is None and lost:
            # The offer was being made with one of them; where it was made, it is found by that.
            await self._open([one.told for one in lost])
            lost = await self._on_their_way()
        await self._in_parts([one.told for one in lost if one.state is ToldState.STOPPING], self._stop_marked)
        sending = [one for one in lost if one.state is ToldState.SENDING]
        await self._in_parts([one.told for one in sending if _was_there(one)], self._put_marked)
        await self._in_parts([one.told for one in sending if not _was_there(one)], self._look_for)

    async def _on_their_way(self) -> list[OnItsWay]:
        return await self._database.read(
            lambda connection: shop_codes.on_their_way(connection, self._promotion, self.push)
        )

    async def _change(self) -> None:
        """Have the shop give what is to be given now."""
        remote, words = self.push.remote, self._shop.words(self._offer)
        if remote is None or self.push.told == words:
            return
        await self._asker.ask(lambda: self._shop.change(remote, self._offer))
        await self._keep_offer(remote)

    async def _keep_offer(self, remote: str) -> None:
        push = self.push
        self.push = replace(
            push,
            remote=remote,
            told=self._shop.words(self._offer),
            revision=push.revision + self._shop.offer_on_codes,
        )
        words, revision = str(self.push.told), self.push.revision
        await self._step(lambda connection: pushes.told(connection, push.id, remote, words, revision))

    async def _stretch(self, part: Range) -> None:
        now = self._clock()

        def look(connection: Connection) -> tuple[list[Told], list[Told]]:
            again = bool(self._run.input["again"])
            putting = shop_codes.to_put(
                connection,
                self._promotion,
                self.push,
                part,
                now,
                again=again,
                offer_on_codes=self._shop.offer_on_codes,
            )
            return putting, shop_codes.to_stop(connection, self._promotion, self.push, part, now)

        with self._run.pace.working():
            putting, stopping = await self._database.read(look, heavy=True)
        if self._shop.offer_on_codes and not self._offer.is_open:
            putting = [told for told in putting if told.code.remote is not None]
        await self._in_parts(stopping, self._stop)
        if putting and self.push.remote is None:
            putting = await self._open(putting)
        await self._in_parts(putting, self._put)
        await self._step(lambda _: None, next=part[1] + 1)

    async def _in_parts(self, codes: Sequence[Told], act: Callable[[Sequence[Told]], Awaitable[object]]) -> None:
        for start in range(0, len(codes), self._shop.codes_at_once):
            await act(codes[start : start + self._shop.codes_at_once])

    async def _open(self, codes: Sequence[Told]) -> list[Told]:
        """Make the offer with the first of them that the shop takes; those that are yet to be put."""
        for place, told in enumerate(codes):
            await self._mark([told], ToldState.SENDING)
            opened = await self._asker.ask(partial(self._shop.open, self._offer, told.code))
            if opened.remote is not None:
                await self._keep_offer(opened.remote)
            if opened.first is None:
                await self._step(partial(self._unsent, codes=[told]))
                return list(codes[place:])
            await self._answered([told], [opened.first])
            if opened.remote is not None:
                return list(codes[place + 1 :])
        return []

    async def _put(self, codes: Sequence[Told]) -> None:
        await self._mark(codes, ToldState.SENDING)
        await self._put_marked(codes)

    async def _put_marked(self, codes: Sequence[Told]) -> None:
        left, remote = list(codes), self._remote
        while left:
            codes_left = [told.code for told in left]
            answers = await self._asker.ask_once(partial(self._shop.put, remote, self._offer, codes_left))
            if answers is not None:
                await self._answered(left, answers)
                return
            # Those that the shop had before may be told it again; of the others, none may be there twice.
            had = [told for told in left if told.code.remote is not None]
            left = had + await self._missing([told for told in left if told.code.remote is None])

    async def _look_for(self, codes: Sequence[Told]) -> None:
        """Codes that have not arrived are taken for codes of which the shop was never told."""
        missing = await self._missing(codes)
        await self._step(partial(self._unsent, codes=missing))

    def _unsent(self, connection: Connection, codes: Sequence[Told]) -> None:
        shop_codes.unsent(connection, self.push, codes)

    async def _missing(self, codes: Sequence[Told]) -> list[Told]:
        """Those of them that the shop has not; the others are written down."""
        if not codes:
            return []
        remote = self._remote
        answers = await self._asker.ask(lambda: self._shop.find(remote, self._offer, [told.code for told in codes]))
        pairs = list(zip(codes, answers, strict=True))
        found = [(told, answer) for told, answer in pairs if answer is not None]
        await self._answered([told for told, _ in found], [answer for _, answer in found])
        return [told for told, answer in pairs if answer is None]

    async def _stop(self, codes: Sequence[Told]) -> None:
        await self._mark(codes, ToldState.STOPPING)
        await self._stop_marked(codes)

    async def _stop_marked(self, codes: Sequence[Told]) -> None:
        answers = await self._asker.ask(lambda: self._shop.stop(self._remote, [told.code for told in codes]))
        await self._answered(codes, answers, stopped=True)

    async def _mark(self, codes: Sequence[Told], state: ToldState) -> None:
        await self._step(lambda connection: shop_codes.mark(connection, self.push, codes, state))

    async def _answered(self, codes: Sequence[Told], answers: Sequence[CodeAnswer], *, stopped: bool = False) -> None:
        """Write down what the shop said of each."""
        state, what = (ToldState.STOPPED, "NOT_STOPPED") if stopped else (ToldState.THERE, "NOT_TAKEN")
        refused = [(told, answer.why) for told, answer in zip(codes, answers, strict=True) if answer.why is not None]
        lines = csv_lines([(harmless(told.code.text), what, harmless(why)) for told, why in refused])
        before = self._progress

        def work(connection: Connection) -> None:
            shop_codes.settle(connection, self.push, codes, answers, state)
            if lines:
                job_files.add(connection, before.report, before.lines, lines)

        done = len(codes) - len(refused)
        await self._step(
            work,
            lines=before.lines + bool(lines),
            refused=before.refused + len(refused),
            put=before.put + (0 if stopped else done),
            stopped=before.stopped + (done if stopped else 0),
        )

    async def _step(self, work: Callable[[Connection], object], **changes: Any) -> None:
        progress = replace(self._progress, **changes)

        def chunk(connection: Connection) -> Progress:
            work(connection)
            return self._shown(progress)

        await self._run.step(chunk)
        self._progress = progress

    def _shown(self, progress: PushProgress) -> Progress:
        low, high = self._range
        done = min(max(progress.next - low, 0), high - low + 1)
        return Progress(state=asdict(progress), done=done, total=high - low + 1, failed=progress.refused)

    @property
    def _remote(self) -> str:
        assert self.push.remote is not None, "codes are put into an offer that is there"
        return self.push.remote


def _was_there(one: OnItsWay) -> bool:
    return one.told.code.remote is not None
