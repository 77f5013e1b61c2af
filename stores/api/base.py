"""What the routes of all resources share: the store in the address, how objects are read and written.

Output is written by hand, as dicts: on a page of orders, field objects would cost more than the database.
Input is checked twice, by the fields here and by the model's own rules.
"""

from collections.abc import Iterable, Mapping
from copy import copy
from datetime import datetime
from typing import Any, TypeVar

from django.core.exceptions import NON_FIELD_ERRORS
from django.core.exceptions import ValidationError as ModelError
from django.db import models, transaction
from django.db.models import Model, QuerySet
from django.shortcuts import get_object_or_404
from django.utils.crypto import get_random_string
from django.utils.functional import cached_property
from django.utils.text import slugify
from django_filters import FilterSet
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from stores.models import Address, Store
from stores.models.store import OfStoreQuerySet
from stores.money import formatted

Row = TypeVar("Row", bound=models.Model)
LARGEST_AMOUNT = 10**12


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


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses what is not written here, so that a typo is never silently ignored."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping) and (unknown := [name for name in data if name not in self.fields]):
            raise ValidationError({name: ["This field is unknown or cannot be written."] for name in unknown})
        return super().to_internal_value(data)


class WholeSerializer(StrictSerializer):
    """A part of an object that is always given whole: DRF would let a PATCH leave out what is required."""

    def to_internal_value(self, data: Any) -> Any:
        required = [name for name, field in self.fields.items() if field.required]
        if isinstance(data, Mapping) and (missing := [name for name in required if name not in data]):
            raise ValidationError({name: ["This field is required."] for name in missing})
        return super().to_internal_value(data)


class OfStoreSerializer(StrictSerializer, serializers.ModelSerializer[Row]):
    """Writes one row of the store in ``context["store"]``, once it has passed the model's own rules."""

    @property
    def store(self) -> Store:
        store: Store = self.context["store"]
        return store

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        row = copy(self.instance) if self.instance else self.new_row()
        concrete = {field.name for field in row._meta.concrete_fields}
        for name in concrete & attrs.keys():
            setattr(row, name, attrs[name])
        check(row)
        return attrs

    def new_row(self) -> models.Model:
        """A row that is not saved yet, of this store."""
        model: type[models.Model] = self.Meta.model
        return model(store=self.store)

    def create(self, validated_data: dict[str, Any]) -> Row:
        return super().create({"store": self.store, **validated_data})


def check(row: models.Model) -> None:
    """Put a row to its model's rules; raises ValidationError that names the fields."""
    try:
        row.full_clean()
    except ModelError as error:
        fields: dict[str, list[str]] = {}
        for name, problems in error.error_dict.items():
            for problem in problems:
                # A constraint's code names its field; see stores.models.
                field = str(problem.code) if name == NON_FIELD_ERRORS else name
                fields.setdefault(field, []).extend(problem.messages)
        raise ValidationError(fields) from error


class AmountField(serializers.IntegerField):
    """Money in the currency's smallest unit."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=0, max_value=LARGEST_AMOUNT, **kwargs)


def with_handle(serializer: OfStoreSerializer[Any], attrs: dict[str, Any]) -> dict[str, Any]:
    """A new row without a handle gets one from its name."""
    if serializer.instance is None and "handle" not in attrs:
        longest = serializer.Meta.model._meta.get_field("handle").max_length  # type: ignore[attr-defined]
        # A name without a Latin letter in it leaves nothing.
        attrs["handle"] = slugify(attrs["name"])[:longest] or get_random_string(8).lower()
    return attrs


def timestamp(at: datetime | None) -> str | None:
    """ISO 8601 in UTC, to the second: ``2026-11-23T12:00:00Z``."""
    return at.isoformat(timespec="seconds").replace("+00:00", "Z") if at else None


def money(names: Iterable[str], source: Any, currency: str) -> dict[str, Any]:
    """Amounts and their ``…_formatted`` twins; an amount that is None has neither sign nor text."""
    amounts: dict[str, Any] = {}
    for name in names:
        amount = getattr(source, name)
        amounts[name] = amount
        amounts[f"{name}_formatted"] = None if amount is None else formatted(amount, currency)
    return amounts


def address_out(source: Address) -> dict[str, str]:
    return {
        "address": source.address,
        "city": source.city,
        "postcode": source.postcode,
        "state": source.state,
        "country": source.country,
    }
