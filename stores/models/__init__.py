"""The shop: what a store sells, to whom, and for how much.

Money is in the smallest unit of the store's currency (cents, yen). Every row has its store, which views
filter by. Its column has no index of its own: the indexes that lists are read by begin with it, and variants
and order lines are found by their parent. A constraint's message is a sentence for people, and its code is
the name of the field that it is about, after ``unique:`` where another row has the value.
"""

from stores.models.catalogue import Category, InventoryType, Product, ProductCategory, ProductVariant
from stores.models.changes import Change
from stores.models.objects import StoreObject
from stores.models.sales import (
    Address,
    Coupon,
    CouponKind,
    Customer,
    Order,
    OrderLine,
    OrderStatus,
    PaymentStatus,
)
from stores.models.store import Store
