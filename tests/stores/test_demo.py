"""The demo: two believable stores, the same every time, in any size."""

from collections import Counter
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db.models import F, Model

from apikeys.models import ApiKey, ApiKeyUsage, StoreUsage
from apikeys.models.outcomes import Outcome, Status
from stores.demo import seed as demo
from stores.models import Category, Coupon, Customer, Order, OrderLine, Product, ProductVariant, Store
from tests.shop import NOON

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_at_noon")]

TABLES: list[type[Model]] = [Category, Product, ProductVariant, Customer, Order, OrderLine, Coupon]


@pytest.fixture
def _at_noon() -> Any:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def rows(model: type[Model]) -> list[dict[str, Any]]:
    """All rows of a table without the numbers that a database counts up."""
    columns = [
        column.attname
        for column in model._meta.concrete_fields
        if not column.primary_key and (not column.is_relation or column.name == "store")
    ]
    return list(model._default_manager.order_by("pk").values(*columns))


def contents() -> list[list[dict[str, Any]]]:
    return [rows(model) for model in TABLES]


def counts() -> list[int]:
    everything: list[type[Model]] = [Store, User, *TABLES]
    return [model._default_manager.count() for model in everything]


def test_the_first_store_is_big_enough_to_look_at() -> None:
    store, _ = demo.seed()
    assert (store.pk, store.name, store.currency) == (267418190, "Northwood Outfitters", "USD")
    assert [owner.email for owner in store.owners.all()] == ["owner@example.com"]
    assert store.products.count() >= 60
    assert store.customers.count() >= 150
    assert store.orders.count() == 600


def test_the_second_store_has_another_owner_and_currency() -> None:
    _, store = demo.seed()
    assert (store.pk, store.name, store.currency) == (518203746, "Kōbō Paper", "JPY")
    assert [owner.email for owner in store.owners.all()] == ["second@example.com"]
    assert (store.products.count(), store.customers.count(), store.orders.count()) == (12, 25, 60)


def test_nobody_can_sign_in_until_a_password_is_set() -> None:
    demo.seed(orders=1)
    assert not any(user.has_usable_password() for user in User.objects.all())


def test_an_owner_who_is_there_is_kept() -> None:
    owner = User.objects.create_user("owner@example.com", "owner@example.com", "their own password")
    store, _ = demo.seed(orders=1)
    assert list(store.owners.all()) == [owner]
    assert store.owners.get().check_password("their own password")


def test_the_demo_is_the_same_every_time() -> None:
    demo.seed(orders=40)
    first = contents()
    for store in Store.objects.all():
        store.delete()
    demo.seed(orders=40)
    assert contents() == first


def test_seeding_again_changes_nothing() -> None:
    stores = demo.seed(orders=40)
    before = counts(), contents()
    assert demo.seed(orders=90) == stores
    assert (counts(), contents()) == before


@pytest.mark.parametrize("orders", [0, 1, 4_100])
def test_there_are_as_many_orders_as_asked_for(orders: int) -> None:
    store, _ = demo.seed(orders=orders)
    assert store.orders.count() == orders
    assert store.customers.count() >= orders // 20


# The shelves.


def test_categories_nest_and_hold_every_product() -> None:
    store, _ = demo.seed(orders=1)
    assert store.categories.filter(parent=None).exists()
    assert store.categories.exclude(parent=None).exists()
    assert not store.products.filter(categories=None).exists()
    assert not store.products.exclude(categories__store=store).exists()
    for category in store.categories.all():
        category.full_clean()


def test_products_differ_in_price_stock_sale_and_variants() -> None:
    store, _ = demo.seed(orders=1)
    products = list(store.products.with_parts())
    with_variants = [product for product in products if product.variants.all()]
    assert len({product.name for product in products}) == len(products)
    assert len({product.price for product in products}) > 30
    assert 0.4 < len(with_variants) / len(products) < 0.7
    assert all(product.option_name for product in with_variants)
    assert 5 < sum(product.on_sale for product in products) < 20
    assert any(not product.in_stock for product in products)
    assert any(product.promo_badge for product in products)
    assert any(product.available_quantity is None for product in products)
    assert ProductVariant.objects.filter(quantity=0).exists()
    for product in products:
        product.full_clean()


