"""Writing what was read: conditions that are compared where it is written, and what counts as no change."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from stores.demo.seed import seed
from stores.models import Category, Change, Product, Store
from stores.resources import SCOPES, Resource
from tests.conftest import IssueKey
from tests.shop import (
    Caller,
    make_category,
    make_coupon,
    make_customer,
    make_order,
    make_product,
    refused,
)
from tests.specimens import make_specimens

SHOP = [resource for resource in Resource if resource is not Resource.API_KEYS]
PARTS = [{"name": "Small", "price": 1500, "quantity": 3}, {"name": "Large", "price": 2500}]


def call(api: Caller, method: str, path: str, body: Any = None, **headers: str) -> Any:
    return getattr(api.client, method)(
        api.base + path, body, content_type="application/json", headers=headers
    )


# Conditions.


@pytest.mark.parametrize("resource", SHOP)
def test_patch_and_delete_do_nothing_where_if_match_is_stale(
    api: Caller, store: Store, resource: Resource
) -> None:
    pk = make_specimens(store).ids[resource][0]
    path = f"/{resource}/{pk}"
    before = api.get(path)
    body: dict[str, Any] = {"note": "New"} if resource == "orders" else {"name": "New"}
    body = {"value": 11} if resource == "coupons" else body
    for method in ("patch", "delete"):
        response = call(api, method, path, body, **{"If-Match": '"stale", W/"other"'})
        if response.status_code != 405:
            assert (response.status_code, response.json()["code"]) == (412, "precondition_failed")
            assert response.json()["current"] == before.json()
            assert response["ETag"] == before["ETag"]
    assert api.get(path).json() == before.json()
    met = call(api, "patch", path, body, **{"If-Match": f'"stale", {before["ETag"]}'})
    assert met.status_code == 200
    assert met["ETag"] == api.get(path)["ETag"] != before["ETag"]


def test_if_match_takes_any_version_and_tags_made_weak_by_compression(api: Caller, store: Store) -> None:
    path = f"/products/{make_product(store).pk}"
    assert call(api, "patch", path, {"price": 1}, **{"If-Match": "*"}).status_code == 200
    weak = f"W/{api.get(path)['ETag']}"
    assert call(api, "delete", path, **{"If-Match": weak}).status_code == 204
    assert call(api, "delete", path, **{"If-Match": "*"}).status_code == 404


@pytest.mark.usefixtures("patient")
def test_if_match_costs_no_query_of_its_own(api: Caller, store: Store) -> None:
    path = f"/products/{make_product(store).pk}"
    with CaptureQueriesContext(connection) as plain:
        tag = api.patch(path, {"price": 1})["ETag"]
    with CaptureQueriesContext(connection) as conditional:
        assert call(api, "patch", path, {"price": 2}, **{"If-Match": tag}).status_code == 200
    assert len(conditional) == len(plain)


def test_if_unmodified_since_refuses_what_was_changed_later(api: Caller, store: Store) -> None:
    coupon = make_coupon(store)
    path = f"/coupons/{coupon.pk}"
    since = {"If-Unmodified-Since": api.get(path)["Last-Modified"]}
    assert call(api, "patch", path, {"value": 11}, **since).status_code == 200
    type(coupon).objects.update(updated_at=timezone.now() + timedelta(seconds=2))
    assert call(api, "patch", path, {"value": 12}, **since).status_code == 412
    assert call(api, "delete", path, **since).status_code == 412
    # RFC 9110, 13.1.4: what is no date is ignored.
    assert call(api, "delete", path, **{"If-Unmodified-Since": "yesterday"}).status_code == 204


@pytest.mark.parametrize(
    ("resource", "body"),
    [
        ("products", {"name": "Mug", "price": 1}),
        ("products", {"name": "Other", "handle": "MUG", "price": 1}),
        ("categories", {"name": "Mug"}),
        ("coupons", {"code": "mug", "kind": "free_shipping"}),
    ],
)
def test_post_with_if_none_match_makes_nothing_that_is_there(
    api: Caller, store: Store, resource: str, body: dict[str, Any]
) -> None:
    only_new = {"If-None-Match": "*"}
    make_product(store), make_category(store, "Mug"), make_coupon(store, "MUG")
    response = call(api, "post", f"/{resource}", body, **only_new)
    assert (response.status_code, response.json()["code"]) == (412, "precondition_failed")
    current = api.get(f"/{resource}/{response.json()['current']['id']}")
    assert (response.json()["current"], response["ETag"]) == (current.json(), current["ETag"])
    other = body | {"name": "Cup", "handle": "cup"} if resource != "coupons" else body | {"code": "CUP"}
    assert call(api, "post", f"/{resource}", other, **only_new).status_code == 201
    strange: tuple[Any, ...] = ([], {}, {"handle": "\0", "code": ["\ud800"], "name": 5})
    for broken in strange:
        assert call(api, "post", f"/{resource}", broken, **only_new).status_code == 400


# Of eight writers seven read in vain: each round takes a second or so of a processor. 200 passed as well.
WRITERS, ROUNDS = 8, 10


@pytest.mark.django_db(transaction=True)
def test_eight_writers_with_if_match_leave_an_exact_stock(api: Caller, store: Store, settings: Any) -> None:
    settings.RATE_LIMIT_PER_KEY = 10**9
    product = make_product(store, quantity=WRITERS * ROUNDS)
    path, failures = f"/products/{product.pk}", []

    def take_one() -> None:
        for _ in range(ROUNDS):
            while True:
                read = api.get(path)
                body = {"quantity": read.json()["quantity"] - 1}
                response = call(api, "patch", path, body, **{"If-Match": read["ETag"]})
                if response.status_code == 200:
                    break
                if response.status_code != 412:
                    failures.append(response.content)
                    break
        connection.close()

    threads = [threading.Thread(target=take_one) for _ in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert api.get(path).json()["quantity"] == 0


# What is read can be written.


def test_every_object_of_the_demo_takes_what_was_read_of_it_as_no_change(issue: IssueKey, db: None) -> None:
    for store in seed(orders=20):
        key = issue(store=store, access=list(SCOPES))[1]
        api = Caller(store, key)
        before = Change.objects.count()
        for resource in SHOP:
            rows = api.get(
                f"/{resource}/", {} if resource is Resource.CATEGORIES else {"perpage": 100}
            ).json()
            for row in rows if isinstance(rows, list) else rows["data"]:
                path = f"/{resource}/{row['id']}"
                tag = api.get(path)["ETag"]
                response = api.patch(path, row)
                assert (response.status_code, response.json(), response["ETag"]) == (200, row, tag)
        assert Change.objects.count() == before


def test_patch_names_a_computed_field_that_was_changed(api: Caller, store: Store) -> None:
    category = make_category(store)
    made = api.post("/products", {"name": "Mug", "price": 1, "categories": [str(category.pk)]}).json()
    made = api.patch(f"/products/{made['id']}", {"variants": {"items": PARTS}}).json()
    small = made["variants"]["items"][0]
    for body, field in (
        ({"price_formatted": "$9.99"}, "price_formatted"),
        ({"id": "7"}, "id"),
        ({"on_sale": made["on_sale"] | {"enabled": True}}, "on_sale"),
        ({"variants": made["variants"] | {"enabled": False}}, "variants.enabled"),
        ({"variants": {"items": [small | {"in_stock": False}]}}, "variants.items.0.in_stock"),
        ({"categories": [{**made["categories"][0], "name": "X"}]}, "categories.0.name"),
    ):
        assert list(refused(api.patch(f"/products/{made['id']}", body))) == [field]
    assert api.get(f"/products/{made['id']}").json() == made


def test_patch_takes_whole_categories(api: Caller, store: Store) -> None:
    kitchen = make_category(store)
    make_category(store, "Mugs", parent=kitchen)
    mug = make_product(store)
    whole = api.get(f"/categories/{kitchen.pk}").json()
    body = api.patch(f"/products/{mug.pk}", {"categories": [whole]}).json()
    assert body["categories"] == [whole]
    missing = {"object": "category", "id": "99"}
    assert list(refused(api.patch(f"/products/{mug.pk}", {"categories": [missing]}))) == ["categories"]


def test_variants_change_by_their_id_and_stay_where_they_are_left_out(api: Caller) -> None:
    made = api.post("/products", {"name": "Mug", "price": 1, "variants": {"items": PARTS}}).json()
    path, (small, large) = f"/products/{made['id']}", made["variants"]["items"]

    def patch(*items: dict[str, Any]) -> Any:
        variants = api.patch(path, {"variants": {"items": list(items)}}).json()["variants"]
        return [(item["name"], item["price"], item["quantity"]) for item in variants["items"]]

    assert patch({"id": small["id"], "quantity": 9}) == [("Small", 1500, 9), ("Large", 2500, 0)]
    assert patch({"name": "Huge", "price": 9}) == [("Small", 1500, 9), ("Large", 2500, 0), ("Huge", 9, 0)]
    assert patch({"id": large["id"], "remove": True}) == [("Small", 1500, 9), ("Huge", 9, 0)]
    assert api.patch(path, {"variants": {"option_name": "Size"}}).json()["variants"]["option_name"] == "Size"
    assert patch() == []


def test_variants_take_the_order_in_which_all_are_sent(api: Caller) -> None:
    made = api.post("/products", {"name": "Mug", "price": 1, "variants": {"items": PARTS}}).json()
    path, tag = f"/products/{made['id']}", api.get(f"/products/{made['id']}")["ETag"]
    turned = [{"id": each["id"]} for each in made["variants"]["items"][::-1]]
    response = api.patch(path, {"variants": {"items": turned}})
    assert [each["name"] for each in response.json()["variants"]["items"]] == ["Large", "Small"]
    assert response["ETag"] != tag


def test_null_empties_what_may_be_empty(api: Caller, store: Store) -> None:
    specimens = make_specimens(store)
    for resource, fields in {
        Resource.PRODUCTS: (
            *("excerpt", "description", "promo_badge", "sku", "media", "categories", "original_price"),
            *("min_quantity", "max_quantity", "variants", "personalization"),
        ),
        Resource.CATEGORIES: ("description", "parent"),
        Resource.ORDERS: ("tracking_number", "note"),
        Resource.CUSTOMERS: ("phone", "address"),
        Resource.COUPONS: ("ends_at", "usage_limit"),
    }.items():
        path = f"/{resource}/{specimens.ids[resource][0]}"
        response = api.patch(path, dict.fromkeys(fields))
        assert response.status_code == 200, response.content
        emptied = {name: response.json()[name] for name in fields}
        for name, value in emptied.items():
            assert not (any(value.values()) if isinstance(value, dict) else value), name
    for resource, field in (
        (Resource.PRODUCTS, "name"),
        (Resource.PRODUCTS, "price"),
        (Resource.COUPONS, "starts_at"),
    ):
        path = f"/{resource}/{specimens.ids[resource][0]}"
        assert list(refused(api.patch(path, {field: None}))) == [field]


def test_personalization_is_written_as_it_is_read(api: Caller) -> None:
    made = api.post("/products", {"name": "Mug", "price": 1, "personalization": {"enabled": True}}).json()
    (default,) = made["personalization"]["items"]
    item = {
        "id": "engraving",
        "type": "dropdown",
        "name": "Engraving",
        "required": True,
        "price": 500,
        "instructions": "Pick one.",
        "dropdownOptions": "Heart, Star",
    }
    path = f"/products/{made['id']}"
    body = api.patch(path, {"personalization": {"items": [default, item]}}).json()["personalization"]
    assert body["enabled"] is True
    assert body["items"] == [default, {**default, **item, "price_formatted": "$5.00"}]
    dearer = [body["items"][0], body["items"][1] | {"price": 600}]
    body = api.patch(path, {"personalization": {"items": dearer}}).json()["personalization"]
    assert body["items"][1]["price_formatted"] == "$6.00"
    assert api.patch(path, {"personalization": None}).json()["personalization"] == {
        "enabled": False,
        "items": [],
    }


def test_patch_that_changes_nothing_tells_of_no_change(api: Caller, store: Store) -> None:
    order = make_order(make_customer(store))
    before, count = api.get(f"/orders/{order.pk}"), Change.objects.count()
    for body in ({}, {"note": ""}, {"note": None}, {"tracking_number": "  "}, before.json()):
        response = api.patch(f"/orders/{order.pk}", body)
        assert (response.status_code, response["ETag"]) == (200, before["ETag"]), body
    assert Change.objects.count() == count
    assert Product.objects.count() == Category.objects.count() == 0
