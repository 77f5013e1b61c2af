"""The documentation: the API's description for programs, and the same for people."""

from collections import defaultdict
from typing import Any

from csp.decorators import csp_update
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from reflow.api.error_examples import all_errors
from reflow.api.pagination import DEFAULT_SIZE, LARGEST_SIZE
from reflow.api.routes import ROUTES, Key, Route
from reflow.api.schema import document
from stores.models import Store

METHODS = ("GET", "POST", "PATCH", "DELETE")
LANGUAGES = {"sh": "curl", "py": "Python", "js": "JavaScript"}
SOME_STORE = 267418190


class SchemaView(APIView):
    """The API described in OpenAPI 3.1. Open to everybody, but not to a key that does not work."""

    permission_classes = (AllowAny,)
    schema = None

    def get(self, request: Request) -> Response:
        return Response(document())


# The icons of Swagger UI are inside its style sheet, as data: addresses.
@csp_update({"img-src": ["data:"]})
def reference(request: HttpRequest) -> HttpResponse:
    """Every operation, to read and to try."""
    return render(request, "docs/reference.html")


def getting_started(request: HttpRequest) -> HttpResponse:
    """From no key to a program that reads every order."""
    store = Store.objects.owned_by(request.user).first()
    origin = f"{request.scheme}://{request.get_host()}"
    store_id = store.pk if store else SOME_STORE
    context = {
        "store": store,
        "store_id": store_id,
        "first_call": examples("read_orders", origin, store_id),
        "all_orders": examples("read_all_orders", origin, store_id),
        "methods": METHODS,
        "access_table": access_table(),
        "errors": all_errors(),
        "per_key": settings.RATE_LIMIT_PER_KEY,
        "per_address": settings.RATE_LIMIT_PER_ADDRESS,
        "default_size": DEFAULT_SIZE,
        "largest_size": LARGEST_SIZE,
    }
    return render(request, "docs/getting_started.html", context)


def examples(name: str, origin: str, store_id: int) -> list[dict[str, str]]:
    """One example in every language, ready to run once REFLOW_API_KEY is set."""
    context = {"origin": origin, "store_id": store_id}
    return [
        {
            "id": f"{name}-{suffix}",
            "language": language,
            "code": render_to_string(f"docs/examples/{name}.{suffix}", context).strip(),
        }
        for suffix, language in LANGUAGES.items()
    ]


def access_table() -> list[dict[str, Any]]:
    """The table of who may do what, a row for each address and a cell for each method."""
    rows: dict[str, dict[str, Route]] = defaultdict(dict)
    for route in ROUTES:
        rows[route.path][route.method] = route
    return [
        {"path": path, "cells": [in_words(routes.get(method)) for method in METHODS]}
        for path, routes in rows.items()
    ]


def in_words(route: Route | None) -> dict[str, str]:
    """Who may use a route, or the scope that a key must have to."""
    if route is None:
        return {}
    if route.key is not Key.REQUIRED:
        return {"who": "Everybody"}
    return {"scope": route.scope} if route.scope else {"who": "Every key"}
