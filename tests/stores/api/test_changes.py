"""The feed of changes: each is told once, in one order, to whoever may read the object."""

import random
import threading
import time
from base64 import urlsafe_b64encode
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apikeys.usage import retention
from stores.models import Change, Product, Store
from tests.conftest import IssueKey
from tests.shop import Caller, make_category, make_coupon, make_customer, make_product, refused

# What a transaction that still runs has written is in no feed.
pytestmark = pytest.mark.django_db(transaction=True)


def await_settled() -> None:
    """Wait for older transactions to end: those of tests that use the same server at the same time."""
    for _ in range(1200):
        if not Change.objects.exclude(pk__in=Change.objects.settled()).exists():
            return
        time.sleep(0.1)
    raise AssertionError("Some transaction has been running for two minutes.")


# The resource, the object's id and the event of each change, and the cursor to go on from.
Told = tuple[list[tuple[str, int, str]], str]


def read_on(api: Caller, cursor: str = "", **query: Any) -> Told:
    """Read the feed once all of it can be read."""
    await_settled()
    return poll(api, cursor, **query)


def poll(api: Caller, cursor: str, **query: Any) -> Told:
    """Read the feed as far as it can be read now."""
    told: list[tuple[str, int, str]] = []
    while True:
        response = api.get("/changes/", {"cursor": cursor, **query})
        assert response.status_code == 200, response.content
        body = response.json()
        told += [(each["resource"], int(each["id"]), each["event"]) for each in body["data"]]
        cursor = body["next_cursor"]
        if not body["has_more"]:
            return told, cursor


def test_changes_tells_what_was_created_updated_and_deleted(api: Caller, store: Store) -> None:
    mug = api.post("/products", {"name": "Mug", "price": 1}).json()
    api.patch(f"/products/{mug['id']}", {"price": 2})
    api.patch(f"/products/{mug['id']}", {"price": 2})
    api.delete(f"/products/{mug['id']}")
    coupon = make_coupon(store)
    pk = int(mug["id"])
    expected = [("products", pk, event) for event in ("created", "updated", "deleted")]
    expected.append(("coupons", coupon.pk, "created"))
    assert read_on(api)[0] == read_on(api, perpage=1)[0] == read_on(api, perpage=4)[0] == expected
    at = f"{Change.objects.get(resource='coupons').at:%Y-%m-%dT%H:%M:%SZ}"
    told = {"object": "change", "resource": "coupons", "id": str(coupon.pk), "event": "created", "at": at}
    assert api.get("/changes", {"resource": "coupons"}).json()["data"] == [told]


def test_changes_tells_of_subcategories_that_go_with_their_parent(api: Caller, store: Store) -> None:
    kitchen = make_category(store)
    mugs = make_category(store, "Mugs", parent=kitchen)
    _, cursor = read_on(api)
    api.delete(f"/categories/{kitchen.pk}?subcategories=delete")
    assert sorted(read_on(api, cursor)[0]) == [("categories", pk, "deleted") for pk in (kitchen.pk, mugs.pk)]


def test_changes_tells_of_rows_that_are_written_together(api: Caller, store: Store) -> None:
    rows = [Product(store=store, name=name, handle=name, price=1) for name in ("mug", "cup", "jug")]
    pks = sorted(product.pk for product in Product.objects.bulk_create(rows))
    cursor = read_on(api)[1]
    assert read_on(api)[0] == [("products", pk, "created") for pk in pks]
    before = {product.pk: product.updated_at for product in Product.objects.all()}
    Product.objects.filter(name__in=("mug", "cup")).update(price=2)
    Product.objects.bulk_update(Product.objects.filter(name="jug"), ["price"])
    told, _ = read_on(api, cursor)
    assert Counter(told) == Counter(("products", pk, "updated") for pk in pks)
    assert all(product.updated_at > before[product.pk] for product in Product.objects.all())


def test_changes_goes_on_where_it_was_left_and_is_304_while_idle(api: Caller, store: Store) -> None:
    make_customer(store)
    _, cursor = read_on(api)
    idle = api.get("/changes", {"cursor": cursor})
    assert idle.json() == {"data": [], "next_cursor": cursor, "has_more": False}
    again = {"HTTP_IF_NONE_MATCH": idle["ETag"]}
    assert api.client.get(f"{api.base}/changes", {"cursor": cursor}, **again).status_code == 304
    coupon = make_coupon(store)
    await_settled()
    response = api.client.get(f"{api.base}/changes", {"cursor": cursor}, **again)
    assert [change["id"] for change in response.json()["data"]] == [str(coupon.pk)]


