"""The shop: what a store sells, to whom, and for how much.

Money is in the smallest unit of the store's currency (cents, yen). Every row carries its store, and every
question is put through ``for_store()``, so that no view can forget it. The store has no index of its own:
one that lists are read by begins with it, and the parts of products and orders are found by what they are
part of. A constraint's message is a sentence for people, and its code names the field that it is about.
"""

from stores.models.catalogue import Category, Product, ProductCategory, ProductVariant
from stores.models.sales import Address, Coupon, Customer, Order, OrderLine
from stores.models.store import Store

__all__ = [
    "Address",
    "Category",
    "Coupon",
    "Customer",
    "Order",
    "OrderLine",
    "Product",
    "ProductCategory",
    "ProductVariant",
    "Store",
]
