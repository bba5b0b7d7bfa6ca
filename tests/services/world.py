"""What tests say to the services most often, said shortly."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, TypeVar

from promograph.domain.issuing import Issuance, IssueOutcome, IssueRequest
from promograph.domain.promotions import CodeKind, OnEmpty, Promotion, PromotionTerms
from promograph.domain.redeeming import RedeemOutcome, RedeemRequest, ValidateRequest, Validation
from promograph.domain.refusals import Refusal
from promograph.domain.stock.batches import Added, BatchSource, CodeBatch
from promograph.domain.stock.changes import CodeChange
from promograph.domain.stock.import_orders import ImportOrder
from promograph.errors import BadInput
from promograph.services.app import Services
from promograph.services.importing.codes import Upload, report_of
from promograph.services.promoting import Draft
from promograph.store import loading, pieces
from promograph.store.databases.database import Connection, Database, Work
from promograph.store.databases.failures import Unconfirmed
from promograph.store.databases.opening import open_database
from promograph.store.inventories import Inventory
from promograph.store.loading import Load
from promograph.store.pieces import Codes
from promograph.store.statements import Statement
from promograph.store.tables.instants import to_micros

T = TypeVar("T")
Recount = Callable[[datetime], Future[list[str]]]

_EXPIRE = Statement("UPDATE code SET expires_at = :at FROM @rows(key text) r WHERE code.key = r.key")


class SetClock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2027, 3, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, **length: float) -> None:
        self.now += timedelta(**length)


Act = Callable[[], Awaitable[object]]


class Interposed(Database):
    """A database that lets something else happen beside a transaction: races, at the point where they matter."""

    def __init__(self, inner: Database) -> None:
        self._inner = inner
        self.dialect = inner.dialect
        self.rests = inner.rests
        self.before_write: Act | None = None
        self.after_write: Act | None = None
        self.before_read: Act | None = None

    async def write(self, work: Work[T], *, heavy: bool = False) -> T:
        act, self.before_write = self.before_write, None
        if act is not None:
            await act()
        answer = await self._inner.write(work, heavy=heavy)
        act, self.after_write = self.after_write, None
        if act is not None:
            await act()
        return answer

    async def read(self, work: Work[T], *, heavy: bool = False) -> T:
        act, self.before_read = self.before_read, None
        if act is not None:
            await act()
        return await self._inner.read(work, heavy=heavy)

    async def snapshot(self, work: Work[T]) -> T:
        return await self._inner.snapshot(work)

    @property
    def piece(self) -> int:
        return self._inner.piece

    @property
    def load_piece(self) -> int:
        return self._inner.load_piece

    @property
    def is_waited_for(self) -> bool:
        return self._inner.is_waited_for

    @property
    def is_wanted(self) -> bool:
        return self._inner.is_wanted

    async def settle(self) -> None:
        await self._inner.settle()

    async def close(self) -> None:
        await self._inner.close()


def lose_answer(database: Interposed, number: int) -> None:
    """Of the writes to come, that one is done, and whoever asked for it does not hear so."""
    left = number

    async def count() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise Unconfirmed
        database.after_write = count

    database.after_write = count


class World:
    """Services over one store, and what tests say to them most often."""

    def __init__(self, store: str, clock: SetClock, recount: Recount | None = None) -> None:
        self.store = store
        self.clock = clock
        self._recount = recount
        self.opened: list[Services] = []
        self.services = self.reopen()
        self._numbers = count(1)

    def reopen(self) -> Services:
        """The same store again, as another server process has it."""
        return self._opened(open_database(self.store))

    async def verify(self) -> list[str]:
        """As `Services.verify` has it, by the cheaper way where there is one."""
        if self._recount is None:
            return await self.services.verify()
        return await asyncio.wrap_future(self._recount(self.clock()))

    def interposed(self) -> tuple[Services, Interposed]:
        """The same store again, with something in between."""
        database = Interposed(open_database(self.store))
        return self._opened(database), database

    def _opened(self, database: Database) -> Services:
        self.opened.append(Services(database, self.clock))
        return self.opened[-1]

    async def promotion(
        self,
        *,
        codes: int | Iterable[str] = 0,
        shared: str | None = None,
        active: bool = True,
        **terms: Any,
    ) -> Promotion:
        """A promotion with so many codes of its own (or these), active unless told."""
        number = next(self._numbers)
        texts = [f"P{number}-{n:05}" for n in range(1, codes + 1)] if isinstance(codes, int) else list(codes)
        terms.setdefault("handle", f"promotion-{number}")
        if not texts and shared is None and terms.get("code_kind") is not CodeKind.SINGLE:
            terms.setdefault("on_empty", OnEmpty.GENERATE)
        terms.setdefault("name", f"Promotion {number}")
        wanted = PromotionTerms(**terms)
        made = await self.services.promoting.create(Draft(terms=wanted, shared_code=shared))
        if texts:
            await self.services.stocking.paste(made.id, "\n".join(texts), channel=None)
        return await self.services.promoting.activate(made.id) if active else made

    async def import_file(
        self, promotion: Promotion | int, content: bytes | Iterable[bytes], *, key: str | None = None, **order: Any
    ) -> Added:
        """What became of a file, once its job is done; raises why it failed."""
        return await imported(
            self.services, promotion if isinstance(promotion, int) else promotion.id, content, key, **order
        )

    async def get(self, promotion: Promotion) -> Promotion:
        found = await self.services.lobby.get(id_=promotion.id)
        assert found is not None
        return found

    async def issue(self, promotion: Promotion, customer: str, **more: Any) -> IssueOutcome:
        request = IssueRequest(promotion=promotion.terms.handle, customer=customer, **more)
        return await self.services.issuing.issue(request)

    async def issue_all(self, promotion: Promotion, customers: Iterable[str], **more: Any) -> list[IssueOutcome]:
        requests = [IssueRequest(promotion=promotion.terms.handle, customer=each, **more) for each in customers]
        return list(await self.services.issuing.issue_many(requests))

    async def code(self, promotion: Promotion, customer: str, **more: Any) -> str:
        """The text of the code that the customer gets."""
        return issued(await self.issue(promotion, customer, **more)).text

    async def reissue(self, promotion: Promotion, customer: str, **more: Any) -> IssueOutcome:
        request = IssueRequest(promotion=promotion.terms.handle, customer=customer, **more)
        return await self.services.issuing.reissue(request)

    async def redeem(self, code: str, customer: str | None = None, **more: Any) -> RedeemOutcome:
        return await self.services.redeeming.redeem(RedeemRequest(code=code, customer=customer, **more))

    async def validate(self, code: str, customer: str | None = None) -> Validation:
        return await self.services.redeeming.validate(ValidateRequest(code=code, customer=customer))

    async def block(self, *codes: str, blocked: bool = True) -> int:
        changed, missing = await self.services.changing.listed(
            codes, CodeChange.BLOCK if blocked else CodeChange.UNBLOCK
        )
        assert missing == []
        return changed

    async def void(self, *codes: str) -> int:
        changed, missing = await self.services.changing.listed(codes, CodeChange.VOID)
        assert missing == []
        return changed

    async def set_expiry(self, *codes: str, at: datetime | None) -> None:
        """Give these codes an expiry of their own, as an import does."""
        micros = None if at is None else to_micros(at)
        await self.write(lambda connection: _EXPIRE.run(connection, [(code,) for code in codes], at=micros))

    async def unblock(self, *codes: str) -> int:
        return await self.block(*codes, blocked=False)

    async def unfinished_load(self, promotion: Promotion, keys: Sequence[str]) -> Load:
        """What a process leaves that dies in the middle of a load: a claim, and codes that nobody may see."""
        load = await self.write(lambda connection: loading.claim(connection, promotion.id, "dead", self.clock.now))
        await self.go_on(load, keys, first=load.first)
        return load

    async def go_on(self, load: Load, keys: Sequence[str], *, first: int) -> None:
        """The next piece of such a load, should its process live after all."""

        def work(connection: Connection) -> None:
            loading.check_held(connection, load)
            pieces.put(connection, load.promotion_id, first, Codes(texts=keys, keys=keys))

        await self.write(work)

    async def write(self, work: Work[T]) -> T:
        """Something that no use case does."""
        database = open_database(self.store)
        try:
            return await database.write(work)
        finally:
            await database.close()

    async def inventory(self, promotion: Promotion) -> Inventory:
        return (await self.services.lobby.inventories([promotion.id]))[promotion.id]


async def imported(
    services: Services, promotion: int, content: bytes | Iterable[bytes], key: str | None = None, **order: Any
) -> Added:
    upload = Upload([content] if isinstance(content, bytes) else content)
    begun = await services.code_imports.submit(ImportOrder(promotion_id=promotion, **order), upload, key=key)
    job = await services.jobs.wait(begun.id, 300)
    if job.error is not None:
        raise job.error
    batch = None
    if job.batch_id is not None:
        row = await services.lookup.batch(job.batch_id)
        source = BatchSource(row.source)
        batch = CodeBatch(
            id=row.id,
            promotion_id=promotion,
            source=source,
            channel=row.channel,
            size=row.size,
            created_at=row.created_at,
        )
    return Added(batch, report_of(job.report))


def issued(outcome: IssueOutcome) -> Issuance:
    """The issuance of an outcome that must have one."""
    assert outcome.issuance is not None, outcome.problem
    assert outcome.problem is None
    return outcome.issuance


def why(outcome: IssueOutcome | RedeemOutcome | Validation) -> list[str]:
    """The codes of all refusals of an outcome, or of its problem; empty when it is a yes."""
    if isinstance(outcome, IssueOutcome):
        return [] if outcome.problem is None else [_code(outcome.problem)]
    if isinstance(outcome, RedeemOutcome) and outcome.problem is not None:
        return [_code(outcome.problem)]
    return [refusal.code.value for refusal in outcome.refusals]


def _code(problem: Refusal | BadInput) -> str:
    return problem.code.value if isinstance(problem, Refusal) else problem.problem.value
