"""promograph, as one channel is handed it: existing use cases, under the channel's name."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from promograph.channels import MessageTrigger, ProviderEvent, TriggerOutcome
from promograph.domain.issuing import IssueOutcome, IssueRequest
from promograph.domain.orders.news import OrderNews
from promograph.domain.orders.reports import OrderReport
from promograph.domain.redeeming import RedeemOutcome, RedeemRequest, RollbackOutcome, RollbackRequest
from promograph.services.issuing import Issuing
from promograph.services.orders import Orders
from promograph.services.redeeming import Redeeming
from promograph.services.sending.triggering import Triggers

Keep = Callable[[str, Sequence[ProviderEvent]], Awaitable[int]]


class ChannelDesk:
    """A `Desk` for the channel `name`. `keep` takes in what was said of messages."""

    def __init__(
        self, name: str, *, issuing: Issuing, redeeming: Redeeming, orders: Orders, triggers: Triggers, keep: Keep
    ) -> None:
        self._name = name
        self._issuing = issuing
        self._redeeming = redeeming
        self._orders = orders
        self._triggers = triggers
        self._keep = keep

    async def request_codes(self, requests: Sequence[IssueRequest]) -> list[IssueOutcome]:
        return list(await self._issuing.issue_many([self._ours(request) for request in requests]))

    async def repeat_codes(self, requests: Sequence[IssueRequest]) -> list[IssueOutcome]:
        return await asyncio.gather(*(self._issuing.reissue(self._ours(request)) for request in requests))

    async def report_redemptions(self, requests: Sequence[RedeemRequest]) -> list[RedeemOutcome]:
        return await self._redeeming.redeem_many(
            [replace(request, channel=request.channel or self._name) for request in requests]
        )

    async def report_rollbacks(self, requests: Sequence[RollbackRequest]) -> list[RollbackOutcome]:
        return await self._redeeming.roll_back_many(requests)

    async def report_orders(self, news: Sequence[OrderNews]) -> list[OrderReport | None]:
        return await self._orders.report(self._name, news)

    async def trigger_messages(self, triggers: Sequence[MessageTrigger]) -> list[TriggerOutcome]:
        return await self._triggers.trigger_many(triggers)

    async def report_delivery(self, events: Sequence[ProviderEvent]) -> None:
        await self._keep(self._name, events)

    def _ours(self, request: IssueRequest) -> IssueRequest:
        # What a message's provider tells comes under the channel's own name, and settles what stands under that.
        return request if request.channel and not request.tentative else replace(request, channel=self._name)
