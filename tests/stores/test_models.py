"""Constraints that the database keeps of a shop, and what follows from its rows."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F

from stores.models import Category, Change, Coupon, Order, OrderLine, Product, ProductVariant, Store
from tests.conftest import make_owner
from tests.shop import NOON, make_category, make_coupon, make_customer, make_line, make_order, make_product


@contextmanager
def refused_by_the_database(constraint: str) -> Iterator[None]:
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        yield


def make_variant(product: Product) -> ProductVariant:
    return ProductVariant.objects.create(product=product, name="Small", price=1999)


# What the database refuses.


@pytest.mark.parametrize("pk", [99_999_999, 1_000_000_000])
@pytest.mark.django_db
def test_a_stores_number_has_nine_digits(pk: int) -> None:
    with refused_by_the_database("store_id_has_nine_digits"):
        Store.objects.create(id=pk, name="Northwood")


@pytest.mark.django_db
def test_a_new_store_draws_a_number_of_nine_digits() -> None:
    numbers = {Store.objects.create(name="Northwood").pk for _ in range(20)}
    assert len(numbers) == 20
    assert all(100_000_000 <= number <= 999_999_999 for number in numbers)


# SQLite names no unique constraint, only its columns. Another store, or product, may have the same.
TWICE: list[tuple[Callable[[Store], Any], str]] = [
    (make_category, r"category_handle_is_unique_in_store|store_id, \w+\.handle"),
    (make_product, r"product_handle_is_unique_in_store|store_id, \w+\.handle"),
    (make_customer, r"customer_email_is_unique_in_store|store_id, \w+\.email"),
    (make_coupon, r"coupon_code_is_unique_in_store|store_id, \w+\.code"),
    (
        lambda store: make_order(store.customers.first() or make_customer(store)),
        r"order_number_is_unique_in_store|store_id, \w+\.number",
    ),
    (
        lambda store: make_variant(store.products.first() or make_product(store)),
        r"variant_name_is_unique_in_product|product_id, \w+\.name",
    ),
]


@pytest.mark.parametrize(("make", "constraint"), TWICE)
def test_a_name_belongs_to_one_row_of_a_store(
    make: Callable[[Store], Any], constraint: str, store: Store, other_store: Store
) -> None:
    make(store), make(other_store)
    with refused_by_the_database(constraint):
        make(store)


BROKEN: list[tuple[str, Callable[[Store], Any]]] = [
    ("category_is_not_its_own_parent", lambda store: Category.objects.update(parent=F("pk"))),
    ("category_handle_has_a_letter", lambda store: make_category(store, handle="1984")),
    ("product_handle_has_a_letter", lambda store: make_product(store, handle="-_1")),
    ("product_sale_lowers_the_price", lambda store: make_product(store, "Cup", original_price=1999)),
    ("product_sale_lowers_the_price", lambda store: make_product(store, "Cup", original_price=1500)),
    ("variant_sale_lowers_the_price", lambda store: ProductVariant.objects.update(original_price=1999)),
    ("product_quantities_leave_a_range", lambda store: Product.objects.update(min_quantity=0)),
    (
        "product_quantities_leave_a_range",
        lambda store: Product.objects.update(min_quantity=4, max_quantity=3),
    ),
    ("order_total_adds_up", lambda store: Order.objects.update(total=F("total") + 1)),
    ("order_line_total_adds_up", lambda store: OrderLine.objects.update(total=F("total") - 1)),
    ("order_line_has_a_quantity", lambda store: OrderLine.objects.update(quantity=0, total=0)),
    ("coupon_percent_is_at_most_100", lambda store: Coupon.objects.update(value=101)),
    ("coupon_ends_after_it_starts", lambda store: Coupon.objects.update(ends_at=F("starts_at"))),
    ("product_inventory_type_is_known", lambda store: Product.objects.update(inventory_type="perhaps")),
    ("order_status_is_known", lambda store: Order.objects.update(status="perhaps")),
    ("order_payment_status_is_known", lambda store: Order.objects.update(payment_status="perhaps")),
    ("coupon_kind_is_known", lambda store: Coupon.objects.update(kind="perhaps")),
]


@pytest.mark.parametrize(("constraint", "break_it"), BROKEN)
def test_the_database_refuses_what_breaks_a_rule(
    constraint: str, break_it: Callable[[Store], Any], store: Store
) -> None:
    make_category(store), make_coupon(store)
    make_variant(make_product(store))
    make_line(make_order(make_customer(store)), quantity=2)
    with refused_by_the_database(constraint):
        break_it(store)


# What goes and what stays.


def test_a_store_goes_with_all_that_is_in_it(store: Store) -> None:
    make_line(make_order(make_customer(store)), product=make_product(store))
    store.delete()
    assert not Product.objects.exists()
    assert not Order.objects.exists()
    assert not Change.objects.exists()


def test_a_line_outlives_its_product(store: Store) -> None:
    product = make_product(store)
    variant = make_variant(product)
    line = make_line(make_order(make_customer(store)), product=product, variant=variant)
    product.delete()
    left = OrderLine.objects.get(pk=line.pk)
    assert (left.product, left.variant, left.name) == (None, None, "Mug")


# Whose it is.


def test_a_store_is_found_by_its_owners_only(store: Store, other_store: Store) -> None:
    (owner,) = store.owners.all()
    assert list(Store.objects.owned_by(owner)) == [store]
    assert not Store.objects.owned_by(make_owner("nobody@example.com")).exists()
    store.owners.clear()
    assert not Store.objects.owned_by(AnonymousUser()).exists()


# Orders.

NEXT = {
    "pending": {"pending", "processing", "cancelled"},
    "processing": {"processing", "shipped", "cancelled"},
    "shipped": {"shipped", "completed"},
    "completed": {"completed"},
    "cancelled": {"cancelled"},
}


@pytest.mark.parametrize("before", NEXT)
@pytest.mark.parametrize("after", NEXT)
def test_an_order_goes_forward_or_stays(before: str, after: str) -> None:
    refused = pytest.raises(ValidationError, match=f"An order that is {before} can become")
    with nullcontext() if after in NEXT[before] else refused:
        Order(status=before).validate_next_status(after)


# Coupons.


@pytest.mark.parametrize(
    ("given", "active"),
    [
        ({}, True),
        ({"starts_at": NOON + timedelta(seconds=1)}, False),
        ({"starts_at": NOON - timedelta(days=2), "ends_at": NOON}, False),
        ({"ends_at": NOON + timedelta(seconds=1)}, True),
        ({"usage_limit": 5, "times_used": 4}, True),
        ({"usage_limit": 5, "times_used": 5}, False),
    ],
)
@time_machine.travel(NOON, tick=False)
def test_a_coupon_is_active_between_its_times_and_below_its_limit(
    store: Store, *, given: dict[str, Any], active: bool
) -> None:
    make_coupon(store, **given)
    coupon: Any = Coupon.objects.with_active().get()
    assert coupon.active is active
