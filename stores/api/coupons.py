"""Coupons: what takes something off an order."""

import django_filters

from stores.api.base import (
    CreateMixin,
    DestroyMixin,
    JsonObject,
    ListMixin,
    RetrieveMixin,
    Row,
    UpdateMixin,
)
from stores.api.filters import SearchFilter, SortFilter
from stores.api.represent import format_time
from stores.api.schema import describe_operations
from stores.api.serializers import AmountField, EnumField, StoreScopedSerializer
from stores.api.shapes import (
    Shape,
    amount_field,
    boolean_field,
    constant_field,
    count_field,
    id_field,
    text_field,
    time_field,
)
from stores.models import Coupon
from stores.models.sales import is_coupon_active
from stores.resources import Resource


class CouponKindField(EnumField):
    enum = Coupon.Kind


class CouponFilters(django_filters.FilterSet):
    search = SearchFilter("code", help_text="Only coupons with this text in their code.")
    order = SortFilter(columns={"date": "created_at", "code": "code"})

    class Meta:
        model = Coupon
        fields = ()


class CouponShape(Shape):
    object = constant_field("coupon")
    id = id_field("coupon")
    code = text_field("What a buyer types in; unique in the store.")
    kind = CouponKindField(
        help_text="What it takes off: a share of the subtotal, an amount, or the delivery."
    )
    value = count_field(
        "Percent for `percent`; for `fixed` an amount in the smallest unit of the store's currency; "
        "without meaning for `free_shipping`."
    )
    minimum = amount_field("The least subtotal it takes.")
    starts_at = time_field("From when on it works.")
    ends_at = time_field("Until when it works; null for ever.", allow_null=True)
    usage_limit = count_field(
        "How often it can be used by all buyers together; null for any number.", allow_null=True
    )
    times_used = count_field("How often it has been used.")
    active = boolean_field("Whether a buyer could use it now.")


class CouponSerializer(StoreScopedSerializer[Coupon]):
    kind = CouponKindField()
    value = AmountField(required=False)
    minimum = AmountField(required=False)

    class Meta:
        model = Coupon
        fields = ("code", "kind", "value", "minimum", "starts_at", "ends_at", "usage_limit")


def represent_coupon(row: Row) -> JsonObject:
    return {
        "object": "coupon",
        "id": str(row["id"]),
        "code": row["code"],
        "kind": row["kind"],
        "value": row["value"],
        "minimum": row["minimum"],
        "starts_at": format_time(row["starts_at"]),
        "ends_at": format_time(row["ends_at"]),
        "usage_limit": row["usage_limit"],
        "times_used": row["times_used"],
        "active": is_coupon_active(row["starts_at"], row["ends_at"], row["usage_limit"], row["times_used"]),
    }


@describe_operations(CouponShape, "coupon", "coupons")
class CouponViewSet(ListMixin, RetrieveMixin, CreateMixin, UpdateMixin, DestroyMixin):
    resource = Resource.COUPONS
    queryset = Coupon.objects.all()
    serializer_class = CouponSerializer
    filterset_class = CouponFilters
    rows = Coupon.objects.values(
        *("id", "code", "kind", "value", "minimum", "created_at"),
        *("starts_at", "ends_at", "usage_limit", "times_used"),
    )

    def represent(self, rows: list[Row]) -> list[JsonObject]:
        return [represent_coupon(row) for row in rows]
