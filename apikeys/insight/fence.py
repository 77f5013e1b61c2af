"""Fence a key: take away the scopes that it does not use, and let it in only from where it is called."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from apikeys import client_ip
from apikeys.insight.rehearsal import DAYS, Rehearsal, first_logged_day, logged_groups, rehearse, with_changes
from apikeys.models import ApiKey
from apikeys.models.usage import first_day
from apikeys.validators import MAX_ADDRESSES
from stores.resources import with_implied

# Of a network from which more addresses call than this, a caller moves about in it.
MAX_SINGLE_ADDRESSES = 2


@dataclass(frozen=True, slots=True)
class Fence:
    """The limits of a fence: scopes, and addresses or networks, with what the key was seen to do.

    ``callers`` are the addresses, ``clients`` the programs that called in the rehearsal's days.
    """

    access: list[str]
    allowed_addresses: list[str]
    callers: int
    clients: int
    rehearsal: Rehearsal


def plan_fence(key: ApiKey) -> Fence | None:
    """Return what a working key can be limited to, refusing none of its logged requests; None for nothing."""
    if key.fence or not key.is_rollable or first_logged_day() > first_day(days=DAYS):
        return None
    groups = [group for group in logged_groups(key, first_day(days=DAYS)) if group.refusal is None]
    used = with_implied(group.scope for group in groups if group.scope)
    access = [scope for scope in key.access if scope in used]
    addresses = {group.address for group in groups}
    if not access or None in addresses:
        return None
    allowed = compact_addresses(filter(None, addresses))
    takes_something = access != key.access or set(allowed) != set(key.allowed_addresses)
    gives_nothing = client_ip.are_within(allowed, key.allowed_addresses)
    if len(allowed) > MAX_ADDRESSES or not (takes_something and gives_nothing):
        return None
    rehearsal = rehearse(with_changes(key, access=access, allowed_addresses=allowed))
    if rehearsal.fails or not rehearsal.is_complete:
        return None
    return Fence(access, allowed, len(addresses), len({group.client for group in groups}), rehearsal)


def addresses_of(key: ApiKey, *, besides: str = "") -> list[str]:
    """Return from where the key was called and let in, ``besides`` one address, as it can be limited to that.

    None of the addresses lets that one in. Empty where nothing is known, or there are too many.
    """
    groups = logged_groups(key, first_day(days=DAYS))
    found = {group.address for group in groups if group.refusal is None and group.address} - {besides}
    allowed = compact_addresses(found)
    if besides and client_ip.is_within(client_ip.parse(besides), allowed):
        allowed = sorted(found)
    return allowed if len(allowed) <= MAX_ADDRESSES else []


def compact_addresses(addresses: Iterable[str]) -> list[str]:
    """Return the addresses, or the network around those that are several in one."""
    networks: dict[str, list[str]] = defaultdict(list)
    for address in addresses:
        networks[client_ip.network_around(address)].append(address)
    allowed: list[str] = []
    for network, found in sorted(networks.items()):
        allowed += sorted(found) if len(found) <= MAX_SINGLE_ADDRESSES else [network]
    return allowed
