"""The demo as it is seeded, two believable stores: all tests share one, until the last of them."""

from collections.abc import Iterator

import pytest
import time_machine
from django.db import transaction
from django.db.models import Model
from pytest_django.plugin import DjangoDbBlocker

from apikeys.actors import Actor
from apikeys.lifecycle import create_key
from stores.demo.seed import seed
from stores.models import Category, Change, Coupon, Customer, Product, ProductVariant, Store
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
