"""The generator of the OpenAPI 3.1 schema: adds to each operation its scope, errors and headers.

The objects are described in ``stores.api`` and ``apikeys.api.schema``, pages of lists and the error in
``reflow.api.openapi``.
"""

from functools import cache
from http import HTTPStatus
from typing import Any

from django.db.models import TextChoices
from drf_spectacular import openapi
from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.plumbing import ResolvedComponent
from msgspec.json import schema_components

from apikeys.error_codes import ERROR_CODES
from reflow.api.examples import add_examples
from reflow.api.openapi import (
    HEADERS,
    IF_NONE_MATCH,
    PAGE_LINKS,
    PAGE_META,
    PATH_PARAMETERS,
    error_schema,
)
from reflow.api.parsers import MergePatchParser
from stores.resources import Access, Resource

SCHEME = "ApiKey"
REFERENCE = "#/components/schemas/{name}"
REQUEST_ID = "0f8fad5bd9cb469fa16570867728950e"

OPERATION_VERBS = {
    "list": "list",
    "retrieve": "get",
    "create": "create",
    "partial_update": "update",
    "destroy": "delete",
}

# The errors of every operation, of one with parameters in its path, with a body, of writes and of POST.
COMMON_ERRORS = {400, 401, 403, 406, 429, 500, 503}
PATH_ERRORS = {404}
BODY_ERRORS = {413, 415}
WRITE_ERRORS = {409, 412}
POST_ERRORS = {422}


@cache
def get_schema() -> dict[str, Any]:
    """Generate the schema, once in a process: it depends on code and settings only."""
    generator: Any = SchemaGenerator
    generated: dict[str, Any] = generator().get_schema(request=None, public=True)
    return generated


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "apikeys.api.authentication.ApiKeyAuthentication"
    name = SCHEME

    def get_security_definition(self, auto_schema: openapi.AutoSchema) -> dict[str, Any]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "An API key, such as `19656ea.4329f04826e125f1ee999b53f78`, in the header "
            "`Authorization: Bearer <api_key>`. A store's owner creates it on the API Key Settings page and "
            "chooses the scopes that it has, such as `orders:read`; write implies read.",
        }


