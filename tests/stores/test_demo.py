"""The demo as it is seeded: the same every time, and nothing that is there is touched."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db.models import Model

from apikeys.actors import Actor
from apikeys.lifecycle import create_key
from stores.demo import KOBO_ID, NORTHWOOD_ID
from stores.demo.seed import seed
from stores.models import Category, Change, Coupon, Customer, Order, OrderLine, Product, ProductVariant
from stores.models.changes import RESOURCES
from stores.resources import SCOPES, Resource
from tests.shop import NOON, Caller

pytestmark = pytest.mark.django_db


def rows(model: type[Model]) -> list[dict[str, Any]]:
    """Return all rows of a table without the numbers that a database counts up."""
    columns = [column.attname for column in model._meta.concrete_fields if not column.primary_key]
    return list(
        model._default_manager.order_by("pk").values(*(each for each in columns if each[-3:] != "_id"))
    )


@time_machine.travel(NOON, tick=False)
def test_seed_makes_the_same_every_time_and_keeps_what_is_there() -> None:
    owner = User.objects.create_user("dana", "owner@example.com", "their own password")
    tables = [Category, Product, ProductVariant, Customer, Order, OrderLine, Coupon]
    stores = seed(orders=40)
    first = [rows(model) for model in tables]
    for model in tables:
        for row in model._default_manager.order_by("pk")[:20]:
            row.full_clean()
    assert seed(orders=90) == stores
    assert [rows(model) for model in tables] == first
    assert [(store.pk, store.currency, store.orders.count()) for store in stores] == [
        (NORTHWOOD_ID, "USD", 40),
        (KOBO_ID, "JPY", 60),
    ]
    assert list(stores[0].owners.all()) == [owner]
    assert owner.check_password("their own password")
    assert not stores[1].owners.get(email="second@example.com").has_usable_password()
    for store in stores:
        store.delete()
    seed(orders=40)
    assert [rows(model) for model in tables] == first


@time_machine.travel(NOON, tick=False)
def test_seed_makes_orders_of_what_the_store_sold_then_to_those_who_had_joined() -> None:
    seed(orders=200)
    for order in Order.objects.prefetch_related("lines__product", "lines__variant", "customer"):
        assert order.customer.created_at <= order.created_at <= order.updated_at <= NOON
        assert order.created_at >= NOON - timedelta(days=14) or order.status in {"completed", "cancelled"}
        assert bool(order.tracking_number) == (order.status in {"shipped", "completed"})
        lines = order.lines.all()
        assert order.subtotal == sum(line.total for line in lines) > 0
        for line in lines:
            assert line.product
            bought = line.variant or line.product
            assert (line.sku, line.unit_price) == (bought.sku, bought.price)
            assert line.product.store_id == order.customer.store_id == order.store_id
            assert line.product.created_at <= order.created_at
            assert line.product.min_quantity <= line.quantity <= (line.product.max_quantity or line.quantity)


def test_seed_makes_a_store_without_orders() -> None:
    assert not seed(orders=0)[0].orders.exists()


@time_machine.travel(NOON, tick=False)
def test_patch_takes_what_was_read_of_any_object_as_no_change() -> None:
    demo, _ = seed(orders=40)
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
