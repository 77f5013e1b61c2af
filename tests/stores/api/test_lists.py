"""What all of the shop's routes have in common: pages, addresses, whose objects they are, and their cost."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from apikeys.models import Usage
from apikeys.usage import recorder
from stores.models import ProductVariant, Store
from tests import shop
from tests.shop import NOON, Caller, ids

LISTS = ("products", "orders", "customers", "coupons")
ROUTES = (*LISTS, "categories")


def make(resource: str, store: Store, number: int = 1) -> Any:
    """One object of the resource, with all that is shown of it. The higher the number, the newer."""
    at = {"created_at": NOON + timedelta(minutes=number)}
    if resource == "products":
        product = shop.make_product(store, f"Product {number}", **at)
        ProductVariant.objects.create(product=product, name="Large", price=1)
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


# Pages, whose envelope tests/reflow/api/test_pagination.py has.


@pytest.mark.parametrize("resource", LISTS)
def test_a_list_is_read_page_by_page_newest_first(api: Caller, store: Store, resource: str) -> None:
    assert ids(api.get(f"/{resource}")) == []
    rows = [make(resource, store, number).pk for number in range(5)]
    seen, url = [], f"{api.base}/{resource}?perpage=2"
    while url:
        response = api.client.get(url)
        seen += ids(response)
        url = response.json()["links"]["next"]
    assert seen == rows[::-1]


# Addresses.


@pytest.mark.parametrize("slash", ["", "/"])
def test_every_method_answers_with_and_without_a_slash(api: Caller, store: Store, slash: str) -> None:
    new: dict[str, Any] = {
        "products": {"name": "Mug", "price": 1},
        "categories": {"name": "Kitchen"},
        "coupons": {"code": "SHIP", "kind": "free_shipping"},
    }
    change: dict[str, Any] = {"orders": {"note": "x"}, "coupons": {"value": 1}}
    assert api.get(slash).status_code == 200
    for resource in ROUTES:
        if resource in new:
            response = api.post(f"/{resource}{slash}", new[resource])
            assert response.status_code == 201
            one = f"/{resource}/{response.json()['id']}{slash}"
            assert response["Location"] == f"http://testserver{api.base}{one}".rstrip("/")
        else:
            one = f"/{resource}/{make(resource, store, len(resource)).pk}{slash}"
        answers = [
            api.get(f"/{resource}{slash}"),
            api.get(one),
            api.patch(one, change.get(resource, {"name": "Renamed"})),
            api.client.head(api.base + one),
            api.client.options(api.base + one),
        ]
        assert [answer.status_code for answer in answers] == [200] * 5
        assert api.delete(one).status_code == (204 if resource in new else 405)


@pytest.mark.parametrize("resource", ROUTES)
def test_an_id_that_cannot_be_is_not_found(api: Caller, resource: str) -> None:
    for name in ("0", "01", "-1", "1.5", "abc", "9" * 18, "9" * 40, "%00", "1%0a", "1/x"):
        for response in (api.get(f"/{resource}/{name}"), api.patch(f"/{resource}/{name}", {})):
            assert (response.status_code, response.json()["code"]) == (404, "not_found"), name


@pytest.mark.parametrize("resource", ["products", "categories"])
def test_a_handle_is_an_address_too(
    api: Caller, client: Client, store: Store, other_store: Store, resource: str
) -> None:
    row, digits = make(resource, store), make(resource, store, 2)
    type(digits).objects.filter(pk=digits.pk).update(handle="1984-Edition")
    theirs = make(resource, other_store, 3)
    for key, found in ((row.handle, row), (row.pk, row), ("1984-eDITION", digits)):
        response = client.get(f"/v1/stores/{store.pk}/{resource}/{key}")
        assert (response.status_code, response.json()["id"]) == (200, str(found.pk))
    assert api.patch(f"/{resource}/{row.handle}/", {"name": "Renamed"}).json()["id"] == str(row.pk)
    for key in (theirs.handle, theirs.pk):
        assert client.get(f"/v1/stores/{store.pk}/{resource}/{key}").status_code == 404
    assert api.delete(f"/{resource}/{row.handle}").status_code == 204
    assert api.get(f"/{resource}/{row.handle}").status_code == 404


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


# What it costs.


# The key with its store; then the count, the page, and one for each kind of part on it.
COST = {"orders": 4, "customers": 3, "coupons": 3, "products": 6, "categories": 2}


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("resource", ROUTES)
@pytest.mark.parametrize("size", [1, 12])
def test_a_list_costs_the_same_at_any_size(
    api: Caller, store: Store, django_assert_num_queries: DjangoAssertNumQueries, resource: str, size: int
) -> None:
    for number in range(size):
        make(resource, store, number)
    with django_assert_num_queries(COST[resource]):
        response = api.get(f"/{resource}")
    rows = response.json()
    assert len(rows if resource == "categories" else rows["data"]) == size


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("resource", ROUTES)
def test_nothing_is_written_while_the_client_waits(api: Caller, store: Store, resource: str) -> None:
    row = make(resource, store)
    with CaptureQueriesContext(connection) as queries:
        api.get(f"/{resource}")
        api.get(f"/{resource}/{row.pk}")
    assert {query["sql"].split()[0] for query in queries} == {"SELECT"}
    assert not any("FOR UPDATE" in query["sql"] for query in queries)
    assert not Usage.objects.exists()
    recorder.flush()
    assert sum(Usage.objects.values_list("requests", flat=True)) == 2
