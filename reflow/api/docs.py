"""The documentation: the OpenAPI schema, the reference made from it, and a guide to get started."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from csp.decorators import csp_update
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from apikeys.api.key_lookup import FoundKey
from apikeys.error_codes import ERROR_CODES
from reflow.api.schema import get_schema, narrow_schema
from stores.api.parameters import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, KnownParametersMixin
from stores.demo import NORTHWOOD_ID
from stores.models import Store

# The suffixes of the example files in templates/docs/examples; httpx has none of its own.
EXAMPLE_LANGUAGES = {
    "sh": "curl",
    "requests.py": "Python with requests",
    "httpx.py": "Python with httpx",
    "js": "JavaScript",
}
# Of examples that are about headers, which all languages send alike.
TWO_LANGUAGES = {suffix: EXAMPLE_LANGUAGES[suffix] for suffix in ("sh", "requests.py")}
RENEWAL_FILES = {
    "py": "Python without packages",
    "sh": "Shell with curl",
    "timer": "systemd",
    "yml": "GitHub Actions",
}


class SchemaView(KnownParametersMixin):
    """The OpenAPI schema: without a key of everything, with a key of what that key may do."""

    permission_classes = (AllowAny,)
    schema = None

    def get(self, request: Request) -> Response:
        key = cast("FoundKey | None", request.auth)
        schema = narrow_schema(key) if key else get_schema()
        server = {"url": request.build_absolute_uri("/").rstrip("/"), "x-internal": False}
        return Response(schema | {"servers": [server]})


# The style sheet of Swagger UI has its icons as data: URLs.
@csp_update({"img-src": ["data:"]})
def reference(request: HttpRequest) -> HttpResponse:
    """Show every operation, with a form to try it, or without scripts in a table."""
    return render(request, "docs/reference.html", {"operations": list(describe_operations())})


def describe_operations() -> Iterator[dict[str, Any]]:
    for path, operations in get_schema()["paths"].items():
        for method, operation in operations.items():
            yield {
                "method": method.upper(),
                "path": path,
                "summary": operation["summary"],
                "description": operation["description"].replace("**", "").replace("`", ""),
                "parameters": [one["name"] for one in operation["parameters"] if one["in"] == "query"],
            }


def getting_started(request: HttpRequest) -> HttpResponse:
    """Show how to get from no key to a program that reads every order."""
    store = Store.objects.owned_by(request.user).first()
    origin = f"{request.scheme}://{request.get_host()}"
    store_id = store.pk if store else NORTHWOOD_ID
    context = {
        "store": store,
        "first_call": render_examples("read_orders", origin, store_id),
        "all_orders": render_examples("read_all_orders", origin, store_id),
        "order_pages": render_examples("read_order_pages", origin, store_id),
        "changes": render_examples("follow_changes", origin, store_id, TWO_LANGUAGES),
        "safe_write": render_examples("change_order", origin, store_id, TWO_LANGUAGES),
        "safe_retry": render_examples("create_coupon", origin, store_id, TWO_LANGUAGES),
        "renewal": render_examples("renew_key", origin, store_id, RENEWAL_FILES),
        "errors": ERROR_CODES,
        "per_key": settings.RATE_LIMIT_PER_KEY,
        "per_address": settings.RATE_LIMIT_PER_ADDRESS,
        "default_size": DEFAULT_PAGE_SIZE,
        "largest_size": MAX_PAGE_SIZE,
    }
    return render(request, "docs/getting_started.html", context)


def render_examples(
    name: str, origin: str, store_id: int, languages: Mapping[str, str] = EXAMPLE_LANGUAGES
) -> list[dict[str, str]]:
    """Render an example in some languages, ready to run once REFLOW_API_KEY is set."""
    context = {"origin": origin, "store_id": store_id}
    return [
        {
            "id": f"{name}-{suffix.replace('.', '-')}",
            "language": language,
            "code": render_example(f"{name}.{suffix}", context),
        }
        for suffix, language in languages.items()
    ]


def render_example(name: str, context: dict[str, Any]) -> str:
    """Render an example; httpx is used as requests is, but for its name of a session."""
    if name.endswith(".httpx.py"):
        code = render_example(name.replace("httpx", "requests"), context)
        return code.replace("requests.Session", "httpx.Client").replace("requests", "httpx")
    return render_to_string(f"docs/examples/{name}", context).strip()
