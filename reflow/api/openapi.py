"""The parts of the OpenAPI schema that operations share: the key, headers, parameters and the error."""

from collections.abc import Mapping
from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from apikeys.error_codes import ERROR_CODES

MAX_HEADER_LENGTH = 255
REQUEST_ID = "0f8fad5bd9cb469fa16570867728950e"

SCHEME = "ApiKey"
SECURITY_SCHEMES = {
    SCHEME: {
        "type": "http",
        "scheme": "bearer",
        "description": "An API key, such as `19656ea.4329f04826e125f1ee999b53f78`, in the header "
        "`Authorization: Bearer <api_key>`. A store's owner creates it on the API Key Settings page and "
        "chooses the scopes that it has, such as `orders:read`; write implies read.",
    }
}


class ApiError(Struct):
    """The shape of every error."""

    error: Annotated[str, Meta(description="What happened and what to do, in a sentence.")]
    code: Annotated[
        str,
        Meta(description="The kind of error, for programs.", extra_json_schema={"enum": list(ERROR_CODES)}),
    ]
    request_id: Annotated[str, Meta(description="The same as in the header `X-Request-Id`.")]
    fields: Annotated[
        dict[str, list[str]] | UnsetType,
        Meta(
            description="Only for `invalid` and `conflict`: what is wrong, by field or query "
            "parameter, such as `variants.items.0.price`."
        ),
    ] = UNSET
    required: Annotated[
        str | UnsetType,
        Meta(description="Only for `resource_not_allowed`: the scope needed, such as `orders:read`."),
    ] = UNSET
    granted: Annotated[
        list[str] | UnsetType,
        Meta(description="Only for `resource_not_allowed`: the scopes that the key has."),
    ] = UNSET


def describe(description: str, schema: Mapping[str, Any] | None = None, **others: Any) -> dict[str, Any]:
    """Describe a header or a parameter, which is a string unless its schema says otherwise."""
    return {"description": description, "schema": {"type": "string", **(schema or {})}, **others}


HEADERS = {
    "X-Request-Id": describe(
        "The id of the request, also in our logs: quote it when you ask for help.",
        {"pattern": "^[0-9a-f-]{32,36}$", "maxLength": 36, "example": REQUEST_ID},
        required=True,
    ),
    "RateLimit-Policy": describe(
        'The limit that applies, such as `"key";q=600;w=60`: 600 requests in 60 seconds.',
    ),
    "RateLimit": describe(
        'What is left, such as `"key";r=598;t=41`: 598 requests for the next 41 seconds.',
    ),
    "Access-Control-Allow-Origin": describe("Every origin may read the answer.", {"enum": ["*"]}),
    "ETag": describe("Identifies this version of the response: send it back as `If-None-Match`."),
    "Last-Modified": describe(
        "When the object was last changed: send it back as `If-Modified-Since`.", {"maxLength": 40}
    ),
    "Link": describe(
        "Addresses of other pages (RFC 8288): `first`, `prev`, `next`, `last`.", {"maxLength": 16000}
    ),
    "Idempotent-Replayed": describe(
        "`true` where the answer is that to an earlier request with its Idempotency-Key.", {"enum": ["true"]}
    ),
    "Location": describe("The address of the new object.", {"format": "uri"}, required=True),
    "Retry-After": describe(
        "How many seconds to wait before trying again.", {"type": "integer", "minimum": 1}, required=True
    ),
    "WWW-Authenticate": describe(
        "The challenge (RFC 6750): the scheme and, where there was a key, why it was refused.",
        {"pattern": "^Bearer "},
        required=True,
    ),
}

# An object's id has the example of its kind.
PATH_PARAMETERS = {
    "store_id": describe(
        "The store: nine digits, the first not a zero.",
        {"pattern": "^[1-9][0-9]{8}$", "maxLength": 9},
        example="267418190",
    ),
    "id": describe(
        "The object, by its `id`; products and categories also by their `handle`.",
        {"pattern": "^[-a-zA-Z0-9_]+$", "maxLength": 120},
    ),
    "prefix": describe(
        "The key, by its prefix: the seven characters before the dot.",
        {"pattern": "^[0-9a-f]{7}$", "maxLength": 7},
        example="7c1e09b",
    ),
    "request_id": describe(
        "The id in the header `X-Request-Id` of the request's answer.",
        {"pattern": "^[0-9a-f-]{32,36}$", "maxLength": 36},
        example=REQUEST_ID,
    ),
}

WRITE_CONDITIONS = {
    "If-Match": "The `ETag` of the object that you read: 412, and nothing is done, if it changed.",
    "If-Unmodified-Since": "The `Last-Modified` of the object that you read, to the same end.",
}
# Headers of requests, by the methods that take them; each is optional.
REQUEST_HEADERS = {
    "GET": {
        "If-None-Match": "The `ETag` of an earlier response: 304 without a body if nothing changed.",
        "If-Modified-Since": "The `Last-Modified` of an earlier response, to the same end.",
    },
    "POST": {
        "Idempotency-Key": "A new name, such as a UUID, for each thing to be done: sent again within a day, "
        "the same request gets the first answer again.",
    },
    "PATCH": WRITE_CONDITIONS,
    "DELETE": WRITE_CONDITIONS,
}


def header_parameters(method: str) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "header", **describe(description, {"maxLength": MAX_HEADER_LENGTH})}
        for name, description in REQUEST_HEADERS[method].items()
    ]
