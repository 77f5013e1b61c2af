"""Fill the demo stores: believable, the same every day, and with as many orders as a measurement needs."""

import json
import random
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.text import slugify

from stores.demo.orders import BATCH_SIZE, DAYS, OrderContext, create_orders, fill_digits
from stores.models import Category, Coupon, Customer, Product, ProductCategory, ProductVariant, Store

CUSTOMERS_PER_ORDER = 0.05
PICTURE_WIDTHS = {"sm": 320, "md": 800, "lg": 1600}


def seed(*, orders: int = 600) -> tuple[Store, Store]:
    """Create the two demo stores, the first with this many orders. A store that exists stays as it is."""
    northwood, kobo = load("northwood"), load("kobo")
    return get_or_create_store(northwood, orders=orders), get_or_create_store(kobo, orders=60)


def load(name: str) -> Any:
    """Return what a JSON file of this folder holds."""
    return json.loads((Path(__file__).parent / f"{name}.json").read_text(encoding="utf-8"))


@transaction.atomic
def get_or_create_store(demo: dict[str, Any], *, orders: int) -> Store:
    if store := Store.objects.filter(pk=demo["id"]).first():
        return store
    now = timezone.now()
    rng = random.Random(demo["id"])  # noqa: S311  # the same every time is the point
    store = Store.objects.create(
        id=demo["id"], name=demo["name"], currency=demo["currency"], created_at=now - timedelta(days=760)
    )
    email = demo["owner"]
    # A new owner has no password until somebody sets it.
    store.owners.add(User.objects.filter(email=email).first() or User.objects.create_user(email, email))
    create_coupons(store, demo, now)
    products = create_products(store, demo, now)
    customers = create_customers(store, demo, orders, now=now, rng=rng)
    popular_first = rng.sample(products, len(products))
    create_orders(OrderContext(store, demo, popular_first, customers, now, rng), orders)
    return store


def create_coupons(store: Store, demo: dict[str, Any], now: datetime) -> None:
    """Create coupons. ``starts_in`` and ``ends_in`` are days from now."""
    for coupon in demo["coupons"]:
        starts_at = now + timedelta(days=coupon.pop("starts_in"))
        ends_in = coupon.pop("ends_in", None)
        Coupon.objects.create(
            store=store,
            starts_at=starts_at,
            ends_at=None if ends_in is None else now + timedelta(days=ends_in),
            created_at=min(starts_at, now) - timedelta(days=3),
            **coupon,
        )


def create_products(store: Store, demo: dict[str, Any], now: datetime) -> list[Product]:
    """Create categories, each after its parent, and what is in them; return the products with variants."""
    categories: dict[str, Category] = {}
    shelved = [(item, category) for category in demo["categories"] for item in category["products"]]
    for position, category in enumerate(demo["categories"]):
        categories[category["name"]] = Category.objects.create(
            store=store,
            parent=categories.get(category["parent"]),
            handle=slugify(category["name"]),
            name=category["name"],
            description=category["description"],
            position=position,
        )
    variants = [item.pop("variants", []) for item, _ in shelved]
    products = Product.objects.bulk_create(
        build_product(store, item, demo, position, created_at=now - timedelta(days=item.pop("age"), hours=7))
        for position, (item, _) in enumerate(shelved)
    )
    Product.objects.filter(store=store).update(updated_at=F("created_at") + timedelta(days=2))
    ProductCategory.objects.bulk_create(
        ProductCategory(store=store, product=product, category=categories[category["name"]])
        for product, (_, category) in zip(products, shelved, strict=True)
    )
    ProductVariant.objects.bulk_create(
        variant
        for product, described in zip(products, variants, strict=True)
        for variant in build_variants(product, described)
    )
    return list(Product.objects.for_store(store).prefetch_related("variants").order_by("position"))


def build_product(
    store: Store, item: dict[str, Any], demo: dict[str, Any], position: int, *, created_at: datetime
) -> Product:
    """Return a product with its columns in ``item``. It has as many ``pictures``, each in every size."""
    handle = slugify(item["name"])
    picture = f"https://images.example/{slugify(demo['name'])}/{handle}"
    return Product(
        store=store,
        handle=handle,
        sku=f"{demo['sku_prefix']}-{1000 + 10 * position}",
        media=[
            {size: f"{picture}-{number}-{width}.webp" for size, width in PICTURE_WIDTHS.items()}
            for number in range(1, item.pop("pictures") + 1)
        ],
        position=position,
        created_at=created_at,
        description=item["excerpt"],
        **item,
    )


def build_variants(product: Product, described: list[dict[str, Any]]) -> Iterator[ProductVariant]:
    """Yield variants, which cost what their product does unless they have a price of their own."""
    prices = {"price": product.price, "original_price": product.original_price}
    for position, variant in enumerate(described):
        yield ProductVariant(
            store_id=product.store_id,
            product=product,
            sku=f"{product.sku}-{position + 1}",
            position=position,
            **(prices | variant),
        )


def create_customers(
    store: Store, demo: dict[str, Any], orders: int, *, now: datetime, rng: random.Random
) -> list[Customer]:
    """Create customers of the last thirteen months, in the order in which they joined."""
    count = max(demo["customers"], int(orders * CUSTOMERS_PER_ORDER))
    max_age = DAYS + 30
    ages = sorted((max_age * rng.random() ** 1.2 for _ in range(count - 1)), reverse=True)
    people = generate_people(count, demo["home_country"], rng)
    return Customer.objects.bulk_create(
        (
            Customer(store=store, created_at=now - timedelta(days=age), **person)
            for age, person in zip((max_age, *ages), people, strict=True)
        ),
        batch_size=BATCH_SIZE,
    )


def generate_people(count: int, home_country: str, rng: random.Random) -> Iterator[dict[str, str]]:
    """Yield columns of customers who differ in their e-mail address, about half of them from one country."""
    countries = load("countries")
    at_home = [country for country in countries if country["code"] == home_country]
    namesakes: Counter[str] = Counter()
    for _ in range(count):
        country = rng.choice(at_home if rng.random() < 0.5 else countries)
        name = f"{rng.choice(country['first_names'])} {rng.choice(country['last_names'])}"
        mailbox = slugify(name).replace("-", ".")
        namesakes[mailbox] += 1
        suffix = namesakes[mailbox] if namesakes[mailbox] > 1 else ""
        city, state, postcode = rng.choice(country["cities"])
        yield {
            "name": name,
            "email": f"{mailbox}{suffix}@example.{rng.choice(('com', 'com', 'org', 'net'))}",
            "phone": fill_digits(country["phone"], rng) if rng.random() < 0.9 else "",
            "address": country["address"].format(
                number=rng.randint(1, 240), street=rng.choice(country["streets"])
            ),
            "city": city,
            "postcode": fill_digits(postcode, rng),
            "state": state,
            "country": country["code"],
        }
