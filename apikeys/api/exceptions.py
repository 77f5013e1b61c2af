"""An error of the API, raised by its code."""

from typing import Any

from rest_framework.exceptions import APIException

from apikeys.error_codes import ERROR_CODES

REALM = 'Bearer realm="Reflow API"'
# Said only to the holder of the whole key, so the challenge may tell it too (RFC 6750, section 3).
DESCRIBED = ("api_key_inactive", "api_key_expired", "address_not_allowed")


class ApiError(APIException):
    """An error with a code of ``ERROR_CODES``, its sentence unless there is a better one, and details.

    ``wait`` is for how many seconds a client should wait. Raises KeyError for an unknown code.
    """

    def __init__(self, code: str, sentence: str = "", *, wait: int | None = None, **extra: Any) -> None:
        super().__init__(sentence or ERROR_CODES[code].sentence, code)
        self.code = code
        self.wait = wait
        self.extra = extra

    @property
    def challenge(self) -> str | None:
        """The value of ``WWW-Authenticate`` (RFC 6750, section 3); None for an error that is no 401."""
        if ERROR_CODES[self.code].status != 401:
            return None
        attributes = {
            "error": ERROR_CODES[self.code].challenge,
            "error_description": self.detail if self.code in DESCRIBED else "",
            "scope": self.extra.get("required", ""),
        }
        return ", ".join([REALM, *(f'{name}="{value}"' for name, value in attributes.items() if value)])
