"""Seeding the demo stores: in any size, the same every time, and again without a change."""

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db.models import Model

from stores.demo import seed as demo
from stores.models import Category, Coupon, Customer, Order, OrderLine, Product, ProductVariant, Store
from tests.shop import NOON

pytestmark = pytest.mark.django_db

TABLES: list[type[Model]] = [Category, Product, ProductVariant, Customer, Order, OrderLine, Coupon]


@pytest.fixture(autouse=True)
def _at_noon() -> Iterator[None]:
    with time_machine.travel(NOON, tick=False):
        yield


def rows(model: type[Model]) -> list[dict[str, Any]]:
    """Return all rows of a table without the numbers that a database counts up."""
    columns = [
        column.attname
        for column in model._meta.concrete_fields
        if not column.primary_key and (not column.is_relation or column.name == "store")
    ]
    return list(model._default_manager.order_by("pk").values(*columns))


def test_an_owner_who_is_there_is_kept_and_a_new_one_cannot_sign_in() -> None:
    owner = User.objects.create_user("dana", "owner@example.com", "their own password")
    first, second = demo.seed(orders=1)
    assert list(first.owners.all()) == [owner]
    assert first.owners.get().check_password("their own password")
    assert not second.owners.get().has_usable_password()


def test_the_demo_is_the_same_every_time_and_is_kept() -> None:
    stores = demo.seed(orders=40)
    first = [rows(model) for model in TABLES]
    assert demo.seed(orders=90) == stores
    assert [rows(model) for model in TABLES] == first
    for store in Store.objects.all():
        store.delete()
    demo.seed(orders=40)
    assert [rows(model) for model in TABLES] == first


@pytest.mark.parametrize("orders", [0, 1, 100])
def test_there_are_as_many_orders_as_asked_for(orders: int) -> None:
    store, _ = demo.seed(orders=orders)
    assert store.orders.count() == orders
    assert store.customers.count() >= orders // 20
