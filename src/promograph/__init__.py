"""promograph hands out promo codes and takes them back.

A plugin needs nothing beyond the names exported here.
"""

from promograph.channels import Capability, Channel
from promograph.hookspecs import hookimpl

__all__ = ["Capability", "Channel", "__version__", "hookimpl"]

__version__ = "0.1.0"
