"""The generator of the OpenAPI 3.1 schema: adds to each operation its scope, errors and headers.

What operations answer is described where it is made, objects in ``stores.api`` and ``apikeys.api``, pages of
lists in ``reflow.api.pagination``.
"""

import json
import re
from copy import deepcopy
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any

from django.db.models import TextChoices
from drf_spectacular import openapi
from drf_spectacular.extensions import OpenApiSerializerExtension, OpenApiSerializerFieldExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.utils import OpenApiParameter
from msgspec.json import schema_components

from apikeys.api.key_lookup import FoundKey
from apikeys.api.permissions import HasApiKey, HasResourceAccess, is_public
from apikeys.error_codes import ERROR_CODES
from reflow.api.pagination import PageLinks, PageMeta
from reflow.api.parsers import MergePatchParser
from stores.api.outputs import MAX_NUMBER
from stores.resources import Access, Resource

SCHEME = "ApiKey"
# What operations share: the key, the error, headers and parameters.
COMPONENTS: dict[str, Any] = json.loads(Path(__file__).with_name("components.json").read_text("utf-8"))
# A body for each component, by its name, from the demo's store; of a page or an array, one object.
EXAMPLES: dict[str, Any] = json.loads(Path(__file__).with_name("examples.json").read_text("utf-8"))
REFERRED = re.compile('"#/components/[a-z]+/([^"]+)"', re.IGNORECASE)
# Of what has no closer limit.
MAX_TEXT_LENGTH = 100_000
MAX_ITEMS = 100_000
REFERENCE = "#/components/schemas/{name}"
LISTS = "https://api.reflowhq.com/v1/stores/267418190"

# The name of an operation on a resource begins with the first, its summary is the second.
OPERATIONS = {
    "list": ("list", "List {many}"),
    "retrieve": ("get", "Read {one}"),
    "create": ("create", "Add {one}"),
    "partial_update": ("update", "Change {one}"),
    "destroy": ("delete", "Delete {one}"),
}

# The headers that each method may have.
WRITE_CONDITIONS = ("If-Match", "If-Unmodified-Since")
REQUEST_HEADERS = {
    "GET": ("If-None-Match", "If-Modified-Since"),
    "POST": ("Idempotency-Key",),
    "PATCH": WRITE_CONDITIONS,
    "DELETE": WRITE_CONDITIONS,
}
COMMON_HEADERS = ("X-Request-Id", "RateLimit-Policy", "RateLimit", "Access-Control-Allow-Origin")
ERROR_HEADERS = {401: ["WWW-Authenticate"], 429: ["Retry-After"], 503: ["Retry-After"]}
# The errors of every operation, and of each method.
COMMON_ERRORS = {400, 401, 403, 406, 429, 500, 503}
METHOD_ERRORS = {"GET": {412}, "POST": {409, 412, 422}, "PATCH": {409, 412}, "DELETE": {409, 412}}


@cache
def get_schema() -> dict[str, Any]:
    """Generate the schema, once in a process: it depends on code and settings only."""
    generator: Any = SchemaGenerator
    generated: dict[str, Any] = generator().get_schema(request=None, public=True)
    return generated


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

        def describe_enum(kind: type[TextChoices]) -> dict[str, Any]:
            enums[kind.__name__] = {"type": "string", "enum": kind.values}
            return {"$ref": REFERENCE.format(name=kind.__name__)}

        _, components = schema_components([self.target], ref_template=REFERENCE, schema_hook=describe_enum)
        own: dict[str, Any] = components.pop(self.target.__name__)
        for name, schema in (components | enums).items():
            part = ResolvedComponent(name, ResolvedComponent.SCHEMA, schema, object=name)  # type: ignore[no-untyped-call]
            auto_schema.registry.register_on_missing(part)
        return own


