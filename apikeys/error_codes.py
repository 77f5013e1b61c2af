"""Every error of the API, one line each: its status, a sentence for programs and one for the key's owner.

The answers, the OpenAPI document, the reference and the settings page all read this table. A new code is a
line here, and ``ApiError`` with it where it is raised.
"""

from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

from apikeys.key_text import PREFIX_LENGTH, SECRET_LENGTH

# The form of the header, for whoever sends none or a wrong one.
RIGHT_FORM = (
    f"Send 'Authorization: Bearer <api_key>', where a key is {PREFIX_LENGTH} hexadecimal characters, a dot "
    f"and {SECRET_LENGTH} more."
)


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """The sentences of a code, where whoever raises it has no better one.

    ``for_owner`` is blank where no owner is told, since no key was recognised. ``challenge`` is the ``error``
    attribute of ``WWW-Authenticate`` (RFC 6750, section 3.1). ``example`` holds what the answer's body has
    besides ``error``, ``code`` and ``request_id``.
    """

    status: int
    sentence: str
    for_owner: str = ""
    challenge: str = ""
    example: dict[str, Any] = field(default_factory=dict)


# 401 also where RFC 6750 would have 403: the product's documentation says so.
ERROR_CODES = {
    "invalid": ErrorCode(
        400,
        "Something in the request is not valid.",
        "Something in the request was not valid. The answer says what.",
        example={"fields": {"perpage": ["Must be a whole number from 1 to 100."]}},
    ),
    "parse_error": ErrorCode(400, "The body is not valid JSON.", "The body could not be read as JSON."),
    "bad_request": ErrorCode(
        400,
        "The request could not be read: check its address, headers and body.",
        "The request could not be read.",
    ),
    "invalid_request": ErrorCode(
        400, "A field is missing, unknown or not valid. The reference says which there are."
    ),
    "invalid_grant": ErrorCode(
        400,
        "The token gets no key: it is not valid, was used before, or no trust of the store takes it. The "
        "trust's page says why to the store's owners.",
    ),
    "invalid_target": ErrorCode(
        400,
        "The audience has to be the address of a store, such as "
        "https://api.reflowhq.com/v1/stores/267418190/, with the slash at its end.",
    ),
    "unsupported_grant_type": ErrorCode(
        400, "The only grant is urn:ietf:params:oauth:grant-type:token-exchange."
    ),
    "api_key_missing": ErrorCode(401, f"This route needs an API key. {RIGHT_FORM}"),
    "api_key_malformed": ErrorCode(
        401,
        f"The Authorization header holds no API key. {RIGHT_FORM}",
        challenge="invalid_request",
    ),
    "api_key_invalid": ErrorCode(
        401,
        "There is no such API key: check that the whole key was copied, or create a new one.",
        challenge="invalid_token",
    ),
    "api_key_inactive": ErrorCode(
        401,
        "This API key was deactivated: its store's owner can reactivate it on the settings page.",
        "The key was off.",
        challenge="invalid_token",
    ),
    "api_key_expired": ErrorCode(
        401,
        "This API key has expired: its store's owner can create a new one on the settings page.",
        "The key had expired.",
        challenge="invalid_token",
    ),
    "api_key_wrong_store": ErrorCode(
        401,
        "This API key belongs to another store: use the store that /v1/api-key/ names.",
        "The address names another store than the key's.",
        challenge="invalid_token",
    ),
    "address_not_allowed": ErrorCode(
        401,
        "This API key may not be used from this address: its store's owner can allow it on the settings "
        "page.",
        "The key does not allow that address.",
        challenge="invalid_token",
    ),
    "resource_not_allowed": ErrorCode(
        401,
        "This API key may not do this: its store's owner can tick the resource on the settings page.",
        "The key does not have this access.",
        challenge="insufficient_scope",
        example={"required": "orders:read", "granted": ["products:read"]},
    ),
    "permission_denied": ErrorCode(403, "This is not allowed.", "This is not allowed."),
    "https_required": ErrorCode(
        403,
        "Send API requests over HTTPS: whatever comes over plain HTTP can be read on the way. A key that was "
        "sent like this should be rolled on the settings page.",
        "The key was sent over plain HTTP, where others can read it. Roll it.",
    ),
    "beyond_own_access": ErrorCode(
        403,
        "A key can give only what it has itself.",
        "It asked for more than the key itself may do.",
    ),
    "not_found": ErrorCode(
        404,
        "There is nothing at this address: check the ids in it.",
        "There is nothing at this address in the store.",
    ),
    "method_not_allowed": ErrorCode(
        405,
        "This address does not take this method: the header Allow names those that it takes.",
        "The address does not take this method.",
    ),
    "not_acceptable": ErrorCode(
        406,
        "The API answers in JSON: send 'Accept: application/json', or no Accept header.",
        "The client asked for a format that the API does not have.",
    ),
    "conflict": ErrorCode(
        409,
        "This conflicts with what is saved already. Read it again, then retry.",
        "It conflicts with what was saved already.",
        example={"fields": {"handle": ["This handle is taken."]}},
    ),
    "idempotency_in_progress": ErrorCode(
        409,
        "The first request with this Idempotency-Key is still running: retry in a moment.",
        "The same request was still running.",
    ),
    "cursor_expired": ErrorCode(
        410,
        "This cursor is older than the feed goes back: read everything again, then begin with a new one.",
        "The cursor was older than the feed goes back.",
    ),
    "precondition_failed": ErrorCode(
        412,
        "It has changed since you read it: nothing was done. Compare, then retry with the new ETag.",
        "It had been changed since the client read it.",
    ),
    "too_large": ErrorCode(
        413,
        f"The body is larger than {settings.DATA_UPLOAD_MAX_MEMORY_SIZE:,} bytes.",
        "The body was too large.",
    ),
    "unsupported_media_type": ErrorCode(
        415,
        "Send the body as JSON, with 'Content-Type: application/json'.",
        "The body was not sent as JSON.",
    ),
    "idempotency_mismatch": ErrorCode(
        422,
        "This Idempotency-Key came with another request before: use a new one for each.",
        "One Idempotency-Key was used for different requests.",
    ),
    "rate_limited": ErrorCode(
        429,
        "Too many requests: wait as many seconds as the header Retry-After says.",
        "The key made more requests in a minute than its limit. An operator can raise it.",
    ),
    "server_error": ErrorCode(
        500,
        "Something went wrong on our side. It has been logged; try again in a moment.",
        "Something went wrong on our side.",
    ),
    "temporarily_unavailable": ErrorCode(
        503,
        "The key that the token is signed with is not known yet, or its issuer cannot be reached: try again "
        "in a minute.",
    ),
    "unavailable": ErrorCode(
        503,
        "The service cannot be reached right now. Try again in a few seconds.",
        "The service could not be reached for a moment. Retry.",
    ),
}