@pytest.mark.usefixtures("patient")
def test_an_idle_poll_is_the_key_check_and_one_read_of_an_index(api: Caller, store: Store) -> None:
    make_customer(store), make_coupon(store)
    _, cursor = read_on(api)
    with CaptureQueriesContext(connection) as queries:
        assert api.get("/changes", {"cursor": cursor}).json()["data"] == []
    key_check, read = (query["sql"] for query in queries)
    assert "apikeys_apikey" in key_check
    with transaction.atomic(), connection.cursor() as database:
        if connection.vendor == "postgresql":
            database.execute("SET LOCAL enable_seqscan = off")  # so few rows need no index
        explain = "EXPLAIN" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
        database.execute(f"{explain} {read}")
        assert "change_place_in_store" in str(database.fetchall())


def test_changes_leaves_out_what_the_key_may_not_read(
    store: Store, other_store: Store, issue: IssueKey, api: Caller
) -> None:
    make_customer(store), make_product(store), make_product(other_store)
    shopkeeper = Caller(store, issue(access=["products:write"])[1])
    assert [resource for resource, _, _ in read_on(shopkeeper)[0]] == ["products"]
    response = shopkeeper.get("/changes", {"resource": "customers"})
    assert (response.status_code, response.json()["required"]) == (401, "customers:read")
    assert refused(api.get("/changes", {"resource": "carts"}))["resource"][0].startswith("Must be one of ")


def test_changes_refuses_a_cursor_that_is_none(api: Caller) -> None:
    for place in ("x", "[1,2,3]", '["a",1]', "[1e999,1]", f"[{2**63},1]", "[-1,1]", "[[[[", "{}"):
        cursor = urlsafe_b64encode(place.encode()).decode()
        for text in (cursor, place, f"é{cursor}"):
            assert list(refused(api.get("/changes", {"cursor": text}))) == ["cursor"], text


def test_changes_are_kept_for_30_days(api: Caller, store: Store) -> None:
    make_coupon(store), make_customer(store)
    await_settled()
    first = api.get("/changes", {"perpage": 1}).json()["next_cursor"]
    Change.objects.filter(resource="coupons").update(at=timezone.now() - timedelta(days=30, seconds=1))
    retention.delete_old_changes()
    response = api.get("/changes", {"cursor": first})
    assert (response.status_code, response.json()["code"]) == (410, "cursor_expired")
    assert [resource for resource, _, _ in read_on(api)[0]] == ["customers"]


WRITERS, ROUNDS = 8, 25


def test_changes_misses_nothing_and_repeats_nothing_while_writers_overlap(
    api: Caller, store: Store, settings: Any
) -> None:
    """Each transaction lasts for a random number of polls, and some are taken back."""
    settings.RATE_LIMIT_PER_KEY = 10**9
    # SQLite has one writer at a time, and a poll that counts a request would wait for it.
    lengths = range(4) if connection.vendor == "postgresql" else [0]
    done: list[tuple[str, int, str]] = []
    polled = threading.Condition()
    polls = 0

    def await_polls(number: int) -> None:
        with polled:
            end = polls + number
            assert polled.wait_for(lambda: polls >= end, timeout=60)

    def write(seed: int) -> None:
        rng = random.Random(seed)
        for number in range(ROUNDS):
            with transaction.atomic():
                product = make_product(store, f"W{seed} {number}")
                events = ["created"]
                if rng.random() < 0.5:
                    product.save()
                    events.append("updated")
                changes = [("products", product.pk, event) for event in events]
                await_polls(rng.choice(lengths))
                if rng.random() < 0.2:
                    transaction.set_rollback(True)
                else:
                    done.extend(changes)
        connection.close()

    threads = [threading.Thread(target=write, args=(seed,)) for seed in range(WRITERS)]
    for thread in threads:
        thread.start()
    told: list[tuple[str, int, str]] = []
    cursor = ""
    is_over = False
    while not is_over:
        is_over = not any(thread.is_alive() for thread in threads)
        found, cursor = (read_on if is_over else poll)(api, cursor, perpage=7)
        told += found
        with polled:
            polls += 1
            polled.notify_all()
    assert Counter(told) == Counter(done)
    assert {pk for _, pk, _ in told} == set(Product.objects.values_list("pk", flat=True))
