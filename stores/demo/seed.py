"""Demo stores: believable, alike every day, and with as many orders as a measurement needs."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.text import slugify

from stores.demo.catalogue import KOBO, NORTHWOOD, Item, Shelf, Shop
from stores.demo.orders import DAYS, Till, sell
from stores.demo.people import people
from stores.models import Category, Coupon, Customer, Product, ProductCategory, ProductVariant, Store

ROWS_AT_ONCE = 4_000
CUSTOMERS_PER_ORDER = 0.05


def seed(*, orders: int = 600) -> tuple[Store, Store]:
    """The two demo stores, the first with this many orders. A store that exists stays as it is."""
    return open_store(NORTHWOOD, orders=orders), open_store(KOBO, orders=60)


@transaction.atomic
def open_store(shop: Shop, *, orders: int) -> Store:
    """The store of this shop, made with all that is in it where it does not exist."""
    if store := Store.objects.filter(pk=shop.id).first():
        return store
    now = timezone.now()
    rng = random.Random(shop.id)  # noqa: S311  # the same every time is the point
    store = Store.objects.create(
        id=shop.id, name=shop.name, currency=shop.currency, created_at=now - timedelta(days=760)
    )
    store.owners.add(owner_named(shop.owner))
    products = stock(store, shop, now=now, rng=rng)
    Coupon.objects.bulk_create(coupons(store, shop, now=now))
    customers = enrol(store, shop, max(shop.customers, int(orders * CUSTOMERS_PER_ORDER)), now=now, rng=rng)
    sell(Till(store, shop, products, customers, now, rng), orders)
    return store


def owner_named(email: str) -> User:
    """The user with this address; a new one has no password until somebody sets it."""
    return User.objects.filter(username=email).first() or User.objects.create_user(email, email)


# What is sold.


def stock(store: Store, shop: Shop, *, now: datetime, rng: random.Random) -> list[Product]:
    """Fill the store's shelves; returns its products, variants at hand, the most popular first."""
    shelves = [
        (shelf, category) for shelf, category in zip(shop.shelves, categories(store, shop), strict=True)
    ]
    placed = [(item, shelf, category) for shelf, category in shelves for item in shelf.items]
    products = Product.objects.bulk_create(
        product_like(item, shelf, store, shop, position, now=now, rng=rng)
        for position, (item, shelf, _) in enumerate(placed)
    )
    Product.objects.filter(store=store).update(updated_at=F("created_at") + timedelta(days=2))
    ProductCategory.objects.bulk_create(
        ProductCategory(store=store, product=product, category=category)
        for product, (_, _, category) in zip(products, placed, strict=True)
    )
    ProductVariant.objects.bulk_create(
        variant
        for product, (item, _, _) in zip(products, placed, strict=True)
        for variant in variants(product, item, rng)
    )
    return rng.sample(
        list(Product.objects.for_store(store).prefetch_related("variants").order_by("position")),
        len(products),
    )


def categories(store: Store, shop: Shop) -> list[Category]:
    """A category for each shelf, in the shelves' order; a shelf comes after the one it stands in."""
    made: dict[str, Category] = {}
    for position, shelf in enumerate(shop.shelves):
        made[shelf.name] = Category.objects.create(
            store=store,
            parent=made[shelf.within] if shelf.within else None,
            handle=slugify(shelf.name),
            name=shelf.name,
            description=shelf.note,
            position=position,
        )
    return list(made.values())


def product_like(
    item: Item, shelf: Shelf, store: Store, shop: Shop, position: int, *, now: datetime, rng: random.Random
) -> Product:
    handle = slugify(item.name)
    age = rng.randrange(6, 40) if item.badge == "New" else rng.randrange(DAYS + 5, 740)
    return Product(
        store=store,
        handle=handle,
        name=item.name,
        excerpt=item.excerpt,
        description=f"{item.excerpt}\n\n{shelf.note}",
        promo_badge=item.badge,
        sku=f"{shop.sku}-{1000 + 10 * position}",
        price=item.price,
        original_price=item.was,
        media=pictures(shop, item, rng),
        option_name=item.options[0] if item.options else "",
        inventory_type=Product.InventoryType.TRACKED if item.counted else Product.InventoryType.INFINITE,
        quantity=0 if item.options or not item.counted else in_stock(rng),
        min_quantity=item.least,
        max_quantity=item.most,
        personalization=item.personal,
        position=position,
        created_at=now - timedelta(days=age, minutes=rng.randrange(1440)),
    )


def pictures(shop: Shop, item: Item, rng: random.Random) -> list[dict[str, str]]:
    """Return one to three pictures, each in the sizes that storefronts ask for."""
    count = rng.randint(1, 3)
    return [
        {
            size: f"https://images.example/{slugify(shop.name)}/{slugify(item.name)}-{number}-{width}.webp"
            for size, width in (("sm", 320), ("md", 800), ("lg", 1600))
        }
        for number in range(1, count + 1)
        if item.pictured
    ]


def variants(product: Product, item: Item, rng: random.Random) -> Iterator[ProductVariant]:
    """The product's variants, each dearer than the last by the item's step."""
    for position, name in enumerate(item.options[1] if item.options else ()):
        dearer = position * item.step
        yield ProductVariant(
            store_id=product.store_id,
            product=product,
            name=name,
            sku=f"{product.sku}-{position + 1}",
            price=item.price + dearer,
            original_price=None if item.was is None else item.was + dearer,
            quantity=in_stock(rng) if item.counted else 0,
            position=position,
        )


def in_stock(rng: random.Random) -> int:
    """How many are left: about one thing in eight is sold out."""
    return 0 if rng.random() < 0.12 else rng.randrange(1, 60)


def coupons(store: Store, shop: Shop, *, now: datetime) -> Iterator[Coupon]:
    for offer in shop.offers:
        starts_at = now + timedelta(days=offer.starts_in)
        yield Coupon(
            store=store,
            code=offer.code,
            kind=offer.kind,
            value=offer.value,
            minimum=offer.minimum,
            starts_at=starts_at,
            ends_at=None if offer.ends_in is None else now + timedelta(days=offer.ends_in),
            usage_limit=offer.limit,
            times_used=offer.used,
            created_at=min(starts_at, now) - timedelta(days=3),
        )


# Who buys.


def enrol(store: Store, shop: Shop, number: int, *, now: datetime, rng: random.Random) -> list[Customer]:
    """Customers of the last thirteen months, in the order in which they joined."""
    longest = DAYS + 30
    ages = sorted((longest * rng.random() ** 1.2 for _ in range(number - 1)), reverse=True)
    joined = [now - timedelta(days=age) for age in (longest, *ages)]
    newcomers = people(number, home=shop.home, rng=rng)
    return Customer.objects.bulk_create(
        (
            Customer(store=store, created_at=at, **person._asdict())
            for at, person in zip(joined, newcomers, strict=True)
        ),
        batch_size=ROWS_AT_ONCE,
    )
