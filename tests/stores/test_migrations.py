"""Rows of the release before that the new constraints would not take, and what the upgrade makes of them."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from tests.shop import NOON

BEFORE = [("stores", "0002_store_changed_at")]
NEWEST = [("stores", "0005_unique_without_case")]


def migrate(targets: list[tuple[str, str]]) -> Any:
    """Migrate the shop's tables there, and return the models as they are then."""
    executor = MigrationExecutor(connection)
    executor.migrate(targets)
    return MigrationExecutor(connection).loader.project_state(targets).apps


@pytest.fixture
def before(transactional_db: None) -> Iterator[Any]:
    """The models of the release before, whose tables are empty."""
    yield migrate(BEFORE)
    migrate(MigrationExecutor(connection).loader.graph.leaf_nodes())


def test_rows_that_differ_in_case_only_are_told_apart_or_merged(before: Any) -> None:
    old = {name: before.get_model("stores", name) for name in ("Store", "Category", "Product", "Coupon")}
    customers, orders = before.get_model("stores", "Customer"), before.get_model("stores", "Order")
    store, other = (old["Store"].objects.create(id=pk, name="S") for pk in (100_000_001, 100_000_002))
    for handle in ("Mug", "mug", "MUG-2", "42", "-_1", "product-42"):
        old["Product"].objects.create(store=store, name="Ä", handle=handle, price=1)
        old["Category"].objects.create(store=store, name="K", handle=handle)
    old["Product"].objects.create(store=other, name="M", handle="mug", price=1)
    for code in ("ÄPFEL", "äpfel", "Äpfel", "x" * 40, "X" * 40):
        old["Coupon"].objects.create(store=store, code=code, kind="percent", value=10, starts_at=NOON)
    people = [customers.objects.create(store=store, name="Ada", email=f"{name}@x.example") for name in "aAb"]
    for number, customer in enumerate(people, start=1590):
        orders.objects.create(
            store=store, customer=customer, number=number, recipient="Ada", subtotal=5, total=5
        )

    now = migrate(NEWEST)
    new = {name: now.get_model("stores", name).objects.order_by("id") for name in (*old, "Customer", "Order")}
    handles = ["Mug", "mug-3", "MUG-2", "product-42-2", "product--_1", "product-42"]
    assert list(new["Product"].filter(store_id=store.pk).values_list("handle", flat=True)) == handles
    assert new["Product"].get(store_id=other.pk).handle == "mug"
    assert len({handle.lower() for handle in new["Category"].values_list("handle", flat=True)}) == 6
    codes = ["ÄPFEL", "äpfel-2", "Äpfel-3", "x" * 40, f"{'X' * 34}-2"]
    assert list(new["Coupon"].values_list("code", flat=True)) == codes
    kept, bob = people[0].pk, people[2].pk
    assert list(new["Customer"].values_list("pk", "email_key")) == [
        (kept, "a@x.example"),
        (bob, "b@x.example"),
    ]
    assert list(new["Order"].values_list("customer_id", flat=True)) == [kept, kept, bob]
    assert "#1590" in new["Order"].first().search_text
    assert new["Product"].first().name_key == "a"