class EnumFieldExtension(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    target_class = "stores.api.serializers.EnumField"

    def map_serializer_field(self, auto_schema: openapi.AutoSchema, direction: Any) -> dict[str, Any]:
        return {"$ref": REFERENCE.format(name=self.target.enum.__name__)}


class AutoSchema(openapi.AutoSchema):
    """Generates the description of one operation."""

    view: Any

    @property
    def resource(self) -> Resource | None:
        return getattr(self.view, "resource", None)

    @property
    def scope(self) -> str | None:
        return self.resource.scope(Access.for_method(self.method)) if self.resource else None

    @property
    def needs_key(self) -> bool:
        if HasResourceAccess in self.view.permission_classes:
            return not is_public(self.view, Access.for_method(self.method))
        return HasApiKey in self.view.permission_classes

    def get_operation_id(self) -> str:
        """Name the operation as a client library would name its method: ``list_orders``, ``update_order``."""
        name = self.resource if self.view.action == "list" else self.view.basename
        return f"{OPERATIONS[self.view.action][0]}_{name}"

    def get_summary(self) -> str:
        name = self.view.basename
        one = f"{'an' if name[0] in 'aeiou' else 'a'} {name}"
        return OPERATIONS[self.view.action][1].format(one=one, many=self.resource)

    def get_response_serializers(self) -> Any:
        return getattr(self.view, "output", None) or super().get_response_serializers()

    def get_tags(self) -> list[str]:
        if self.resource:
            return [self.resource.label]
        return ["Store" if "{store_id}" in self.path else "Own key"]

    def get_override_parameters(self) -> Any:
        filterset = getattr(self.view, "filterset_class", None)
        if filterset is None or self.view.action != "list":
            return []
        return [describe_filter(name, each) for name, each in filterset.base_filters.items()]

    def get_auth(self) -> list[dict[str, Any]]:
        """Require a key with the scope, and nothing for what is public: viewers show that as an open lock."""
        if not self.needs_key:
            return []
        return [{SCHEME: [self.scope] if self.scope else []}]

    def get_operation(self, *args: Any) -> dict[str, Any] | None:
        operation: dict[str, Any] | None = super().get_operation(*args)
        if operation is not None:
            operation.setdefault("security", [])
            texts = [operation.get("description"), self.describe_access()]
            operation["description"] = "\n\n".join(filter(None, texts))
            for parameter in operation.setdefault("parameters", []):
                if parameter["in"] == "path":
                    parameter |= COMPONENTS["parameters"][parameter["name"]]
                if parameter["name"] == "id":
                    parameter["example"] = EXAMPLES[self.view.output.__name__]["id"]
            for response in operation["responses"].values():
                response["headers"] = header_references(*COMMON_HEADERS)
            if self.method == "POST" and "requestBody" in operation:
                operation["requestBody"]["content"].pop(MergePatchParser.media_type)
            operation["parameters"] += [
                COMPONENTS["parameters"][name] for name in REQUEST_HEADERS[self.method]
            ]
            self.add_headers(operation)
            self.add_errors(operation)
        return operation

    def describe_access(self) -> str:
        if self.needs_key:
            return (
                f"**Needs a key** with `{self.scope}`." if self.scope else "**Needs a key**, with any scope."
            )
        if not self.view.authentication_classes:
            return "**Needs no key.** The Authorization header is ignored."
        condition = f"have `{self.scope}`" if self.scope else "be this store's"
        return f"**Needs no key.** A key that is sent must {condition}."

    def add_headers(self, operation: dict[str, Any]) -> None:
        responses = operation["responses"]
        for status in responses.keys() & {"200", "201"}:
            responses[status]["headers"] |= header_references("ETag", "Last-Modified")
        if "201" in responses:
            responses["201"]["headers"] |= header_references("Location", "Idempotent-Replayed")
        if self.method == "GET":
            responses["304"] = {"description": "Nothing has changed since the response with this `ETag`."}
        if getattr(self.view, "action", "") == "list" and getattr(self.view, "paginator", None):
            responses["200"]["headers"] |= header_references("Link")

    def add_errors(self, operation: dict[str, Any]) -> None:
        statuses = COMMON_ERRORS | METHOD_ERRORS[self.method]
        statuses |= {int(status) for status in operation["responses"] if status >= "400"}
        statuses |= {404} if "{" in self.path else set()
        statuses |= {413, 415} if "requestBody" in operation else set()
        for status in sorted(statuses):
            operation["responses"][str(status)] = {"$ref": f"#/components/responses/{response_name(status)}"}


def describe_filter(name: str, each: Any) -> OpenApiParameter:
    """Describe a filter of ``stores.api.filters``; several values are separated by commas."""
    options: Any = {"style": "form", "explode": False} if each.schema["type"] == "array" else {}
    return OpenApiParameter(name, each.schema, description=each.extra["help_text"], **options)


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
    schemas |= schema_components([PageLinks, PageMeta], ref_template=REFERENCE)[1] | COMPONENTS["schemas"]
    schemas["ApiError"]["properties"]["code"]["enum"] = list(ERROR_CODES)
    result["components"]["headers"] = COMPONENTS["headers"]
    result["components"]["responses"] = error_responses()
    result["components"]["securitySchemes"] = COMPONENTS["securitySchemes"]
    for name, sent in schemas.items():
        if name.endswith("Request"):
            copy_descriptions(schemas.get(name.removesuffix("Request").removeprefix("Patched"), {}), to=sent)
    set_limits(result)
    add_examples(result["paths"])
    result["security"] = [{SCHEME: []}]  # of operations that say nothing else
    result["tags"] = [
        {"name": "Store", "description": "the public profile of a store"},
        *({"name": resource.label, "description": resource.exposes} for resource in Resource),
        {"name": "Own key", "description": "what a key may do, its renewal, and where to report leaked keys"},
    ]
    remove_unused_components(result)
    return result


def narrow_schema(key: FoundKey) -> dict[str, Any]:
    """Return the schema with the operations that a key may do, and with the components that these need."""
    schema = deepcopy(get_schema())
    resources = {resource.label: resource for resource in Resource}
    for operations in schema["paths"].values():
        for method, operation in list(operations.items()):
            resource = resources.get(operation["tags"][0])
            is_refused = resource and not key.allows(resource.scope(Access.for_method(method.upper())))
            is_renewal = operation["operationId"] == "renew_api_key"
            if is_refused or (is_renewal and not key.renews_days):
                del operations[method]
    schema["paths"] = {path: operations for path, operations in schema["paths"].items() if operations}
    remove_unused_components(schema)
    return schema


def remove_unused_components(schema: dict[str, Any]) -> None:
    """Remove the components that nothing refers to, and then those that only these referred to."""
    kinds = [schema["components"][kind] for kind in ("schemas", "responses", "headers")]
    while True:
        used = set(REFERRED.findall(json.dumps(schema, default=str)))
        unused = [(kind, name) for kind in kinds for name in kind if name not in used]
        if not unused:
            return
        for kind, name in unused:
            del kind[name]


def set_limits(part: Any) -> None:
    """Give every number, text and array in a schema a largest value or length, where it has none.

    Drop what drf-spectacular notes for its own hooks.
    """
    if isinstance(part, list):
        for inner in part:
            set_limits(inner)
        return
    if not isinstance(part, dict):
        return
    part.pop("x-spec-enum-id", None)
    kinds = part.get("type", "")
    if "integer" in kinds:
        part |= {"format": "int64", "minimum": 0, "maximum": MAX_NUMBER} | part
    elif "string" in kinds and part.keys().isdisjoint({"enum", "const", "maxLength"}):
        part["maxLength"] = MAX_TEXT_LENGTH
    elif "array" in kinds:
        part.setdefault("maxItems", MAX_ITEMS)
    for name, inner in part.items():
        if name not in {"example", "examples", "default"}:
            set_limits(inner)


def add_examples(paths: dict[str, Any]) -> None:
    """Add to each operation an example of every JSON body."""
    for path, operations in paths.items():
        for operation in operations.values():
            successes = [body for status, body in operation["responses"].items() if status.startswith("2")]
            for body in [operation.get("requestBody", {}), *successes]:
                for media in body.get("content", {}).values():
                    media["example"] = example_of(media["schema"], path)


def example_of(schema: dict[str, Any], path: str) -> Any:
    """Return the example of an object, of an array of them, or of a page of them."""
    if schema.get("type") == "array":
        return [example_of(schema["items"], path)]
    name = schema["$ref"].rpartition("/")[2]
    if name in EXAMPLES:
        return EXAMPLES[name]
    address = f"{LISTS}/{path.rpartition('/')[2]}?page="
    return {
        "data": [EXAMPLES[name.removeprefix("Paginated").removesuffix("List")]],
        "links": {"first": f"{address}1", "last": f"{address}9", "prev": None, "next": f"{address}2"},
        "meta": {"current_page": 1, "from": 1, "to": 1, "per_page": 1, "last_page": 9, "total": 9},
    }


def copy_descriptions(response: dict[str, Any], *, to: dict[str, Any]) -> None:
    """Describe the fields of a request by the fields of the same name in the response."""
    to["additionalProperties"] = False  # an unknown field is refused
    for name, schema in to["properties"].items():
        same = response.get("properties", {}).get(name, {})
        schema.setdefault("description", same.get("description", ""))


def error_responses() -> dict[str, Any]:
    """Build a response for each status, with an example of each code."""
    responses: dict[str, Any] = {}
    request_id = COMPONENTS["parameters"]["request_id"]["example"]
    for code, error in ERROR_CODES.items():
        if error.status == HTTPStatus.METHOD_NOT_ALLOWED:  # no operation here has it
            continue
        media = {"schema": {"$ref": "#/components/schemas/ApiError"}, "examples": {}}
        response = responses.setdefault(
            response_name(error.status),
            {
                "description": HTTPStatus(error.status).phrase,
                "headers": header_references(*COMMON_HEADERS, *ERROR_HEADERS.get(error.status, ())),
                "content": {"application/json": media},
            },
        )
        body = {"error": error.sentence, "code": code, "request_id": request_id, **error.example}
        examples = response["content"]["application/json"]["examples"]
        examples[code] = {"summary": error.sentence, "value": body}
    return responses
