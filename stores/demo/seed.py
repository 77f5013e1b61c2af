"""Fill the demo stores: believable, the same every day, and with as many orders as a measurement needs."""

import json
import random
import re
from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Least
from django.utils import timezone
from django.utils.text import slugify

from stores.models import (
    Address,
    Category,
    Coupon,
    Customer,
    Order,
    OrderLine,
    OrderStatus,
    PaymentStatus,
    Product,
    Store,
)

YEAR = timedelta(days=365)
BATCH_SIZE = 4_000
FIRST_ORDER_NUMBER = 1001
CUSTOMERS_PER_ORDER = 0.05
PICTURE_WIDTHS = {"sm": 320, "md": 800, "lg": 1600}
# An order's statuses, and the days after which it has each next one.
STATUSES = (OrderStatus.PENDING, OrderStatus.PROCESSING, OrderStatus.SHIPPED, OrderStatus.COMPLETED)
STATUS_DAYS = (1, 3, 9)


def seed(*, orders: int = 600) -> tuple[Store, Store]:
    """Create the two demo stores, the first with this many orders. A store that exists stays as it is."""
    northwood, kobo = load("northwood"), load("kobo")
    return get_or_create_store(northwood, orders=orders), get_or_create_store(kobo, orders=60)


def load(name: str) -> Any:
    return json.loads((Path(__file__).parent / f"{name}.json").read_text(encoding="utf-8"))


@transaction.atomic
def get_or_create_store(demo: dict[str, Any], *, orders: int) -> Store:
    if store := Store.objects.filter(pk=demo["id"]).first():
        return store
    now = timezone.now()
    store = Store.objects.create(
        id=demo["id"], name=demo["name"], currency=demo["currency"], created_at=now - 2 * YEAR
    )
    email = demo["owner"]
    # A new owner has no password until somebody sets it.
    store.owners.add(User.objects.filter(email=email).first() or User.objects.create_user(email, email))
    # The same every time is the point.
    Seed(store, demo, now, random.Random(demo["id"])).create(orders)  # noqa: S311
    return store


