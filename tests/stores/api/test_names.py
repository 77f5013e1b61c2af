"""Names in addresses and searches: handles are no ids, and case tells no two rows apart."""

import unicodedata
from typing import Any

import pytest
from django.test import Client

from stores.models import Product, Store
from tests.shop import (
    NOON,
    Caller,
    ids,
    make_category,
    make_coupon,
    make_customer,
    make_line,
    make_order,
    make_product,
    refused,
)

NEW: dict[str, dict[str, Any]] = {"products": {"price": 1}, "categories": {}}


def conflict(response: Any) -> list[str]:
    """Return the fields that a conflict names."""
    assert (response.status_code, response.json()["code"]) == (409, "conflict"), response.content
    return list(response.json()["fields"])


@pytest.mark.parametrize("resource", NEW)
def test_post_makes_a_free_handle_with_a_letter_from_the_name(api: Caller, resource: str) -> None:
    def make(name: str) -> Any:
        return api.post(f"/{resource}", NEW[resource] | {"name": name}).json()["handle"]

    kind = "product" if resource == "products" else "category"
    assert [make("Blue mug") for _ in range(3)] == ["blue-mug", "blue-mug-2", "blue-mug-3"]
    assert [make("42"), make("42"), make("マグ"), make("!!!")] == [
        f"{kind}-42",
        f"{kind}-42-2",
        kind,
        f"{kind}-2",
    ]
    assert make("x" * 100) == "x" * 100
    assert make("BLUE MUG") == "blue-mug-4"


@pytest.mark.parametrize("resource", NEW)
def test_a_handle_is_no_id_and_unique_whatever_its_case(api: Caller, resource: str) -> None:
    taken = api.post(f"/{resource}", NEW[resource] | {"name": "A", "handle": "Blue-Mug"}).json()
    other = api.post(f"/{resource}", NEW[resource] | {"name": "B"}).json()
    assert taken["handle"] == "Blue-Mug"
    for body in (NEW[resource] | {"name": "C", "handle": "bLUE-mUG"}, {"handle": "blue-mug"}):
        send = api.post if "name" in body else api.patch
        path = f"/{resource}" if "name" in body else f"/{resource}/{other['id']}"
        assert conflict(send(path, body)) == ["handle"]
        digits = body | {"handle": taken["id"]}
        assert list(refused(send(path, digits))) == ["handle"]
        assert list(refused(send(path, digits | {"handle": "--_1"}))) == ["handle"]
    for key in (taken["id"], "Blue-Mug", "BLUE-MUG"):
        assert api.get(f"/{resource}/{key}").json()["id"] == taken["id"]


def test_codes_and_emails_that_differ_in_case_are_one(api: Caller, store: Store) -> None:
    assert api.post("/coupons", {"code": "Äpfel10", "kind": "free_shipping"}).status_code == 201
    for code in ("ÄPFEL10", "ä" + "pfel10", unicodedata.normalize("NFD", "Äpfel10")):
        assert conflict(api.post("/coupons", {"code": code, "kind": "free_shipping"})) == ["code"]
        assert len(ids(api.get("/coupons", {"code": code}))) == 1
    ada, bob = make_customer(store, "Ada"), make_customer(store, "Bob")
    assert conflict(api.patch(f"/customers/{bob.pk}", {"email": "ADA@Example.com"})) == ["email"]
    assert ids(api.get("/customers", {"email": "ADA@EXAMPLE.COM"})) == [ada.pk]
    order = make_order(ada)
    assert ids(api.get("/orders", {"email": "Ada@example.com"})) == [order.pk]


def test_a_trial_is_seen_with_a_key_only(api: Caller, client: Client, store: Store) -> None:
    real, trial = make_product(store, "Real"), make_product(store, "Trial", livemode=False)
    kitchen = make_category(store)
    for product in (real, trial):
        product.categories.add(kitchen, through_defaults={"store": store})
    base = f"/v1/stores/{store.pk}/products"
    for query in ({}, {"category": kitchen.pk}, {"ids": f"{real.pk},{trial.pk}"}, {"search": "r"}):
        body = client.get(base, query).json()
        assert ([row["name"] for row in body["data"]], body["meta"]["total"]) == (["Real"], 1)
    assert len(ids(api.get("/products"))) == 2
    for key in (trial.pk, trial.handle):
        assert client.get(f"{base}/{key}").status_code == 404
        assert api.get(f"/products/{key}").status_code == 200


