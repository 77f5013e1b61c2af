"""The demo as it is seeded: two believable stores."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import transaction
from django.test import Client
from pytest_django.plugin import DjangoDbBlocker

from stores.demo import KOBO_ID, NORTHWOOD_ID
from stores.demo import seed as demo
from stores.models import Category, Coupon, Customer, Order, Product, ProductVariant, Store
from tests.shop import NOON

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("stores")]


@pytest.fixture(scope="module")
def stores(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[tuple[Store, Store]]:
    """Both stores, seeded once: the tests below only read them, each in a savepoint."""
    with django_db_blocker.unblock(), transaction.atomic(), time_machine.travel(NOON, tick=False):
        yield demo.seed()
        transaction.set_rollback(True)


@pytest.fixture
def store(stores: tuple[Store, Store]) -> Store:
    return stores[0]


@pytest.fixture
def paper(stores: tuple[Store, Store]) -> Store:
    """The second store."""
    return stores[1]


def test_the_stores_are_those_of_the_documentation(store: Store, paper: Store) -> None:
    assert (store.pk, store.currency) == (NORTHWOOD_ID, "USD")
    assert (paper.pk, paper.currency) == (KOBO_ID, "JPY")
    assert [owner.email for owner in store.owners.all()] == ["owner@example.com"]
    assert [owner.email for owner in paper.owners.all()] == ["second@example.com"]
    assert (store.orders.count(), paper.orders.count()) == (600, 60)


def test_every_row_is_one_that_the_admin_would_take(store: Store, paper: Store) -> None:
    for model in (Category, Product, ProductVariant, Customer, Coupon):
        for row in model._default_manager.all():
            row.full_clean()
    assert store.categories.exclude(parent=None).exists()
    assert not Product.objects.filter(categories=None).exists()


def test_products_differ_in_price_stock_sale_and_variants(client: Client, store: Store) -> None:
    """Of every kind that the published storefronts tell apart."""
    products = client.get(f"/v1/stores/{store.pk}/products/", {"perpage": 100}).json()["data"]
    assert len({product["name"] for product in products}) == len(products)
    assert len({product["price"] for product in products}) > 30
    with_variants = [product for product in products if product["variants"]["enabled"]]
    assert 0.4 < len(with_variants) / len(products) < 0.7
    assert all(product["variants"]["option_name"] for product in with_variants)
    sold_out = [item for product in products for item in product["variants"]["items"] if not item["in_stock"]]
    assert sold_out
    kinds = {
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
    missing = [name for name, is_kind in kinds.items() if not any(map(is_kind, products))]
    assert not missing


def test_there_are_coupons_of_every_kind_and_state(store: Store) -> None:
    coupons: Any = store.coupons.with_active()
    assert {coupon.kind for coupon in coupons} == set(Coupon.Kind.values)
    assert {coupon.active for coupon in coupons} == {True, False}
    assert any(coupon.starts_at > NOON for coupon in coupons)
    assert any(coupon.ends_at and coupon.ends_at < NOON for coupon in coupons)
    assert any(coupon.usage_limit and coupon.usage_limit == coupon.times_used for coupon in coupons)


def test_orders_hold_what_their_store_sells() -> None:
    for order in Order.objects.prefetch_related("lines__product", "lines__variant", "customer"):
        lines = order.lines.all()
        assert order.subtotal == sum(line.total for line in lines) > 0
        assert order.customer.store_id == order.store_id
        for line in lines:
            assert line.product is not None
            bought = line.variant or line.product
            assert (line.store_id, line.product.store_id) == (order.store_id, order.store_id)
            assert (line.sku, line.unit_price) == (bought.sku, bought.price)
            assert line.product.created_at <= order.created_at
            assert line.product.min_quantity <= line.quantity <= (line.product.max_quantity or line.quantity)


def test_an_order_stands_as_its_age_lets_expect(store: Store) -> None:
    orders = list(store.orders.all())
    old = [order for order in orders if order.created_at < NOON - timedelta(days=14)]
    assert {order.status for order in orders} == set(Order.Status.values)
    assert {order.status for order in old} == {Order.Status.COMPLETED, Order.Status.CANCELLED}
    assert {order.payment_status for order in orders} == set(Order.PaymentStatus.values)
    assert 5 < sum(order.status == Order.Status.CANCELLED for order in orders) < 60
    assert any(order.note for order in orders)
    for order in orders:
        assert bool(order.tracking_number) == (order.status in {"shipped", "completed"})
        assert order.created_at <= order.updated_at <= NOON
