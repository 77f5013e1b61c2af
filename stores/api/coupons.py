"""Coupons: what takes something off an order."""

from typing import Any

import django_filters
from rest_framework import mixins, serializers

from stores.api.base import AmountField, Changes, Creates, Deletes, OfStoreSerializer, timestamp
from stores.api.filters import SearchFilter, SortFilter
from stores.api.shapes import Shape, amount, constant, count, flag, id_of, moment, operations, text
from stores.models import Coupon
from stores.resources import Resource


class CouponFilters(django_filters.FilterSet):
    search = SearchFilter("code", help_text="Only coupons with this text in their code.")
    order = SortFilter(keys={"date": "created_at", "code": "code"})

    class Meta:
        model = Coupon
        fields = ()


class CouponShape(Shape):
    object = constant("coupon")
    id = id_of("coupon")
    code = text("What a buyer types in; unique in the store.")
    kind = serializers.ChoiceField(
        Coupon.Kind.choices,
        help_text="What it takes off: a share of the subtotal, an amount, or the delivery.",
    )
    value = count(
        "Percent for `percent`; for `fixed` an amount in the smallest unit of the store's currency; "
        "without meaning for `free_shipping`."
    )
    minimum = amount("The least subtotal it takes.")
    starts_at = moment("From when on it works.")
    ends_at = moment("Until when it works; null for ever.", allow_null=True)
    usage_limit = count(
        "How often it can be used by all buyers together; null for any number.", allow_null=True
    )
    times_used = count("How often it has been used.")
    active = flag("Whether a buyer could use it now.")


class CouponSerializer(OfStoreSerializer[Coupon]):
    value = AmountField(required=False)
    minimum = AmountField(required=False)

    class Meta:
        model = Coupon
        fields = ("code", "kind", "value", "minimum", "starts_at", "ends_at", "usage_limit")

    def to_representation(self, instance: Coupon) -> dict[str, Any]:
        return {
            "object": "coupon",
            "id": str(instance.pk),
            "code": instance.code,
            "kind": instance.kind,
            "value": instance.value,
            "minimum": instance.minimum,
            "starts_at": timestamp(instance.starts_at),
            "ends_at": timestamp(instance.ends_at),
            "usage_limit": instance.usage_limit,
            "times_used": instance.times_used,
            "active": instance.active,
        }


@operations(CouponShape, "a coupon", "coupons")
class CouponViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, Creates, Changes, Deletes):
    resource = Resource.COUPONS
    queryset = Coupon.objects.all()
    serializer_class = CouponSerializer
    filterset_class = CouponFilters
