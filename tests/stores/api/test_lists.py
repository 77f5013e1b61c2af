"""Common to all of the shop's routes: their addresses and their cost."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apikeys.models import Usage
from apikeys.usage import recorder
from stores.api.outputs import read_seconds
from stores.models import Coupon, Product, Store
from tests import shop
from tests.concurrency import changed_before
from tests.shop import NOON, Caller

# A list costs the key with its store; then its ids, their rows, and one query for each kind of part of them.
COST = {"orders": 4, "customers": 4, "coupons": 4, "products": 6, "categories": 2}
ROUTES = tuple(COST)


def make(resource: str, store: Store, number: int = 1) -> Any:
    """One object of the resource, with all that is shown of it. The higher the number, the newer."""
    at = {"created_at": NOON + timedelta(minutes=number)}
    if resource == "products":
        product = shop.make_product(store, f"Product {number}", **at)
        product.variants.create(name="Large", price=1)
        product.categories.add(shop.make_category(store, f"C{number}"), through_defaults={"store": store})
        return product
    if resource == "categories":
        return shop.make_category(store, f"C{number}")
    if resource == "coupons":
        return shop.make_coupon(store, f"C{number}", **at)
    customer = shop.make_customer(store, f"P{number}", **at)
    if resource == "customers":
        return customer
    order = shop.make_order(customer, number, **at)
    shop.make_line(order)
    return order


@pytest.mark.parametrize("resource", ROUTES)
def test_an_id_that_cannot_be_is_not_found(api: Caller, resource: str) -> None:
    odd = ("0", "01", "-1", "1.5", "1e0", "1_0", "1;--", "\u0661", "abc", "9" * 18, "9" * 40, "%00", "1%0a")
    for name in odd:
        for response in (api.get(f"/{resource}/{name}"), api.patch(f"/{resource}/{name}", {})):
            assert (response.status_code, response.json()["code"]) == (404, "not_found"), name


def test_a_store_is_written_out_in_full(client: Client, store: Store) -> None:
    assert client.get(f"/v1/stores/{store.pk}/").json() == {
        "object": "store",
        "id": "267418190",
        "name": "Northwood",
        "currency": {"code": "USD", "name": "US Dollar", "zero_decimal": False},
    }
    for path in ("", "/products/", "/products/1", "/categories/", "/categories/1"):
        response = client.get(f"/v1/stores/999999999{path}")
        assert (response.status_code, response.json()["code"]) == (404, "not_found")


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("resource", ROUTES)
@pytest.mark.parametrize("size", [1, 12])
def test_a_list_costs_the_same_at_any_size_and_writes_nothing(
    api: Caller, store: Store, resource: str, size: int
) -> None:
    made = [make(resource, store, number) for number in range(size)]
    with CaptureQueriesContext(connection) as queries:
        rows = api.get(f"/{resource}").json()
    assert len(queries) == COST[resource]
    assert len(rows if resource == "categories" else rows["data"]) == size
    with CaptureQueriesContext(connection) as of_one:
        api.get(f"/{resource}/{made[0].pk}")
    statements = [query["sql"] for query in (*queries, *of_one)]
    assert {statement.split()[0] for statement in statements} == {"SELECT"}
    assert not any("FOR UPDATE" in statement for statement in statements)
    assert not Usage.objects.exists()
    recorder.flush()
    assert sum(Usage.objects.values_list("requests", flat=True)) == 2


@pytest.mark.parametrize(
    ("resource", "has_key"),
    [("orders", True), ("customers", True), ("coupons", True), ("products", True), ("products", False)],
)
def test_a_filter_that_all_pass_leaves_a_list_as_it_is(
    api: Caller, client: Client, store: Store, other_store: Store, resource: str, *, has_key: bool
) -> None:
    for number in (2, 3, 1):
        make(resource, store, number)
    make(resource, other_store, 4)
    Product.objects.filter(name="Product 3").update(livemode=False)
    caller = api.client if has_key else client
    for page in (1, 2, 3):
        asked = f"{api.base}/{resource}?perpage=2&page={page}"
        found = caller.get(asked).json()
        filtered = caller.get(f"{asked}&updated_after=2001-01-01T00:00:00Z").json()
        assert filtered["data"] == found["data"]
        assert filtered["meta"]["total"] == found["meta"]["total"] == (3 if has_key else 2)


# Another request may change what is read, between any two queries.


@pytest.mark.parametrize("resource", ROUTES)
@pytest.mark.parametrize("number", range(2, 7))
def test_what_is_deleted_meanwhile_is_no_error(api: Caller, store: Store, resource: str, number: int) -> None:
    listed, read = make(resource, store, 1), make(resource, store, 2)
    with changed_before(number, listed.delete):
        assert api.get(f"/{resource}").status_code == 200
    with changed_before(number, read.delete):
        assert api.get(f"/{resource}/{read.pk}").status_code in {200, 404}


@pytest.mark.parametrize("number", range(2, 7))
def test_what_is_read_of_an_object_is_not_older_than_its_updated_at(
    api: Caller, store: Store, number: int
) -> None:
    """Or a client that asks for what was updated since then would never learn of it."""
    variant = shop.make_product(store).variants.create(name="Large", price=1)
    begun = datetime(2001, 1, 1, tzinfo=UTC)
    shop.make_coupon(store, starts_at=begun)

    def change() -> None:
        type(variant).objects.update(price=2)
        Product.objects.update(updated_at=NOON)
        Coupon.objects.update(ends_at=begun + timedelta(days=1), updated_at=NOON)

    with changed_before(number, change):
        (product,) = api.get("/products").json()["data"]
    assert product["variants"]["items"][0]["price"] == 2 or product["updated_at"] != "2026-11-23T12:00:00Z"
    Coupon.objects.update(ends_at=None, updated_at=NOON - timedelta(days=1))
    with changed_before(number, change):
        (coupon,) = api.get("/coupons").json()["data"]
    assert not coupon["active"] or coupon["updated_at"] != "2026-11-23T12:00:00Z"


@pytest.mark.parametrize("number", range(1, 6))
def test_what_is_hidden_meanwhile_is_shown_to_nobody_without_a_key(
    client: Client, store: Store, number: int
) -> None:
    product = shop.make_product(store)
    for path in ("", f"/{product.pk}"):
        Product.objects.update(name="Mug", livemode=True)
        with changed_before(number, lambda: Product.objects.update(name="Secret", livemode=False)):
            answer = client.get(f"/v1/stores/{store.pk}/products{path}")
        assert "Secret" not in answer.content.decode()


@pytest.mark.parametrize("text", ["12:00:00.59", "12:00:00.59+00", "14:00:00+02", "06:30:00.123456-05:30"])
def test_read_seconds_gives_utc_to_the_second(text: str) -> None:
    time = read_seconds(f"2026-11-23 {text}")
    assert (time, time.tzinfo) == (datetime(2026, 11, 23, 12, tzinfo=UTC), UTC)
