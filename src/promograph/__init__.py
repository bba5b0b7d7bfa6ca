"""promograph hands out promo codes and takes them back.

A plugin needs nothing beyond the names exported here.
"""

from promograph.channels import (
    BadSignature,
    Capability,
    Channel,
    ChannelSettings,
    Delivery,
    DeliveryStatus,
    Desk,
    EventChannel,
    Happening,
    HappeningKind,
    Message,
    MessageChannel,
    OrderChannel,
    ProviderEvent,
    ProviderRequest,
    Secret,
    SettingsReader,
)
from promograph.domain.carts import Money
from promograph.domain.issuing import IssueOutcome, IssueRequest
from promograph.domain.orders.news import OrderCode, OrderLine, OrderNews, OrderRefund, OrderStanding, OrderState
from promograph.domain.orders.reports import OrderCodeReport, OrderCodeState, OrderReport
from promograph.domain.redeeming import RedeemOutcome, RedeemRequest, RollbackOutcome, RollbackRequest
from promograph.domain.sending.deliveries import DeliveryEventKind
from promograph.hookspecs import TemplateFunction, hookimpl

__all__ = [
    "BadSignature",
    "Capability",
    "Channel",
    "ChannelSettings",
    "Delivery",
    "DeliveryEventKind",
    "DeliveryStatus",
    "Desk",
    "EventChannel",
    "Happening",
    "HappeningKind",
    "IssueOutcome",
    "IssueRequest",
    "Message",
    "MessageChannel",
    "Money",
    "OrderChannel",
    "OrderCode",
    "OrderCodeReport",
    "OrderCodeState",
    "OrderLine",
    "OrderNews",
    "OrderRefund",
    "OrderReport",
    "OrderStanding",
    "OrderState",
    "ProviderEvent",
    "ProviderRequest",
    "RedeemOutcome",
    "RedeemRequest",
    "RollbackOutcome",
    "RollbackRequest",
    "Secret",
    "SettingsReader",
    "TemplateFunction",
    "__version__",
    "hookimpl",
]

__version__ = "0.1.0"
