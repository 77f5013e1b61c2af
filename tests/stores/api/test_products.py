"""Products over HTTP: their wire format, their list, and what can be written of them."""

from typing import Any

import pytest
from django.contrib.staticfiles.finders import find as find_static_file
from django.test import Client

from stores.api.products import Image, Sale, represent_product
from stores.models import Product, Store
from tests.shop import IMAGE, NOON, PICTURE, Caller, make_category

MUG = {"name": "Blue mug", "price": 1999}
SIZES = [
    {"name": "Small", "sku": "MUG-S", "price": 1500, "quantity": 3},
    {"name": "Large", "sku": "MUG-L", "price": 2500, "original_price": 3000},
]


def test_a_product_is_kept_as_it_is_sent_and_written_out_in_full(
    api: Caller, client: Client, store: Store
) -> None:
    kitchen = make_category(store)
    sent = MUG | {
        "handle": "mug",
        "excerpt": "Holds coffee.",
        "description": "Made <by> hand.\n\nIn Porto.",
        "promo_badge": "New",
        "sku": "MUG-1",
        "original_price": 2500,
        "media": [{"id": "front", **PICTURE}],
        "inventory_type": "tracked",
        "quantity": 7,
        "min_quantity": 2,
        "max_quantity": 5,
        "livemode": True,
        "position": 3,
    }
    body = api.post(
        "/products", sent | {"categories": [str(kitchen.pk)], "personalization": {"enabled": True}}
    ).json()
    assert client.get(f"{api.base}/products/{body['id']}").json() == body
    product = Product.objects.get()
    item: dict[str, Any] = {"id": "text", "type": "text", "name": "Personal text", "required": False}
    item |= {"price_formatted": "$0.00", "instructions": "", "filetypes": "", "dropdownOptions": ""}
    item |= {"min": None, "max": None, "price": 0}
    assert body == sent | {
        "object": "product",
        "id": str(product.pk),
        "description_html": "<p>Made &lt;by&gt; hand.</p>\n\n<p>In Porto.</p>",
        "currency": {"code": "USD", "name": "US Dollar", "zero_decimal": False},
        "price_formatted": "$19.99",
        "price_range": [1999],
        "price_range_formatted": "$19.99",
        "image": IMAGE,
        "variants": {"enabled": False, "option_name": "", "items": []},
        "categories": api.get("/categories/").json(),
        "in_stock": True,
        "available_quantity": 7,
        "personalization": {"enabled": True, "items": [item]},
        "on_sale": {"enabled": True, "original_price": 2500, "original_price_formatted": "$25.00"},
        "created_at": f"{product.created_at:%Y-%m-%dT%H:%M:%SZ}",
        "updated_at": f"{product.updated_at:%Y-%m-%dT%H:%M:%SZ}",
    }


def test_variants_are_written_out_in_full(api: Caller) -> None:
    sized = api.post("/products/", MUG | {"variants": {"option_name": "Size", "items": SIZES}}).json()
    small, large = sized["variants"].pop("items")
    assert sized["variants"] == {"enabled": True, "option_name": "Size"}
    assert small.pop("id").isdigit()
    assert small == {
        "sku": "MUG-S",
        "name": "Small",
        "price": 1500,
        "price_formatted": "$15.00",
        "in_stock": True,
        "quantity": 3,
        "available_quantity": 3,
        "original_price": None,
        "original_price_formatted": None,
    }
    assert (large["in_stock"], large["original_price_formatted"]) == (False, "$30.00")
    assert sized["price_range_formatted"] == "$15.00 - $25.00"
    assert (sized["available_quantity"], sized["in_stock"]) == (3, True)
    assert sized["on_sale"]["original_price_formatted"] == "$30.00"


# Pure: what a row comes to, without the database.

ROW: dict[str, Any] = {
    "id": 1,
    "store__currency": "USD",
    **dict.fromkeys(("name", "handle", "excerpt", "description", "promo_badge", "sku", "option_name"), ""),
    **dict.fromkeys(("personalization", "livemode"), False),
    "media": [],
    "personalization_items": [],
    "price": 6900,
    "original_price": None,
    "position": 0,
    "created_at": NOON,
    "updated_at": NOON,
    "inventory_type": "tracked",
    "quantity": 3,
    "min_quantity": 1,
    "max_quantity": None,
}
VARIANT = {"id": 1, "sku": "", "name": "", "price": 6900, "original_price": None, "quantity": 0}


def prices(price_range: list[int], text: str) -> dict[str, Any]:
    return {"price_range": price_range, "price_range_formatted": text}


def stock(available: int | None, *, is_there: bool) -> dict[str, Any]:
    return {"available_quantity": available, "in_stock": is_there}


def sale(price: int | None, text: str | None) -> dict[str, Any]:
    on_sale = Sale(enabled=text is not None, original_price=price, original_price_formatted=text)
    return {"on_sale": on_sale}


@pytest.mark.parametrize(
    ("row", "column", "of_variants", "expected"),
    [
        # A price range is never empty.
        ({}, "price", [], prices([6900], "$69.00")),
        ({}, "price", [7500], prices([7500], "$75.00")),
        ({}, "price", [7500, 7500], prices([7500], "$75.00")),
        ({}, "price", [7500, 500, 6900], prices([500, 7500], "$5.00 - $75.00")),
        # The stock is that of the variants where there are any.
        ({"quantity": 3}, "quantity", [], stock(3, is_there=True)),
        ({"quantity": 0}, "quantity", [], stock(0, is_there=False)),
        ({"quantity": 100}, "quantity", [2, 5], stock(7, is_there=True)),
        ({"quantity": 100}, "quantity", [0, 0], stock(0, is_there=False)),
        ({"quantity": 0, "inventory_type": "infinite"}, "quantity", [], stock(None, is_there=True)),
        ({"quantity": 0, "inventory_type": "infinite"}, "quantity", [0], stock(None, is_there=True)),
        # One variant on sale puts the product on sale.
        ({}, "original_price", [None, None], sale(None, None)),
        ({"original_price": 9900}, "original_price", [], sale(9900, "$99.00")),
        ({"original_price": 9900}, "original_price", [None, 7900], sale(9900, "$99.00")),
        ({}, "original_price", [None, 7900, 8900], sale(7900, "$79.00")),
    ],
)
def test_represent_product_sums_its_variants_up(
    row: dict[str, Any], column: str, of_variants: list[int | None], expected: dict[str, Any]
) -> None:
    variants: list[Any] = [VARIANT | {column: value} for value in of_variants]
    placeholder = Image("", "", "")
    product = represent_product(ROW | row, variants, [], placeholder)
    assert {name: getattr(product, name) for name in expected} == expected


# Writing.


def test_a_picture_gets_an_id_that_it_keeps(api: Caller) -> None:
    body = api.post("/products", MUG | {"media": [PICTURE, PICTURE]}).json()
    first, second = body["media"]
    assert first["id"] != second["id"]
    swapped = api.patch(f"/products/{body['id']}", {"media": [second, first]}).json()
    assert swapped["media"] == [second, first]
    assert swapped["image"] == second["src"]


def test_a_product_without_a_picture_shows_a_placeholder(api: Caller) -> None:
    body = api.post("/products", MUG | {"min_quantity": 1}).json()
    assert (body["media"], body["min_quantity"], body["description_html"]) == ([], None, "")
    assert set(body["image"]) == {"sm", "md", "lg"}
    (address,) = set(body["image"].values())
    assert address == "http://testserver/static/img/no-picture.png"
    assert find_static_file("img/no-picture.png")
