"""From the ``Authorization`` header to the key in it, or to the reason why it is refused."""

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from apikeys import client_ip, key_text
from apikeys.api import rate_limits
from apikeys.api.exceptions import (
    REALM,
    AddressNotAllowed,
    ApiKeyExpired,
    ApiKeyInactive,
    ApiKeyInvalid,
    ApiKeyLeaked,
    ApiKeyMalformed,
    ApiKeySuspended,
    HttpsRequired,
)
from apikeys.api.key_lookup import find_key
from apikeys.api.malformed_keys import describe_mistake
from apikeys.models import ApiKey


class ApiKeyAuthentication(BaseAuthentication):
    """Bearer authentication (RFC 6750, section 2.1) with an API key, and with nothing else.

    No header means no key and is left to the permission to judge. A header that holds anything but a
    working key is refused, on public routes too. A key is not a person: the user stays anonymous and the
    key is ``request.auth``.
    """

    def authenticate(self, request: Request) -> tuple[AnonymousUser, ApiKey] | None:
        http = request._request
        is_exposed = settings.SECURE_SSL_REDIRECT and not http.is_secure()
        header = request.META.get("HTTP_AUTHORIZATION")
        if header is None:
            rate_limits.count_address(http)
            if is_exposed:
                raise HttpsRequired
            return None
        key = self.identify(http, header)
        # From here on the request counts as this key's, whatever is answered.
        http.api_key = key  # type: ignore[attr-defined]
        rate_limits.count_key(http, key)
        if is_exposed:
            raise HttpsRequired
        now = timezone.now()
        if key.is_inactive(now):
            raise inactive_reason(key)
        if key.is_expired(now):
            raise ApiKeyExpired
        if key.allowed_addresses and not key.is_allowed_from(client_ip.client_ip(http)):
            raise AddressNotAllowed
        return AnonymousUser(), key

    def identify(self, http: HttpRequest, header: str) -> ApiKey:
        """Return the key in the header. Raises ApiKeyMalformed, ApiKeyInvalid and RateLimited."""
        try:
            return authenticate_key(parse_header(header))
        except ApiKeyInvalid:
            rate_limits.count_failure(http)
            raise

    def authenticate_header(self, request: Request) -> str:
        return REALM


def parse_header(header: str) -> str:
    """Return the key in a header such as ``Bearer 19656ea.4329…``. Raises ApiKeyMalformed."""
    scheme, _, presented = header.partition(" ")
    presented = presented.strip(" ")
    if scheme.lower() != "bearer" or not key_text.is_well_formed(presented):
        raise ApiKeyMalformed(describe_mistake(header))
    return presented


def inactive_reason(key: ApiKey) -> type[ApiKeyInactive]:
    """Return why a key is off: what its holder can do about it differs."""
    if key.is_leaked:
        return ApiKeyLeaked
    return ApiKeySuspended if key.suspended_at else ApiKeyInactive


def authenticate_key(presented: str) -> ApiKey:
    """Return the key whose whole text this is, its store joined, in one query. Raises ApiKeyInvalid.

    The digest is part of the query: for an unknown prefix and for a wrong secret the database finds
    nothing, and whatever follows is the same.
    """
    key = find_key(presented[: key_text.PREFIX_LENGTH], key_text.digest(presented))
    if key is None:
        raise ApiKeyInvalid
    return key
