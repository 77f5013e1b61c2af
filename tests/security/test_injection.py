"""SQL injection: whatever is asked of a list is a value, and finds what literally has it.

The parameters are read from the filters themselves, and the table is full of rows that are called like
attacks, so that each is found by itself and by nothing else.
"""

from itertools import product
from typing import Any

import pytest

from stores.models import Coupon, Customer, Order, Product
from stores.text import comparable
from tests import specimens
from tests.security.surface import Shops
from tests.shop import Caller, make_coupon, make_customer, make_order, make_product, refused

PAYLOADS = [
    *("'", '"', "\\", "%", "_", "' OR '1'='1", '" OR ""="', "1) OR (1=1", "1; DROP TABLE stores_order; --"),
    *("' UNION SELECT 1 FROM stores_coupon --", "'||(SELECT 1)||'", "'; SELECT pg_sleep(1); --", "%s", "{0}"),
    *("name__startswith", "-id", "?", ":1", "$1", "\u2019 OR 1=1"),
]
VIEWS = [view for view in specimens.VIEWS if getattr(view, "filterset_class", None)]
PARAMETERS = [(view.resource, name) for view in VIEWS for name in view.filterset_class.base_filters]
# They may be any text, and find what is it, or has it.
TEXTS = {"search", "sku", "email", "code"}
PAGING = [(view.resource, name) for view in VIEWS for name in ("page", "perpage", "cursor")]


@pytest.fixture
def api(shops: Shops) -> Caller:
    """A store in which a row of every kind is called like each attack, and another with the same."""
    for shop in (shops.mine, shops.theirs):
        buyer = Customer.objects.get(pk=shop.ids["customers"][0])  # type: ignore[index]  # it is a text
        for number, payload in enumerate(PAYLOADS):
            make_product(shop.store, payload, handle=f"p{number}")
            make_customer(shop.store, payload, email=f"c{number}@example.com")
            make_order(buyer, 2000 + number, note=payload)
            make_coupon(shop.store, f"{payload}{number}")
    return Caller(shops.mine.store, shops.my_plaintext)


def found(api: Caller, resource: str, query: dict[str, str]) -> set[str]:
    """The ids of what a list has, all pages of it."""
    answer = api.get(f"/{resource}/", query | {"perpage": "100"})
    assert answer.status_code == 200, answer.content
    assert answer.json()["meta"]["last_page"] == 1
    return {row["id"] for row in answer.json()["data"]}


def having(store: Any, resource: str, text: str) -> set[str]:
    """The ids of the store's rows that have the text where a search looks for it."""
    searched: dict[str, tuple[Any, tuple[str, ...]]] = {
        "products": (Product, ("name", "description", "sku")),
        "orders": (Order, ("number", "note", "tracking_number", "customer__name", "customer__email")),
        "customers": (Customer, ("name", "email", "phone")),
        "coupons": (Coupon, ("code",)),
    }
    model, columns = searched[resource]
    rows = model.objects.filter(store=store).values("pk", *columns)
    folded = comparable(text)
    return {str(row["pk"]) for row in rows if any(folded in comparable(str(row[name])) for name in columns)}


def test_a_search_finds_what_literally_has_the_text(api: Caller, shops: Shops) -> None:
    searching = [str(view.resource) for view in VIEWS if "search" in view.filterset_class.base_filters]
    assert len(searching) == 4
    for resource, payload in product(searching, PAYLOADS):
        literally = having(shops.mine.store, resource, payload)
        assert literally, payload
        assert found(api, resource, {"search": payload}) == literally, payload


def test_a_list_refuses_what_its_parameter_cannot_mean(shops: Shops, settings: Any) -> None:
    settings.RATE_LIMIT_PER_KEY = 10**9
    caller = Caller(shops.mine.store, shops.my_plaintext)
    for resource, name in PARAMETERS + PAGING:
        for payload in PAYLOADS[5::4] if name not in TEXTS else ():
            assert name in refused(caller.get(f"/{resource}/", {name: payload})), payload
