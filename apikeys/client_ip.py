"""The address a request comes from, and whether it is one that a key may be used from."""

import logging
from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import cast

from django.conf import settings
from django.http import HttpRequest

logger = logging.getLogger(__name__)

PREFIX_LENGTHS = {4: 24, 6: 48}
LOGGED: set[str] = set()

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


def client_ip(request: HttpRequest) -> Address | None:
    """Return the address of whoever sent the request, found once and kept; None where it cannot be told."""
    found = vars(request)
    if "client_ip" not in found:
        found["client_ip"] = find_client_ip(request)
    return cast("Address | None", found["client_ip"])


def find_client_ip(request: HttpRequest) -> Address | None:
    """Read the client's address from the connection, and from the proxies in front.

    ``X-Forwarded-For`` is believed only as far as the proxies named in TRUSTED_PROXIES wrote it: it is read
    from the right, and the first address that is no such proxy is the client. Only a proxy connects to a
    Unix socket, and such a connection has no address.
    """
    remote = request.META.get("REMOTE_ADDR", "")
    address = parse(remote)
    is_trusted = not remote or is_within(address, settings.TRUSTED_PROXIES)
    entries = [entry for entry in request.headers.get("X-Forwarded-For", "").split(",") if entry.strip()]
    while entries and is_trusted:
        entry = entries.pop()
        address = parse_forwarded(entry)
        if address is None:
            log_once(
                "X-Forwarded-For has no address in %s: the client's address is unknown.", ascii(entry[:100])
            )
        is_trusted = is_within(address, settings.TRUSTED_PROXIES)
    return address


def parse_forwarded(entry: str) -> Address | None:
    """Return the address in an entry of X-Forwarded-For, as proxies write it.

    ``203.0.113.9``, ``203.0.113.9:52011`` or ``[2001:db8::1]:443``, also in quotes.
    """
    host = entry.strip('" ')
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    return parse(host)


def log_once(message: str, detail: str) -> None:
    """Log a warning the first time that this process has it, whatever its detail is then."""
    if message not in LOGGED:
        LOGGED.add(message)
        logger.warning(message, detail)


@lru_cache(maxsize=4096)
def parse(text: str) -> Address | None:
    """An address in one of its spellings, without a zone; an IPv4 one inside IPv6 is the IPv4 address."""
    try:
        address = ip_address(text.strip().partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def counted_as(address: Address | None) -> str:
    """Return what an address is counted as: one of IPv6 as the network (/64) that its holder has all of."""
    if isinstance(address, IPv6Address):
        return str(IPv6Network((address, 64), strict=False).network_address)
    return str(address or "unknown")


@lru_cache(maxsize=4096)
def network_around(address: str) -> str:
    """Return the network around an address, /24 of IPv4 and /48 of IPv6, such as ``192.0.2.0/24``."""
    found = ip_address(address)
    return str(ip_network((found, PREFIX_LENGTHS[found.version]), strict=False))


def is_within(address: Address | None, allowed: Iterable[str]) -> bool:
    """Whether an address lies in one of the networks, such as ``203.0.113.0/24``."""
    return address is not None and any(address in network for network in networks(tuple(allowed)))


def are_within(inner: Sequence[str], outer: Sequence[str]) -> bool:
    """Whether all addresses of ``inner`` lie in networks of ``outer``. Empty stands for any address."""
    if not outer or not inner:
        return not outer
    around = networks(tuple(outer))
    return all(
        any(one.version == wide.version and one.subnet_of(wide) for wide in around)  # type: ignore[arg-type]
        for one in networks(tuple(inner))
    )


@lru_cache(maxsize=4096)
def networks(allowed: Sequence[str]) -> tuple[Network, ...]:
    return tuple(ip_network(text) for text in allowed)


def canonical(text: str) -> str:
    """Write an address or a network as it is kept: ``2001:DB8::/32`` as ``2001:db8::/32``.

    Raises ValueError with a sentence for the person who wrote anything else, a network with bits beyond its
    prefix, a zone or an IPv4 address inside an IPv6 one.
    """
    address, slash, length = text.strip().partition("/")
    complaint = f"“{text}” is not an IP address or network."
    try:
        written = ip_address(address)
        network = ip_network(f"{address.partition('%')[0]}{slash}{length}", strict=False)
    except ValueError as error:
        raise ValueError(complaint) from error
    kept = str(network.network_address if network.num_addresses == 1 else network)
    mapped = getattr(network.network_address, "ipv4_mapped", None)
    if mapped or written != network.network_address:
        raise ValueError(f"{complaint} Write {mapped or kept}.")
    return kept
