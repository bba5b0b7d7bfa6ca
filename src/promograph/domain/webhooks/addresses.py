"""Which addresses a webhook may be sent to: none of the machine's own network, unless the operator says so.

Whoever may set up a webhook could else have the server call what only the server can reach: databases, consoles, the
cloud's metadata. A name is looked up when a webhook is sent, and the address found is the one connected to.
"""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

from promograph.domain.storable import is_storable
from promograph.errors import BadInput, InputProblem

_LONGEST_URL = 2_000
_IPV4_INSIDE = IPv6Network("64:ff9b::/96")  # RFC 6052: the last four bytes are an IPv4 address


def is_public(address: str) -> bool:
    """Whether everybody's network routes it; False for what is no address."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return all(_is_public(inner) for inner in _inner(found))


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    return address.is_global and not address.is_multicast and not address.is_reserved


def _inner(address: IPv4Address | IPv6Address) -> list[IPv4Address | IPv6Address]:
    """What traffic to it would reach: of an IPv6 address that holds an IPv4 one, that."""
    if isinstance(address, IPv4Address):
        return [address]
    if address.ipv4_mapped is not None:
        return [address.ipv4_mapped]
    if address in _IPV4_INSIDE:
        return [IPv4Address(int(address) & 0xFFFFFFFF)]
    held = [*(address.teredo or ()), *([] if address.sixtofour is None else [address.sixtofour])]
    return [address, *held]


def checked_url(url: str, *, over_http: bool, to_private: bool) -> str:
    """The address itself; BadInput where it can never be sent to. Names are looked up later."""
    if not url:
        raise _bad(InputProblem.REQUIRED, "Give the address that is to be called.")
    if len(url) > _LONGEST_URL:
        raise _bad(InputProblem.OUT_OF_RANGE, f"An address has at most {_LONGEST_URL:,} characters.")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    plain = is_storable(url) and url.isascii() and url.isprintable() and " " not in url
    if not plain or not host or port == 0:
        raise _bad(InputProblem.INVALID, "An address is a URL such as https://shop.example.com/hooks, in ASCII.")
    if parts.scheme != "https" and not (over_http and parts.scheme == "http"):
        raise _bad(InputProblem.INVALID, "The address must begin with https://.")
    if parts.username is not None or parts.fragment:
        raise _bad(InputProblem.INVALID, "Leave the user and the # out of the address: the signature says who calls.")
    if not to_private and (host == "localhost" or (_is_address(host) and not is_public(host))):
        raise _bad(InputProblem.INVALID, "This is an address of a private network, to which nothing is sent.")
    return url


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _bad(problem: InputProblem, sentence: str) -> BadInput:
    return BadInput(problem, sentence, field=("url",))
