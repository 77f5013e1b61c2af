"""The orders of the demo stores in the last twelve months, up to this minute."""

import random
from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import cached_property
from itertools import accumulate, islice
from typing import Any

from django.db.models import F

from stores.models import Customer, Order, OrderLine, Product, Store

BATCH_SIZE = 4_000
FIRST_ORDER_NUMBER = 1001
DAYS = 365

WEEKDAY_WEIGHTS = (1.2, 1.0, 0.9, 0.95, 1.0, 1.3, 1.5)  # from Monday: most orders come on Sundays
GROWTH = 2.2  # times as many orders a day at the end of the year as at its start

NOTES = (
    "Please leave the parcel on the porch, the dog is all talk.",
    "It is a birthday present: no invoice in the box, please.",
    "Ring twice, the first time never works.",
    "Could you pack it without plastic?",
    "Needed by the weekend if at all possible.",
    "The neighbors at number 12 take parcels for us.",
    "Second try, the last one came back to you.",
)

# How long after it was placed an order of this status was last updated.
UPDATED_AFTER = {
    Order.Status.PENDING: timedelta(0),
    Order.Status.PROCESSING: timedelta(hours=12),
    Order.Status.SHIPPED: timedelta(days=2),
    Order.Status.COMPLETED: timedelta(days=6),
    Order.Status.CANCELLED: timedelta(hours=8),
}


@dataclass(frozen=True)
class OrderContext:
    """The material of orders: products, the most popular first, and customers in the order they joined."""

    store: Store
    demo: dict[str, Any]
    products: list[Product]
    customers: list[Customer]
    now: datetime
    rng: random.Random

    @cached_property
    def join_times(self) -> list[datetime]:
        return [customer.created_at for customer in self.customers]


def create_orders(context: OrderContext, number: int) -> None:
    """Create this many orders in batches, so that a million take no more memory than a thousand."""
    placed = (
        build_order(context, FIRST_ORDER_NUMBER + index, at)
        for index, at in enumerate(generate_order_times(number, now=context.now, rng=context.rng))
    )
    while batch := list(islice(placed, BATCH_SIZE)):
        Order.objects.bulk_create(order for order, _ in batch)
        OrderLine.objects.bulk_create(line for _, lines in batch for line in lines)
    for status, delay in UPDATED_AFTER.items():
        Order.objects.for_store(context.store).filter(status=status).update(
            updated_at=F("created_at") + delay
        )


def generate_order_times(number: int, *, now: datetime, rng: random.Random) -> Iterator[datetime]:
    """Yield this many times of the last twelve months, oldest first: growing, and in a weekly rhythm."""
    midnight = datetime.combine(now.date(), time.min, UTC)
    days = [midnight - timedelta(days=ago) for ago in reversed(range(DAYS))]
    lengths = [min(now - day, timedelta(days=1)) for day in days]
    weights = [
        WEEKDAY_WEIGHTS[day.weekday()] * (1 + (GROWTH - 1) * index / DAYS) * (length / timedelta(days=1))
        for index, (day, length) in enumerate(zip(days, lengths, strict=True))
    ]
    cumulative = [round(number * weight / sum(weights)) for weight in accumulate(weights)]
    for day, length, before, after in zip(days, lengths, [0, *cumulative], cumulative, strict=False):
        yield from sorted(day + length * rng.triangular(0, 1, 0.7) for _ in range(after - before))


def build_order(context: OrderContext, number: int, at: datetime) -> tuple[Order, list[OrderLine]]:
    """Return an order placed at this time, and its lines; neither is saved."""
    rng = context.rng
    customer = context.customers[int(bisect(context.join_times, at) * rng.random())]
    lines = [build_line(product, rng) for product in choose_products(context, at)]
    status, payment_status = choose_statuses(context.now - at, rng)
    order = Order(
        store_id=context.store.pk,
        number=number,
        customer_id=customer.pk,
        status=status,
        payment_status=payment_status,
        recipient=customer.name,
        address=customer.address,
        city=customer.city,
        postcode=customer.postcode,
        state=customer.state,
        country=customer.country,
        tracking_number=build_tracking_number(context.demo, status, rng),
        note=rng.choice(NOTES) if rng.random() < 0.09 else "",
        created_at=at,
        **calculate_amounts(
            context.demo, lines, is_domestic=customer.country == context.demo["home_country"], rng=rng
        ),
    )
    for line in lines:
        line.order = order
    return order, lines


