"""The channel `ecommerce`: orders and refunds of an online shop, where customers use their codes."""

from collections.abc import Callable
from dataclasses import dataclass

from promograph import Capability, Channel, hookimpl


@dataclass(frozen=True)
class EcommerceChannel:
    """How the channel describes itself."""

    name: str = "ecommerce"
    title: str = "Online shop"
    description: str = "Orders and refunds of an online shop, where customers use their codes."
    can: frozenset[Capability] = frozenset({Capability.RECEIVE_ORDERS})


@hookimpl
def register_channels(register: Callable[[Channel], None]) -> None:
    """Register the one channel of this plugin."""
    register(EcommerceChannel())
