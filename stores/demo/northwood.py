"""The first demo store: Northwood Outfitters."""

from stores.demo.catalogue import DemoCoupon, DemoStore
from stores.demo.northwood_products import CATEGORIES
from stores.models import Coupon

NORTHWOOD = DemoStore(
    id=267418190,
    name="Northwood Outfitters",
    currency="USD",
    owner="owner@example.com",
    home_country="US",
    sku_prefix="NW",
    tax_per_mille=72,
    shipping=895,
    free_shipping_from=15000,
    min_customers=180,
    categories=CATEGORIES,
    coupons=(
        DemoCoupon("WELCOME10", Coupon.Kind.PERCENT, 10, starts_in=-400, times_used=143),
        DemoCoupon("FREESHIP75", Coupon.Kind.FREE_SHIPPING, 0, starts_in=-90, minimum=7500, times_used=61),
        DemoCoupon(
            "TRAIL25", Coupon.Kind.FIXED, 2500, starts_in=-20, ends_in=25, minimum=15000, times_used=17
        ),
        DemoCoupon("NEXTSEASON", Coupon.Kind.PERCENT, 15, starts_in=21, ends_in=50),
        DemoCoupon("HUTWEEK", Coupon.Kind.FREE_SHIPPING, 0, starts_in=9, ends_in=16, usage_limit=200),
        DemoCoupon("CLEARANCE30", Coupon.Kind.PERCENT, 30, starts_in=-120, ends_in=-90, times_used=88),
        DemoCoupon("FIRST100", Coupon.Kind.FIXED, 1500, starts_in=-200, usage_limit=100, times_used=100),
        DemoCoupon("FRIENDS20", Coupon.Kind.PERCENT, 20, starts_in=-60, usage_limit=50, times_used=12),
    ),
)
