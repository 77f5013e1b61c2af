"""The parts of the OpenAPI schema that operations share: the key, headers, parameters and the error."""

from typing import Any

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

HEADERS: dict[str, dict[str, Any]] = {
    "X-Request-Id": {
        "description": "The id of the request, also in our logs: quote it when you ask for help.",
        "required": True,
        "schema": {
            "type": "string",
            "pattern": "^[0-9a-f-]{32,36}$",
            "maxLength": 36,
            "example": REQUEST_ID,
        },
    },
    "RateLimit-Policy": {
        "description": 'The limit that applies, such as `"key";q=600;w=60`: 600 requests in 60 seconds.',
        "schema": {"type": "string"},
    },
    "RateLimit": {
        "description": 'What is left, such as `"key";r=598;t=41`: 598 requests for the next 41 seconds.',
        "schema": {"type": "string"},
    },
    "Access-Control-Allow-Origin": {
        "description": "Every origin may read the answer.",
        "schema": {"type": "string", "enum": ["*"]},
    },
    "ETag": {
        "description": "Identifies this version of the response: send it back as `If-None-Match`.",
        "schema": {"type": "string"},
    },
    "Last-Modified": {
        "description": "When the object was last changed: send it back as `If-Modified-Since`.",
        "schema": {"type": "string", "maxLength": 40},
    },
    "Link": {
        "description": "Addresses of other pages (RFC 8288): `first`, `prev`, `next`, `last`.",
        "schema": {"type": "string", "maxLength": 16000},
    },
    "Idempotent-Replayed": {
        "description": "`true` where the answer is that to an earlier request with its Idempotency-Key.",
        "schema": {"type": "string", "enum": ["true"]},
    },
    "Location": {
        "description": "The address of the new object.",
        "required": True,
        "schema": {"type": "string", "format": "uri"},
    },
    "Retry-After": {
        "description": "How many seconds to wait before trying again.",
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
    },
    "WWW-Authenticate": {
        "description": "The challenge (RFC 6750): the scheme and, where there was a key, why it was refused.",
        "required": True,
        "schema": {"type": "string", "pattern": "^Bearer "},
    },
}

# An object's id has the example of its kind.
PATH_PARAMETERS: dict[str, dict[str, Any]] = {
    "store_id": {
        "description": "The store: nine digits, the first not a zero.",
        "schema": {"type": "string", "pattern": "^[1-9][0-9]{8}$", "maxLength": 9},
        "example": "267418190",
    },
    "id": {
        "description": "The object, by its `id`; products and categories also by their `handle`.",
        "schema": {"type": "string", "pattern": "^[-a-zA-Z0-9_]+$", "maxLength": 120},
    },
    "prefix": {
        "description": "The key, by its prefix: the seven characters before the dot.",
        "schema": {"type": "string", "pattern": "^[0-9a-f]{7}$", "maxLength": 7},
        "example": "7c1e09b",
    },
    "request_id": {
        "description": "The id in the header `X-Request-Id` of the request's answer.",
        "schema": {"type": "string", "pattern": "^[0-9a-f-]{32,36}$", "maxLength": 36},
        "example": REQUEST_ID,
    },
}

# Headers of requests, by the methods that take them; each is optional.
REQUEST_HEADERS = {
    "GET": {
        "If-None-Match": "The `ETag` of an earlier response: 304 without a body if nothing changed.",
        "If-Modified-Since": "The `Last-Modified` of an earlier response, to the same end.",
    },
    "PATCH": {
        "If-Match": "The `ETag` of the object that you read: 412, and nothing is done, if it changed.",
        "If-Unmodified-Since": "The `Last-Modified` of the object that you read, to the same end.",
    },
    "POST": {
        "Idempotency-Key": "A new name, such as a UUID, for each thing to be done: sent again within a day, "
        "the same request gets the first answer again.",
    },
}
REQUEST_HEADERS["DELETE"] = REQUEST_HEADERS["PATCH"]


def header_parameters(method: str) -> list[dict[str, Any]]:
    """Describe the headers that a request with this method may have."""
    return [
        {
            "name": name,
            "in": "header",
            "description": description,
            "schema": {"type": "string", "maxLength": MAX_HEADER_LENGTH},
        }
        for name, description in REQUEST_HEADERS[method].items()
    ]


def error_schema(codes: list[str]) -> dict[str, Any]:
    """Build the schema of an error with one of these codes."""
    return {
        "type": "object",
        "description": "The shape of every error.",
        "required": ["error", "code", "request_id"],
        "properties": {
            "error": {"type": "string", "description": "What happened and what to do, in a sentence."},
            "code": {"type": "string", "enum": codes, "description": "The kind of error, for programs."},
            "request_id": {"type": "string", "description": "The same as in the header `X-Request-Id`."},
            "fields": {
                "type": "object",
                "description": "Only for `invalid` and `conflict`: what is wrong, by field or query "
                "parameter, such as `variants.items.0.price`.",
                "additionalProperties": {"type": "array", "items": {"type": "string"}},
            },
            "required": {
                "type": "string",
                "description": "Only for `resource_not_allowed`: the scope needed, such as `orders:read`.",
            },
            "granted": {
                "type": "array",
                "items": {"type": "string"},
                "description": "Only for `resource_not_allowed`: the scopes that the key has.",
            },
        },
    }


def page_parameters(*, default_size: int, max_size: int, max_page: int) -> list[dict[str, Any]]:
    return [
        {
            "name": "page",
            "in": "query",
            "description": "Which page, from 1, the default. Past `meta.last_page` pages are empty. Not "
            "together with `cursor`.",
            # Without a default: generated clients send it, and beside a cursor no page is taken.
            "schema": {"type": "integer", "minimum": 1, "maximum": max_page},
        },
        {
            "name": "perpage",
            "in": "query",
            "description": "How many objects on a page.",
            "schema": {"type": "integer", "minimum": 1, "maximum": max_size, "default": default_size},
        },
        {
            "name": "cursor",
            "in": "query",
            "description": "Another way to page, as fast at the end of a list as at its start, and steady "
            "while objects are added: empty to begin, then follow `links.next`.",
            "schema": {"type": "string"},
            "allowEmptyValue": True,
        },
    ]
