"""Work that a server does by itself, over and over: what fails is logged, and tried again the next time."""

import logging
from collections.abc import Awaitable

from promograph.errors import StoreError


async def quietly(work: Awaitable[object], logger: logging.Logger, what: str) -> None:
    """Await it, and raise nothing. That `what` failed is logged, but for a store that is away: others say so."""
    try:
        await work
    except StoreError:
        pass
    except Exception:
        logger.exception("%s failed", what)
