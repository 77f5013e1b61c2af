"""The shop in the admin: everything can be looked at, and no operator can mix two stores."""

from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from stores.models import Category, Coupon, Customer, Order, Product, ProductCategory, ProductVariant, Store
from tests.conftest import admin_page as page
from tests.conftest import make_owner
from tests.shop import make_category, make_coupon, make_customer, make_line, make_order, make_product

MODELS: list[type[Model]] = [Store, Category, Product, Customer, Order, Coupon]

NO_VARIANTS = {"variants-TOTAL_FORMS": 0, "variants-INITIAL_FORMS": 0}
NO_PLACES = {"places-TOTAL_FORMS": 0, "places-INITIAL_FORMS": 0}


@pytest.fixture
def shop(store: Store) -> Store:
    """A store with one row of everything."""
    mug = make_product(store, price=1999)
    ProductCategory.objects.create(store=store, product=mug, category=make_category(store))
    ProductVariant.objects.create(store=store, product=mug, name="Small", price=1999)
    make_line(make_order(make_customer(store)), product=mug)
    make_coupon(store)
    return store


def errors(response: Any) -> str:
    """What a form that was not saved says is wrong."""
    assert response.status_code == 200, response
    context = response.context
    formsets = [error for formset in context["inline_admin_formsets"] for error in formset.formset.errors]
    return str([context["adminform"].errors, *formsets])


def test_every_table_of_the_shop_that_stands_alone_has_pages() -> None:
    registered = {model for model in admin.site._registry if model._meta.app_label == "stores"}
    assert registered == set(MODELS)


@pytest.mark.parametrize("model", MODELS)
def test_every_list_opens_searches_and_sorts(model: type[Model], operator: Client, shop: Store) -> None:
    for query in ({}, {"q": "mug"}, {"q": "1001"}, {"o": "1"}, {"o": "-3"}):
        response = operator.get(page(model, "changelist"), query)
        assert response.status_code == 200, response


@pytest.mark.parametrize("model", MODELS)
def test_every_row_opens(model: type[Model], operator: Client, shop: Store) -> None:
    row = model._default_manager.get()
    response = operator.get(page(model, "change", row.pk))
    assert response.status_code == 200
    assert str(row) in response.content.decode()


@pytest.mark.parametrize("model", [model for model in MODELS if model is not Order])
def test_rows_can_be_added(model: type[Model], operator: Client) -> None:
    assert operator.get(page(model, "add")).status_code == 200


def test_orders_are_placed_by_buyers_only(operator: Client) -> None:
    assert operator.get(page(Order, "add")).status_code == 403


@pytest.mark.parametrize("model", MODELS)
def test_an_owner_has_no_business_there(model: type[Model], signed_in: Client) -> None:
    response = signed_in.get(page(model, "changelist"))
    assert response.status_code in {302, 403}


def test_lists_ask_no_question_for_each_row(operator: Client, shop: Store) -> None:
    def questions(model: type[Model]) -> int:
        with CaptureQueriesContext(connection) as asked:
            assert operator.get(page(model, "changelist")).status_code == 200
        return len(asked)

    of_one = [questions(model) for model in MODELS]
    kitchen = Category.objects.get()
    for number in range(5):
        make_category(shop, f"Shelf{number}", parent=kitchen)
        make_product(shop, f"Cup{number}")
        make_order(make_customer(shop, f"Bea{number}"), number=2000 + number)
        make_coupon(shop, f"AGAIN{number}")
    assert [questions(model) for model in MODELS] == of_one


def test_a_store_is_given_owners_found_by_name(operator: Client) -> None:
    owner = make_owner("new@example.com")
    found = operator.get(
        reverse("admin:autocomplete"),
        {"term": "new@", "app_label": "stores", "model_name": "store", "field_name": "owners"},
    )
    assert [result["id"] for result in found.json()["results"]] == [str(owner.pk)]
    response = operator.post(page(Store, "add"), {"name": "Fernway", "currency": "EUR", "owners": [owner.pk]})
    assert response.status_code == 302
    assert list(Store.objects.get(name="Fernway").owners.all()) == [owner]


@pytest.mark.parametrize("query", ["267418190", "northwood", "owner@example.com"])
def test_a_store_is_found_by_number_name_and_owner(
    query: str, operator: Client, store: Store, other_store: Store
) -> None:
    response = operator.get(page(Store, "changelist"), {"q": query})
    assert list(response.context["cl"].result_list) == [store]


@pytest.mark.parametrize("query", ["1001", "ada", "ada@example.com", "RR42"])
def test_an_order_is_found_by_number_person_and_parcel(query: str, operator: Client, store: Store) -> None:
    order = make_order(make_customer(store, "Ada"), number=1001)
    Order.objects.update(tracking_number="RR42")
    make_order(make_customer(store, "Bea"), number=21001)
    response = operator.get(page(Order, "changelist"), {"q": query})
    assert list(response.context["cl"].result_list) == [order]


def test_amounts_are_shown_in_the_stores_currency(operator: Client, shop: Store) -> None:
    assert "$19.99" in operator.get(page(Product, "changelist")).content.decode()
    Store.objects.update(currency="JPY")
    assert "¥1,999" in operator.get(page(Product, "changelist")).content.decode()
    assert "¥1,495" in operator.get(page(Order, "changelist")).content.decode()


