"""The shop's API. A view names the resource it serves; who may use it is not its business."""

from collections import defaultdict
from typing import Any

from django.db import transaction
from django.db.models import Model, QuerySet
from django.shortcuts import get_object_or_404
from django.utils.functional import cached_property
from django_filters import FilterSet
from rest_framework import mixins
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from stores import filters, schema, serializers
from stores.models import Category, Coupon, Customer, Order, Product, Store
from stores.models.store import OfStoreQuerySet
from stores.resources import Resource


class OfStoreViewSet(GenericViewSet[Any]):
    """Objects of the store in the address; those of any other store do not exist."""

    lookup_value_regex = "[1-9][0-9]{0,17}"
    filterset_class: type[FilterSet] | None = None
    http_method_names = ["get", "post", "patch", "delete", "head", "options"]

    @cached_property
    def store(self) -> Store:
        """The store in the address, from whoever authenticated for it, or by one query; 404 for none."""
        store: Store | None = getattr(self.request.auth, "store", None)
        return store or get_object_or_404(Store, pk=self.kwargs["store_id"])

    def get_queryset(self) -> QuerySet[Any]:
        rows: OfStoreQuerySet[Any] = super().get_queryset()  # type: ignore[assignment]
        # A change holds its row, so that two of them at once are made one after the other.
        if self.request.method == "PATCH":
            return rows.with_parts().for_store(self.store).select_for_update(of=("self",))
        return rows.whole_list(self.store)

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Rows that the query parameters ask for. A form that nobody filled in need not be made."""
        filters = self.filterset_class.base_filters if self.filterset_class else {}
        return (
            queryset
            if filters.keys().isdisjoint(self.request.query_params)
            else super().filter_queryset(queryset)
        )

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "store": self.store}

    def answer(self, row: Model, status: int = 200) -> Response:
        """A row as it is now in the database, with all its parts."""
        fresh = self.get_queryset().get(pk=row.pk)
        return Response(self.get_serializer(fresh).data, status=status)


# A body is read to its end before a transaction begins: a slow client must not hold anybody's locks.


class Creates(OfStoreViewSet):
    def create(self, request: Request, **kwargs: Any) -> Response:
        return self.create_from(request.data)

    @transaction.atomic
    def create_from(self, data: Any) -> Response:
        serializer = self.get_serializer(data=data)
        serializer.is_valid(raise_exception=True)
        return self.answer(serializer.save(), status=201)


class Changes(OfStoreViewSet):
    def partial_update(self, request: Request, **kwargs: Any) -> Response:
        return self.change_to(request.data)

    @transaction.atomic
    def change_to(self, data: Any) -> Response:
        serializer = self.get_serializer(self.get_object(), data=data, partial=True)
        serializer.is_valid(raise_exception=True)
        return self.answer(serializer.save())


class Deletes(OfStoreViewSet):
    @transaction.atomic
    def destroy(self, request: Request, **kwargs: Any) -> Response:
        self.get_object().delete()
        return Response(status=204)


@schema.operations(schema.Store, "the store's public profile", "stores")
class StoreViewSet(OfStoreViewSet):
    """The store's public profile."""

    resource = None
    serializer_class = serializers.StoreSerializer

    def retrieve(self, request: Request, **kwargs: Any) -> Response:
        return Response(self.get_serializer(self.store).data)


@schema.operations(schema.Product, "a product", "products")
class ProductViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, Creates, Changes, Deletes):
    resource = Resource.PRODUCTS
    queryset = Product.objects.all()
    serializer_class = serializers.ProductSerializer
    filterset_class = filters.ProductFilters


@schema.operations(schema.Category, "a category", "categories")
class CategoryViewSet(Creates, Changes, Deletes):
    """Categories come as a tree, in two shapes: all of it, or one category with those below."""

    resource = Resource.CATEGORIES
    queryset = Category.objects.all()
    serializer_class = serializers.CategorySerializer
    pagination_class = None

    def get_queryset(self) -> QuerySet[Any]:
        """A change holds the whole tree: else two at once could hang two categories into each other."""
        if self.request.method == "PATCH":
            Store.objects.select_for_update(no_key=True).get(pk=self.store.pk)
        return super().get_queryset()

    def get_serializer_context(self) -> dict[str, Any]:
        children: defaultdict[int | None, list[Category]] = defaultdict(list)
        for category in Category.objects.for_store(self.store):
            children[category.parent_id].append(category)
        return {**super().get_serializer_context(), "children": children}

    def list(self, request: Request, **kwargs: Any) -> Response:
        serializer = self.get_serializer()
        roots = serializer.context["children"][None]
        return Response([serializer.to_representation(category) for category in roots])

    def retrieve(self, request: Request, **kwargs: Any) -> Response:
        return Response(self.get_serializer(self.get_object()).data)


@schema.operations(schema.Order, "an order", "orders")
class OrderViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, Changes):
    resource = Resource.ORDERS
    queryset = Order.objects.all()
    serializer_class = serializers.OrderSerializer
    filterset_class = filters.OrderFilters


@schema.operations(schema.Customer, "a customer", "customers")
class CustomerViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, Changes):
    resource = Resource.CUSTOMERS
    queryset = Customer.objects.all()
    serializer_class = serializers.CustomerSerializer
    filterset_class = filters.CustomerFilters


@schema.operations(schema.Coupon, "a coupon", "coupons")
class CouponViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, Creates, Changes, Deletes):
    resource = Resource.COUPONS
    queryset = Coupon.objects.all()
    serializer_class = serializers.CouponSerializer
    filterset_class = filters.CouponFilters
