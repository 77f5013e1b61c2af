"""A shop with specimens of every kind: one with all its fields filled in, one with as few as can be."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import models, transaction

from stores.api.categories import CategoryViewSet
from stores.api.coupons import CouponViewSet
from stores.api.customers import CustomerViewSet
from stores.api.orders import OrderViewSet
from stores.api.products import ProductViewSet
from stores.models import Store
from stores.resources import Resource
from tests.shop import (
    IMAGE,
    NOON,
    make_category,
    make_coupon,
    make_customer,
    make_line,
    make_order,
    make_product,
)

VIEWS: list[Any] = [ProductViewSet, CategoryViewSet, OrderViewSet, CustomerViewSet, CouponViewSet]


@dataclass(frozen=True)
class Specimens:
    """The ids of the shop's rows by resource, that of the fullest first."""

    store: Store
    ids: dict[Resource, list[int]]

    def fill(self, path: str, resource: Resource | None) -> str:
        """An address that leads somewhere, from one with ``{store_id}`` and ``{id}`` in it."""
        return path.format(store_id=self.store.pk, id=self.ids[resource][0] if resource else None)


def make_specimens(store: Store) -> Specimens:
    kitchen = make_category(store, "Kitchen", description="For cooks.")
    mugs = make_category(store, "Mugs", parent=kitchen)

    mug = make_product(
        store,
        excerpt="Keeps warm.",
        description="Stoneware.\n\nDishwasher-safe.",
        promo_badge="New",
        sku="MUG",
        original_price=2499,
        media=[IMAGE],
        option_name="Size",
        max_quantity=5,
    )
    mug.categories.set([mugs], through_defaults={"store": store})
    small = mug.variants.create(name="Small", sku="MUG-S", price=1999, original_price=2499, quantity=3)
    mug.variants.create(name="Large", price=2499)
    gift = make_product(store, "Gift card", inventory_type="infinite")

    ada = make_customer(
        store,
        phone="+1 555 0100",
        address="1 Main St",
        city="Springfield",
        postcode="1",
        state="OR",
        country="US",
    )
    bob = make_customer(store, "Bob")
    full = make_order(ada, tracking_number="1Z999", note="Ring twice.", city="Springfield", country="US")
    make_line(full, product=mug, variant=small, sku="MUG-S")
    make_line(full, name="Deleted since")
    bare = make_order(bob, 1002)

    welcome = make_coupon(store, ends_at=NOON + timedelta(days=30), usage_limit=100)
    free = make_coupon(store, "FREE", kind="free_shipping", value=0)
    return Specimens(
        store,
        {
            Resource.PRODUCTS: pks(mug, gift),
            Resource.CATEGORIES: pks(kitchen, mugs),
            Resource.ORDERS: pks(full, bare),
            Resource.CUSTOMERS: pks(ada, bob),
            Resource.COUPONS: pks(welcome, free),
        },
    )


def pks(*rows: models.Model) -> list[Any]:
    return [row.pk for row in rows]


@contextmanager
def undone() -> Iterator[None]:
    """Takes back whatever is done to the database inside."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
