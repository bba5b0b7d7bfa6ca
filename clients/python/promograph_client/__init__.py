"""promograph for a shop's checkout: typed, bounded in time, and with an answer for when there is none."""

from promograph_client.checkout import CheckoutClient, Grace, Reported, Sale
from promograph_client.late import LateSale, LateSales, Wish
from promograph_client.operations import (
    CartAttributeInput,
    CartCodeInput,
    CartInput,
    CartLineInput,
    CodeHoldInput,
    CodeRedeemInput,
    CodesRedeemInput,
    MoneyInput,
    UserError,
    UserErrorCode,
)
from promograph_client.transport import Options, Rejected, Unreachable

__all__ = [
    "CartAttributeInput",
    "CartCodeInput",
    "CartInput",
    "CartLineInput",
    "CheckoutClient",
    "CodeHoldInput",
    "CodeRedeemInput",
    "CodesRedeemInput",
    "Grace",
    "LateSale",
    "LateSales",
    "MoneyInput",
    "Options",
    "Rejected",
    "Reported",
    "Sale",
    "Unreachable",
    "UserError",
    "UserErrorCode",
    "Wish",
]
