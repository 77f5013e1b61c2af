"""Where a request comes from, and whether that is one of the places a key may be used from."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

from django.conf import settings
from django.http import HttpRequest

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


def client_of(request: HttpRequest) -> Address | None:
    """The address of whoever sent the request; None where it cannot be told.

    ``X-Forwarded-For`` is believed only as far as the proxies named in TRUSTED_PROXIES wrote it: it is
    read from the right, and the first address that is no such proxy is the client.
    """
    address = parse(request.META.get("REMOTE_ADDR", ""))
    forwarded = request.headers.get("X-Forwarded-For", "").split(",")
    while address is not None and is_within(address, settings.TRUSTED_PROXIES) and any(forwarded):
        address = parse(forwarded.pop())
    return address


@lru_cache(maxsize=4096)
def parse(text: str) -> Address | None:
    """An address in one of its spellings, without a zone; an IPv4 one inside IPv6 is the IPv4 address."""
    try:
        address = ip_address(text.strip().partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def counted_as(address: Address | None) -> str:
    """Whom an address is counted as: one of IPv6 as the network (/64) that whoever has it has all of."""
    if isinstance(address, IPv6Address):
        return str(IPv6Network((address, 64), strict=False).network_address)
    return str(address or "unknown")


def is_within(address: Address | None, allowed: Iterable[str]) -> bool:
    """Whether an address lies in one of the networks, such as ``203.0.113.0/24``."""
    return address is not None and any(address in network for network in networks(tuple(allowed)))


@lru_cache(maxsize=4096)
def networks(allowed: Sequence[str]) -> tuple[Network, ...]:
    return tuple(ip_network(text) for text in allowed)


def canonical(text: str) -> str:
    """An address or a network as it is kept: ``2001:DB8::/32`` is ``2001:db8::/32``.

    Raises ValueError for anything else, and for a network with bits beyond its prefix.
    """
    network = ip_network(text.strip())
    if "%" in text or getattr(network.network_address, "ipv4_mapped", None):
        raise ValueError(f"{text} has a zone, or an IPv4 address in it: write that one instead.")
    return str(network.network_address if network.num_addresses == 1 else network)
