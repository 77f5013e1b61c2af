"""Writing what was read: conditions that are compared where it is written, and what counts as no change."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from stores.models import Change, Store
from stores.models.changes import RESOURCES
from stores.resources import Resource
from tests.concurrency import at_once
from tests.shop import Caller, make_category, make_coupon, make_customer, make_order, make_product, refused
from tests.specimens import make_specimens

VARIANTS = [{"name": "Small", "price": 1500, "quantity": 3}, {"name": "Large", "price": 2500}]


def call(api: Caller, method: str, path: str, body: Any = None, **headers: str) -> Any:
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return getattr(api.client, method)(
        api.base + path, body, content_type="application/json", headers=headers
    )


# Conditions.


@pytest.mark.parametrize("resource", RESOURCES)
def test_patch_and_delete_do_nothing_where_if_match_is_stale(
    api: Caller, store: Store, resource: Resource
) -> None:
    path = f"/{resource}/{make_specimens(store).ids[resource][0]}"
    before = api.get(path)
    body = {"orders": {"note": "New"}, "coupons": {"value": 11}}.get(resource, {"name": "New"})
    for method in ("patch", "delete"):
        response = call(api, method, path, body, If_Match='"stale", W/"other"')
        if response.status_code != 405:
            assert (response.status_code, response.json()["code"]) == (412, "precondition_failed")
            assert response.json()["current"] == before.json()
            assert response["ETag"] == before["ETag"]
    assert api.get(path).json() == before.json()
    met = call(api, "patch", path, body, If_Match=f'"stale", {before["ETag"]}')
    assert met.status_code == 200
    assert met["ETag"] == api.get(path)["ETag"] != before["ETag"]


@pytest.mark.usefixtures("patient")
def test_if_match_takes_any_version_and_tags_made_weak_by_compression(api: Caller, store: Store) -> None:
    path = f"/products/{make_product(store).pk}"
    with CaptureQueriesContext(connection) as plain:
        api.patch(path, {"price": 1})
    with CaptureQueriesContext(connection) as conditional:
        assert call(api, "patch", path, {"price": 2}, If_Match="*").status_code == 200
    assert len(conditional) == len(plain)
    weak = f"W/{api.get(path)['ETag']}"
    assert call(api, "delete", path, If_Match=weak).status_code == 204
    assert call(api, "delete", path, If_Match="*").status_code == 404


def test_if_unmodified_since_refuses_what_was_changed_later(api: Caller, store: Store) -> None:
    coupon = make_coupon(store)
    path = f"/coupons/{coupon.pk}"
    since = {"If_Unmodified_Since": api.get(path)["Last-Modified"]}
    for date in (since["If_Unmodified_Since"], "Sun, 01 Jan 2040 00:00:00 -0000"):
        assert call(api, "patch", path, {}, If_Unmodified_Since=date).status_code == 200
    type(coupon).objects.update(updated_at=timezone.now() + timedelta(seconds=2))
    assert call(api, "patch", path, {"value": 12}, **since).status_code == 412
    assert call(api, "delete", path, **since).status_code == 412
    # RFC 9110, 13.1.4: what is no date is ignored.
    assert call(api, "delete", path, If_Unmodified_Since="yesterday").status_code == 204


@pytest.mark.parametrize(
    ("resource", "body", "other"),
    [
        ("products", {"name": "Mug", "price": 1}, {"name": "Cup"}),
        ("products", {"name": "Other", "handle": "MUG", "price": 1}, {"handle": "cup"}),
        ("categories", {"name": "Mug"}, {"name": "Cup"}),
        ("coupons", {"code": "mug", "kind": "free_shipping"}, {"code": "cup"}),
    ],
)
def test_post_with_if_none_match_makes_nothing_that_is_there(
    api: Caller, store: Store, resource: str, body: dict[str, Any], other: dict[str, Any]
) -> None:
    make_product(store), make_category(store, "Mug"), make_coupon(store, "MUG")
    response = call(api, "post", f"/{resource}", body, If_None_Match="*")
    assert (response.status_code, response.json()["code"]) == (412, "precondition_failed")
    current = api.get(f"/{resource}/{response.json()['current']['id']}")
    assert (response.json()["current"], response["ETag"]) == (current.json(), current["ETag"])
    assert call(api, "post", f"/{resource}", body | other, If_None_Match="*").status_code == 201
    broken: list[Any] = [[], {}, {"handle": "\0", "code": ["\ud800"], "name": 5}]
    for each in broken:
        assert call(api, "post", f"/{resource}", each, If_None_Match="*").status_code == 400


WRITERS, ROUNDS = 4, 5


@pytest.mark.django_db(transaction=True)
def test_writers_with_if_match_leave_an_exact_stock(api: Caller, store: Store, settings: Any) -> None:
    settings.RATE_LIMIT_PER_KEY = 10**9
    path = f"/products/{make_product(store, quantity=WRITERS * ROUNDS).pk}"
    statuses: list[int] = []

    def take(_: int) -> None:
        taken = 0
        while taken < ROUNDS:
            read = api.get(path)
            body = {"quantity": read.json()["quantity"] - 1}
            statuses.append(call(api, "patch", path, body, If_Match=read["ETag"]).status_code)
            # Anything but a conflict ends it, too.
            taken += statuses[-1] != 412

    at_once(take, WRITERS)
    assert set(statuses) <= {200, 412}
    assert api.get(path).json()["quantity"] == 0


# What is read can be written; test_demo.py writes all of a store.


def test_patch_names_a_computed_field_that_was_changed(api: Caller, store: Store) -> None:
    category = make_category(store)
    new = {"name": "Mug", "price": 1, "categories": [str(category.pk)], "variants": {"items": VARIANTS}}
    made = api.post("/products", new).json()
    path, small = f"/products/{made['id']}", made["variants"]["items"][0]
    changes: list[tuple[dict[str, Any], str]] = [
        ({"price_formatted": "$9.99"}, "price_formatted"),
        ({"id": "7"}, "id"),
        ({"on_sale": made["on_sale"] | {"enabled": True}}, "on_sale"),
        ({"variants": made["variants"] | {"enabled": False}}, "variants.enabled"),
        ({"variants": {"items": [small | {"in_stock": False}]}}, "variants.items.0.in_stock"),
        ({"categories": [made["categories"][0] | {"name": "X"}]}, "categories.0.name"),
        ({"categories": [{"object": "category", "id": "9" * 18}]}, "categories"),
    ]
    for body, field in changes:
        assert list(refused(api.patch(path, body))) == [field]
    assert api.get(path).json() == made
    # Whole categories, even of other products, are as good as their ids.
    garden = api.get(f"/categories/{make_category(store, 'Garden').pk}").json()
    assert api.patch(path, {"categories": [garden]}).json()["categories"] == [garden]


def test_variants_change_by_their_id_and_stay_where_they_are_left_out(api: Caller) -> None:
    made = api.post("/products", {"name": "Mug", "price": 1, "variants": {"items": VARIANTS}}).json()
    path, (small, large) = f"/products/{made['id']}", made["variants"]["items"]

    def patch(*items: dict[str, Any]) -> Any:
        variants = api.patch(path, {"variants": {"items": list(items)}}).json()["variants"]
        return [(item["name"], item["price"], item["quantity"]) for item in variants["items"]]

    by_id = {each["name"]: {"id": each["id"]} for each in (small, large)}
    assert patch(by_id["Small"] | {"quantity": 9}) == [("Small", 1500, 9), ("Large", 2500, 0)]
    assert patch({"name": "Huge", "price": 9}) == [("Small", 1500, 9), ("Large", 2500, 0), ("Huge", 9, 0)]
    assert patch(by_id["Large"] | {"remove": True}) == [("Small", 1500, 9), ("Huge", 9, 0)]
    assert api.patch(path, {"variants": {"option_name": "Size"}}).json()["variants"]["option_name"] == "Size"
    assert patch() == []
    assert len(patch(*({"name": str(number), "price": 1} for number in range(100)))) == 100
    assert list(refused(api.patch(path, {"variants": {"items": VARIANTS[:1]}}))) == ["variants.items"]


def test_variants_take_the_order_in_which_all_are_sent(api: Caller) -> None:
    made = api.post("/products", {"name": "Mug", "price": 1, "variants": {"items": VARIANTS}})
    path = f"/products/{made.json()['id']}"
    small, large = (each["id"] for each in made.json()["variants"]["items"])
    turned = api.patch(path, {"variants": {"items": [{"id": large}, {"id": small}]}})
    assert [each["id"] for each in turned.json()["variants"]["items"]] == [large, small]
    assert turned["ETag"] != made["ETag"]
    swapped = {"variants": {"items": [{"id": large, "name": "Small"}, {"id": small, "name": "Large"}]}}
    assert list(refused(api.patch(path, swapped))) == ["variants.items.0.name"]


EMPTIED = {
    Resource.PRODUCTS: (
        "excerpt description promo_badge sku media categories original_price min_quantity max_quantity "
        "variants personalization"
    ),
    Resource.CATEGORIES: "description parent",
    Resource.ORDERS: "tracking_number note",
    Resource.CUSTOMERS: "phone address",
    Resource.COUPONS: "ends_at usage_limit",
}


@pytest.mark.parametrize("resource", EMPTIED)
def test_null_empties_what_may_be_empty(api: Caller, store: Store, resource: Resource) -> None:
    path = f"/{resource}/{make_specimens(store).ids[resource][0]}"
    fields = EMPTIED[resource].split()
    response = api.patch(path, dict.fromkeys(fields))
    assert response.status_code == 200, response.content
    for name in fields:
        value = response.json()[name]
        assert not (any(value.values()) if isinstance(value, dict) else value), name


def test_personalization_is_written_as_it_is_read(api: Caller) -> None:
    made = api.post("/products", {"name": "Mug", "price": 1, "personalization": {"enabled": True}}).json()
    (default,) = made["personalization"]["items"]
    item = {"id": "engraving", "type": "dropdown", "name": "Engraving", "required": True, "price": 500}
    item |= {"instructions": "Pick one.", "dropdownOptions": "Heart, Star"}

    def patch(personalization: Any) -> Any:
        response = api.patch(f"/products/{made['id']}", {"personalization": personalization})
        return response.json()["personalization"]

    engraving = {**default, **item, "price_formatted": "$5.00"}
    assert patch({"items": [default, item]}) == {"enabled": True, "items": [default, engraving]}
    dearer = patch({"items": [default, engraving | {"price": 600}]})["items"][1]
    assert dearer["price_formatted"] == "$6.00"
    assert patch(None) == {"enabled": False, "items": []}


def test_patch_that_changes_nothing_tells_of_no_change(api: Caller, store: Store) -> None:
    path = f"/orders/{make_order(make_customer(store)).pk}"
    before, count = api.get(path), Change.objects.count()
    for body in ({}, {"note": ""}, {"note": None}, {"tracking_number": "  "}, before.json()):
        response = api.patch(path, body)
        assert (response.status_code, response["ETag"]) == (200, before["ETag"]), body
    assert Change.objects.count() == count
