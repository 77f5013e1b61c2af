"""Lists are filtered, searched and sorted, and a parameter that makes no sense is named."""

import unicodedata
from datetime import timedelta
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
    make_order,
    make_product,
    refused,
)

Rows = dict[str, Any]


@pytest.fixture
def rows(store: Store, other_store: Store) -> Rows:
    """Objects by the names that the tables below have for them, the newest of each kind last."""

    def day(number: int) -> dict[str, Any]:
        return {"created_at": NOON + timedelta(days=number)}

    kitchen = make_category(store)
    mugs = make_category(store, "Mugs", parent=kitchen)
    pot = make_product(store, "Pot", price=20, position=3, quantity=1, sku="NW-1600", **day(0))
    mug = make_product(store, "Mug", price=20, position=1, quantity=5, **day(1))
    mug.variants.create(name="Small", sku="MUG-Ä", price=1)
    egg = make_product(store, "Egg", price=10, position=2, inventory_type="infinite", **day(2))
    for product, category in ((pot, kitchen), (mug, mugs)):
        product.categories.add(category, mugs, through_defaults={"store": store})
    theirs = make_category(other_store, "Theirs")
    make_product(other_store).categories.add(theirs, through_defaults={"store": other_store})
    ada, bob = (
        make_customer(store, "Ada", postcode="SW1A 1AA", **day(0)),
        make_customer(store, "Bob", **day(1)),
    )
    sent, paid = {"status": "shipped", "tracking_number": "1Z999"}, {"payment_status": "paid"}
    first = make_order(ada, 1590, subtotal=900, postcode="97477", **sent, **paid, **day(0))
    second = make_order(bob, 15901, subtotal=500, **paid, **day(1))
    third = make_order(ada, 7002, subtotal=500, note="GIFT", **day(2))
    Product.objects.filter(pk=pot.pk).update(updated_at=NOON)
    return {
        "pot": pot,
        "mug": mug,
        "egg": egg,
        "ada": ada,
        "bob": bob,
        "kitchen": kitchen,
        "theirs": theirs,
        "first": first,
        "second": second,
        "third": third,
        "now": make_coupon(store, "NOW", **day(0)),
        "over": make_coupon(store, "OVER", usage_limit=0),
    }


FOUND: dict[str, list[tuple[dict[str, Any], str]]] = {
    "products": [
        ({"order": ""}, "egg mug pot"),
        ({"order": "date_asc"}, "pot mug egg"),
        ({"order": "name_asc"}, "egg mug pot"),
        ({"order": "price_asc"}, "egg mug pot"),
        ({"order": "price_desc,name_desc"}, "pot mug egg"),
        ({"order": "custom_asc"}, "mug egg pot"),
        ({"order": "updated_asc", "perpage": 1}, "pot"),
        ({"order": "name_asc,,"}, "egg mug pot"),
        ({"order": ",".join(["price_desc", "name_asc", "price_asc"] * 1000)}, "mug pot egg"),
        *(({"category": key}, "mug pot") for key in ("kitchen", "KITCHEN", "mugs")),
        *(({"category": key}, "") for key in ("theirs", "nowhere", "0", "9" * 30)),
        ({"in_stock": "true"}, "egg pot"),
        ({"in_stock": "false"}, "mug"),
        ({"updated_after": "2026-11-23T12:00:01Z"}, "egg mug"),
        ({"search": "nw-1600"}, "pot"),
        ({"search": "ug-ä"}, "mug"),
        ({"sku": "NW-1600"}, "pot"),
        ({"sku": "MUG-Ä"}, "mug"),
        ({"sku": "NW"}, ""),
    ],
    "customers": [
        ({}, "bob ada"),
        ({"order": "name_asc"}, "ada bob"),
        ({"search": "sw1a"}, "ada"),
        ({"email": "ADA@Example.com"}, "ada"),
        ({"email": "\u200b"}, ""),
    ],
    "orders": [
        ({"status": "shipped"}, "first"),
        ({"status": "pending,shipped"}, "third second first"),
        ({"payment_status": "paid"}, "second first"),
        ({"payment_status": "paid", "status": "pending"}, "second"),
        ({"email": "Ada@example.com"}, "third first"),
        ({"created_after": "2026-11-24T12:00:00Z"}, "third second"),
        ({"created_before": "2026-11-24T12:00:00Z"}, "first"),
        ({"created_after": "2026-11-24T13:00:00+01:00", "created_before": "2026-11-25T12:00:00"}, "second"),
        ({"created_after": "2026-11-24"}, "third second"),
        # An unescaped + arrives as a space.
        ({"created_after": "2026-11-24T13:00:00 01:00"}, "third second"),
        ({"created_after": "2026-11-24T13:30:00.5 0100"}, "third"),
        ({"created_after": "2026-11-24 12:00:00"}, "third second"),
        ({"search": "bob"}, "second"),
        ({"search": "ADA@EXAMPLE"}, "third first"),
        ({"search": "#159"}, "second first"),
        ({"search": "1z99"}, "first"),
        ({"search": "97477"}, "first"),
        ({"search": "SW1A 1AA"}, "third first"),
        ({"search": "gift"}, "third"),
        ({"number": "1590"}, "first"),
        ({"number": "159"}, ""),
        ({"total_min": "1395"}, "first"),
        ({"total_max": "1394", "total_min": 0}, "third second"),
        ({"order": "number_desc"}, "second third first"),
        ({"order": "total_asc,date_asc"}, "second third first"),
        ({"status": "", "search": "", "order": "", "customer": ""}, "third second first"),
    ],
    "coupons": [
        ({}, "over now"),
        ({"active": "true"}, "now"),
        ({"active": "false"}, "over"),
        ({"search": "ver"}, "over"),
    ],
}


