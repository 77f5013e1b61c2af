"""Seeding the demo: in any size, the same every time, and again without a change."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db.models import Model

from apikeys.models import ApiKey, ApiKeyUsage, StoreUsage
from apikeys.models.outcomes import Outcome, Status
from stores.demo import orders as batches
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


@pytest.mark.parametrize("orders", [0, 1, 100])
def test_there_are_as_many_orders_as_asked_for(orders: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "BATCH_SIZE", 40)
    store, _ = demo.seed(orders=orders)
    assert store.orders.count() == orders
    assert store.customers.count() >= orders // 20


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