class StructExtension(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """Describes a response by the ``msgspec.Struct`` that it is made of."""

    target_class = "msgspec.Struct"
    match_subclasses = True

    def get_name(self, auto_schema: openapi.AutoSchema, direction: Any) -> str:
        return str(self.target.__name__)

    def get_identity(self, auto_schema: openapi.AutoSchema, direction: Any) -> str:
        return str(self.target.__name__)

    def map_serializer(self, auto_schema: openapi.AutoSchema, direction: Any) -> dict[str, Any]:
        """Register the components that the class refers to, and return its own."""
        enums: dict[str, Any] = {}

        def describe_enum(kind: Any) -> dict[str, Any]:
            if not issubclass(kind, TextChoices):
                raise NotImplementedError(kind)
            enums[kind.__name__] = {"type": "string", "enum": kind.values}
            return {"$ref": REFERENCE.format(name=kind.__name__)}

        _, components = schema_components([self.target], ref_template=REFERENCE, schema_hook=describe_enum)
        own: dict[str, Any] = components.pop(self.target.__name__)
        for name, schema in (components | enums).items():
            part = ResolvedComponent(name, ResolvedComponent.SCHEMA, schema, object=name)  # type: ignore[no-untyped-call]
            auto_schema.registry.register_on_missing(part)
        return own


class AutoSchema(openapi.AutoSchema):
    """Generates the description of one operation."""

    @property
    def resource(self) -> Resource | None:
        return getattr(self.view, "resource", None)

    @property
    def scope(self) -> str | None:
        return self.resource.scope(Access.for_method(self.method)) if self.resource else None

    @property
    def is_public(self) -> bool:
        """Whether the operation reads a store or a resource that needs no key."""
        is_open = hasattr(self.view, "resource") and (self.resource is None or self.resource.is_public)
        is_open = is_open and not getattr(self.view, "needs_key", False)
        return is_open and Access.for_method(self.method) is Access.READ

    def get_serializer_name(self, serializer: Any, direction: Any) -> str:
        """Name the component after the class, such as Product for ProductShape."""
        return type(serializer).__name__.removesuffix("Shape")

    def get_operation_id(self) -> str:
        """Name the operation as a client library would name its method: ``list_orders``, ``update_order``."""
        action = getattr(self.view, "action", "")
        name = self.resource if action == "list" else getattr(self.view, "basename", None) or "store"
        return f"{OPERATION_VERBS[action]}_{name}" if action else super().get_operation_id()

    def get_tags(self) -> list[str]:
        if self.resource:
            return [self.resource.label]
        return ["Store" if hasattr(self.view, "resource") else "Own key"]

    def get_filter_backends(self) -> list[Any]:
        """Return none: ``stores.api.schema`` describes the query parameters in more detail."""
        return []

    def get_auth(self) -> list[dict[str, Any]]:
        """Require a key with the scope; for what is public, also allow none."""
        schemes: list[dict[str, Any]] = super().get_auth()
        with_key = [
            {SCHEME: [self.scope] if self.scope else []} if SCHEME in each else each for each in schemes
        ]
        return [*with_key, {}] if self.is_public else with_key

    def get_operation(self, *args: Any) -> dict[str, Any] | None:
        operation: dict[str, Any] | None = super().get_operation(*args)
        if operation is not None:
            access = self.describe_access(operation["security"])
            operation["description"] = "\n\n".join(filter(None, [operation.get("description"), access]))
            for parameter in operation.setdefault("parameters", []):
                parameter.setdefault("description", PATH_PARAMETERS.get(parameter["name"], ""))
            for response in operation["responses"].values():
                response["headers"] = header_references("X-Request-Id", "RateLimit-Policy", "RateLimit")
            if self.method == "POST" and "requestBody" in operation:
                operation["requestBody"]["content"].pop(MergePatchParser.media_type)
            if "201" in operation["responses"]:
                operation["responses"]["201"]["headers"] |= header_references("Location")
            if self.method == "GET":
                self.describe_conditional_get(operation)
            self.add_errors(operation)
        return operation

    def describe_access(self, schemes: list[dict[str, Any]]) -> str:
        """Say whether the operation needs a key, and with which scope."""
        if self.is_public:
            condition = f"have `{self.scope}`" if self.scope else "be this store's"
            return f"**Needs no key.** A key that is sent must {condition}."
        if {} in schemes:
            return "**Needs no key.** The Authorization header is ignored."
        return f"**Needs a key** with `{self.scope}`." if self.scope else "**Needs a key**, with any scope."

    def describe_conditional_get(self, operation: dict[str, Any]) -> None:
        operation["parameters"].append(IF_NONE_MATCH)
        operation["responses"]["200"]["headers"] |= header_references("ETag")
        operation["responses"]["304"] = {
            "description": "Nothing has changed since the response with this `ETag`."
        }

    def add_errors(self, operation: dict[str, Any]) -> None:
        statuses = COMMON_ERRORS | (BODY_ERRORS if "requestBody" in operation else set())
        if any(parameter["in"] == "path" for parameter in operation["parameters"]):
            statuses |= PATH_ERRORS
        if self.method != "GET":
            statuses |= WRITE_ERRORS
        if self.method == "POST":
            statuses |= POST_ERRORS
        for status in sorted(statuses):
            operation["responses"][str(status)] = {"$ref": f"#/components/responses/{response_name(status)}"}


def header_references(*names: str) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def response_name(status: int) -> str:
    """Return the name of the component for a status: 404 is ``NotFound``."""
    return HTTPStatus(status).phrase.replace(" ", "")


# The hooks of drf-spectacular: before its generation and after it.


def leave_out_published(endpoints: list[tuple[Any, ...]], **_: Any) -> list[tuple[Any, ...]]:
    """Leave out what also answers at its canonical address."""
    return [endpoint for endpoint in endpoints if "/projects/" not in endpoint[0]]


def add_components(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add the components that operations refer to, and describe request fields like response fields."""
    # The routes also answer without the slash at their end, and client libraries leave it out.
    result["paths"] = {path.rstrip("/"): operations for path, operations in result["paths"].items()}
    schemas = result["components"]["schemas"]
    schemas["ApiError"] = error_schema(list(ERROR_CODES))
    schemas["PageLinks"], schemas["PageMeta"] = PAGE_LINKS, PAGE_META
    result["components"]["headers"] = HEADERS
    result["components"]["responses"] = error_responses()
    for name, sent in schemas.items():
        if name.endswith("Request"):
            copy_descriptions(schemas.get(name.removesuffix("Request").removeprefix("Patched"), {}), to=sent)
    remove_hook_notes(result)
    add_examples(result["paths"])
    result["tags"] = [
        {"name": "Store", "description": "the public profile of a store"},
        *({"name": resource.label, "description": resource.exposes} for resource in Resource),
        {"name": "Own key", "description": "what a key may do, its renewal, and where to report leaked keys"},
    ]
    return result


def copy_descriptions(response: dict[str, Any], *, to: dict[str, Any]) -> None:
    """Describe the fields of a request by the fields of the same name in the response."""
    to["additionalProperties"] = False  # an unknown field is refused
    for name, schema in to["properties"].items():
        same = response.get("properties", {}).get(name, {})
        schema.setdefault("description", same.get("description", ""))


def remove_hook_notes(part: Any) -> None:
    """Remove the properties that drf-spectacular adds for its hooks."""
    if isinstance(part, dict):
        part.pop("x-spec-enum-id", None)
    for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        remove_hook_notes(inner)


def error_responses() -> dict[str, Any]:
    """Build a response for each status, with an example of each code."""
    responses: dict[str, Any] = {}
    for code, error in ERROR_CODES.items():
        if error.status == HTTPStatus.METHOD_NOT_ALLOWED:  # no operation here has it
            continue
        media = {"schema": {"$ref": "#/components/schemas/ApiError"}, "examples": {}}
        response = responses.setdefault(
            response_name(error.status),
            {
                "description": HTTPStatus(error.status).phrase,
                "headers": error_headers(error.status),
                "content": {"application/json": media},
            },
        )
        body = {"error": error.sentence, "code": code, "request_id": REQUEST_ID, **error.example}
        examples = response["content"]["application/json"]["examples"]
        examples[code] = {"summary": error.sentence, "value": body}
    return responses


def error_headers(status: int) -> dict[str, Any]:
    special = {401: ["WWW-Authenticate"], 429: ["Retry-After"], 503: ["Retry-After"]}
    return header_references("X-Request-Id", "RateLimit-Policy", "RateLimit", *special.get(status, []))