def choose_products(context: OrderContext, at: datetime) -> list[Product]:
    """Return one to four products that existed at this time, popular ones more often."""
    rng = context.rng
    chosen = {
        context.products[int(len(context.products) * rng.random() ** 1.7)].pk
        for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 4)))
    }
    return [product for product in context.products if product.pk in chosen and product.created_at <= at] or [
        next(product for product in context.products if product.created_at <= at)
    ]


def build_line(product: Product, rng: random.Random) -> OrderLine:
    variants = product.variants.all()
    variant = rng.choice(variants) if variants else None
    bought = variant or product
    wanted = rng.choice((1, 1, 1, 1, 2, 3))
    quantity = max(product.min_quantity, min(wanted, product.max_quantity or wanted))
    return OrderLine(
        store_id=product.store_id,
        product_id=product.pk,
        variant_id=variant.pk if variant else None,
        name=f"{product.name}, {variant.name}" if variant else product.name,
        sku=bought.sku,
        quantity=quantity,
        unit_price=bought.price,
        total=bought.price * quantity,
    )


def calculate_amounts(
    demo: dict[str, Any], lines: list[OrderLine], *, is_domestic: bool, rng: random.Random
) -> dict[str, int]:
    """Return the amounts of an order: some have a discount, large ones ship free, abroad there is no tax."""
    subtotal = sum(line.total for line in lines)
    discount = subtotal // 10 if rng.random() < 0.14 else 0
    shipping = 0 if subtotal >= demo["free_shipping_from"] else demo["shipping"] * (1 if is_domestic else 2)
    tax = (subtotal - discount) * demo["tax_per_mille"] // 1000 if is_domestic else 0
    return {
        "subtotal": subtotal,
        "shipping": shipping,
        "discount": discount,
        "tax": tax,
        "total": subtotal + shipping + tax - discount,
    }


def choose_statuses(age: timedelta, rng: random.Random) -> tuple[Order.Status, Order.PaymentStatus]:
    """Return the statuses of an order of this age. Every status is due later than UPDATED_AFTER says."""
    chance = rng.random()
    days = age / timedelta(days=1)
    if chance < 0.04 and days > 1:
        refunded = chance < 0.025
        return (
            Order.Status.CANCELLED,
            Order.PaymentStatus.REFUNDED if refunded else Order.PaymentStatus.UNPAID,
        )
    pace = days * rng.uniform(0.7, 1.4)
    if pace < 1:
        return Order.Status.PENDING, Order.PaymentStatus.UNPAID if chance < 0.4 else Order.PaymentStatus.PAID
    if pace < 3:
        return Order.Status.PROCESSING, Order.PaymentStatus.PAID
    if pace < 9:
        return Order.Status.SHIPPED, Order.PaymentStatus.PAID
    returned = chance > 0.97
    return Order.Status.COMPLETED, Order.PaymentStatus.REFUNDED if returned else Order.PaymentStatus.PAID


def build_tracking_number(demo: dict[str, Any], status: Order.Status, rng: random.Random) -> str:
    """Return a tracking number; it is empty until the parcel is on its way."""
    shipped = status in {Order.Status.SHIPPED, Order.Status.COMPLETED}
    return fill_digits(f"{demo['sku_prefix']}#########{demo['home_country']}", rng) if shipped else ""


def fill_digits(pattern: str, rng: random.Random) -> str:
    """Return the pattern with a random digit for each #."""
    return "".join(str(rng.randrange(10)) if character == "#" else character for character in pattern)
