"""Mass assignment: nobody sets what they were not asked for, by sending it along."""

import json
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import DateTimeField
from django.test import Client

from apikeys.api.key_management import ApiKeySerializer, DeactivateSerializer, RollSerializer
from apikeys.models import ApiKey
from apikeys.models.suspension import Suspension
from stores.resources import Resource
from tests.conftest import admin_page
from tests.routes import Route
from tests.security.conftest import signed_in_as
from tests.security.surface import Shops, admin_model, forms_on, pages, route_url, store_routes
from tests.shop import Caller
from tests.specimens import VIEWS

KEYS = "/v1/stores/{store_id}/api-keys/"
META = {view.resource: view.serializer_class.Meta for view in VIEWS}
MODELS = {resource: meta.model for resource, meta in META.items()} | {Resource.API_KEYS: ApiKey}
# What may be sent to each route about keys.
KEY_FIELDS: dict[str, set[str]] = {
    KEYS: set(ApiKeySerializer().fields),
    f"{KEYS}{{prefix}}/": set(ApiKeySerializer().fields),
    f"{KEYS}{{prefix}}/roll/": set(RollSerializer().fields),
    f"{KEYS}{{prefix}}/deactivate/": set(DeactivateSerializer().fields),
    f"{KEYS}{{prefix}}/reactivate/": set(),
}
ALWAYS = {"store", "store_id", "id", "pk", "owner", "is_admin", "__class__", "_state", "customer_id"}
WRITING = [route for route in store_routes() if route.method in {"POST", "PATCH"}]


def call(api: Caller, route: Route, shops: Shops, body: Any) -> Any:
    url = route_url(route, shops.mine)
    return api.client.generic(route.method, url, json.dumps(body), "application/json")


def not_writable(route: Route, shown: dict[str, Any]) -> set[str]:
    """All that an object has, in its table or in answers, and that may not be sent."""
    assert route.resource is not None
    columns = {name for field in MODELS[route.resource]._meta.fields for name in (field.name, field.attname)}
    is_of_keys = route.resource is Resource.API_KEYS
    writable = KEY_FIELDS[route.path] if is_of_keys else META[route.resource].fields
    return (ALWAYS | columns | set(shown)) - set(writable)


def first_of(api: Caller, shops: Shops, resource: Resource) -> dict[str, Any]:
    """The first object of the store, as the API shows it."""
    name = shops.my_key.prefix if resource is Resource.API_KEYS else shops.mine.ids[resource][0]
    shown: dict[str, Any] = api.get(f"/{resource.path}/{name}/").json()
    assert shown["object"]
    return shown


def test_what_cannot_be_written_is_refused_by_name(api: Caller, shops: Shops) -> None:
    for route in WRITING:
        assert route.resource is not None
        rows = MODELS[route.resource]._default_manager.order_by("pk")
        before = list(rows.values())
        forbidden = not_writable(route, first_of(api, shops, route.resource))
        assert len(forbidden) > len(ALWAYS), route
        # In two requests: an answer names so many fields and no more.
        for part in (sorted(forbidden)[::2], sorted(forbidden)[1::2]):
            answer = call(api, route, shops, {"name": "Forged"} | dict.fromkeys(part, shops.theirs.store.pk))
            assert answer.status_code == 400, route
            assert set(part) <= set(answer.json()["fields"]), route
        assert list(rows.values()) == before, route


# Forms for people.

EDITED = {"name", "note", "access", "version", "allowed_addresses"}
NOT_EDITED = [field for field in ApiKey._meta.fields if field.name not in EDITED]
FORGED_KEY = {
    name: "2020-01-01T00:00" if isinstance(field, DateTimeField) else "1"
    for field in NOT_EDITED
    for name in (field.name, field.attname)
}


def test_a_key_is_made_and_changed_by_its_fields_alone(shops: Shops, owner: User) -> None:
    browser = signed_in_as(owner)
    base = f"/stores/{shops.mine.store.pk}/settings/api-keys"
    typed = {"name": "New", "expiry": "never", "access": ["orders:read"]}
    assert browser.post(f"{base}/new/", FORGED_KEY | typed)["Location"].endswith("/created/")
    made = ApiKey.objects.get(name="New")
    assert (made.store_id, made.created_by) == (shops.mine.store.pk, owner)
    assert (made.rate_limit, made.expires_at, made.predecessor) == (None, None, None)
    assert made.prefix != "1"

    untouched = {field.attname for field in NOT_EDITED} - {
        "expires_at",
        "comparable_name",
        "search_text",
        "changed_at",
    }
    before = ApiKey.objects.filter(pk=made.pk).values(*untouched).get()
    changed = FORGED_KEY | typed | {"name": "Newer", "version": made.version}
    assert browser.post(f"{base}/{made.prefix}/edit/", changed).status_code == 302
    taken = FORGED_KEY | {"access": ["orders:read", "coupons:read"], "version": "2", "name": "Forged"}
    assert browser.post(f"{base}/{made.prefix}/access/", taken).status_code == 302
    assert ApiKey.objects.filter(pk=made.pk).values(*untouched).get() == before
    made.refresh_from_db()
    assert (made.name, made.access) == ("Newer", ["orders:read", "coupons:read"])


def test_no_page_makes_anybody_an_operator_or_an_owner(shops: Shops) -> None:
    user = User.objects.get(email="second@example.com")
    browser = signed_in_as(user)
    forged = {
        **dict.fromkeys(("is_staff", "is_superuser", "is_active", "staff", "superuser"), "on"),
        "user_permissions": "1",
        "groups": "1",
        "owners": str(user.pk),
        "stores": "267418190",
        "email": "owner@example.com",
        "username": "owner@example.com",
        "id": "1",
        "user": "1",
    }
    for page in pages(shops):
        browser.post(page.url, forged)
    user.refresh_from_db()
    assert (user.is_staff, user.is_superuser) == (False, False)
    assert list(user.stores.all()) == [shops.theirs.store]
    assert user.email == "second@example.com"


# The admin.


def test_a_form_of_the_admin_sets_its_own_fields_alone(mighty: Client, shops: Shops) -> None:
    Suspension.objects.create(store=shops.mine.store, reason="So that each table has a row.")
    changed = [model for model in admin.site._registry if model._meta.app_label in {"stores", "apikeys"}]
    assert len(changed) > 10
    for model in changed:
        row = model._default_manager.order_by("pk")[0]
        page = admin_page(model, "change", row.pk)
        typed = [form for form in forms_on(mighty.get(page)) if form.is_post and "_save" in form.fields]
        fields = typed[0].fields if typed else {}
        names = {field.attname for field in model._meta.fields}
        offered = {name.removesuffix("_0").removesuffix("_1") for name in fields} | {"updated_at"}
        kept = sorted(name for name in names if name.removesuffix("_id") not in offered)
        shown = model._default_manager.filter(pk=row.pk).values(*kept)
        before = shown.get()
        forged = {name.removesuffix("_id"): str(shops.theirs.store.pk) for name in kept}
        mighty.post(page, forged | dict.fromkeys(kept, "1") | fields)
        assert shown.all().get() == before, model
        assert "store_id" not in names or "store_id" in kept, model
        assert admin_model(f"admin:{model._meta.app_label}_{model._meta.model_name}_change") is model
