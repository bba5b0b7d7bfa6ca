"""promograph hands out promo codes and takes them back.

A plugin needs nothing beyond the names exported here.
"""

from promograph.channels import (
    BadSignature,
    Capability,
    Channel,
    ChannelSettings,
    CodeAnswer,
    Delivery,
    DeliveryStatus,
    Desk,
    EventChannel,
    Happening,
    HappeningKind,
    Message,
    MessageChannel,
    MessageTrigger,
    OfferGone,
    Opened,
    OrderChannel,
    OrderPage,
    ProviderEvent,
    ProviderRequest,
    Secret,
    SettingsReader,
    Shop,
    ShopChannel,
    ShopCode,
    ShopFault,
    ShopRefusal,
    TriggerOutcome,
)
from promograph.domain.carts import Money
from promograph.domain.issuing import IssueOutcome, IssueRequest
from promograph.domain.orders.news import OrderCode, OrderLine, OrderNews, OrderRefund, OrderStanding, OrderState
from promograph.domain.orders.reports import OrderCodeReport, OrderCodeState, OrderReport
from promograph.domain.redeeming import RedeemOutcome, RedeemRequest, RollbackOutcome, RollbackRequest
from promograph.domain.rewards import AmountOff, External, FixedPrice, FreeShipping, Gift, Percentage, Points, Single
from promograph.domain.sending.deliveries import DeliveryEventKind
from promograph.domain.sending.sms_segments import SmsEncoding, SmsSize
from promograph.domain.sending.sms_segments import measure as sms_size
from promograph.domain.shops.offers import Offer
from promograph.hookspecs import TemplateFunction, hookimpl

__all__ = [
    "AmountOff",
    "BadSignature",
    "Capability",
    "Channel",
    "ChannelSettings",
    "CodeAnswer",
    "Delivery",
    "DeliveryEventKind",
    "DeliveryStatus",
    "Desk",
    "EventChannel",
    "External",
    "FixedPrice",
    "FreeShipping",
    "Gift",
    "Happening",
    "HappeningKind",
    "IssueOutcome",
    "IssueRequest",
    "Message",
    "MessageChannel",
    "MessageTrigger",
    "Money",
    "Offer",
    "OfferGone",
    "Opened",
    "OrderChannel",
    "OrderCode",
    "OrderCodeReport",
    "OrderCodeState",
    "OrderLine",
    "OrderNews",
    "OrderPage",
    "OrderRefund",
    "OrderReport",
    "OrderStanding",
    "OrderState",
    "Percentage",
    "Points",
    "ProviderEvent",
    "ProviderRequest",
    "RedeemOutcome",
    "RedeemRequest",
    "RollbackOutcome",
    "RollbackRequest",
    "Secret",
    "SettingsReader",
    "Shop",
    "ShopChannel",
    "ShopCode",
    "ShopFault",
    "ShopRefusal",
    "Single",
    "SmsEncoding",
    "SmsSize",
    "TemplateFunction",
    "TriggerOutcome",
    "__version__",
    "hookimpl",
    "sms_size",
]

__version__ = "0.1.0"
