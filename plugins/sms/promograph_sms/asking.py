"""One message over HTTP, and what may go wrong on the way."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx2

from promograph import Delivery, Message

from .provider import Provider

_SOON = timedelta(seconds=5)
_LATER = timedelta(minutes=1)
MUCH_LATER = timedelta(minutes=5)
"""Where somebody has to change a setting first."""

_LONGEST_WAIT = timedelta(hours=1)


async def asked(client: httpx2.AsyncClient, provider: Provider, message: Message) -> Delivery:
    """What came of it; nothing is raised."""
    try:
        response = await client.post(**provider.request(message))
    except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout) as failure:
        return Delivery.try_again(message.key, _lost(failure), after=_LATER)
    except httpx2.HTTPError as failure:
        # It was on its way: whether it arrived, nobody here can tell.
        return Delivery.try_again(message.key, _lost(failure), after=_SOON, maybe_taken=True)
    if response.status_code == 429 or response.status_code == 503:
        return Delivery.try_again(message.key, "The provider is busy.", after=retry_after(response))
    if response.status_code >= 500:
        why = f"The provider failed with status {response.status_code}."
        return Delivery.try_again(message.key, why, after=_LATER, maybe_taken=True)
    try:
        return provider.answered(message, response)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        why = f"The provider's answer (status {response.status_code}) makes no sense."
        return Delivery.try_again(message.key, why, after=_LATER, maybe_taken=response.is_success)


def retry_after(response: httpx2.Response) -> timedelta:
    """As the header says, in seconds or as a date, within reason."""
    said = response.headers.get("Retry-After", "")
    if said.isdecimal():
        return min(timedelta(seconds=int(said[:9])), _LONGEST_WAIT)
    try:
        wait = parsedate_to_datetime(said) - datetime.now(UTC)
    except (ValueError, TypeError):
        return _SOON
    return min(max(wait, timedelta()), _LONGEST_WAIT)


def _lost(failure: Exception) -> str:
    return f"The provider could not be reached or did not answer ({type(failure).__name__})."
