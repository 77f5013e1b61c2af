"""Products over HTTP: their wire format, their list, and what can be written of them."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.staticfiles.finders import find as find_static_file
from django.test import Client

from stores.api.products import Image, represent_product
from stores.api.products import Product as ProductOutput
from stores.models import Product, Store
from tests.shop import (
    IMAGE,
    NOON,
    PICTURE,
    Caller,
    ids,
    make_category,
    refused,
)
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


def sizes(product: Any) -> list[tuple[str, int]]:
    return [(item["name"], item["price"]) for item in product["variants"]["items"]]


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
    small, large = (item.pop("id") for item in sized["variants"]["items"])
    assert small.isdigit()
    assert large.isdigit()
    assert sized["variants"] == {
        "enabled": True,
        "option_name": "Size",
        "items": [
            {
                "sku": "MUG-S",
                "name": "Small",
                "price": 1500,
                "price_formatted": "$15.00",
                "in_stock": True,
                "quantity": 3,
                "available_quantity": 3,
                "original_price": None,
                "original_price_formatted": None,
            },
            {
                "sku": "MUG-L",
                "name": "Large",
                "price": 2500,
                "price_formatted": "$25.00",
                "in_stock": False,
                "quantity": 0,
                "available_quantity": 0,
                "original_price": 3000,
                "original_price_formatted": "$30.00",
            },
        ],
    }
    assert sized["price_range"] == [1500, 2500]
    assert sized["price_range_formatted"] == "$15.00 - $25.00"
    assert (sized["available_quantity"], sized["in_stock"]) == (3, True)
    assert sized["on_sale"] == {
        "enabled": True,
        "original_price": 3000,
        "original_price_formatted": "$30.00",
    }


# Pure: what a row comes to, without the database.

ROW: dict[str, Any] = {
    "id": 1,
    **dict.fromkeys(("name", "handle", "excerpt", "description", "promo_badge", "sku", "option_name"), ""),
    "price": 6900,
    "original_price": None,
    "media": [],
    "inventory_type": "tracked",
    "quantity": 3,
    "min_quantity": 1,
    "max_quantity": None,
    "personalization": False,
    "personalization_items": [],
    "livemode": True,
    "position": 0,
    "created_at": NOON,
    "updated_at": NOON,
}
VARIANT = {"id": 1, "sku": "", "name": "", "price": 6900, "original_price": None, "quantity": 0}


def represent(row: dict[str, Any], *variants: dict[str, Any]) -> ProductOutput:
    placeholder = Image("", "", "")
    return represent_product(
        ROW | row, [VARIANT | variant for variant in variants], [], currency="USD", placeholder=placeholder
    )


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
    product = represent({}, *({"price": price} for price in prices))
    assert (product.price_range, product.price_range_formatted) == (price_range, text)


@pytest.mark.parametrize(
    ("row", "quantities", "available", "in_stock"),
    [
        ({"quantity": 3}, [], 3, True),
        ({"quantity": 0}, [], 0, False),
        ({"quantity": 100}, [2, 5], 7, True),
        ({"quantity": 100}, [0, 0], 0, False),
        ({"quantity": 0, "inventory_type": "infinite"}, [], None, True),
        ({"quantity": 0, "inventory_type": "infinite"}, [0], None, True),
    ],
)
def test_stock_is_that_of_the_variants_where_there_are(
    row: dict[str, Any], quantities: list[int], available: int | None, *, in_stock: bool
) -> None:
    product = represent(row, *({"quantity": quantity} for quantity in quantities))
    assert (product.available_quantity, product.in_stock) == (available, in_stock)


@pytest.mark.parametrize(
    ("own", "of_variants", "original_price"),
    [
        (None, [], None),
        (None, [None, None], None),
        (9900, [], 9900),
        (9900, [None, 7900], 9900),
        (None, [None, 7900, 8900], 7900),
    ],
)
def test_one_variant_on_sale_puts_the_product_on_sale(
    own: int | None, of_variants: list[int | None], original_price: int | None
) -> None:
    product = represent({"original_price": own}, *({"original_price": price} for price in of_variants))
    sale = product.on_sale
    assert (sale.enabled, sale.original_price) == (original_price is not None, original_price)
    assert sale.original_price_formatted == (original_price and f"${original_price // 100}.00")


def test_an_empty_description_is_empty_html() -> None:
    assert represent({"description": ""}).description_html == ""


# The list.


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("", "CBA"),
        ("date_asc", "ABC"),
        ("date_desc", "CBA"),
        ("name_asc", "ABC"),
        ("name_desc", "CBA"),
        ("price_asc", "CBA"),
        ("price_desc", "BAC"),
        ("price_desc,name_asc", "ABC"),
        ("custom_asc", "BCA"),
        ("custom_desc", "ACB"),
        (" name_asc , ", "ABC"),
        (",".join(["price_desc", "name_asc"] * 1500), "ABC"),
    ],
)
def test_products_are_sorted(client: Client, store: Store, order: str, expected: str) -> None:
    for number, (name, price, position) in enumerate([("A", 20, 3), ("B", 20, 1), ("C", 10, 2)]):
        make(store, name, price=price, position=position, created_at=NOON + timedelta(days=number))
    body = client.get(f"/v1/stores/{store.pk}/products/", {"order": order}).json()
    assert "".join(row["name"] for row in body["data"]) == expected


def test_an_unknown_order_is_refused_by_name(api: Caller) -> None:
    (sentence,) = refused(api.get("/products/", {"order": "name_asc,size_asc"}))["order"]
    assert sentence.startswith("Unknown size_asc: use some of name_asc, name_desc, price_asc,")
    for order in ("price", "%", "100%_asc", "%(known)s", "date_desc,\ufffd"):
        unknown = order.removeprefix("date_desc,")
        assert refused(api.get("/products/", {"order": order}))["order"][0].startswith(
            f"Unknown {unknown}: use some of name_asc, "
        )


def test_a_category_includes_all_below_it(client: Client, store: Store, other_store: Store) -> None:
    kitchen = make_category(store)
    mugs = make_category(store, "Mugs", parent=kitchen)
    espresso = make_category(store, "Espresso", parent=mugs)
    found = [make(store, name) for name in ("Pot", "Mug", "Cup")]
    for product, category in zip(found, (kitchen, mugs, espresso), strict=True):
        product.categories.add(category, espresso, through_defaults={"store": store})
    make(store, "Spade").categories.add(make_category(store, "Garden"), through_defaults={"store": store})
    theirs = make_category(other_store, "Theirs")
    make(other_store).categories.add(theirs, through_defaults={"store": other_store})
    url = f"/v1/stores/{store.pk}/products/"
    for category in (kitchen, mugs, espresso):
        for key in (category.pk, category.handle):
            assert ids(client.get(url, {"category": key})) == [product.pk for product in reversed(found)]
    for key in (theirs.pk, theirs.handle, "nowhere", "0", "9" * 30):
        assert ids(client.get(url, {"category": key})) == []


@pytest.mark.parametrize("category", ["in the kitchen", "1.5", "x" * 121, "\0"])
def test_a_category_is_an_id_or_a_handle(api: Caller, category: str) -> None:
    assert list(refused(api.get("/products/", {"category": category}))) == ["category"]


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
    body = api.post("/products", MUG).json()
    assert body["media"] == []
    assert set(body["image"]) == {"sm", "md", "lg"}
    (address,) = set(body["image"].values())
    assert address == "http://testserver/static/img/no-picture.png"
    assert find_static_file("img/no-picture.png")


@pytest.mark.parametrize("minimum", [None, 1])
def test_a_minimum_of_one_is_none(api: Caller, minimum: int | None) -> None:
    assert api.post("/products", MUG | {"min_quantity": minimum}).json()["min_quantity"] is None


def test_a_patch_changes_what_it_names(api: Caller, sized: Any) -> None:
    body = api.patch(f"/products/{sized['id']}", {"name": "Green mug", "categories": []}).json()
    assert body["name"] == "Green mug"
    unchanged = sized.keys() - {"name", "updated_at"}
    assert {name: body[name] for name in unchanged} == {name: sized[name] for name in unchanged}


def test_variants_can_swap_their_names(api: Caller, sized: Any) -> None:
    small, large = sized["variants"]["items"]
    items = [
        {"id": small["id"], "name": "Large", "price": 1},
        {"id": large["id"], "name": "Small", "price": 2},
    ]
    response = api.patch(f"/products/{sized['id']}", {"variants": {"items": items}})
    assert sizes(response.json()) == [("Large", 1), ("Small", 2)]


# What is refused.

PARTS = {"name": "Red", "price": 1}


WRONG: list[tuple[dict[str, Any], list[str]]] = [
    ({"name": ""}, ["name"]),
    ({"name": "x" * 201}, ["name"]),
    ({"name": None}, ["name"]),
    ({"name": ["Mug"]}, ["name"]),
    ({"name": "a\0b"}, ["name"]),
    ({"name": "\ud800"}, ["name"]),
    ({"handle": "not a handle"}, ["handle"]),
    ({"price": -1}, ["price"]),
    ({"price": 10**12 + 1}, ["price"]),
    ({"price": "19.99"}, ["price"]),
    ({"price": 1e300}, ["price"]),
    ({"original_price": 1999}, ["original_price"]),
    ({"min_quantity": 0}, ["min_quantity"]),
    ({"min_quantity": 3, "max_quantity": 2}, ["max_quantity"]),
    ({"quantity": 2**63}, ["quantity"]),
    ({"inventory_type": "endless"}, ["inventory_type"]),
    ({"personalization": True}, ["personalization.non_field_errors"]),
    ({"personalization": {"items": [{"id": "a", "name": "A"}]}}, ["personalization.items.0.type"]),
    ({"max_quantity": 0}, ["max_quantity"]),
    ({"media": [{}]}, ["media.0.type", "media.0.src"]),
    ({"media": [{"type": "video", "src": IMAGE}]}, ["media.0.type"]),
    ({"media": [PICTURE | {"src": {}}]}, ["media.0.src.sm", "media.0.src.md", "media.0.src.lg"]),
    ({"media": [PICTURE | {"src": IMAGE | {"sm": "javascript:alert(1)"}}]}, ["media.0.src.sm"]),
    ({"media": [PICTURE | {"src": IMAGE | {"xl": "https://example.com/"}}]}, ["media.0.src.xl"]),
    ({"media": [PICTURE | {"id": "a"}, PICTURE | {"id": "a"}]}, ["media"]),
    ({"media": IMAGE}, ["media"]),
    ({"categories": ["1"]}, ["categories"]),
    ({"categories": ["a\0b"]}, ["categories.0"]),
    ({"variants": []}, ["variants.non_field_errors"]),
    ({"variants": {"items": [{}]}}, ["variants.items.0.name", "variants.items.0.price"]),
    ({"variants": {"items": [PARTS | {"prize": 2}]}}, ["variants.items.0.prize"]),
    ({"variants": {"items": [PARTS | {"price": -2}]}}, ["variants.items.0.price"]),
    ({"variants": {"items": [PARTS | {"original_price": 1}]}}, ["variants.items.0.original_price"]),
    ({"variants": {"items": [PARTS, PARTS]}}, ["variants.items"]),
    ({"variants": {"items": [PARTS | {"id": "0"}]}}, ["variants.items.0.id"]),
    ({"variants": {"items": [PARTS | {"id": "9" * 30}]}}, ["variants.items.0.id"]),
    ({"variants": {"items": [PARTS | {"id": "9" * 18}]}}, ["variants"]),
    ({"variants": {"items": [PARTS] * 101}}, ["variants.items"]),
    ({"id": "7", "colour": "blue", "created_at": "2026-01-01"}, ["id", "colour", "created_at"]),
]


def test_what_is_wrong_is_named_and_nothing_is_written(api: Caller, store: Store) -> None:
    mug = make(store, "Mug", created_at=NOON)
    before = api.get(f"/products/{mug.pk}").json()
    for change, fields in WRONG:
        assert list(refused(api.post("/products/", MUG | change))) == fields
        assert list(refused(api.patch(f"/products/{mug.pk}", {"excerpt": "Written?"} | change))) == fields
    assert Product.objects.count() == 1
    assert api.get(f"/products/{mug.pk}").json() == before


def test_one_variant_is_given_once(api: Caller, sized: Any) -> None:
    small = sized["variants"]["items"][0]["id"]
    items = [{"id": small, "name": "A", "price": 1}, {"id": small, "name": "B", "price": 1}]
    assert refused(api.patch(f"/products/{sized['id']}", {"variants": {"items": items}})) == {
        "variants.items": ["A variant is given twice."]
    }
    assert api.get(f"/products/{sized['id']}").json() == sized
