"""What an adapter implements and what it is handed."""

from promograph.channels.contract import Capability, Channel, EventChannel, MessageChannel, OrderChannel
from promograph.channels.desk import Desk
from promograph.channels.happenings import Happening, HappeningKind
from promograph.channels.messages import Delivery, DeliveryStatus, Message, MessageTrigger, TriggerOutcome
from promograph.channels.provider_events import BadSignature, ProviderEvent, ProviderRequest
from promograph.channels.settings import ChannelSettings, Secret, SettingsReader
from promograph.channels.shops import (
    CodeAnswer,
    OfferGone,
    Opened,
    OrderPage,
    Shop,
    ShopChannel,
    ShopCode,
    ShopFault,
    ShopRefusal,
)

__all__ = [
    "BadSignature",
    "Capability",
    "Channel",
    "ChannelSettings",
    "CodeAnswer",
    "Delivery",
    "DeliveryStatus",
    "Desk",
    "EventChannel",
    "Happening",
    "HappeningKind",
    "Message",
    "MessageChannel",
    "MessageTrigger",
    "OfferGone",
    "Opened",
    "OrderChannel",
    "OrderPage",
    "ProviderEvent",
    "ProviderRequest",
    "Secret",
    "SettingsReader",
    "Shop",
    "ShopChannel",
    "ShopCode",
    "ShopFault",
    "ShopRefusal",
    "TriggerOutcome",
]
