"""The API's own description, OpenAPI 3.1, put together: what the objects of all operations have in common.

What objects look like is in ``stores.api`` and ``apikeys.api.schema``, the envelope and the error in
``reflow.api.openapi``. Here each operation gets the scope it needs, its errors and its headers.
"""

from functools import cache
from http import HTTPStatus
from typing import Any

from drf_spectacular import openapi
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator

from reflow.api.error_examples import all_errors
from reflow.api.openapi import ERROR, HEADERS, IF_NONE_MATCH, IN_THE_PATH
from stores.resources import Access, Resource

SCHEME = "ApiKey"

ANYWHERE = {400, 401, 406, 429, 500, 503}
WITH_PARAMETERS_IN_THE_PATH = {404}
WITH_A_BODY = {413, 415}


@cache
def document() -> dict[str, Any]:
    """The whole description, made once in a process: it depends on code and settings only."""
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


class AutoSchema(openapi.AutoSchema):
    """Adds to each operation the scope it needs, the errors it can give and the headers it sends."""

    @property
    def resource(self) -> Resource | None:
        return getattr(self.view, "resource", None)

    @property
    def scope(self) -> str | None:
        return self.resource.scope(Access.for_method(self.method)) if self.resource else None

    @property
    def is_public(self) -> bool:
        """Whether a store's resource, or the store itself, can be had without a key."""
        open_to_all = hasattr(self.view, "resource") and (self.resource is None or self.resource.is_public)
        return open_to_all and Access.for_method(self.method) is Access.READ

    def get_serializer_name(self, serializer: Any, direction: Any) -> str:
        """The name of its component: that of the class, such as Product for ProductShape."""
        return type(serializer).__name__.removesuffix("Shape")

    def get_tags(self) -> list[str]:
        if self.resource:
            return [self.resource.label]
        return ["Store" if hasattr(self.view, "resource") else "API keys"]

    def get_filter_backends(self) -> list[Any]:
        """None: views describe their query parameters themselves, in more detail than could be guessed."""
        return []

    def get_auth(self) -> list[dict[str, Any]]:
        """With a key that has the scope, and for what is public also without any."""
        ways: list[dict[str, Any]] = super().get_auth()
        with_key = [{SCHEME: [self.scope] if self.scope else []} if SCHEME in way else way for way in ways]
        return [*with_key, {}] if self.is_public else with_key

    def get_operation(self, *args: Any) -> dict[str, Any] | None:
        operation: dict[str, Any] | None = super().get_operation(*args)
        if operation is not None:
            who_may = self.who_may(operation["security"])
            operation["description"] = "\n\n".join(filter(None, [operation.get("description"), who_may]))
            for parameter in operation.setdefault("parameters", []):
                parameter.setdefault("description", IN_THE_PATH.get(parameter["name"], ""))
            for response in operation["responses"].values():
                response["headers"] = header_references("X-Request-Id", "RateLimit-Policy", "RateLimit")
            if self.is_public:
                self.describe_asking_again(operation)
            self.add_errors(operation)
        return operation

    def who_may(self, ways: list[dict[str, Any]]) -> str:
        """Who gets through, in a sentence."""
        if self.is_public:
            good = f"have `{self.scope}`" if self.scope else "be this store's"
            return f"**Open to everybody.** A key that is sent all the same must {good}."
        if {} in ways:
            return "**Open to everybody.** A key in the header is not looked at."
        return f"**Needs a key** with `{self.scope}`." if self.scope else "**Needs a key**, with any scope."

    def describe_asking_again(self, operation: dict[str, Any]) -> None:
        operation["parameters"].append(IF_NONE_MATCH)
        operation["responses"]["200"]["headers"] |= header_references("ETag")
        operation["responses"]["304"] = {"description": "Nothing has changed: keep what you have."}

    def add_errors(self, operation: dict[str, Any]) -> None:
        statuses = ANYWHERE | (WITH_A_BODY if "requestBody" in operation else set())
        if any(parameter["in"] == "path" for parameter in operation["parameters"]):
            statuses |= WITH_PARAMETERS_IN_THE_PATH
        for status in sorted(statuses):
            operation["responses"][str(status)] = {"$ref": f"#/components/responses/{name_of(status)}"}


def header_references(*names: str) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def name_of(status: int) -> str:
    """What the response is called among the components: 404 is ``NotFound``."""
    return HTTPStatus(status).phrase.replace(" ", "")


# What the generator calls at the end.


def complete(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add what operations refer to, and describe what clients send by what they get."""
    schemas = result["components"]["schemas"]
    schemas["Error"] = ERROR
    result["components"]["headers"] = HEADERS
    result["components"]["responses"] = error_responses()
    for name, sent in schemas.items():
        if name.endswith("Request"):
            describe(sent, like=schemas.get(name.removesuffix("Request").removeprefix("Patched"), {}))
    drop_notes(result)
    result["tags"] = [
        {"name": "Store", "description": "what everybody may know of it"},
        *({"name": resource.label, "description": resource.exposes} for resource in Resource),
        {"name": "API keys", "description": "what a key may do, and where leaked ones are handed in"},
    ]
    return result


def describe(sent: dict[str, Any], *, like: dict[str, Any]) -> None:
    """Describe what clients may write by what they read under the same name."""
    sent["additionalProperties"] = False  # what is unknown is refused
    for name, schema in sent["properties"].items():
        read = like.get("properties", {}).get(name, {})
        schema.setdefault("description", read.get("description", ""))


def drop_notes(part: Any) -> None:
    """Take out the notes that the generator leaves for hooks."""
    if isinstance(part, dict):
        part.pop("x-spec-enum-id", None)
    for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        drop_notes(inner)


def error_responses() -> dict[str, Any]:
    """A response for each status, with an example of each code."""
    responses: dict[str, Any] = {}
    for error in all_errors():
        media = {"schema": {"$ref": "#/components/schemas/Error"}, "examples": {}}
        response = responses.setdefault(
            name_of(error.status),
            {
                "description": HTTPStatus(error.status).phrase,
                "headers": error_headers(error.status),
                "content": {"application/json": media},
            },
        )
        examples = response["content"]["application/json"]["examples"]
        examples[error.code] = {"summary": error.sentence, "value": error.body}
    return responses


def error_headers(status: int) -> dict[str, Any]:
    special = {401: ["WWW-Authenticate"], 429: ["Retry-After"], 503: ["Retry-After"]}
    return header_references("X-Request-Id", "RateLimit-Policy", "RateLimit", *special.get(status, []))