def test_every_article_has_its_own_sku() -> None:
    demo.seed(orders=1)
    skus = [
        *Product.objects.values_list("sku", flat=True),
        *ProductVariant.objects.values_list("sku", flat=True),
    ]
    assert all(skus)
    assert len(set(skus)) == len(skus)


def test_every_picture_comes_in_three_sizes() -> None:
    demo.seed(orders=1)
    for product in Product.objects.all():
        assert product.media
        for image in product.media:
            assert sorted(image) == ["lg", "md", "sm"]
            assert all(address.startswith("https://images.example/") for address in image.values())


def test_there_are_coupons_of_every_kind_and_state() -> None:
    store, _ = demo.seed(orders=1)
    coupons = store.coupons.all()
    assert {coupon.kind for coupon in coupons} == set(Coupon.Kind.values)
    assert {coupon.active for coupon in coupons} == {True, False}
    assert any(coupon.starts_at > NOON for coupon in coupons)
    assert any(coupon.ends_at and coupon.ends_at < NOON for coupon in coupons)
    assert any(coupon.usage_limit and coupon.usage_limit == coupon.times_used for coupon in coupons)


# People and orders.


def test_customers_are_international_and_nobody_real() -> None:
    store, _ = demo.seed(orders=1)
    assert len(set(store.customers.values_list("country", flat=True))) >= 8
    for customer in store.customers.all():
        customer.full_clean()
        assert customer.email.endswith(("@example.com", "@example.org", "@example.net"))
    assert not Customer.objects.filter(orders__created_at__lt=F("created_at")).exists()


def test_orders_hold_what_their_store_sells() -> None:
    demo.seed()
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


def test_orders_are_numbered_as_they_came_in_over_a_growing_year() -> None:
    store, _ = demo.seed()
    orders = list(store.orders.order_by("number"))
    assert all(before.created_at <= after.created_at for before, after in pairwise(orders))
    assert orders[0].created_at < NOON - timedelta(days=350)
    assert NOON - timedelta(days=3) < orders[-1].created_at <= NOON
    middle = NOON - timedelta(days=182)
    assert sum(order.created_at > middle for order in orders) > 330
    weekdays = Counter(order.created_at.weekday() for order in orders)
    assert weekdays[6] > weekdays[2]


def test_an_order_stands_as_its_age_lets_expect() -> None:
    store, _ = demo.seed()
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


# With keys, as the command makes it.


def test_the_command_makes_keys_of_every_status_with_a_month_of_usage(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DEMO_OWNER_PASSWORD", "let me have a look")
    call_command("seed_demo")
    store = Store.objects.get(pk=267418190)
    keys = ApiKey.objects.for_store(store).with_status()
    assert {key.status for key in keys} == set(Status.values)
    days = set(StoreUsage.objects.filter(store=store).values_list("date", flat=True))
    assert (len(days), min(days), max(days)) == (30, NOON.date() - timedelta(days=29), NOON.date())
    assert set(ApiKeyUsage.objects.values_list("outcome", flat=True)) == set(Outcome.values)
    assert all(user.check_password("let me have a look") for user in User.objects.all())


def test_the_command_can_be_run_again() -> None:
    call_command("seed_demo", orders=10)
    before = counts(), ApiKey.objects.count(), ApiKeyUsage.objects.count()
    call_command("seed_demo", orders=20, keys=30)
    assert (counts(), ApiKey.objects.count(), ApiKeyUsage.objects.count()) == before


def test_the_command_scales() -> None:
    call_command("seed_demo", orders=50, keys=20, usage_days=10)
    store = Store.objects.get(pk=267418190)
    keys = ApiKey.objects.for_store(store)
    assert (store.orders.count(), keys.count()) == (50, 20)
    assert len(set(keys.values_list("name", flat=True))) == 20
    days = set(ApiKeyUsage.objects.filter(key__in=keys).values_list("date", flat=True))
    assert days == {NOON.date() - timedelta(days=ago) for ago in range(10)}
