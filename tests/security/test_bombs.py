"""Bombs: what is small to send and large to take in is refused, in an answer that is small too."""

import gzip
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


def refused(answer: Any, *codes: str) -> None:
    told = answer.status_code, answer.json()["code"]
    assert told in {(400, code) for code in codes}, answer.content[:500]
    assert len(answer.content) < SMALL_ANSWER


def test_a_compressed_body_is_not_inflated(api: Caller) -> None:
    body = gzip.compress(b'{"name": "Mug", "price": 1, "description": "' + b"x" * 10 * MEGABYTE + b'"}')
    for encoding in ("gzip", "deflate", "br"):
        answer = api.client.generic(
            "POST", f"{api.base}/products/", body, "application/json", headers={"Content-Encoding": encoding}
        )
        assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
        assert len(answer.content) < SMALL_ANSWER
    assert not Product.objects.filter(name="Mug", price=1).exists()


def many(value: str, size: int = MEGABYTE - 100) -> str:
    """The JSON text again and again, as much as a body holds."""
    return ",".join([value] * (size // (len(value) + 1)))


BOMBS = [
    "{" + ",".join(f'"f{number}":1' for number in range(90_000)) + "}",
    f'{{"variants":{{"items":[{many("{}")}]}}}}',
    f'{{"media":[{many("{}")}]}}',
    f'{{"categories":[{many("1")}]}}',
    f'{{"{"x" * (MEGABYTE - 100)}":1}}',
    f'{{"inventory_type":"{"x" * (MEGABYTE - 100)}"}}',
    f'{{"categories":["{"x" * (MEGABYTE - 100)}"]}}',
]


def test_a_body_full_of_mistakes_gets_a_short_answer(api: Caller, shops: Shops) -> None:
    one = f"{api.base}/products/{shops.mine.ids[Resource.PRODUCTS][0]}/"
    for bomb in BOMBS:
        for method, url in (("POST", f"{api.base}/products/"), ("PATCH", one)):
            refused(api.client.generic(method, url, bomb, "application/json"), "invalid", "parse_error")


def test_a_bomb_without_a_key_gets_a_short_answer(db: None) -> None:
    for value in ("{}", "1", '"' + "x" * 300 + '"'):
        answer = Client().generic("POST", HANDED_IN, f'{{"keys":[{many(value)}]}}', "application/json")
        refused(answer, "invalid", "parse_error")


def test_a_product_with_all_its_fields_is_read(api: Caller) -> None:
    src = dict.fromkeys(("sm", "md", "lg"), "https://cdn.example.com/mug.jpg")
    items = [
        {"name": f"Size {number}", "sku": f"S{number}", "price": 2, "original_price": 3, "quantity": 1}
        for number in range(100)
    ]
    media = [{"type": "image", "src": src}] * 50
    answer = api.post(
        "/products/", {"name": "Full", "price": 1, "media": media, "variants": {"items": items}}
    )
    assert answer.status_code == 201, answer.json()


@pytest.mark.parametrize(("values", "code"), [(MAX_VALUES, "invalid"), (MAX_VALUES + 1, "parse_error")])
def test_a_body_may_hold_so_many_values_and_no_more(db: None, values: int, code: str) -> None:
    """The object and the list are values, too."""
    refused(Client().post(HANDED_IN, {"keys": [1] * (values - 2)}, "application/json"), code)


def test_a_body_with_a_member_twice_is_refused(api: Caller) -> None:
    """Of two readers, each may take another one: what was looked at might not be what is kept."""
    before = Product.objects.count()
    for members in (
        '"price": 1, "price": -1',
        '"price": 1, "pri\\u0063e": 2',
        '"price": 1, "variants": {"items": [{"name": "Small", "price": 1, "name": "Large"}]}',
    ):
        body = f'{{"name": "Mug", {members}}}'
        refused(api.client.generic("POST", f"{api.base}/products/", body, "application/json"), "parse_error")
    assert Product.objects.count() == before
