"""Other people's objects: what belongs to another store is not there, by its address or by its id in a body.

"Not there" is meant to the email: the answer is the one that an id gets which nobody has.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from rest_framework import serializers
from rest_framework.fields import Field

from stores.api.filters import IdFilter, IdsFilter
from stores.api.serializers import IdField
from stores.models import Product
from stores.resources import Resource
from tests.conftest import make_owner
from tests.routes import Route
from tests.security.conftest import signed_in_as
from tests.security.surface import (
    Shops,
    admin_model,
    everything,
    key_routes,
    object_routes,
    pages,
    route_url,
    store_routes,
)
from tests.shop import Caller
from tests.specimens import VIEWS, undone

NOBODYS = 10**15


def told(answer: Any, *ids: Any) -> tuple[int, Any]:
    """Return an answer's status and body, without its own number and the id that was asked for."""
    body = json.loads(answer.content or "{}")
    body.pop("request_id", None)
    text = json.dumps(body)
    for each in ids:
        text = text.replace(str(each), "…")
    return answer.status_code, text


def call(caller: Caller, route: Route, url: str) -> Any:
    return caller.client.generic(route.method, url, '{"name": "Mine"}', "application/json")


def test_no_object_route_finds_objects_of_another_store(api: Caller, shops: Shops) -> None:
    before = {label: rows for label, rows in everything().items() if label.startswith("stores.")}
    for route, resource in object_routes():
        for theirs in shops.theirs.ids[resource]:
            asked = call(api, route, route_url(route, shops.mine, theirs))
            nobodys = call(api, route, route_url(route, shops.mine, NOBODYS))
            assert asked.status_code == 404, route
            assert told(asked, theirs) == told(nobodys, NOBODYS), route
    assert {label: rows for label, rows in everything().items() if label.startswith("stores.")} == before


def test_no_key_route_leads_to_a_key_of_another_store(api: Caller, shops: Shops) -> None:
    theirs = int(shops.their_key.prefix, 16)
    for route in key_routes():
        asked = call(api, route, route_url(route, shops.mine, theirs))
        nobodys = call(api, route, route_url(route, shops.mine, 0))
        assert asked.status_code == 404, route
        assert told(asked, shops.their_key.prefix) == told(nobodys, "0000000"), route
        assert call(api, route, route_url(route, shops.mine)).status_code != 404, route


def test_every_object_route_finds_objects_of_the_keys_store(api: Caller, shops: Shops) -> None:
    """Lest the walk above have asked for what is never there."""
    for route, _ in object_routes():
        with undone():
            assert call(api, route, route_url(route, shops.mine)).status_code in {200, 204, 400, 409}, route


def test_no_list_has_anything_of_another_store(api: Caller, shops: Shops) -> None:
    for route in store_routes():
        if route.method == "GET" and route.resource in shops.mine.ids and "{id}" not in route.path:
            rows = api.client.get(route_url(route, shops.mine)).json()
            listed = list(ids_in(rows if isinstance(rows, list) else rows["data"]))
            assert sorted(listed) == sorted(shops.mine.ids[route.resource]), route


def ids_in(rows: list[dict[str, Any]]) -> Iterator[int]:
    for row in rows:
        yield int(row["id"])
        yield from ids_in(row.get("subcategories", []))


# Ids inside of what is sent. Both lists are held against the code, so that none can be forgotten.


def body_cases(shops: Shops, which: str) -> dict[str, dict[str, Any]]:
    """For each field that holds an id of another object: a PATCH with such an id."""
    categories = {"mine": shops.mine.ids, "theirs": shops.theirs.ids}
    pk = NOBODYS if which == "nobodys" else categories[which][Resource.CATEGORIES][1]
    theirs = Product.objects.get(pk=shops.theirs.ids[Resource.PRODUCTS][0])
    mine = Product.objects.get(pk=shops.mine.ids[Resource.PRODUCTS][0])
    product = theirs if which == "theirs" else mine
    variant = NOBODYS if which == "nobodys" else product.variants.all()[0].pk
    return {
        "categories.parent": {"parent": str(pk)},
        "products.categories": {"categories": [str(pk)]},
        "products.variants.items.id": {
            "variants": {"items": [{"id": str(variant), "name": "Small", "price": 1}]},
        },
    }


