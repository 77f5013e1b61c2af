"""The requests of Reflow's published storefront code, with ``base`` and ``id`` set and nothing else.

In our words, from Reflow-HQ/nextjs-commerce ``lib/reflow`` and Reflow-HQ/libs ``cart-react``: every reader
fetches ``{base}/projects/{id}/{endpoint}`` with a Content-Type, and passes on what was not set as a text.
"""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from stores.models import Store
from stores.resources import SCOPES
from tests.conftest import IssueKey, bearer
from tests.shop import make_category, make_product

Fetch = Callable[..., Any]


@pytest.fixture(params=["/v1", "/v2"])
def fetch(request: pytest.FixtureRequest, client: Client, store: Store) -> Fetch:
    def fetch(endpoint: str, **query: str) -> Any:
        url = f"{request.param}/projects/{store.pk}/{endpoint}"
        response = client.get(url, query, headers={"Content-Type": "application/json"})
        assert response.status_code == 200, response.content
        return response.json()

    return fetch


def test_get_products(fetch: Fetch, store: Store) -> None:
    make_product(store, name="Mug")
    body = fetch("products/", page="undefined", perpage="12", category="", order="date_desc")
    assert [product["name"] for product in body["data"]] == ["Mug"]
    assert f"/projects/{store.pk}/products/" in body["links"]["first"]
    assert {"current_page", "from", "last_page", "links", "path", "per_page", "to", "total"} == set(
        body["meta"]
    )


def test_get_category_and_the_tree_of_the_menu(fetch: Fetch, store: Store) -> None:
    category = make_category(store, name="Kitchen", handle="kitchen")
    assert fetch("categories/kitchen")["name"] == "Kitchen"
    assert [(each["id"], each["subcategories"]) for each in fetch("categories/")] == [(str(category.pk), [])]


def test_the_answers_are_those_below_stores(client: Client, fetch: Fetch, store: Store) -> None:
    product = make_product(store, handle="blue-mug")
    there = client.get(f"/v1/stores/{store.pk}/products/{product.pk}")
    assert fetch(f"products/{product.pk}") == fetch("products/blue-mug") == there.json()


def test_a_key_writes_there_too_and_nothing_else_of_the_store_is_there(store: Store, issue: IssueKey) -> None:
    api = Client(headers=bearer(issue(access=list(SCOPES))[1]))
    base = f"/v2/projects/{store.pk}"
    made = api.post(f"{base}/products/", {"name": "Mug", "price": 1}, "application/json")
    assert (made.status_code, api.get(made["Location"]).json()["name"]) == (201, "Mug")
    assert api.get(f"{base}/orders/").status_code == 404
