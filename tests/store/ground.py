"""A store with something in it, and a way to damage it."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, text

from promograph.domain.issuing import IssueRequest
from promograph.domain.promotions import Promotion, PromotionTerms
from promograph.domain.redeeming import RedeemRequest
from promograph.services.app import Services
from promograph.services.promoting import Draft
from promograph.store.databases.database import Database
from promograph.store.databases.opening import open_database
from promograph.store.verifying import recount


class _Found(Exception):
    """Undoes the transaction that it ends."""

    def __init__(self, differences: list[str]) -> None:
        self.differences = differences


class Ground:
    """Services over a store, and the store itself behind their back."""

    def __init__(self, store: str) -> None:
        self.database: Database = open_database(store)
        self.services = Services(self.database)

    async def promotion(
        self, handle: str, codes: Sequence[str] = (), *, shared: str | None = None, **terms: Any
    ) -> Promotion:
        """An active promotion with these codes."""
        wanted = PromotionTerms(handle=handle, name=handle, **terms)
        made = await self.services.promoting.create(Draft(terms=wanted, shared_code=shared))
        if codes:
            await self.services.stocking.paste(made.id, "\n".join(codes), channel=None)
        return await self.services.promoting.activate(made.id)

    async def issue(self, handle: str, *customers: str, **more: Any) -> list[str | None]:
        """The texts that these customers get, None for a refusal."""
        requests = [IssueRequest(promotion=handle, customer=customer, **more) for customer in customers]
        outcomes = await self.services.issuing.issue_many(requests)
        return [outcome.issuance.text if outcome.issuance else None for outcome in outcomes]

    async def redeem(self, code: str, customer: str | None = None) -> bool:
        outcome = await self.services.redeeming.redeem(RedeemRequest(code=code, customer=customer))
        return outcome.redemption is not None

    async def say(self, *statements: str) -> None:
        """Change rows as no use case does."""

        def work(connection: Connection) -> None:
            for statement in statements:
                connection.exec_driver_sql(statement)

        await self.database.write(work)

    async def found_after(self, *statements: str) -> list[str]:
        """What recounting finds once rows are so changed; then they are again as they were."""
        now = self.services.clock()

        def work(connection: Connection) -> None:
            for statement in statements:
                connection.exec_driver_sql(statement)
            raise _Found(recount(connection, now))

        try:
            await self.database.write(work)
        except _Found as found:
            return found.differences
        raise AssertionError

    async def ask(self, question: str) -> list[tuple[Any, ...]]:
        """What the rows say, by a plan of the planner's own."""
        return await self.database.snapshot(lambda c: [tuple(row) for row in c.execute(text(question))])