def fields_with_ids(serializer: Field[Any, Any, Any, Any], path: str) -> Iterator[str]:
    """Writable fields of a serializer that may hold ids of other objects."""
    for name, field in getattr(serializer, "fields", {}).items():
        here = f"{path}.{name}"
        inner = getattr(field, "child", field)
        if isinstance(inner, IdField | serializers.RelatedField | serializers.ManyRelatedField):
            yield here
        yield from fields_with_ids(inner, here)


def test_body_cases_name_every_field_that_holds_an_id(shops: Shops) -> None:
    found = {
        path
        for view in VIEWS
        for path in fields_with_ids(
            view.serializer_class(context={"store": shops.mine.store}), str(view.resource)
        )
    }
    assert found == set(body_cases(shops, "theirs"))


@pytest.mark.parametrize("case", ["categories.parent", "products.categories", "products.variants.items.id"])
def test_an_id_in_a_body_reaches_nothing_of_another_store(api: Caller, shops: Shops, case: str) -> None:
    resource = Resource(case.partition(".")[0])
    url = f"/{resource}/{shops.mine.ids[resource][0]}"

    def attempt(which: str) -> tuple[int, Any]:
        body = body_cases(shops, which)[case]
        with undone():
            return told(api.patch(url, body), *numbers_in(body))

    assert attempt("theirs") == attempt("nobodys")
    assert attempt("theirs")[0] == 400
    if case != "categories.parent":  # its own child is no parent
        assert attempt("mine")[0] == 200


def numbers_in(body: Any) -> Iterator[int]:
    if isinstance(body, dict | list):
        for inner in body.values() if isinstance(body, dict) else body:
            yield from numbers_in(inner)
    elif str(body).isdigit() and int(body) > 1:
        yield int(body)


def test_a_filter_by_id_finds_nothing_of_another_store(api: Caller, shops: Shops) -> None:
    def found(listed: Resource, name: str, pk: int) -> list[Any]:
        rows: list[Any] = api.get(f"/{listed}/", {name: pk}).json()["data"]
        return rows

    named, tried = {"category": Resource.CATEGORIES, "customer": Resource.CUSTOMERS}, 0
    for view in VIEWS:
        filters = view.filterset_class.base_filters if hasattr(view, "filterset_class") else {}
        for name, each in filters.items():
            if isinstance(each, IdFilter | IdsFilter) or name == "category":
                of = named.get(name, view.resource)
                assert not any(found(view.resource, name, pk) for pk in shops.theirs.ids[of])
                assert any(found(view.resource, name, pk) for pk in shops.mine.ids[of])
                tried += 1
    assert tried == 6


# Pages.


def test_no_page_of_another_store_is_there(shops: Shops, owner: User) -> None:
    mine, theirs = str(shops.mine.store.pk), str(shops.theirs.store.pk)
    browser, before = signed_in_as(owner), everything()
    walked = [page.url for page in pages(shops) if f"/stores/{mine}/" in page.url]
    assert len(walked) > 10
    for url in walked:
        foreign = url.replace(shops.my_key.prefix, shops.their_key.prefix).replace("/1/", "/2/")
        nobodys = url.replace(shops.my_key.prefix, "0000000").replace("/1/", "/3/")
        for send in (browser.get, browser.post):
            answer = send(foreign.replace(mine, theirs))
            assert answer.status_code in {404, 405}, url
            if foreign != url:  # somebody else's key, request or trust, asked for in one's own store
                assert send(foreign).status_code == send(nobodys).status_code, url
    assert everything() == before


def test_nobody_but_operators_gets_into_the_admin(shops: Shops, owner: User) -> None:
    newcomer = make_owner("newcomer@example.com")
    User.objects.filter(pk=newcomer.pk).update(is_staff=True)
    visitor, of_owner, of_newcomer = Client(), signed_in_as(owner), signed_in_as(newcomer)
    before = everything()
    walked = [page for page in pages(shops) if admin_model(page.name)]
    assert len(walked) > 40
    for page in walked:
        for answer in (visitor.get(page.url), of_owner.post(page.url, {"post": "yes"})):
            assert answer.status_code in {302, 403, 405}, page
            assert "login" in answer.get("Location", "login"), page
        # Somebody new on the staff, who has not been let into anything yet.
        answer = of_newcomer.post(page.url, {"post": "yes"})
        assert answer.status_code in {302, 403, 405}, page
        assert answer.get("Location", "/admin/") == "/admin/", page  # of what is not there
    assert everything() == before
