"""Addresses that a stranger can reach, read from the URLconf: a new page is attacked from its first day."""

from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db.models import Model
from django.urls import URLResolver, get_resolver, reverse

from apikeys.models import ApiKey, LoggedRequest
from stores.models import Store
from stores.resources import Resource
from tests.routes import ROUTES, Route
from tests.specimens import Specimens

EVIL = "evil.example"
# Headers in which somebody claims to be somewhere else; nobody here believes any of them.
CLAIMS = {
    "X-Forwarded-Host": EVIL,
    "X-Host": EVIL,
    "X-Original-Host": EVIL,
    "X-HTTP-Host-Override": EVIL,
    "Forwarded": f"host={EVIL};proto=https",
    "X-Forwarded-Server": EVIL,
    "X-Forwarded-Port": "666",
    "X-Forwarded-Proto": "gopher",
    "X-Forwarded-Prefix": "/evil",
    "X-Original-URL": "/admin/",
    "X-Rewrite-URL": "/admin/",
    "Referer": f"https://{EVIL}/",
}


@dataclass(frozen=True)
class Shops:
    """Two stores that are alike, each with a key that may do everything in it, and what those are as text."""

    mine: Specimens
    theirs: Specimens
    my_key: ApiKey
    their_key: ApiKey
    my_plaintext: str
    their_plaintext: str

    def samples(self) -> dict[str, Any]:
        """Return a value for each parameter of an address."""
        return {
            "store_id": self.mine.store.pk,
            "prefix": self.my_key.prefix,
            "app_label": "stores",
            "content_type_id": ContentType.objects.get_for_model(Store).pk,
            "object_id": self.mine.store.pk,
            "pk": 1,  # of a logged request and a trust; of a passkey, which nobody has
            "uidb36": "1",
            "key": "0-" + "0" * 32,
        }


@dataclass(frozen=True)
class Page:
    """An address for people. ``name`` is the view's, such as ``apikeys:edit``."""

    name: str
    url: str


# The pages that sign out.
LEAVING = ("account_logout", "admin:logout")


def pages(shops: Shops) -> list[Page]:
    """Every address that has a name and is no part of the API, those that sign out at the end."""
    found = (
        Page(name, reverse(name, kwargs={each: sample(shops, name, each) for each in parameters}))
        for name, parameters in named_views(get_resolver())
    )
    return sorted(found, key=lambda page: page.name in LEAVING)


def named_views(
    resolver: URLResolver, namespace: str = "", parameters: tuple[str, ...] = ()
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The names of views and the parameters of their addresses. Only the admin has views without a name."""
    for pattern in resolver.url_patterns:
        taken = (*parameters, *pattern.pattern.regex.groupindex)
        if isinstance(pattern, URLResolver):
            inside = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from named_views(pattern, inside, taken)
        elif not hasattr(pattern.callback, "cls"):
            if pattern.name:
                yield f"{namespace}{pattern.name}", taken
            elif namespace != "admin:":
                pytest.fail(f"Give {pattern} a name: without one, nobody attacks it.")


def sample(shops: Shops, name: str, parameter: str) -> Any:
    """Return a value for a parameter of the view with this name."""
    if parameter in {"object_id", "id"} and (model := admin_model(name)):
        row = model._default_manager.order_by("pk").first()
        return row.pk if row else 1
    samples = shops.samples()
    if parameter not in samples:
        pytest.fail(f"The address of {name} takes {parameter}: add one to Shops.samples().")
    return samples[parameter]


def admin_model(name: str) -> type[Model] | None:
    """The model that a page of the admin is about."""
    for model in admin.site._registry:
        if name.startswith(f"admin:{model._meta.app_label}_{model._meta.model_name}_"):
            return model
    return None


def route_url(route: Route, store: Specimens, pk: int | None = None) -> str:
    """The address of a route of the API: of the store's own object, or of another one."""
    if "{prefix}" in route.path:
        prefix = f"{pk:07x}" if pk is not None else ApiKey.objects.filter(store=store.store)[0].prefix
        return route.path.format(store_id=store.store.pk, prefix=prefix)
    if "{request_id}" in route.path:
        return route.path.format(request_id=LoggedRequest.objects.get(store=store.store).request_id)
    if "{id}" not in route.path:
        return route.path.format(store_id=store.store.pk)
    assert route.resource is not None
    return route.path.format(store_id=store.store.pk, id=pk or store.ids[route.resource][0])


def store_routes() -> list[Route]:
    """The routes of the API that lie within a store."""
    return [route for route in ROUTES if "{store_id}" in route.path]


def object_routes() -> list[tuple[Route, Resource]]:
    """The routes of the API that lead to one object."""
    return [(route, route.resource) for route in ROUTES if "{id}" in route.path and route.resource]


def key_routes() -> list[Route]:
    """The routes of the API that lead to one key."""
    return [route for route in ROUTES if "{prefix}" in route.path]


@dataclass
class Form:
    """A form on a page: its attributes, and the names of its fields with what is in them."""

    attributes: dict[str, str | None]
    fields: dict[str, str]

    @property
    def is_post(self) -> bool:
        return (self.attributes.get("method") or "get").lower() == "post"

    @property
    def action(self) -> str:
        return self.attributes.get("action") or ""


class FormParser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if tag == "form":
            self.forms.append(Form(attributes, {}))
            self.inside = True
        elif self.inside and tag in {"input", "select", "textarea", "button"} and attributes.get("name"):
            self.forms[-1].fields[str(attributes["name"])] = attributes.get("value") or ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.inside = False


def forms_on(response: Any) -> list[Form]:
    """The forms on a page."""
    if "text/html" not in response.get("Content-Type", ""):
        return []
    parser = FormParser()
    parser.feed(response.content.decode())
    return parser.forms


def everything() -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables, but for sessions."""
    return {
        model._meta.label: list(model._default_manager.order_by("pk").values_list())
        for model in apps.get_models(include_auto_created=True)
        if model is not Session
    }
