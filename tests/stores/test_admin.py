"""The shop in the admin: everything can be looked at, and no operator can mix two stores."""

from typing import Any

import pytest
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from stores.models import Category, Coupon, Customer, Order, Product, Store
from tests.conftest import admin_page as page
from tests.conftest import make_owner
from tests.shop import make_category, make_coupon, make_customer, make_line, make_order, make_product

MODELS: list[type[Model]] = [Store, Category, Product, Customer, Order, Coupon]


@pytest.fixture
def shop(store: Store) -> Store:
    """A store with one row of everything."""
    mug = make_product(store)
    mug.categories.add(make_category(store), through_defaults={"store": store})
    mug.variants.create(name="Small", price=1999)
    make_line(make_order(make_customer(store)), product=mug)
    make_coupon(store)
    return store


def errors(response: Any) -> str:
    """Return the errors of a form that was not saved."""
    assert response.status_code == 200, response
    context = response.context
    formsets = [error for formset in context["inline_admin_formsets"] for error in formset.formset.errors]
    return str([context["adminform"].errors, *formsets])


@pytest.mark.parametrize("model", MODELS)
def test_every_page_opens_for_operators_only(
    model: type[Model], operator: Client, shop: Store, signed_in: Client
) -> None:
    for query in ({"q": "mug"}, {"q": "1001"}, {"o": "1"}, {"o": "-3"}):
        assert operator.get(page(model, "changelist"), query).status_code == 200
    row = model._default_manager.get()
    assert str(row) in operator.get(page(model, "change", row.pk)).content.decode()
    # Orders are placed by buyers.
    assert operator.get(page(model, "add")).status_code == (403 if model is Order else 200)
    assert signed_in.get(page(model, "changelist")).status_code in {302, 403}


def test_lists_read_nothing_for_each_row(operator: Client, shop: Store) -> None:
    def count_queries(model: type[Model]) -> int:
        with CaptureQueriesContext(connection) as queries:
            operator.get(page(model, "changelist"))
        return len(queries)

    of_one = [count_queries(model) for model in MODELS]
    kitchen = Category.objects.get()
    for number in range(5):
        make_category(shop, f"Shelf{number}", parent=kitchen)
        make_product(shop, f"Cup{number}")
        make_order(make_customer(shop, f"Bea{number}"), number=2000 + number)
        make_coupon(shop, f"AGAIN{number}")
    assert [count_queries(model) for model in MODELS] == of_one


def test_a_store_is_given_owners_found_by_name(operator: Client) -> None:
    owner = make_owner("new@example.com")
    query = {"term": "new@", "app_label": "stores", "model_name": "store", "field_name": "owners"}
    found = operator.get(reverse("admin:autocomplete"), query).json()["results"]
    assert [result["id"] for result in found] == [str(owner.pk)]
    form = {"name": "Fernway", "currency": "EUR", "owners": [owner.pk]}
    assert operator.post(page(Store, "add"), form).status_code == 302
    assert list(Store.objects.get(name="Fernway").owners.all()) == [owner]
    for wrong in ("x", "\0", "9" * 30):
        assert "owners" in errors(operator.post(page(Store, "add"), form | {"owners": [wrong]}))


@pytest.mark.parametrize(
    ("model", "query"),
    [(Store, query) for query in ("267418190", "northwood", "owner@example.com")]
    + [(Order, query) for query in ("1001", "ada", "ada@example.com", "RR42", "267418190", "northwood")]
    + [(Product, query) for query in ("267418190", "northwood")],
)
def test_rows_are_found_by_what_names_them(
    model: type[Model], query: str, operator: Client, store: Store, other_store: Store
) -> None:
    make_order(make_customer(store, "Ada"), tracking_number="RR42", recipient="Eve")
    make_order(make_customer(other_store, "Bea"), number=21001)
    make_product(store), make_product(other_store)
    (found,) = operator.get(page(model, "changelist"), {"q": query}).context["cl"].result_list
    assert found == (store if model is Store else model._default_manager.get(store=store))


