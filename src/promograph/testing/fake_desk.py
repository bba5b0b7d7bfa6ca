"""A desk that keeps in memory what a shop's channel reports, for tests."""

from collections.abc import Sequence

from promograph.channels import MessageTrigger, ProviderEvent, TriggerOutcome
from promograph.domain.codes import normalise
from promograph.domain.issuing import IssueOutcome, IssueRequest
from promograph.domain.orders.heard import Aim, Heard, aim
from promograph.domain.orders.news import OrderNews
from promograph.domain.orders.reports import OrderReport
from promograph.domain.redeeming import RedeemOutcome, RedeemRequest, RollbackOutcome, RollbackRequest


class FakeDesk:
    """Puts news of orders together as promograph does, and redeems nothing. `is_away`: every call fails."""

    def __init__(self) -> None:
        self.heard: dict[tuple[str, str], Heard] = {}
        self.triggered: dict[MessageTrigger, None] = {}
        self.is_away = False

    async def report_orders(self, news: Sequence[OrderNews]) -> list[OrderReport | None]:
        if self.is_away:
            raise ConnectionError("the store is away")
        for one in news:
            place = (one.shop, one.order)
            self.heard[place] = self.heard.get(place, Heard()).with_news(one)
        return [None for _ in news]

    def aim(self, code: str) -> Aim:
        """What is to stand of the code in the one order that was told of."""
        (heard,) = self.heard.values()
        return aim(heard, normalise(code))

    async def request_codes(self, requests: Sequence[IssueRequest]) -> list[IssueOutcome]:
        raise NotImplementedError

    async def repeat_codes(self, requests: Sequence[IssueRequest]) -> list[IssueOutcome]:
        raise NotImplementedError

    async def report_redemptions(self, requests: Sequence[RedeemRequest]) -> list[RedeemOutcome]:
        raise NotImplementedError

    async def report_rollbacks(self, requests: Sequence[RollbackRequest]) -> list[RollbackOutcome]:
        raise NotImplementedError

    async def trigger_messages(self, triggers: Sequence[MessageTrigger]) -> list[TriggerOutcome]:
        if self.is_away:
            raise ConnectionError("the store is away")
        before = len(self.triggered)
        self.triggered |= dict.fromkeys(triggers)
        return [TriggerOutcome(key=one.message, replayed=len(self.triggered) == before) for one in triggers]

    async def report_delivery(self, events: Sequence[ProviderEvent]) -> None:
        raise NotImplementedError
