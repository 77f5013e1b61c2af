"""What the database itself keeps true of a shop, and what follows from its rows."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F

from stores.models import Category, Coupon, Customer, Order, OrderLine, Product, ProductVariant, Store
from tests.conftest import make_owner
from tests.shop import NOON, make_category, make_coupon, make_customer, make_line, make_order, make_product


@contextmanager
def refused_by_the_database(constraint: str) -> Iterator[None]:
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        yield


def make_variant(product: Product, name: str, **given: Any) -> ProductVariant:
    return ProductVariant.objects.create(
        **{"store": product.store, "product": product, "name": name, "price": 1999} | given
    )


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


# SQLite names no unique constraint, only its columns.
TWICE: list[tuple[Callable[..., Any], str, str]] = [
    (make_category, "category_handle_is_unique_in_store", "handle"),
    (make_product, "product_handle_is_unique_in_store", "handle"),
    (make_customer, "customer_email_is_unique_in_store", "email"),
    (make_coupon, "coupon_code_is_unique_in_store", "code"),
]


@pytest.mark.parametrize(("make", "constraint", "column"), TWICE)
def test_a_name_belongs_to_one_row_of_a_store(
    make: Callable[..., Any], constraint: str, column: str, store: Store, other_store: Store
) -> None:
    make(store)
    make(other_store)
    with refused_by_the_database(rf"{constraint}|UNIQUE .*store_id, \w+\.{column}"):
        make(store)


def test_an_order_number_is_given_once_in_a_store(store: Store, other_store: Store) -> None:
    make_order(make_customer(store), number=1001)
    make_order(make_customer(other_store), number=1001)
    with refused_by_the_database(r"order_number_is_unique_in_store|UNIQUE .*store_id, \w+\.number"):
        make_order(make_customer(store, "Bea"), number=1001)


def test_a_products_variants_have_different_names(store: Store) -> None:
    mug, cup = make_product(store, "Mug"), make_product(store, "Cup")
    make_variant(mug, "Small")
    make_variant(cup, "Small")
    with refused_by_the_database(r"variant_name_is_unique_in_product|UNIQUE .*product_id, \w+\.name"):
        make_variant(mug, "Small")


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
    make_variant(make_product(store), "Small")
    make_line(make_order(make_customer(store)), quantity=2)
    with refused_by_the_database(constraint):
        break_it(store)


def test_a_category_of_another_store_is_no_parent(store: Store, other_store: Store) -> None:
    theirs = make_category(other_store)
    with pytest.raises(ValidationError, match="no such category"):
        Category(store=store, name="Mugs", handle="mugs", parent=theirs).full_clean()


def test_a_category_does_not_lie_below_itself(store: Store) -> None:
    camping = make_category(store, "Camping")
    tents = make_category(store, "Tents", parent=camping)
    camping.parent = make_category(store, "Bivies", parent=tents)
    with pytest.raises(ValidationError, match="cannot lie within itself"):
        camping.full_clean()


# What goes and what stays.


def test_a_store_goes_with_all_that_is_in_it(store: Store) -> None:
    make_line(make_order(make_customer(store)), product=make_product(store))
    store.delete()
    assert not Product.objects.exists()
    assert not Order.objects.exists()


def test_a_line_outlives_its_product(store: Store) -> None:
    product = make_product(store)
    variant = make_variant(product, "Small")
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


@pytest.mark.parametrize("make", [make_category, make_product, make_customer, make_coupon])
def test_a_store_sees_its_own_rows_only(make: Callable[..., Any], store: Store, other_store: Store) -> None:
    mine = make(store)
    make(other_store)
    assert list(type(mine).objects.for_store(store)) == [mine]


# Orders.

ALLOWED = {
    ("pending", "processing"),
    ("pending", "cancelled"),
    ("processing", "shipped"),
    ("processing", "cancelled"),
    ("shipped", "completed"),
}


@pytest.mark.parametrize("before", Order.Status.values)
@pytest.mark.parametrize("after", Order.Status.values)
def test_an_order_goes_forward_or_stays(before: str, after: str) -> None:
    order = Order(status=before)
    if before == after or (before, after) in ALLOWED:
        order.validate_next_status(after)
    else:
        with pytest.raises(ValidationError, match=f"An order that is {before} can become"):
            order.validate_next_status(after)


def test_a_customers_totals_leave_out_what_was_cancelled(store: Store) -> None:
    ada, bea = make_customer(store, "Ada"), make_customer(store, "Bea")
    first, second = make_order(ada, 1001), make_order(ada, 1002)
    make_order(ada, 1003, status=Order.Status.CANCELLED)
    customers: Any = Customer.objects.with_totals()
    totals = {row.pk: (row.orders_count, row.total_spent) for row in customers}
    assert totals == {ada.pk: (2, first.total + second.total), bea.pk: (0, 0)}


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


# Names.


@pytest.mark.django_db
def test_rows_are_called_what_people_call_them(store: Store) -> None:
    order = make_order(make_customer(store), number=1042)
    named = {
        "Northwood": store,
        "Kitchen": make_category(store),
        "Mug": make_product(store),
        "Ada": order.customer,
        "#1042": order,
        "2 × Mug": make_line(order, quantity=2),
        "WELCOME10": make_coupon(store),
    }
    assert {name: str(row) for name, row in named.items()} == {name: name for name in named}


# Folded columns.


def test_bulk_create_fills_folded_columns(store: Store) -> None:
    names = enumerate(("ÄPFEL", "Zebra", "apple"))
    Product.objects.bulk_create(
        Product(store=store, name=name, handle=f"p{number}", price=1) for number, name in names
    )
    columns = Product.objects.order_by("name_key").values_list("name_key", "search_text")
    assert list(columns) == [("apfel", "äpfel\n\n"), ("apple", "apple\n\n"), ("zebra", "zebra\n\n")]
