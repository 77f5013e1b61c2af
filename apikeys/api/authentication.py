"""From the ``Authorization`` header to the key in it, or to the reason why it is refused."""

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from apikeys import client_ip, key_text, renewal
from apikeys.actors import client_actor
from apikeys.api import rate_limits
from apikeys.api.call import get_call
from apikeys.api.exceptions import REALM, ApiError
from apikeys.api.key_lookup import FoundKey, find_key
from apikeys.api.malformed_keys import describe_mistake
from apikeys.models.key import KeyRules
from apikeys.models.state import refusing_state


class ApiKeyAuthentication(BaseAuthentication):
    """Bearer authentication (RFC 6750, section 2.1) with an API key, and with nothing else.

    No header means no key and is left to the permission to judge. A header that holds anything but a
    working key is refused, on public routes too. A key is not a person: the user stays anonymous and the
    key is ``request.auth``.
    """

    def authenticate(self, request: Request) -> tuple[AnonymousUser, FoundKey] | None:
        is_exposed = settings.SECURE_SSL_REDIRECT and not request.is_secure()
        header = request.META.get("HTTP_AUTHORIZATION")
        if header is None:
            rate_limits.count_address(request)
            if is_exposed:
                raise ApiError("https_required")
            return None
        key = self.identify(request, header)
        is_allowed = not key.allowed_addresses or key.is_allowed_from(client_ip.client_ip(request))
        if not is_allowed:
            # A thief uses up the limit of the own address, not the key's.
            rate_limits.count_address(request)
        # From here on the request counts as this key's, whatever is answered.
        get_call(request).key = key
        if key.replaced_at:
            renewal.report_reuse(key, by=client_actor(request))
        if is_allowed:
            rate_limits.count_key(request, key)
        if is_exposed:
            raise ApiError("https_required")
        ensure_usable(key)
        if not is_allowed:
            raise ApiError("address_not_allowed")
        if key.is_unconfirmed:
            ensure_usable(renewal.confirm_renewal(key) or key)
        return AnonymousUser(), key

    def identify(self, request: Request, header: str) -> FoundKey:
        """Return the key in the header. Raises ApiError, and counts what is no key that exists."""
        presented = parse_header(header)
        key = find_key_by_text(presented) if presented else None
        if key:
            return key
        rate_limits.count_failure(request)
        if presented:
            raise ApiError("api_key_invalid")
        raise ApiError("api_key_malformed", describe_mistake(header))

    def authenticate_header(self, request: Request) -> str:
        return REALM


def parse_header(header: str) -> str | None:
    """Return the key in a header such as ``Bearer 19656ea.4329…``; None where there is none."""
    scheme, _, presented = header.partition(" ")
    presented = presented.strip(" ")
    return presented if scheme.lower() == "bearer" and key_text.is_well_formed(presented) else None


def ensure_usable(key: KeyRules) -> None:
    """Raise the error of the first state for which requests with the key are refused, if it is in one."""
    if state := refusing_state(key, timezone.now()):
        raise ApiError(state.error_code, state.explanation)


def find_key_by_text(presented: str) -> FoundKey | None:
    """Return the key whose whole text this is, its store joined, in one query; None for none.

    The digest is part of the query: for an unknown prefix and for a wrong secret the database finds
    nothing, and whatever follows is the same.
    """
    return find_key(presented[: key_text.PREFIX_LENGTH], key_text.digest(presented))
