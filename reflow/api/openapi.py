"""What every answer has in common, in the words of OpenAPI: headers, the error, a list's envelope."""

from typing import Any

HEADERS: dict[str, dict[str, Any]] = {
    "X-Request-Id": {
        "description": "Names the request, also in our logs: quote it when you ask for help.",
        "required": True,
        "schema": {"type": "string", "pattern": "^[0-9a-f-]{32,36}$"},
    },
    "RateLimit-Policy": {
        "description": 'The limit that applies, such as `"key";q=600;w=60`: 600 requests in 60 seconds.',
        "schema": {"type": "string"},
    },
    "RateLimit": {
        "description": 'What is left, such as `"key";r=598;t=41`: 598 requests for the next 41 seconds.',
        "schema": {"type": "string"},
    },
    "ETag": {
        "description": "Stands for this very answer: send it back as `If-None-Match`.",
        "schema": {"type": "string"},
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

IN_THE_PATH = {
    "store_id": "The store: nine digits, the first not a zero.",
    "id": "The object, by its `id`. Another store's objects do not exist here.",
}

IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "description": "The `ETag` of an earlier answer, got without a key: 304 and no body if it still holds.",
    "schema": {"type": "string"},
}

ERROR: dict[str, Any] = {
    "type": "object",
    "description": "The one shape of every error.",
    "required": ["error", "code", "request_id"],
    "properties": {
        "error": {"type": "string", "description": "A sentence that a person can act on."},
        "code": {"type": "string", "description": "What programs can tell errors apart by."},
        "request_id": {"type": "string", "description": "The same as in the header `X-Request-Id`."},
        "fields": {
            "type": "object",
            "description": "Only for `invalid`: what is wrong, by field or query parameter, such as "
            "`variants.items.0.price`.",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
        },
        "required": {
            "type": "string",
            "description": "Only for `resource_not_allowed`: the scope this takes, such as `orders:read`.",
        },
        "granted": {
            "type": "array",
            "items": {"type": "string"},
            "description": "Only for `resource_not_allowed`: the scopes that the key has.",
        },
    },
}


def page_parameters(*, default_size: int, largest_size: int) -> list[dict[str, Any]]:
    return [
        {
            "name": "page",
            "in": "query",
            "description": "Which page, from 1 to `meta.last_page`. Without meaning beside `cursor`.",
            "schema": {"type": "integer", "minimum": 1, "default": 1},
        },
        {
            "name": "perpage",
            "in": "query",
            "description": "How many objects on a page.",
            "schema": {"type": "integer", "minimum": 1, "maximum": largest_size, "default": default_size},
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


def envelope(objects: dict[str, Any]) -> dict[str, Any]:
    """A page of a list whose array of objects has this schema."""
    links = {
        "first": link("The first page."),
        "last": or_null(link("The last page; null with `cursor`.")),
        "prev": or_null(link("The page before this one; null on the first.")),
        "next": or_null(link("The page after this one; null on the last.")),
    }
    per_page = {"per_page": number("The most objects on a page.")}
    numbered = {
        "current_page": number("The number of this page."),
        "from": or_null(number("The place of its first object in the list; null on an empty page.")),
        "to": or_null(number("The place of its last object in the list; null on an empty page.")),
        **per_page,
        "last_page": number("The number of the last page."),
        "total": {**number("How many objects the whole list has."), "minimum": 0},
    }
    return whole(
        {
            "data": {**objects, "description": "The objects on this page."},
            "links": whole(links, "Whole addresses, with all other query parameters kept."),
            "meta": {
                "description": "Where this page lies in the list.",
                "anyOf": [whole(numbered, "By `page`."), whole(per_page, "By `cursor`.")],
            },
        },
        "One page of a list.",
    )


def whole(properties: dict[str, Any], description: str) -> dict[str, Any]:
    """An object that always has all of its properties."""
    return {
        "type": "object",
        "description": description,
        "properties": properties,
        "required": list(properties),
    }


def link(description: str) -> dict[str, Any]:
    return {"type": "string", "format": "uri", "description": description}


def number(description: str) -> dict[str, Any]:
    return {"type": "integer", "minimum": 1, "description": description}


def or_null(schema: dict[str, Any]) -> dict[str, Any]:
    return {**schema, "type": [schema["type"], "null"]}
