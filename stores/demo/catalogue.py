"""What a demo store is described by. Amounts are in the smallest unit of its currency."""

from dataclasses import dataclass
from typing import NamedTuple

from stores.models import Coupon

# What variants differ in, and their names.
Options = tuple[str, tuple[str, ...]]


class DemoProduct(NamedTuple):
    """A product. Each next variant costs ``price_step`` more; products without options have no variants."""

    name: str
    price: int
    excerpt: str
    options: Options | None = None
    price_step: int = 0
    original_price: int | None = None
    promo_badge: str = ""
    is_counted: bool = True
    personalization: bool = False
    min_quantity: int = 1
    max_quantity: int | None = None
    has_pictures: bool = True


class DemoCategory(NamedTuple):
    """A category, the name of the one above it (empty at the top), and the products directly in it."""

    name: str
    parent: str
    description: str
    products: tuple[DemoProduct, ...] = ()


class DemoCoupon(NamedTuple):
    """A coupon, its times in days from now."""

    code: str
    kind: Coupon.Kind
    value: int
    starts_in: int
    ends_in: int | None = None
    minimum: int = 0
    usage_limit: int | None = None
    times_used: int = 0


@dataclass(frozen=True)
class DemoStore:
    """What a demo store is made from. Customers in the home country are half of all, and pay the tax."""

    id: int
    name: str
    currency: str
    owner: str
    home_country: str
    sku_prefix: str
    tax_per_mille: int
    shipping: int
    free_shipping_from: int
    min_customers: int
    categories: tuple[DemoCategory, ...]
    coupons: tuple[DemoCoupon, ...]