# What can be changed.


def test_a_product_is_added_with_its_categories_and_variants(operator: Client, store: Store) -> None:
    kitchen = make_category(store)
    response = operator.post(page(Product, "add"), product_form(store, kitchen))
    assert response.status_code == 302, errors(response)
    product = Product.objects.get()
    assert list(product.categories.all()) == [kitchen]
    assert [(variant.name, variant.store) for variant in product.variants.all()] == [("Small", store)]


def product_form(store: Store, category: Category) -> dict[str, Any]:
    return {
        "store": store.pk,
        "name": "Mug",
        "handle": "mug",
        "price": 1999,
        "inventory_type": "tracked",
        "quantity": 0,
        "min_quantity": 1,
        "position": 0,
        "media": "[]",
        **NO_PLACES,
        "places-TOTAL_FORMS": 1,
        "places-0-category": category.pk,
        **NO_VARIANTS,
        "variants-TOTAL_FORMS": 1,
        "variants-0-name": "Small",
        "variants-0-price": 1500,
        "variants-0-quantity": 3,
        "variants-0-position": 0,
    }


def test_a_product_does_not_stand_in_another_stores_category(
    operator: Client, store: Store, other_store: Store
) -> None:
    response = operator.post(page(Product, "add"), product_form(store, make_category(other_store)))
    assert "There is no such category." in errors(response)
    assert not Product.objects.exists()


@pytest.mark.parametrize(
    "media",
    ['{"sm": "x"}', "[1]", "[null]", "[{}]", '[{"sm": "x", "md": "x"}]', '[{"sm": 1, "md": 2, "lg": 3}]'],
)
def test_pictures_are_addresses_in_three_sizes(operator: Client, store: Store, media: str) -> None:
    form = product_form(store, make_category(store)) | {"media": media}
    response = operator.post(page(Product, "add"), form)
    assert "Must be a list of {sm, md, lg}, each an address." in errors(response)
    assert not Product.objects.exists()


def test_a_product_without_a_store_is_asked_for_one(operator: Client, store: Store) -> None:
    response = operator.post(page(Product, "add"), product_form(store, make_category(store)) | {"store": ""})
    assert "This field is required." in errors(response)


def test_a_place_without_a_category_is_asked_for_one(operator: Client, shop: Store) -> None:
    product, place = Product.objects.get(), ProductCategory.objects.get()
    form = product_form(shop, make_category(shop, "Office")) | {
        "places-INITIAL_FORMS": 1,
        "places-0-id": place.pk,
        "places-0-product": product.pk,
        "places-0-category": "",
        **NO_VARIANTS,
    }
    response = operator.post(page(Product, "change", product.pk), form)
    assert "This field is required." in errors(response)


def test_no_row_moves_to_another_store(operator: Client, shop: Store, other_store: Store) -> None:
    coupon = Coupon.objects.get()
    form = {"store": other_store.pk, "code": "MOVED", "kind": "percent", "value": 10, "minimum": 0}
    times = {"starts_at_0": "2026-11-23", "starts_at_1": "12:00:00", "times_used": 0}
    response = operator.post(page(Coupon, "change", coupon.pk), form | times)
    assert response.status_code == 302, errors(response)
    coupon.refresh_from_db()
    assert (coupon.code, coupon.store) == ("MOVED", shop)


@pytest.mark.parametrize("store_id", ["", "1", "267418190"])
def test_a_category_with_a_strange_parent_is_refused(
    store_id: str, operator: Client, store: Store, other_store: Store
) -> None:
    theirs = make_category(other_store)
    form = {"store": store_id, "parent": theirs.pk, "name": "Mugs", "handle": "mugs", "position": 0}
    response = operator.post(page(Category, "add"), form)
    assert errors(response)
    assert not Category.objects.filter(handle="mugs").exists()


def order_form(order: Order, status: str) -> dict[str, Any]:
    return {
        "status": status,
        "payment_status": order.payment_status,
        "recipient": order.recipient,
        "total": 1,
        "number": 7,
        "lines-TOTAL_FORMS": 0,
        "lines-INITIAL_FORMS": 0,
    }


def test_an_order_is_sent_on_its_way_and_keeps_its_amounts(operator: Client, shop: Store) -> None:
    order = Order.objects.get()
    response = operator.post(page(Order, "change", order.pk), order_form(order, "processing"))
    assert response.status_code == 302, errors(response)
    changed = Order.objects.get()
    assert (changed.status, changed.total, changed.number) == ("processing", order.total, order.number)


def test_an_order_does_not_skip_a_step(operator: Client, shop: Store) -> None:
    order = Order.objects.get()
    response = operator.post(page(Order, "change", order.pk), order_form(order, "completed"))
    assert "An order that is pending can become processing or cancelled." in errors(response)
    assert Order.objects.get().status == "pending"


def test_what_was_bought_cannot_be_rewritten(operator: Client, shop: Store) -> None:
    order = Order.objects.get()
    content = operator.get(page(Order, "change", order.pk)).content.decode()
    assert "Mug" in content
    assert 'name="lines-0-quantity"' not in content
