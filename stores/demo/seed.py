"""Demo stores: believable, the same every day, and with as many orders as a measurement needs."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.text import slugify

from stores.demo.catalogue import DemoCategory, DemoProduct, DemoStore
from stores.demo.kobo import KOBO
from stores.demo.northwood import NORTHWOOD
from stores.demo.orders import BATCH_SIZE, DAYS, OrderContext, create_orders
from stores.demo.people import generate_people
from stores.models import Category, Coupon, Customer, Product, ProductCategory, ProductVariant, Store

CUSTOMERS_PER_ORDER = 0.05


def seed(*, orders: int = 600) -> tuple[Store, Store]:
    """Create the two demo stores, the first with this many orders. A store that exists stays as it is."""
    return get_or_create_store(NORTHWOOD, orders=orders), get_or_create_store(KOBO, orders=60)


@transaction.atomic
def get_or_create_store(demo: DemoStore, *, orders: int) -> Store:
    if store := Store.objects.filter(pk=demo.id).first():
        return store
    now = timezone.now()
    rng = random.Random(demo.id)  # noqa: S311  # the same every time is the point
    store = Store.objects.create(
        id=demo.id, name=demo.name, currency=demo.currency, created_at=now - timedelta(days=760)
    )
    store.owners.add(get_or_create_owner(demo.owner))
    products = create_products(store, demo, now=now, rng=rng)
    Coupon.objects.bulk_create(build_coupons(store, demo, now=now))
    count = max(demo.min_customers, int(orders * CUSTOMERS_PER_ORDER))
    customers = create_customers(store, demo, count, now=now, rng=rng)
    create_orders(OrderContext(store, demo, products, customers, now, rng), orders)
    return store


def get_or_create_owner(email: str) -> User:
    """Return the user with this address; a new one has no password until somebody sets it."""
    return User.objects.filter(username=email).first() or User.objects.create_user(email, email)


# Products.


def create_products(store: Store, demo: DemoStore, *, now: datetime, rng: random.Random) -> list[Product]:
    """Create the store's products; return them with their variants, the most popular first."""
    categories = zip(demo.categories, create_categories(store, demo), strict=True)
    placed = [
        (item, described, category) for described, category in categories for item in described.products
    ]
    products = Product.objects.bulk_create(
        build_product(item, described, store, demo, position, now=now, rng=rng)
        for position, (item, described, _) in enumerate(placed)
    )
    Product.objects.filter(store=store).update(updated_at=F("created_at") + timedelta(days=2))
    ProductCategory.objects.bulk_create(
        ProductCategory(store=store, product=product, category=category)
        for product, (_, _, category) in zip(products, placed, strict=True)
    )
    ProductVariant.objects.bulk_create(
        variant
        for product, (item, _, _) in zip(products, placed, strict=True)
        for variant in build_variants(product, item, rng)
    )
    created = Product.objects.for_store(store).prefetch_related("variants").order_by("position")
    return rng.sample(list(created), len(products))


def create_categories(store: Store, demo: DemoStore) -> list[Category]:
    """Create the categories in the order of the description, where each comes after its parent."""
    created: dict[str, Category] = {}
    for position, category in enumerate(demo.categories):
        created[category.name] = Category.objects.create(
            store=store,
            parent=created[category.parent] if category.parent else None,
            handle=slugify(category.name),
            name=category.name,
            description=category.description,
            position=position,
        )
    return list(created.values())


def build_product(
    item: DemoProduct,
    category: DemoCategory,
    store: Store,
    demo: DemoStore,
    position: int,
    *,
    now: datetime,
    rng: random.Random,
) -> Product:
    age = rng.randrange(6, 40) if item.promo_badge == "New" else rng.randrange(DAYS + 5, 740)
    tracked, infinite = Product.InventoryType.TRACKED, Product.InventoryType.INFINITE
    return Product(
        store=store,
        handle=slugify(item.name),
        name=item.name,
        excerpt=item.excerpt,
        description=f"{item.excerpt}\n\n{category.description}",
        promo_badge=item.promo_badge,
        sku=f"{demo.sku_prefix}-{1000 + 10 * position}",
        price=item.price,
        original_price=item.original_price,
        media=build_media(demo, item, rng),
        option_name=item.options[0] if item.options else "",
        inventory_type=tracked if item.is_counted else infinite,
        quantity=0 if item.options or not item.is_counted else choose_quantity(rng),
        min_quantity=item.min_quantity,
        max_quantity=item.max_quantity,
        personalization=item.personalization,
        position=position,
        created_at=now - timedelta(days=age, minutes=rng.randrange(1440)),
    )


def build_media(demo: DemoStore, item: DemoProduct, rng: random.Random) -> list[dict[str, str]]:
    """Return one to three pictures, each in the sizes that storefronts ask for."""
    count = rng.randint(1, 3)
    return [
        {
            size: f"https://images.example/{slugify(demo.name)}/{slugify(item.name)}-{number}-{width}.webp"
            for size, width in (("sm", 320), ("md", 800), ("lg", 1600))
        }
        for number in range(1, count + 1)
        if item.has_pictures
    ]


def build_variants(product: Product, item: DemoProduct, rng: random.Random) -> Iterator[ProductVariant]:
    for position, name in enumerate(item.options[1] if item.options else ()):
        added = position * item.price_step
        yield ProductVariant(
            store_id=product.store_id,
            product=product,
            name=name,
            sku=f"{product.sku}-{position + 1}",
            price=item.price + added,
            original_price=None if item.original_price is None else item.original_price + added,
            quantity=choose_quantity(rng) if item.is_counted else 0,
            position=position,
        )


def choose_quantity(rng: random.Random) -> int:
    """Return how many are in stock: about one product in eight is sold out."""
    return 0 if rng.random() < 0.12 else rng.randrange(1, 60)


def build_coupons(store: Store, demo: DemoStore, *, now: datetime) -> Iterator[Coupon]:
    for coupon in demo.coupons:
        starts_at = now + timedelta(days=coupon.starts_in)
        yield Coupon(
            store=store,
            code=coupon.code,
            kind=coupon.kind,
            value=coupon.value,
            minimum=coupon.minimum,
            starts_at=starts_at,
            ends_at=None if coupon.ends_in is None else now + timedelta(days=coupon.ends_in),
            usage_limit=coupon.usage_limit,
            times_used=coupon.times_used,
            created_at=min(starts_at, now) - timedelta(days=3),
        )


# Customers.


def create_customers(
    store: Store, demo: DemoStore, count: int, *, now: datetime, rng: random.Random
) -> list[Customer]:
    """Create customers of the last thirteen months, in the order in which they joined."""
    max_age = DAYS + 30
    ages = sorted((max_age * rng.random() ** 1.2 for _ in range(count - 1)), reverse=True)
    people = generate_people(count, home_country=demo.home_country, rng=rng)
    return Customer.objects.bulk_create(
        (
            Customer(store=store, created_at=now - timedelta(days=age), **person._asdict())
            for age, person in zip((max_age, *ages), people, strict=True)
        ),
        batch_size=BATCH_SIZE,
    )
