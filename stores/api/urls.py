"""The shop's routes. Each answers with a slash at the end and without."""

from django.urls import re_path

from stores.api.categories import CategoryViewSet
from stores.api.changes import ChangesViewSet
from stores.api.coupons import CouponViewSet
from stores.api.customers import CustomerViewSet
from stores.api.orders import OrderViewSet
from stores.api.products import ProductViewSet
from stores.api.store import StoreViewSet
from stores.routers import Router

STORE_ID = "(?P<store_id>[1-9][0-9]{8})"
STORE = f"stores/{STORE_ID}"

router = Router()
router.register(f"{STORE}/products", ProductViewSet, basename="product")
router.register(f"{STORE}/categories", CategoryViewSet, basename="category")
router.register(f"{STORE}/orders", OrderViewSet, basename="order")
router.register(f"{STORE}/customers", CustomerViewSet, basename="customer")
router.register(f"{STORE}/coupons", CouponViewSet, basename="coupon")

urlpatterns = [
    re_path(f"^{STORE}/?$", StoreViewSet.as_view({"get": "retrieve"}, basename="store"), name="store"),
    re_path(f"^{STORE}/changes/?$", ChangesViewSet.as_view({"get": "retrieve"}), name="changes"),
    *router.urls,
]

# What Reflow's published clients read, below the address that they have in their source.
published_router = Router()
published_router.register(f"{STORE_ID}/products", ProductViewSet, basename="product")
published_router.register(f"{STORE_ID}/categories", CategoryViewSet, basename="category")
