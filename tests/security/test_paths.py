"""Another spelling of an address, or of a method, is no way around who may use it."""

from typing import Any

from django.test import Client

from stores.models import Order
from stores.resources import Resource
from tests.conftest import IssueKey, bearer
from tests.security.surface import Shops

SPELLINGS = [
    "/v1//stores/{store}/orders/",
    "//v1/stores/{store}/orders/",
    "/v1/./stores/{store}/orders/",
    "/v1/stores/{store}/products/../orders/",
    "/v1/stores/{store}/products/..;/orders/",
    "/docs/../v1/stores/{store}/orders/",
    "/v1/stores/{store}/orders//",
    "/v1/stores/{store}//orders",
    "/v1/stores/0{store}/orders/",
    "/v1/stores/{store}/ORDERS/",
    "/V1/stores/{store}/orders/",
    "/v1/stores/{store}/orders.json",
    "/v1/stores/{store}/orders;a=b",
    "/v1/stores/{store}/orders\0",
    "/v1/stores/{store}/orders ",
    "/v1/stores/{store}/orders\n",
    "/v1/stores/{store}\n/orders",
    "/v1/stores/{store}/orders/\n",
    "/v1/stores/{store}\\orders",
    "/v1/stores/{store}%2forders",
    "/v1/stores/\uff12\uff16\uff17\uff14\uff11\uff18\uff11\uff19\uff10/orders",
    "/static/../v1/stores/{store}/orders",
    "/v1/stores/{store}/orders/1\n",
    "/v1/\xff\xfe",
]


def test_no_spelling_of_an_address_goes_around_its_guard(
    client: Client, shops: Shops, issue: IssueKey
) -> None:
    _, of_products = issue(access=["products:read"])
    for spelling in SPELLINGS:
        path = spelling.format(store=shops.mine.store.pk)
        for headers in ({}, bearer(of_products), bearer(shops.their_plaintext)):
            answer = client.get("/", PATH_INFO=path.encode().decode("latin-1"), headers=headers)
            assert answer.status_code in {301, 401, 404}, path
            assert b'"order"' not in answer.content


def test_no_spelling_opens_the_admin(client: Client, db: None) -> None:
    for path in ("//admin/", "/ADMIN/", "/admin/./", "/docs/../admin/", "/admin;/", "/admin/\n"):
        answer = client.get("/", PATH_INFO=path)
        assert answer.status_code in {301, 302, 404}, path
        assert "login" in answer.get("Location", "login"), path


def test_a_method_is_the_one_that_was_sent(shops: Shops) -> None:
    url = f"/v1/stores/{shops.mine.store.pk}/products/{shops.mine.ids[Resource.PRODUCTS][0]}/"
    names = ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "X-Original-Method")
    api = Client(headers=bearer(shops.my_plaintext) | dict.fromkeys(names, "DELETE"))
    assert api.post(url, {"_method": "DELETE"}, "application/json").status_code == 405
    assert api.get(url).status_code == 200


def test_a_method_that_nobody_serves_does_nothing_and_repeats_nothing(shops: Shops, mighty: Client) -> None:
    orders, store = list(Order.objects.values()), f"stores/{shops.mine.store.pk}"
    for method in ("TRACE", "CONNECT", "DEBUG", "get", "Get", "POST\n", "PROPFIND", ""):
        for url in (f"/v1/{store}/orders/", f"/{store}/settings/api-keys/new/"):
            headers = bearer(shops.my_plaintext) | {"X-Secret": "s3cret"}
            answer: Any = mighty.generic(method, url, headers=headers)
            assert answer.status_code in {200, 403, 405}, method
            assert b"s3cret" not in answer.content
            assert shops.my_plaintext[8:].encode() not in answer.content
    assert list(Order.objects.values()) == orders