@dataclass(frozen=True)
class Seed:
    """A store that is being filled from its JSON file."""

    store: Store
    demo: dict[str, Any]
    now: datetime
    rng: random.Random

    def create(self, orders: int) -> None:
        self.create_coupons()
        products = self.create_products()
        customers = self.create_customers(max(self.demo["customers"], int(orders * CUSTOMERS_PER_ORDER)))
        placed = (
            self.build_order(FIRST_ORDER_NUMBER + index, at, products, customers)
            for index, at in enumerate(self.generate_times(orders))
        )
        # In batches, so that a million take no more memory than a thousand.
        while batch := list(islice(placed, BATCH_SIZE)):
            Order.objects.bulk_create(order for order, _ in batch)
            OrderLine.objects.bulk_create(line for _, lines in batch for line in lines)
        for model in (Product, Order):
            updated_at = Least(F("created_at") + timedelta(days=2), Value(self.now))
            model.objects.filter(store=self.store).update(updated_at=updated_at)

    def generate_times(self, number: int) -> Iterator[datetime]:
        """Yield so many times of the last year, the oldest first: the newer, the denser."""
        for index in range(number):
            yield self.now - YEAR * (1 - index / number) ** 1.5

    def create_coupons(self) -> None:
        """Create coupons. ``starts_in`` and ``ends_in`` are days from now."""
        for coupon in self.demo["coupons"]:
            starts_at = self.now + timedelta(days=coupon.pop("starts_in"))
            ends_in = coupon.pop("ends_in", None)
            Coupon.objects.create(
                store=self.store,
                starts_at=starts_at,
                ends_at=None if ends_in is None else self.now + timedelta(days=ends_in),
                created_at=min(starts_at, self.now) - timedelta(days=3),
                **coupon,
            )

    def create_products(self) -> list[Product]:
        """Create categories, each after its parent, and what is in them; return the products by age."""
        categories: dict[str, Category] = {}
        for position, category in enumerate(self.demo["categories"]):
            name = category["name"]
            categories[name] = Category.objects.create(
                store=self.store,
                parent=categories.get(category["parent"]),
                handle=slugify(name),
                name=name,
                description=category["description"],
                position=position,
            )
            for item in category["products"]:
                self.create_product(item, categories[name])
        return list(self.store.products.prefetch_related("variants").order_by("created_at"))

    def create_product(self, item: dict[str, Any], category: Category) -> None:
        """Create a product with its columns in ``item``: ``age`` in days, and as many ``pictures``."""
        variants = item.pop("variants", [])
        position = self.store.products.count()
        handle = slugify(item["name"])
        picture = f"https://images.example/{slugify(self.store.name)}/{handle}"
        product = Product.objects.create(
            store=self.store,
            handle=handle,
            sku=f"{self.demo['sku_prefix']}-{1000 + 10 * position}",
            media=[
                {size: f"{picture}-{number}-{width}.webp" for size, width in PICTURE_WIDTHS.items()}
                for number in range(1, item.pop("pictures") + 1)
            ],
            position=position,
            created_at=self.now - timedelta(days=item.pop("age"), hours=7),
            description=item["excerpt"],
            **item,
        )
        product.categories.add(category, through_defaults={"store": self.store})
        # A variant costs what its product does unless it has a price of its own.
        prices = {"price": product.price, "original_price": product.original_price}
        for number, variant in enumerate(variants, start=1):
            product.variants.create(sku=f"{product.sku}-{number}", position=number, **(prices | variant))

    def create_customers(self, number: int) -> list[Customer]:
        """Create customers in the order in which they joined, half of them from the store's country."""
        countries = load("countries")
        at_home = [country for country in countries if country["code"] == self.demo["home_country"]]
        choose = self.rng.choice
        customers = []
        for index, at in enumerate(self.generate_times(number)):
            country = choose(choose((at_home, countries)))
            name = f"{choose(country['first_names'])} {choose(country['last_names'])}"
            city, state, postcode = choose(country["cities"])
            house = {"number": self.rng.randint(1, 240), "street": choose(country["streets"])}
            customers.append(
                Customer(
                    store=self.store,
                    name=name,
                    email=f"{slugify(name).replace('-', '.')}{index}@example.{choose(('com', 'org', 'net'))}",
                    phone=self.fill_digits(country["phone"]) if self.rng.random() < 0.9 else "",
                    address=country["address"].format(**house),
                    city=city,
                    postcode=self.fill_digits(postcode),
                    state=state,
                    country=country["code"],
                    created_at=at,
                )
            )
        return Customer.objects.bulk_create(customers, batch_size=BATCH_SIZE)

    def build_order(
        self, number: int, at: datetime, products: list[Product], customers: list[Customer]
    ) -> tuple[Order, list[OrderLine]]:
        """Return an order placed at this time, and its lines; neither is saved.

        Some have a discount, large ones ship free, abroad there is no tax.
        """
        customer = self.choose_older(customers, at)
        bought = {self.choose_older(products, at) for _ in range(self.rng.choice((1, 1, 1, 2, 2, 3, 4)))}
        lines = [self.build_line(product) for product in sorted(bought, key=lambda product: product.pk)]
        is_domestic = customer.country == self.demo["home_country"]
        subtotal = sum(line.total for line in lines)
        discount = subtotal // 10 if self.rng.random() < 0.14 else 0
        ships_free = subtotal >= self.demo["free_shipping_from"]
        shipping = 0 if ships_free else self.demo["shipping"] * (1 if is_domestic else 2)
        tax = (subtotal - discount) * self.demo["tax_per_mille"] // 1000 if is_domestic else 0
        status, payment_status = self.choose_statuses((self.now - at) / timedelta(days=1))
        is_sent = status in {OrderStatus.SHIPPED, OrderStatus.COMPLETED}
        order = Order(
            store=self.store,
            number=number,
            customer=customer,
            status=status,
            payment_status=payment_status,
            recipient=customer.name,
            **{field.name: getattr(customer, field.name) for field in Address._meta.fields},
            tracking_number=self.fill_digits(f"{self.demo['sku_prefix']}#########") if is_sent else "",
            note=self.rng.choice(self.demo["notes"]) if self.rng.random() < 0.09 else "",
            created_at=at,
            subtotal=subtotal,
            shipping=shipping,
            discount=discount,
            tax=tax,
            total=subtotal + shipping + tax - discount,
        )
        for line in lines:
            line.order = order
        return order, lines

    def choose_older(self, rows: list[Any], at: datetime) -> Any:
        """Choose one of the rows, the oldest of which come first, that was there at this time."""
        return rows[self.rng.randrange(bisect(rows, at, key=lambda row: row.created_at))]

    def build_line(self, product: Product) -> OrderLine:
        variants = product.variants.all()
        variant = self.rng.choice(variants) if variants else None
        bought = variant or product
        wanted = self.rng.choice((1, 1, 1, 1, 2, 3))
        quantity = max(product.min_quantity, min(wanted, product.max_quantity or wanted))
        return OrderLine(
            store=self.store,
            product=product,
            variant=variant,
            name=f"{product.name}, {variant.name}" if variant else product.name,
            sku=bought.sku,
            quantity=quantity,
            unit_price=bought.price,
            total=bought.price * quantity,
        )

    def choose_statuses(self, days: float) -> tuple[str, str]:
        """Return the status and payment status of an order that is so many days old."""
        chance = self.rng.random()
        if chance < 0.04 and days > 1:
            return OrderStatus.CANCELLED, self.rng.choice(("refunded", "unpaid"))
        status = STATUSES[bisect(STATUS_DAYS, days * self.rng.uniform(0.7, 1.4))]
        if chance > 0.97 and status == OrderStatus.COMPLETED:
            return status, PaymentStatus.REFUNDED
        is_unpaid = chance < 0.4 and status == OrderStatus.PENDING
        return status, PaymentStatus.UNPAID if is_unpaid else PaymentStatus.PAID

    def fill_digits(self, pattern: str) -> str:
        return re.sub("#", lambda _: str(self.rng.randrange(10)), pattern)
