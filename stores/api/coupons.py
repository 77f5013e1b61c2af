"""Coupons: what takes something off an order."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from django.db.models import QuerySet

from stores import models
from stores.api.base import EditableViewSet
from stores.api.filters import FlagFilter, ListFilters, SortFilter, TextFilter
from stores.api.outputs import Columns, Output, Rows, Time, always, amount, count, id_of, text, time
from stores.api.serializers import AmountField, EnumField, StoreScopedSerializer
from stores.resources import Resource
from stores.text import comparable


class Coupon(Output, kw_only=True):
    object: Annotated[Literal["coupon"], always("coupon")]
    id: Annotated[str, id_of("coupon")]
    code: Annotated[str, text("What a buyer types in, in any case; unique in the store.", 40)]
    kind: Annotated[
        models.CouponKind, text("What it takes off: a share of the subtotal, an amount, or the delivery.")
    ]
    value: Annotated[
        int,
        count(
            "Percent for `percent`; for `fixed` an amount in the smallest unit of the store's currency; "
            "without meaning for `free_shipping`."
        ),
    ]
    minimum: Annotated[int, amount("The least subtotal it takes.")]
    starts_at: Annotated[Time, time("From when on it works.")]
    ends_at: Annotated[Time | None, time("Until when it works; null for ever.")]
    usage_limit: Annotated[
        int | None, count("How often it can be used by all buyers together; null for any number.")
    ]
    times_used: Annotated[int, count("How often it has been used.")]
    active: Annotated[bool, text("Whether a buyer could use it now.")]
    created_at: Annotated[Time, time("When it was added.")]
    updated_at: Annotated[Time, time("When it was last changed.")]


COLUMNS = Columns(models.Coupon, Coupon)
COUPONS = Rows(models.Coupon, "id", COLUMNS.names)


class CouponSerializer(StoreScopedSerializer[models.Coupon]):
    kind = EnumField(models.CouponKind)
    value = AmountField(required=False)
    minimum = AmountField(required=False)

    class Meta:
        model = models.Coupon
        fields = ("code", "kind", "value", "minimum", "starts_at", "ends_at", "usage_limit")

    def find_existing(self, data: Any) -> models.Coupon | None:
        """Return the coupon that already has the code of what is to be created, or None."""
        code = str(data.get("code")) if isinstance(data, Mapping) else ""
        return models.Coupon.objects.filter(store=self.store, code_key=comparable(code)).first()


class CouponFilters(ListFilters):
    code = TextFilter("code_key", help_text="Only the coupon with this code, in any case.")
    active = FlagFilter("active", help_text="Only those that a buyer could use now, or the others.")
    search = TextFilter(
        "code_key", lookup_expr="contains", help_text="Only coupons with this text in their code."
    )
    order = SortFilter(date="created_at", code="code_key")


class CouponViewSet(EditableViewSet):
    resource = Resource.COUPONS
    output = Coupon
    queryset = models.Coupon.objects.all()
    serializer_class = CouponSerializer
    filterset_class = CouponFilters

    def get_queryset(self) -> QuerySet[Any]:
        return super().get_queryset().with_active()  # type: ignore[attr-defined, no-any-return]

    def represent(self, ids: Sequence[int]) -> Sequence[Coupon]:
        rows = COUPONS.read(ids)  # before what follows from them: updated_at is never newer than that
        coupons: Any = models.Coupon.objects.with_active()
        active = set(coupons.filter(pk__in=ids, active=True).order_by().values_list("pk", flat=True))
        return [COLUMNS.fill(row, active=row["id"] in active) for row in rows]