def test_amounts_are_shown_in_the_stores_currency(operator: Client, shop: Store) -> None:
    Store.objects.update(currency="JPY")
    assert "¥1,999" in operator.get(page(Product, "changelist")).content.decode()
    assert "¥1,495" in operator.get(page(Order, "changelist")).content.decode()


def product_form(store: Store, category: Category, **others: Any) -> dict[str, Any]:
    columns = {"name": "Mug", "handle": "mug", "price": 1999, "inventory_type": "tracked"}
    counts = {"quantity": 0, "min_quantity": 1, "position": 0}
    places = {"places-TOTAL_FORMS": 1, "places-INITIAL_FORMS": 0, "places-0-category": category.pk}
    variant = {"name": "Small", "price": 1500, "quantity": 3, "position": 0}
    variants = {f"variants-0-{name}": value for name, value in variant.items()}
    forms = {"variants-TOTAL_FORMS": 1, "variants-INITIAL_FORMS": 0}
    return {"store": store.pk, **columns, **counts, **places, **forms, **variants, **others}


def test_a_product_is_added_with_its_categories_and_variants(operator: Client, store: Store) -> None:
    kitchen = make_category(store)
    response = operator.post(page(Product, "add"), product_form(store, kitchen))
    assert response.status_code == 302, errors(response)
    product = Product.objects.get()
    assert list(product.categories.all()) == [kitchen]
    assert [(variant.name, variant.store) for variant in product.variants.all()] == [("Small", store)]


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("store", "", "This field is required."),
        ("store", "x", "Select a valid choice."),
        ("places-0-category", "9" * 30, "Select a valid choice."),
    ],
)
def test_a_product_form_says_what_is_wrong(
    operator: Client, store: Store, field: str, value: str, sentence: str
) -> None:
    form = product_form(store, make_category(store)) | {field: value}
    assert sentence in errors(operator.post(page(Product, "add"), form))
    assert not Product.objects.exists()


def test_no_row_stands_below_one_of_another_store(operator: Client, store: Store, other_store: Store) -> None:
    theirs = make_category(other_store)
    response = operator.post(page(Product, "add"), product_form(store, theirs))
    assert "There is no such category." in errors(response)
    form = {"store": store.pk, "parent": theirs.pk, "name": "Mugs", "handle": "mugs", "position": 0}
    assert "There is no such category." in errors(operator.post(page(Category, "add"), form))


def test_no_row_moves_to_another_store(operator: Client, shop: Store, other_store: Store) -> None:
    coupon = Coupon.objects.get()
    form = {"store": other_store.pk, "code": "MOVED", "kind": "percent", "value": 10, "minimum": 0}
    times = {"starts_at_0": "2026-11-23", "starts_at_1": "12:00:00", "times_used": 0}
    response = operator.post(page(Coupon, "change", coupon.pk), form | times)
    assert response.status_code == 302, errors(response)
    coupon.refresh_from_db()
    assert (coupon.code, coupon.store) == ("MOVED", shop)


def test_an_order_takes_its_next_status_and_keeps_its_amounts_and_lines(
    operator: Client, shop: Store
) -> None:
    order = Order.objects.get()
    url = page(Order, "change", order.pk)
    form = {"payment_status": order.payment_status, "recipient": order.recipient, "total": 1, "number": 7}
    form |= {"lines-TOTAL_FORMS": 1, "lines-INITIAL_FORMS": 0, "lines-0-id": "", "lines-0-quantity": 5}
    response = operator.post(url, form | {"status": "completed"})
    assert "An order that is pending can become processing or cancelled." in errors(response)
    assert operator.post(url, form | {"status": "processing"}).status_code == 302
    changed = Order.objects.get()
    assert (changed.status, changed.total, changed.number) == ("processing", order.total, order.number)
    assert changed.lines.get().quantity == 1
