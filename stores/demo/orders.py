"""What the customers of the demo stores have bought in the last twelve months, up to this minute."""

import random
from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import cached_property
from itertools import accumulate, islice

from django.db.models import F

from stores.demo.catalogue import Shop
from stores.demo.people import digits
from stores.models import Customer, Order, OrderLine, Product, Store

ORDERS_AT_ONCE = 4_000
FIRST_NUMBER = 1001
DAYS = 365

BUSY = (1.2, 1.0, 0.9, 0.95, 1.0, 1.3, 1.5)  # from Monday: people shop on Sundays
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

# How long after it was placed an order of this status was last touched.
TOUCHED_AFTER = {
    Order.Status.PENDING: timedelta(0),
    Order.Status.PROCESSING: timedelta(hours=12),
    Order.Status.SHIPPED: timedelta(days=2),
    Order.Status.COMPLETED: timedelta(days=6),
    Order.Status.CANCELLED: timedelta(hours=8),
}


@dataclass(frozen=True)
class Till:
    """All that ringing up an order takes: products the most popular first, customers as they joined."""

    store: Store
    shop: Shop
    products: list[Product]
    customers: list[Customer]
    now: datetime
    rng: random.Random

    @cached_property
    def joined(self) -> list[datetime]:
        return [customer.created_at for customer in self.customers]


def sell(till: Till, number: int) -> None:
    """Write this many orders, a batch at a time, so that a million take no more memory than a thousand."""
    placed = (
        order_with_lines(till, FIRST_NUMBER + index, at)
        for index, at in enumerate(order_times(number, now=till.now, rng=till.rng))
    )
    while batch := list(islice(placed, ORDERS_AT_ONCE)):
        Order.objects.bulk_create(order for order, _ in batch)
        OrderLine.objects.bulk_create(line for _, lines in batch for line in lines)
    for status, delay in TOUCHED_AFTER.items():
        Order.objects.for_store(till.store).filter(status=status).update(updated_at=F("created_at") + delay)


def order_times(number: int, *, now: datetime, rng: random.Random) -> Iterator[datetime]:
    """So many moments of the last twelve months, the oldest first: growing, and with a weekly rhythm."""
    midnight = datetime.combine(now.date(), time.min, UTC)
    days = [midnight - timedelta(days=ago) for ago in reversed(range(DAYS))]
    lengths = [min(now - day, timedelta(days=1)) for day in days]
    weights = [
        BUSY[day.weekday()] * (1 + (GROWTH - 1) * index / DAYS) * (length / timedelta(days=1))
        for index, (day, length) in enumerate(zip(days, lengths, strict=True))
    ]
    upto = [round(number * weight / sum(weights)) for weight in accumulate(weights)]
    for day, length, before, after in zip(days, lengths, [0, *upto], upto, strict=False):
        yield from sorted(day + length * rng.triangular(0, 1, 0.7) for _ in range(after - before))


def order_with_lines(till: Till, number: int, at: datetime) -> tuple[Order, list[OrderLine]]:
    """An order placed at this moment, and what is in it; neither is saved."""
    rng = till.rng
    customer = till.customers[int(bisect(till.joined, at) * rng.random())]
    lines = [line_of(product, rng) for product in basket(till, at)]
    status, payment_status = standing(till.now - at, rng)
    order = Order(
        store_id=till.store.pk,
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
        tracking_number=tracking_number(till.shop, status, rng),
        note=rng.choice(NOTES) if rng.random() < 0.09 else "",
        created_at=at,
        **amounts(till.shop, lines, at_home=customer.country == till.shop.home, rng=rng),
    )
    for line in lines:
        line.order = order
    return order, lines


def basket(till: Till, at: datetime) -> list[Product]:
    """One to four different products that were on sale at this moment, popular ones more often."""
    rng = till.rng
    chosen = {
        till.products[int(len(till.products) * rng.random() ** 1.7)].pk
        for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 4)))
    }
    return [product for product in till.products if product.pk in chosen and product.created_at <= at] or [
        next(product for product in till.products if product.created_at <= at)
    ]


def line_of(product: Product, rng: random.Random) -> OrderLine:
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


def amounts(shop: Shop, lines: list[OrderLine], *, at_home: bool, rng: random.Random) -> dict[str, int]:
    """What an order comes to: some have a tenth off, large ones travel free, tax is for people at home."""
    subtotal = sum(line.total for line in lines)
    discount = subtotal // 10 if rng.random() < 0.14 else 0
    shipping = 0 if subtotal >= shop.free_shipping_from else shop.shipping * (1 if at_home else 2)
    tax = (subtotal - discount) * shop.tax // 1000 if at_home else 0
    return {
        "subtotal": subtotal,
        "shipping": shipping,
        "discount": discount,
        "tax": tax,
        "total": subtotal + shipping + tax - discount,
    }


def standing(age: timedelta, rng: random.Random) -> tuple[Order.Status, Order.PaymentStatus]:
    """How an order of this age stands. Every status is due later than TOUCHED_AFTER says."""
    luck = rng.random()
    days = age / timedelta(days=1)
    if luck < 0.04 and days > 1:
        refunded = luck < 0.025
        return (
            Order.Status.CANCELLED,
            Order.PaymentStatus.REFUNDED if refunded else Order.PaymentStatus.UNPAID,
        )
    pace = days * rng.uniform(0.7, 1.4)
    if pace < 1:
        return Order.Status.PENDING, Order.PaymentStatus.UNPAID if luck < 0.4 else Order.PaymentStatus.PAID
    if pace < 3:
        return Order.Status.PROCESSING, Order.PaymentStatus.PAID
    if pace < 9:
        return Order.Status.SHIPPED, Order.PaymentStatus.PAID
    returned = luck > 0.97
    return Order.Status.COMPLETED, Order.PaymentStatus.REFUNDED if returned else Order.PaymentStatus.PAID


def tracking_number(shop: Shop, status: Order.Status, rng: random.Random) -> str:
    """Empty until the parcel is on its way."""
    shipped = status in {Order.Status.SHIPPED, Order.Status.COMPLETED}
    return digits(f"{shop.sku}#########{shop.home}", rng) if shipped else ""
