"""Why a key is refused. Each reason has its code, its sentence and its ``WWW-Authenticate`` challenge.

The status is 401 throughout, also where RFC 6750 (section 3.1) would have 403: the product's
documentation says so, and the code and the challenge tell the reasons apart.
"""

from typing import Any, ClassVar

from rest_framework.exceptions import APIException

from apikeys.api.malformed_keys import describe_absence, describe_mistake

REALM = 'Bearer realm="Reflow API"'


class Refusal(APIException):
    """A request turned away because of its key, or for want of one."""

    status_code = 401
    error: ClassVar[str | None] = None

    @property
    def extra(self) -> dict[str, Any]:
        """What the answer's body says besides the sentence and the code."""
        return {}

    @property
    def attributes(self) -> dict[str, str]:
        """The challenge's attributes, after RFC 6750, section 3."""
        return {"error": self.error} if self.error else {}

    @property
    def challenge(self) -> str:
        """The value of the ``WWW-Authenticate`` header."""
        return ", ".join([REALM, *(f'{name}="{value}"' for name, value in self.attributes.items())])


class ApiKeyMissing(Refusal):
    default_code = "api_key_missing"
    default_detail = describe_absence({})


class ApiKeyMalformed(Refusal):
    default_code = "api_key_malformed"
    default_detail = describe_mistake("Bearer ")
    error = "invalid_request"


class ApiKeyInvalid(Refusal):
    default_code = "api_key_invalid"
    default_detail = "There is no such API key: check that the whole key was copied, or create a new one."
    error = "invalid_token"


class DescribedRefusal(Refusal):
    """A refusal that tells its reason in the challenge too: only the holder of the whole key gets here."""

    error = "invalid_token"

    @property
    def attributes(self) -> dict[str, str]:
        return {**super().attributes, "error_description": str(self.detail)}


class ApiKeyInactive(DescribedRefusal):
    default_code = "api_key_inactive"
    default_detail = "This API key was deactivated: its store's owner can reactivate it on the settings page."


class ApiKeySuspended(ApiKeyInactive):
    """The same to a program; to whoever reads it, that reactivating the key is not up to the owner."""

    default_detail = (
        "This API key is suspended: an operator switched off all keys of its store, whose owner knows why."
    )


class ApiKeyLeaked(ApiKeyInactive):
    """The same to a program; to whoever reads it, that nobody can reactivate the key."""

    default_detail = (
        "This API key was reported as leaked and is off for good: ask its store's owner for a new one."
    )


class ApiKeyExpired(DescribedRefusal):
    default_code = "api_key_expired"
    default_detail = "This API key has expired: its store's owner can create a new one on the settings page."


class AddressNotAllowed(DescribedRefusal):
    default_code = "address_not_allowed"
    default_detail = (
        "This API key may not be used from your address: its store's owner can allow it on the settings page."
    )


class HttpsRequired(Refusal):
    """The request came over plain HTTP to a site on HTTPS. It is no redirect: the key was read already."""

    status_code = 403
    default_code = "https_required"
    default_detail = (
        "Send API requests over HTTPS: whatever comes over plain HTTP can be read on the way. A key that was "
        "sent like this should be rolled on the settings page."
    )

    @property
    def challenge(self) -> str:
        """None: no other credentials would help."""
        return ""


class ApiKeyWrongStore(Refusal):
    default_code = "api_key_wrong_store"
    default_detail = "This API key belongs to another store: use the store in the key's own address."
    error = "invalid_token"


class ResourceNotAllowed(Refusal):
    """The key works but was not given this resource. ``required`` is a scope such as ``orders:read``."""

    default_code = "resource_not_allowed"
    error = "insufficient_scope"

    def __init__(self, *, required: str, granted: list[str]) -> None:
        super().__init__(
            f"This API key may not do this: it needs {required}, which its store's owner can tick on the "
            "settings page."
        )
        self.required = required
        self.granted = granted

    @property
    def extra(self) -> dict[str, Any]:
        return {"required": self.required, "granted": self.granted}

    @property
    def attributes(self) -> dict[str, str]:
        return {**super().attributes, "scope": self.required}