@pytest.mark.parametrize("resource", FOUND)
def test_a_list_is_filtered_searched_and_sorted(api: Caller, rows: Rows, resource: str) -> None:
    for query, names in FOUND[resource]:
        assert ids(api.get(f"/{resource}", query)) == [rows[name].pk for name in names.split()], query


def test_a_list_is_filtered_by_ids(api: Caller, rows: Rows) -> None:
    pot, mug, ada = rows["pot"].pk, rows["mug"].pk, rows["ada"]
    assert ids(api.get("/products", {"ids": f"{pot}, {mug},999999"})) == [mug, pot]
    assert ids(api.get("/products", {"category": rows["kitchen"].pk})) == [mug, pot]
    assert ids(api.get("/products", {"category": rows["theirs"].pk})) == []
    assert ids(api.get("/orders", {"customer": ada.pk})) == [rows["third"].pk, rows["first"].pk]


SENSELESS: dict[tuple[str, str], tuple[str, ...]] = {
    ("products", "order"): ("name_asc,size_asc", "price", "%", "100%_asc", "%(known)s"),
    ("products", "category"): ("in the kitchen", "1.5", "x" * 121, "\0"),
    ("products", "in_stock"): ("yes",),
    ("products", "ids"): ("1,a", ",".join(map(str, range(1, 102)))),
    ("orders", "status"): ("lost", "shipped,lost"),
    ("orders", "payment_status"): ("PAID",),
    ("orders", "customer"): ("ada", str(2**63)),
    ("orders", "created_after"): ("yesterday", "0001-01-01T00:00:00+14:00"),
    ("orders", "created_before"): ("2026-13-01", "9999-12-31T23:59:59-14:00"),
    ("orders", "search"): ("x" * 101, "a\0b"),
    ("orders", "total_min"): ("-1",),
    ("orders", "number"): ("#1",),
    ("coupons", "active"): ("1",),
    ("customers", "updated_after"): ("yesterday",),
}


def test_a_parameter_that_makes_no_sense_is_named(api: Caller) -> None:
    for (resource, name), values in SENSELESS.items():
        for value in values:
            assert list(refused(api.get(f"/{resource}", {name: value}))) == [name], value
    for order, unknown in (("name_asc,size_asc", "size_asc"), ("%(known)s,date_desc", "%(known)s")):
        (sentence,) = refused(api.get("/products", {"order": order}))["order"]
        assert sentence.startswith(f"Unknown {unknown}: use some of name_asc, name_desc, price_asc,")


def test_a_trial_is_seen_with_a_key_only(api: Caller, client: Client, rows: Rows) -> None:
    Product.objects.filter(name="Mug").update(livemode=False)
    pot, mug = rows["pot"], rows["mug"]
    base = f"/v1/stores/{pot.store_id}/products"
    for query in ({"category": "kitchen"}, {"ids": f"{pot.pk},{mug.pk}"}, {"sku": "NW-1600"}):
        body = client.get(base, query).json()
        assert ([row["name"] for row in body["data"]], body["meta"]["total"]) == (["Pot"], 1)
    assert mug.pk in ids(api.get("/products"))
    for key in (mug.pk, mug.handle):
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
    for number, name in enumerate(["Zebra", "apple", "Äpfel", "Öl", "ox", "Zebra crossing", "1 kg", "_"]):
        make_product(store, name, handle=f"p{number}")
    seen: list[str] = []
    url = f"{api.base}/products?cursor=&order=name_asc&perpage=3"
    while url:
        body = api.client.get(url).json()
        seen += [row["name"] for row in body["data"]]
        url = body["links"]["next"]
    assert seen == ["1 kg", "_", "Äpfel", "apple", "Öl", "ox", "Zebra", "Zebra crossing"]
