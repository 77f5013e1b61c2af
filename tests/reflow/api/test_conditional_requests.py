"""ETags and 304, and what caches may store."""

import gzip
from typing import Any

import pytest
from django.test import Client

from stores.models import Product, Store
from tests.conftest import IssueKey, bearer

PRODUCTS = "/v1/stores/267418190/products/"


@pytest.fixture
def product(store: Store) -> Product:
    return Product.objects.create(store=store, name="Tent", handle="tent", price=19900)


def read(client: Client, **headers: str) -> Any:
    return client.get(PRODUCTS, headers={name.replace("_", "-"): value for name, value in headers.items()})


@pytest.mark.usefixtures("product")
def test_answers_are_compressed_for_those_who_ask(client: Client) -> None:
    plain = read(client)
    small = read(client, Accept_Encoding="gzip")
    assert small["Content-Encoding"] == "gzip"
    assert gzip.decompress(small.content) == plain.content
    assert len(small.content) < len(plain.content)
    assert read(client, Accept_Encoding="gzip", If_None_Match=small["ETag"]).status_code == 304


@pytest.mark.usefixtures("product")
def test_gzip_that_is_refused_is_not_used(client: Client) -> None:
    for refusal in ("gzip;q=0", "identity, gzip; q=0.0", "GZIP;q=0.000, br"):
        response = read(client, Accept_Encoding=refusal)
        assert "Content-Encoding" not in response.headers
        assert "Accept-Encoding" in response["Vary"]


def test_every_answer_with_an_object_has_its_tag(client: Client, store: Store, issue: IssueKey) -> None:
    key = bearer(issue(access=["products:write"])[1])
    made = client.post(PRODUCTS, {"name": "Tent", "price": 1}, "application/json", headers=key)
    address = f"{PRODUCTS}{made.json()['id']}"
    tags = [
        made["ETag"],
        client.get(address, headers=key)["ETag"],
        client.head(address, headers=key)["ETag"],
        client.get(address)["ETag"],
    ]
    assert len(set(tags)) == 1
    changed = client.patch(address, {"price": 2}, "application/json", headers=key)
    assert changed["ETag"] == client.get(address)["ETag"] != made["ETag"]
    assert "ETag" not in client.get(f"{PRODUCTS}999").headers


def test_a_read_with_another_tag_fails_in_the_shape_of_errors(client: Client, product: Product) -> None:
    response = read(client, If_Match='"other"')
    assert (response.status_code, response.json()["code"]) == (412, "precondition_failed")
    assert "ETag" not in response.headers
