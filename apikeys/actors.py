"""The person or program that makes a change, and from where: as the audit log keeps it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.contrib.auth.models import User
from django.http import HttpRequest

from apikeys import client_ip

if TYPE_CHECKING:
    from apikeys.models import ApiKey


@dataclass(frozen=True, slots=True)
class Actor:
    """A person, a program with its key, or nobody where a leaked key was handed in or a command was run.

    ``address`` is an IPv4 or IPv6 address in text; None where there was no request.
    """

    user: User | None = None
    address: str | None = None
    key: "ApiKey | None" = None


def actor_from_request(request: HttpRequest) -> Actor:
    """Return who has signed in, and the client's address."""
    user = request.user if request.user.is_authenticated else None
    return Actor(user, client_actor(request).address)


def client_actor(request: HttpRequest, key: "ApiKey | None" = None) -> Actor:
    """Return the program with this key, or nobody, at the client's address. No session counts."""
    address = client_ip.client_ip(request)
    return Actor(address=str(address) if address else None, key=key)
