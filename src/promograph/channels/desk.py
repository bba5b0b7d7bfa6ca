"""What a channel is handed to work with."""

from collections.abc import Sequence
from typing import Protocol

from promograph.channels.messages import MessageTrigger, TriggerOutcome
from promograph.channels.provider_events import ProviderEvent
from promograph.domain.issuing import IssueOutcome, IssueRequest
from promograph.domain.orders.news import OrderNews
from promograph.domain.orders.reports import OrderReport
from promograph.domain.redeeming import RedeemOutcome, RedeemRequest, RollbackOutcome, RollbackRequest


class Desk(Protocol):
    """promograph, as one channel sees it. Answers come in the order of what was asked, one each; everything that is
    asked is counted under the channel's name unless it names another.

    Refusals and bad input are outcomes; what is raised is a fault of the store, and asking again later mends it.
    """

    async def request_codes(self, requests: Sequence[IssueRequest]) -> list[IssueOutcome]:
        """A code for each of many customers, at most 10,000. The same occasion asked again gives the same code.

        A code that is asked for as `tentative` goes back to its pool when `report_delivery` (or the provider) tells
        that its `message` was turned down, and nobody can have seen it; leave its `channel` out.
        """

    async def repeat_codes(self, requests: Sequence[IssueRequest]) -> list[IssueOutcome]:
        """The last code of each customer once more, for those who lost theirs."""

    async def report_redemptions(self, requests: Sequence[RedeemRequest]) -> list[RedeemOutcome]:
        """Codes that were used in a shop. Give each an idempotency key made of the shop's own id of the order."""

    async def report_rollbacks(self, requests: Sequence[RollbackRequest]) -> list[RollbackOutcome]:
        """Redemptions that a shop undid, whole or in part. Give each an idempotency key made of the shop's own id."""

    async def report_orders(self, news: Sequence[OrderNews]) -> list[OrderReport | None]:
        """What a shop says of its orders, as it comes: twice, late and out of order. promograph puts it together, and
        redeems and rolls back what follows from all of it.

        How each order stands then; None for one that names no code of ours. A use that cannot be counted is kept, shown
        to people, and tried again. Whoever learns of an order otherwise (from a list, say) tells of it here as well.
        """

    async def trigger_messages(self, triggers: Sequence[MessageTrigger]) -> list[TriggerOutcome]:
        """Messages of other channels, each with a code of its own where its send says so: thanks for an order, say.

        They are kept when this returns, and sent in their own time; the same ones again are the same messages.
        """

    async def report_delivery(self, events: Sequence[ProviderEvent]) -> None:
        """What became of messages. Said twice or out of order is fine."""