@pytest.mark.parametrize(
    "search", ["KRÄMER", "krämer", unicodedata.normalize("NFD", "Krämer"), "ＫＲÄＭＥＲ"]
)
def test_search_folds_what_is_searched_and_what_is_stored(api: Caller, store: Store, search: str) -> None:
    name = unicodedata.normalize("NFD", "Krämer & Söhne")
    found = {
        "products": make_product(store, "A", description=f"By {name}."),
        "orders": make_order(make_customer(store, "B", email="b@example.com"), note=name),
        "customers": make_customer(store, name, email="c@example.com"),
        "coupons": make_coupon(store, name),
    }
    make_product(store, "Kramer")
    for resource, row in found.items():
        assert ids(api.get(f"/{resource}", {"search": search})) == [row.pk]


def test_name_asc_is_the_order_of_a_dictionary(api: Caller, store: Store) -> None:
    names = ["Zebra", "apple", "Äpfel", "Öl", "ox", "Zebra crossing", "1 kg", "_"]
    expected = ["1 kg", "_", "Äpfel", "apple", "Öl", "ox", "Zebra", "Zebra crossing"]
    for number, name in enumerate(names):
        make_product(store, name, handle=f"p{number}")
        make_customer(store, name, email=f"c{number}@example.com")
    for resource in ("products", "customers"):
        seen: list[str] = []
        url = f"{api.base}/{resource}?cursor=&order=name_asc&perpage=3"
        while url:
            body = api.client.get(url).json()
            seen += [row["name"] for row in body["data"]]
            url = body["links"]["next"]
        assert seen == expected


def test_search_finds_skus_numbers_and_postcodes(api: Caller, store: Store) -> None:
    mug = make_product(store, sku="NW-1600")
    mug.variants.create(name="Small", sku="NW-1600-Ä", price=1)
    make_product(store, "Pot")
    ada = make_customer(store, "Ada", postcode="SW1A 1AA")
    first = make_order(ada, 1590, tracking_number="1Z999", postcode="97477")
    second = make_order(make_customer(store, "Bob"), 15901, created_at=NOON)
    for resource, query, expected in (
        ("products", {"search": "nw-1600"}, [mug]),
        ("products", {"search": "1600-ä"}, [mug]),
        ("products", {"sku": "NW-1600"}, [mug]),
        ("products", {"sku": "NW-1600-Ä"}, [mug]),
        ("products", {"sku": "NW"}, []),
        ("customers", {"search": "sw1a"}, [ada]),
        ("orders", {"search": "#1590"}, [first, second]),
        ("orders", {"search": "#159"}, [first, second]),
        ("orders", {"search": "1z99"}, [first]),
        ("orders", {"search": "97477"}, [first]),
        ("orders", {"search": "SW1A 1AA"}, [first]),
        ("orders", {"number": "1590"}, [first]),
        ("orders", {"number": "159"}, []),
    ):
        assert ids(api.get(f"/{resource}", query)) == [row.pk for row in expected], query


def test_lists_are_filtered_by_ids_state_and_change(api: Caller, store: Store) -> None:
    full = make_product(store, "Full", quantity=1)
    empty, endless = make_product(store, "Empty"), make_product(store, "Endless", inventory_type="infinite")
    sized = make_product(store, "Sized", quantity=5)
    sized.variants.create(name="S", price=1)
    Product.objects.filter(pk=full.pk).update(updated_at=NOON)
    cheap = make_order(make_customer(store), 1, subtotal=1000, status="shipped")
    dear = make_order(cheap.customer, 2, subtotal=9000, status="cancelled")
    make_line(cheap)
    now, over = make_coupon(store, "NOW"), make_coupon(store, "OVER", usage_limit=0)
    for resource, query, expected in (
        ("products", {"in_stock": "true"}, [endless, full]),
        ("products", {"in_stock": "false"}, [sized, empty]),
        ("products", {"ids": f"{full.pk}, {empty.pk},999"}, [empty, full]),
        ("products", {"updated_after": "2026-11-23T12:00:01Z"}, [sized, endless, empty]),
        ("products", {"order": "updated_asc", "perpage": 1}, [full]),
        ("orders", {"status": "shipped,cancelled"}, [dear, cheap]),
        ("orders", {"total_min": dear.total}, [dear]),
        ("orders", {"total_max": dear.total - 1, "total_min": 0}, [cheap]),
        ("coupons", {"active": "true"}, [now]),
        ("coupons", {"active": "false"}, [over]),
    ):
        assert ids(api.get(f"/{resource}", query)) == [row.pk for row in expected], query
    for resource, name, value in (
        ("products", "in_stock", "yes"),
        ("products", "ids", "1,a"),
        ("products", "ids", ",".join(map(str, range(1, 102)))),
        ("orders", "status", "shipped,lost"),
        ("orders", "total_min", "-1"),
        ("orders", "number", "#1"),
        ("coupons", "active", "1"),
        ("customers", "updated_after", "yesterday"),
    ):
        assert list(refused(api.get(f"/{resource}", {name: value}))) == [name]
