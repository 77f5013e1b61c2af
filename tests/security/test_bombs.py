"""Bombs: what is small to send and large to take in is refused, in an answer that is small too."""

import gzip
import json
import zlib
from typing import Any

import pytest
from django.test import Client

from reflow.api.parsers import MAX_VALUES
from stores.models import Product
from stores.resources import Resource
from tests.security.surface import Shops
from tests.shop import Caller

MEGABYTE = 1024 * 1024
SMALL_ANSWER = 64 * 1024
HANDED_IN = "/v1/api-keys/revoke/"


@pytest.fixture
def api(shops: Shops) -> Caller:
    return Caller(shops.mine.store, shops.my_plaintext)


def refused(answer: Any, *codes: str) -> None:
    told = answer.status_code, answer.json()["code"]
    assert told in {(400, code) for code in codes}, answer.content[:500]
    assert len(answer.content) < SMALL_ANSWER


@pytest.mark.parametrize(
    ("encoding", "compress"),
    [
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("br", gzip.compress),
    ],
)
def test_a_compressed_body_is_not_inflated(api: Caller, encoding: str, compress: Any) -> None:
    body = compress(b'{"name": "Mug", "price": 1, "description": "' + b"x" * 10 * MEGABYTE + b'"}')
    assert len(body) < 20_000
    answer = api.client.generic(
        "POST", f"{api.base}/products/", body, "application/json", headers={"Content-Encoding": encoding}
    )
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
    assert len(answer.content) < SMALL_ANSWER
    assert not Product.objects.filter(name="Mug", price=1).exists()


def many(value: str, size: int = MEGABYTE - 100) -> str:
    """The JSON text again and again, as much as a body holds."""
    return ",".join([value] * (size // (len(value) + 1)))


BOMBS = {
    "fields": "{" + ",".join(f'"f{number}":1' for number in range(90_000)) + "}",
    "variants": f'{{"variants":{{"items":[{many("{}")}]}}}}',
    "media": f'{{"media":[{many("{}")}]}}',
    "categories": f'{{"categories":[{many("1")}]}}',
    "lists": f'{{"media":[{many("[]")}]}}',
    "a long name of a field": f'{{"{"x" * (MEGABYTE - 100)}":1}}',
    "a long choice": f'{{"inventory_type":"{"x" * (MEGABYTE - 100)}"}}',
    "a long id": f'{{"categories":["{"x" * (MEGABYTE - 100)}"]}}',
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_body_full_of_mistakes_gets_a_short_answer(api: Caller, shops: Shops, bomb: str) -> None:
    one = f"{api.base}/products/{shops.mine.ids[Resource.PRODUCTS][0]}/"
    for method, url in (("POST", f"{api.base}/products/"), ("PATCH", one)):
        refused(api.client.generic(method, url, BOMBS[bomb], "application/json"), "invalid", "parse_error")


@pytest.mark.parametrize("value", ["{}", "1", "[]", '""', "null", '"' + "x" * 300 + '"'])
def test_a_bomb_without_a_key_gets_a_short_answer(db: None, value: str) -> None:
    answer = Client().generic("POST", HANDED_IN, f'{{"keys":[{many(value)}]}}', "application/json")
    refused(answer, "invalid", "parse_error")


def test_a_product_with_all_its_fields_is_read(api: Caller) -> None:
    image = {
        "type": "image",
        "src": dict.fromkeys(("sm", "md", "lg"), "https://cdn.example.com/mug.jpg"),
    }
    items = [
        {"name": f"Size {number}", "sku": f"S{number}", "price": 2, "original_price": 3, "quantity": 1}
        for number in range(100)
    ]
    fullest = {"name": "Full", "price": 1, "media": [image] * 50, "variants": {"items": items}}
    answer = api.post("/products/", fullest)
    assert answer.status_code == 201, answer.json()


@pytest.mark.parametrize(("values", "code"), [(MAX_VALUES, "invalid"), (MAX_VALUES + 1, "parse_error")])
def test_a_body_may_hold_so_many_values_and_no_more(db: None, values: int, code: str) -> None:
    """The object and the list are values, too."""
    refused(Client().post(HANDED_IN, {"keys": [1] * (values - 2)}, "application/json"), code)


NUMBERS = ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "1" * 5000, "1e-999", "0x10", "01", "+1"]


@pytest.mark.parametrize("number", NUMBERS)
def test_a_number_that_cannot_be_stored_is_refused(api: Caller, number: str) -> None:
    for field in ("price", "quantity", "position", "name", "media", "variants"):
        body = f'{{"name": "Mug", "price": 1, "{field}": {number}}}'
        answer = api.client.generic("POST", f"{api.base}/products/", body, "application/json")
        if answer.status_code == 201:  # 1e-999 is 0, and any number can be a name
            assert number == "1e-999" or field == "name"
            continue
        refused(answer, "invalid", "parse_error")


@pytest.mark.parametrize(
    "members",
    [
        '"price": 1, "price": -1',
        '"price": -1, "price": 1',
        '"price": 1, "price": 1',
        '"price": 1, "pri\\u0063e": 2',
        '"price": 1, "variants": {"items": [{"name": "Small", "price": 1, "name": "Large"}]}',
    ],
)
def test_a_body_with_a_member_twice_is_refused(api: Caller, members: str) -> None:
    """Of two readers, each may take another one: what was looked at might not be what is kept."""
    before = Product.objects.count()
    body = f'{{"name": "Mug", {members}}}'
    refused(api.client.generic("POST", f"{api.base}/products/", body, "application/json"), "parse_error")
    assert Product.objects.count() == before


@pytest.mark.parametrize("body", ['{"__proto__": {"price": 1}}', '{"constructor": 1}', '{"name ": 1}'])
def test_a_name_that_means_something_elsewhere_means_nothing(api: Caller, body: str) -> None:
    answer = api.client.generic("POST", f"{api.base}/products/", body, "application/json")
    refused(answer, "invalid")
    assert set(json.loads(body)) <= set(answer.json()["fields"])
