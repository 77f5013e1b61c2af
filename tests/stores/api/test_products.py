"""Products over HTTP: their wire format, their list, and what can be written of them."""

from typing import Any

import pytest
from django.contrib.staticfiles.finders import find as find_static_file
from django.test import Client

from stores.api.products import Image, Sale, represent_product
from stores.api.products import Product as ProductOutput
from stores.models import Store
from tests.shop import IMAGE, NOON, PICTURE, Caller, make_category
from tests.shop import make_product as make

MUG = {"name": "Blue mug", "price": 1999}
SIZES = [
    {"name": "Small", "sku": "MUG-S", "price": 1500, "quantity": 3},
    {"name": "Large", "sku": "MUG-L", "price": 2500, "original_price": 3000},
]


@pytest.fixture
def sized(api: Caller) -> Any:
    """A product in two sizes, as the API answered when it was made."""
    response = api.post("/products/", MUG | {"variants": {"option_name": "Size", "items": SIZES}})
    assert response.status_code == 201, response.content
    return response.json()


def test_a_product_is_written_out_in_full(client: Client, store: Store) -> None:
    kitchen = make_category(store)
    product = make(
        store,
        "Blue mug",
        excerpt="Holds coffee.",
        description="Made <by> hand.\n\nIn Porto.",
        promo_badge="New",
        sku="MUG-1",
        original_price=2500,
        media=[IMAGE],
        quantity=7,
        max_quantity=5,
        personalization=True,
        created_at=NOON,
    )
    product.categories.add(kitchen, through_defaults={"store": store})
    body = client.get(f"/v1/stores/{store.pk}/products/{product.pk}").json()
    updated_at = body.pop("updated_at")
    assert updated_at == f"{product.updated_at:%Y-%m-%dT%H:%M:%SZ}"
    assert body == {
        "object": "product",
        "id": str(product.pk),
        "name": "Blue mug",
        "handle": "blue-mug",
        "excerpt": "Holds coffee.",
        "description": "Made <by> hand.\n\nIn Porto.",
        "description_html": "<p>Made &lt;by&gt; hand.</p>\n\n<p>In Porto.</p>",
        "promo_badge": "New",
        "currency": {"code": "USD", "name": "US Dollar", "zero_decimal": False},
        "price": 1999,
        "price_formatted": "$19.99",
        "original_price": 2500,
        "price_range": [1999],
        "price_range_formatted": "$19.99",
        "image": IMAGE,
        "media": [{"id": "1", **PICTURE}],
        "variants": {"enabled": False, "option_name": "", "items": []},
        "categories": client.get(f"/v1/stores/{store.pk}/categories/").json(),
        "inventory_type": "tracked",
        "in_stock": True,
        "available_quantity": 7,
        "quantity": 7,
        "min_quantity": None,
        "max_quantity": 5,
        "personalization": {
            "enabled": True,
            "items": [
                {
                    "id": "text",
                    "type": "text",
                    "name": "Personal text",
                    "required": False,
                    "price": 0,
                    "price_formatted": "$0.00",
                    "instructions": "",
                    "min": None,
                    "max": None,
                    "filetypes": "",
                    "dropdownOptions": "",
                }
            ],
        },
        "on_sale": {"enabled": True, "original_price": 2500, "original_price_formatted": "$25.00"},
        "sku": "MUG-1",
        "livemode": True,
        "position": 0,
        "created_at": "2026-11-23T12:00:00Z",
    }


def test_variants_are_written_out_in_full(sized: Any) -> None:
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


def represent(row: dict[str, Any], column: str, values: list[Any]) -> ProductOutput:
    """Represent a product with a variant for each value of a column."""
    variants: list[Any] = [VARIANT | {column: value} for value in values]
    return represent_product(ROW | row, variants, [], currency="USD", placeholder=Image("", "", ""))


@pytest.mark.parametrize(
    ("prices", "price_range", "text"),
    [
        ([], [6900], "$69.00"),
        ([7500], [7500], "$75.00"),
        ([7500, 7500], [7500], "$75.00"),
        ([7500, 500, 6900], [500, 7500], "$5.00 - $75.00"),
    ],
)
def test_a_price_range_is_never_empty(prices: list[int], price_range: list[int], text: str) -> None:
    product = represent({}, "price", prices)
    assert (product.price_range, product.price_range_formatted) == (price_range, text)


@pytest.mark.parametrize(
    ("row", "quantities", "expected"),
    [
        ({"quantity": 3}, [], (3, True)),
        ({"quantity": 0}, [], (0, False)),
        ({"quantity": 100}, [2, 5], (7, True)),
        ({"quantity": 100}, [0, 0], (0, False)),
        ({"quantity": 0, "inventory_type": "infinite"}, [], (None, True)),
        ({"quantity": 0, "inventory_type": "infinite"}, [0], (None, True)),
    ],
)
def test_stock_is_that_of_the_variants_where_there_are(
    row: dict[str, Any], quantities: list[int], expected: tuple[int | None, bool]
) -> None:
    product = represent(row, "quantity", quantities)
    assert (product.available_quantity, product.in_stock) == expected


@pytest.mark.parametrize(
    ("own", "of_variants", "original_price", "text"),
    [
        (None, [None, None], None, None),
        (9900, [], 9900, "$99.00"),
        (9900, [None, 7900], 9900, "$99.00"),
        (None, [None, 7900, 8900], 7900, "$79.00"),
    ],
)
def test_one_variant_on_sale_puts_the_product_on_sale(
    own: int | None, of_variants: list[int | None], original_price: int | None, text: str | None
) -> None:
    product = represent({"original_price": own}, "original_price", of_variants)
    assert product.on_sale == Sale(
        enabled=text is not None, original_price=original_price, original_price_formatted=text
    )


# Writing.


def test_everything_that_is_sent_is_kept(api: Caller, store: Store) -> None:
    kitchen, garden = make_category(store), make_category(store, "Garden")
    sent = MUG | {
        "handle": "mug",
        "excerpt": "Holds coffee.",
        "description": "Made by hand.",
        "promo_badge": "New",
        "sku": "MUG-1",
        "media": [{"id": "front", **PICTURE}],
        "inventory_type": "tracked",
        "min_quantity": 2,
        "max_quantity": 4,
        "livemode": False,
        "position": 3,
    }
    elsewhere = {"quantity": 9, "original_price": 2500, "personalization": {"enabled": True}}
    ids = {"categories": [str(garden.pk), str(kitchen.pk)]}
    body = api.post("/products", sent | elsewhere | ids).json()
    assert {name: body[name] for name in sent} == sent
    assert {row["name"] for row in body["categories"]} == {"Garden", "Kitchen"}
    assert body["available_quantity"] == 9
    assert body["on_sale"]["original_price"] == 2500
    assert body["personalization"]["enabled"] is True


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


def test_a_patch_changes_what_it_names(api: Caller, sized: Any) -> None:
    body = api.patch(f"/products/{sized['id']}", {"name": "Green mug", "categories": []}).json()
    assert body["name"] == "Green mug"
    unchanged = sized.keys() - {"name", "updated_at"}
    assert {name: body[name] for name in unchanged} == {name: sized[name] for name in unchanged}
