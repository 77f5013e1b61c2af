"""Customers over HTTP."""

from typing import Any

from stores.models import Store
from tests.shop import NOON, Caller, make_order, refused
from tests.shop import make_customer as make

ADDRESS: dict[str, Any] = {
    "address": "1 Main Street",
    "city": "Springfield",
    "postcode": "12345",
    "state": "Oregon",
    "country": "US",
}


def test_a_customer_is_written_out_in_full(api: Caller, store: Store) -> None:
    ada = make(store, "Ada", phone="+1 555 0100", created_at=NOON, **ADDRESS)
    make_order(ada, 1)
    make_order(ada, 2, subtotal=10**12)
    make_order(ada, 3, status="cancelled")
    make_order(make(store, "Bob"), 4)
    expected = {
        "object": "customer",
        "id": str(ada.pk),
        "name": "Ada",
        "email": "ada@example.com",
        "phone": "+1 555 0100",
        "address": ADDRESS,
        "orders_count": 2,
        "total_spent": 10**12 + 1990,
        "total_spent_formatted": "$10,000,000,019.90",
        "created_at": "2026-11-23T12:00:00Z",
        "updated_at": f"{ada.updated_at:%Y-%m-%dT%H:%M:%SZ}",
    }
    assert api.get(f"/customers/{ada.pk}").json() == expected
    assert expected in api.get("/customers/").json()["data"]


def test_a_customer_can_be_changed_in_part(api: Caller, store: Store) -> None:
    ada = make(store, "Ada", phone="1", **ADDRESS)
    make_order(ada)
    change = {"email": "ada@new.example", "address": {"city": "Salem"}}
    body = api.patch(f"/customers/{ada.pk}", change).json()
    assert (body["name"], body["email"], body["phone"]) == ("Ada", "ada@new.example", "1")
    assert body["address"] == ADDRESS | {"city": "Salem"}
    assert body["orders_count"] == 1
    assert api.get(f"/customers/{ada.pk}").json() == body


WRONG: list[Any] = [
    ({"name": ""}, "name"),
    ({"email": "nobody"}, "email"),
    ({"email": None}, "email"),
    ({"phone": "1" * 41}, "phone"),
    ({"address": "1 Main Street"}, "address.non_field_errors"),
    ({"address": {"country": "USA"}}, "address.country"),
    ({"address": {"zip": "12345"}}, "address.zip"),
    ({"city": "Salem"}, "city"),
    ({"orders_count": 7}, "orders_count"),
    ({"store": 518203746}, "store"),
]


def test_what_is_wrong_is_named(api: Caller, store: Store) -> None:
    ada = make(store, "Ada")
    for change, field in WRONG:
        assert list(refused(api.patch(f"/customers/{ada.pk}", {"name": "Changed"} | change))) == [field]
    ada.refresh_from_db()
    assert ada.name == "Ada"
