"""A shop for the tests of the API: rows with their columns set, and a caller who holds a key."""

import json
from datetime import UTC, datetime
from typing import Any

from django.test import Client

from stores.models import Category, Coupon, Customer, Order, OrderLine, Product, Store
from tests.conftest import bearer

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
IMAGE = {size: f"https://cdn.example.com/mug-{size}.jpg" for size in ("sm", "md", "lg")}
PICTURE = {"type": "image", "src": IMAGE}


class Caller:
    """Calls the API of a store with a key; paths begin behind the store's own address."""

    def __init__(self, store: Store, plaintext: str) -> None:
        self.client = Client(headers=bearer(plaintext))
        self.base = f"/v1/stores/{store.pk}"

    def get(self, path: str, query: Any = None) -> Any:
        return self.client.get(self.base + path, query)

    def post(self, path: str, body: Any) -> Any:
        return self.client.post(self.base + path, json.dumps(body), content_type="application/json")

    def patch(self, path: str, body: Any) -> Any:
        return self.client.patch(self.base + path, json.dumps(body), content_type="application/json")

    def delete(self, path: str) -> Any:
        return self.client.delete(self.base + path)


def ids(response: Any) -> list[int]:
    """The ids in a list's answer, in its order."""
    assert response.status_code == 200, response.content
    return [int(row["id"]) for row in response.json()["data"]]


def refused(response: Any) -> dict[str, list[str]]:
    """Return an answer's complaints about what was sent, by field."""
    body: dict[str, Any] = response.json()
    assert (response.status_code, body["code"]) == (400, "invalid"), body
    fields: dict[str, list[str]] = body["fields"]
    return fields


def make_category(store: Store, name: str = "Kitchen", **given: Any) -> Category:
    return Category.objects.create(**{"store": store, "name": name, "handle": name.lower()} | given)


def make_product(store: Store, name: str = "Mug", **given: Any) -> Product:
    return Product.objects.create(
        **{"store": store, "name": name, "handle": name.lower().replace(" ", "-"), "price": 1999} | given
    )


def make_customer(store: Store, name: str = "Ada", **given: Any) -> Customer:
    return Customer.objects.create(
        **{"store": store, "name": name, "email": f"{name.lower()}@example.com"} | given
    )


def make_order(customer: Customer, number: int = 1001, **given: Any) -> Order:
    amounts: dict[str, Any] = {"subtotal": 1000, "shipping": 500, "discount": 100, "tax": 95} | given
    total = amounts["subtotal"] + amounts["shipping"] + amounts["tax"] - amounts["discount"]
    return Order.objects.create(
        store=customer.store,
        customer=customer,
        number=number,
        total=total,
        **{"recipient": customer.name} | amounts,
    )


def make_line(order: Order, *, unit_price: int = 1000, quantity: int = 1, **given: Any) -> OrderLine:
    return OrderLine.objects.create(
        order=order,
        quantity=quantity,
        unit_price=unit_price,
        total=unit_price * quantity,
        **{"name": "Mug"} | given,
    )


def make_coupon(store: Store, code: str = "WELCOME10", **given: Any) -> Coupon:
    return Coupon.objects.create(
        **{"store": store, "code": code, "kind": "percent", "value": 10, "starts_at": NOON} | given
    )
