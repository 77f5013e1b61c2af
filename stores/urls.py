"""The shop's routes. Each answers with a slash at the end and without: a redirect would drop a body."""

from django.urls import re_path
from rest_framework.routers import SimpleRouter

from stores import api

STORE = "stores/(?P<store_id>[1-9][0-9]{8})"

router = SimpleRouter()
router.trailing_slash = "/?"
router.register(f"{STORE}/products", api.ProductViewSet, basename="product")
router.register(f"{STORE}/categories", api.CategoryViewSet, basename="category")
router.register(f"{STORE}/orders", api.OrderViewSet, basename="order")
router.register(f"{STORE}/customers", api.CustomerViewSet, basename="customer")
router.register(f"{STORE}/coupons", api.CouponViewSet, basename="coupon")

urlpatterns = [
    re_path(f"^{STORE}/?$", api.StoreViewSet.as_view({"get": "retrieve"}), name="store"),
    *router.urls,
]
