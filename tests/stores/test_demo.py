"""The demo as it is seeded, two believable stores: all tests share one, until the last of them."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import transaction
from django.db.models import Model
from django.test import Client
from pytest_django.plugin import DjangoDbBlocker

from apikeys.actors import Actor
from apikeys.lifecycle import create_key
from stores.demo.seed import seed
from stores.models import Category, Change, Coupon, Customer, Order, Product, ProductVariant, Store
from stores.models.changes import RESOURCES
from stores.resources import SCOPES, Resource
from tests.shop import NOON, Caller

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def demo(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Store]:
    """The first store, seeded once with the second: tests only read them, each in a savepoint."""
    with django_db_blocker.unblock(), transaction.atomic(), time_machine.travel(NOON, tick=False):
        yield seed()[0]
        transaction.set_rollback(True)


@pytest.mark.parametrize("model", [Category, Product, ProductVariant, Customer, Coupon])
def test_seed_makes_rows_that_the_admin_would_take(demo: Store, model: type[Model]) -> None:
    for row in model._default_manager.order_by("pk")[:20]:
        row.full_clean()


def test_patch_takes_what_was_read_of_any_object_as_no_change(demo: Store) -> None:
    by = Actor(demo.owners.get())
    api = Caller(demo, create_key(store=demo, name="Sync", access=list(SCOPES), by=by)[1])
    before = Change.objects.count()
    for resource in RESOURCES:
        # All products, and some of the others, which differ less.
        query = {"perpage": 100} if resource is Resource.PRODUCTS else {}
        rows = api.get(f"/{resource}", query).json()
        for row in rows if isinstance(rows, list) else rows["data"]:
            path = f"/{resource}/{row['id']}"
            tag = api.get(path)["ETag"]
            response = api.patch(path, row)
            assert (response.status_code, response.json(), response["ETag"]) == (200, row, tag)
    assert Change.objects.count() == before


PRODUCT_KINDS: dict[str, Callable[[Any], Any]] = {
    "with variants": lambda product: product["variants"]["option_name"] and product["variants"]["items"],
    "one price": lambda product: len(product["price_range"]) == 1,
    "several prices": lambda product: len(product["price_range"]) == 2,
    "sold out": lambda product: not product["in_stock"],
    "on sale": lambda product: product["on_sale"]["enabled"],
    "with a minimum": lambda product: product["min_quantity"] is not None,
    "with a maximum": lambda product: product["max_quantity"] is not None,
    "without a picture": lambda product: not product["media"],
    "several pictures": lambda product: len(product["media"]) > 1,
    "not counted": lambda product: product["available_quantity"] is None,
    "personal": lambda product: product["personalization"]["enabled"],
    "with a badge": lambda product: product["promo_badge"],
}


def test_seed_makes_products_and_coupons_of_every_kind_and_state(client: Client, demo: Store) -> None:
    products = client.get(f"/v1/stores/{demo.pk}/products/", {"perpage": 100}).json()["data"]
    assert [name for name, is_kind in PRODUCT_KINDS.items() if not any(map(is_kind, products))] == []
    coupons: Any = demo.coupons.with_active()
    assert {coupon.kind for coupon in coupons} == set(Coupon.Kind.values)
    assert {coupon.active for coupon in coupons} == {True, False}


def test_seed_makes_orders_of_what_the_store_sold_then_to_those_who_had_joined(demo: Store) -> None:
    for order in Order.objects.prefetch_related("lines__product", "lines__variant", "customer"):
        assert order.customer.created_at <= order.created_at <= order.updated_at <= NOON
        lines = order.lines.all()
        assert order.subtotal == sum(line.total for line in lines) > 0
        for line in lines:
            assert line.product
            bought = line.variant or line.product
            assert (line.sku, line.unit_price) == (bought.sku, bought.price)
            assert line.product.store_id == order.customer.store_id == order.store_id
            assert line.product.created_at <= order.created_at
            assert line.product.min_quantity <= line.quantity <= (line.product.max_quantity or line.quantity)


def test_seed_makes_orders_whose_status_suits_their_age(demo: Store) -> None:
    orders = list(demo.orders.all())
    old = [order for order in orders if order.created_at < NOON - timedelta(days=14)]
    assert {order.status for order in orders} == set(Order.Status.values)
    assert {order.status for order in old} == {Order.Status.COMPLETED, Order.Status.CANCELLED}
    assert {order.payment_status for order in orders} == set(Order.PaymentStatus.values)
    for order in orders:
        assert bool(order.tracking_number) == (order.status in {"shipped", "completed"})
