"""The shop's lists of orders and products, and a view that does nothing, open to all."""

from django.db.models import QuerySet
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from stores.models import Order, Product
from tests.benchmarks.peers.serializers import OrderSerializer, ProductSerializer


class Orders(ListAPIView[Order]):
    serializer_class = OrderSerializer

    def get_queryset(self) -> QuerySet[Order]:
        orders = Order.objects.filter(store_id=self.kwargs["store_id"])
        return orders.select_related("store", "customer").prefetch_related("lines")


class Products(ListAPIView[Product]):
    serializer_class = ProductSerializer

    def get_queryset(self) -> QuerySet[Product]:
        products = Product.objects.filter(store_id=self.kwargs["store_id"])
        return products.select_related("store").prefetch_related("variants", "categories__subcategories")


class Nothing(APIView):
    """An answer that costs nothing."""

    def get(self, request: Request, store_id: int) -> Response:
        return Response({"ok": True})
