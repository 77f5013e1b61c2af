"""Orders, customers and coupons over HTTP: their wire format, and what can be changed of them."""

from typing import Any

from stores.models import Store
from tests.shop import NOON, Caller, make_customer, make_line, make_order, make_product

ADDRESS: dict[str, Any] = {
    "address": "1 Main Street",
    "city": "Springfield",
    "postcode": "12345",
    "state": "Oregon",
    "country": "US",
}


def in_utc(time: Any) -> str:
    return f"{time:%Y-%m-%dT%H:%M:%SZ}"


def test_an_order_is_written_out_in_full(api: Caller, store: Store) -> None:
    customer = make_customer(store, "Ada", phone="+1 555 0100")
    texts: dict[str, Any] = {"tracking_number": "TRACK-1", "note": "Leave it at the door."}
    statuses: dict[str, Any] = {"status": "shipped", "payment_status": "paid"}
    order = make_order(customer, recipient="Ada's mother", created_at=NOON, **ADDRESS, **texts, **statuses)
    mug = make_product(store)
    blue = mug.variants.create(name="Blue", price=250)
    sold: dict[str, Any] = {"name": "Mug, blue", "sku": "MUG-B", "quantity": 2, "unit_price": 250}
    lost: dict[str, Any] = {"name": "Gone since", "sku": "", "quantity": 1, "unit_price": 500}
    make_line(order, product=mug, variant=blue, **sold)
    make_line(order, **lost)
    ids = {"product_id": str(mug.pk), "variant_id": str(blue.pk)}
    amounts = {"subtotal": 1000, "shipping": 500, "discount": 100, "tax": 95, "total": 1495}
    assert api.get(f"/orders/{order.pk}").json() == {
        "object": "order",
        "id": str(order.pk),
        "number": 1001,
        **statuses,
        "currency": {"code": "USD", "name": "US Dollar", "zero_decimal": False},
        **amounts,
        **{f"{name}_formatted": f"${amount / 100:.2f}" for name, amount in amounts.items()},
        "customer": {
            "id": str(customer.pk),
            "name": "Ada",
            "email": "ada@example.com",
            "phone": "+1 555 0100",
        },
        "shipping_address": {"name": "Ada's mother", **ADDRESS},
        "line_items": [ids | sold | {"total": 500}, dict.fromkeys(ids) | lost | {"total": 500}],
        **texts,
        "created_at": "2026-11-23T12:00:00Z",
        "updated_at": in_utc(order.updated_at),
    }


def test_a_customer_is_written_out_in_full_and_changed_in_part(api: Caller, store: Store) -> None:
    ada = make_customer(store, "Ada", phone="+1 555 0100", created_at=NOON, **ADDRESS)
    make_order(ada, 1), make_order(ada, 2, subtotal=10**12), make_order(ada, 3, status="cancelled")
    make_order(make_customer(store, "Bob"), 4, status="cancelled")
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
        "updated_at": in_utc(ada.updated_at),
    }
    assert api.get(f"/customers/{ada.pk}").json() == expected
    bob, listed = api.get("/customers/").json()["data"]
    assert (listed, bob["orders_count"], bob["total_spent"]) == (expected, 0, 0)
    change = {"email": "ada@new.example", "address": {"city": "Salem"}}
    body = api.patch(f"/customers/{ada.pk}", change).json()
    del body["updated_at"], expected["updated_at"]
    assert body == expected | change | {"address": ADDRESS | {"city": "Salem"}}


def test_a_coupon_is_written_out_in_full_changed_in_part_and_deleted(api: Caller) -> None:
    sent = {
        "code": "SUMMER",
        "kind": "fixed",
        "value": 500,
        "minimum": 2000,
        "starts_at": "0001-06-01T00:00:00Z",
        "ends_at": "2120-09-01T00:00:00Z",
        "usage_limit": 100,
    }
    body = api.post("/coupons/", sent).json()
    path = f"/coupons/{body['id']}"
    assert api.get(path).json() == body
    assert api.get("/coupons/").json()["data"] == [body]
    others = {name: body[name] for name in ("id", "created_at", "updated_at")}
    assert body == others | {"object": "coupon", **sent, "times_used": 0, "active": True}
    body = api.patch(path, {"value": 25, "ends_at": "2027-01-01T01:00:00+01:00"}).json()
    assert (body["code"], body["value"], body["ends_at"]) == ("SUMMER", 25, "2027-01-01T00:00:00Z")
    assert api.delete(path).status_code == 204
    assert api.get(path).status_code == 404
