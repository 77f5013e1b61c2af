"""The filters of lists. What cannot be understood is a 400 that names the parameter."""

import re
from datetime import UTC, datetime
from typing import Any

import django_filters as filters
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django_filters.fields import IsoDateTimeField

from stores.api.serializers import EnumField

MAX_ID = 2**63 - 1


class SortField(forms.CharField):
    """Reads ``price_asc,name_desc`` into the columns to order by; the newest id settles ties."""

    def __init__(self, *, columns: dict[str, str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.choices = {
            f"{name}_{direction}": f"{sign}{column}"
            for name, column in columns.items()
            for direction, sign in (("asc", ""), ("desc", "-"))
        }

    def clean(self, value: Any) -> tuple[str, ...]:
        words = [word.strip() for word in super().clean(value).split(",") if word.strip()]
        if unknown := [word for word in words if word not in self.choices]:
            params = {"unknown": ", ".join(unknown), "known": ", ".join(self.choices)}
            raise ValidationError("Unknown order %(unknown)s: use some of %(known)s.", params=params)
        columns: dict[str, str] = {}
        for column in (self.choices[word] for word in words):
            # A column that is named again changes nothing.
            columns.setdefault(column.lstrip("-"), column)
        return (*columns.values(), "-id") if columns else ()


class SortFilter(filters.Filter):
    """Sorts by ``columns``, which maps what clients call a column to its name here."""

    field_class = SortField

    def filter(self, qs: QuerySet[Any], value: tuple[str, ...]) -> QuerySet[Any]:
        return qs.order_by(*value) if value else qs


class UtcDateTimeField(IsoDateTimeField):
    """Reads an ISO 8601 time, in UTC where it has no offset. One that UTC cannot express is refused."""

    def to_python(self, value: Any) -> datetime | None:
        # In a query string an unescaped + before an offset means a space.
        if isinstance(value, str):
            value = re.sub(r"(:\d\d(?:\.\d+)?) (\d\d:?\d\d)$", r"\1+\2", value)
        time: datetime | None = super().to_python(value)
        try:
            return time.astimezone(UTC) if time else None
        except OverflowError as error:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from error


class UtcDateTimeFilter(filters.IsoDateTimeFilter):
    field_class = UtcDateTimeField


class IdFilter(filters.Filter):
    field_class = forms.IntegerField

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, min_value=1, max_value=MAX_ID, **kwargs)


class EnumFilter(filters.ChoiceFilter):
    """Finds rows with one of the choices of a field."""

    def __init__(self, field: type[EnumField], **kwargs: Any) -> None:
        super().__init__(choices=field.enum.choices, **kwargs)
        self.component_name = field.get_component_name()


class SearchFilter(filters.CharFilter):
    """Finds rows with the text in one of the columns."""

    def __init__(self, *columns: str, **kwargs: Any) -> None:
        super().__init__(max_length=100, **kwargs)
        self.columns = columns

    def filter(self, qs: QuerySet[Any], value: str) -> QuerySet[Any]:
        if not value:
            return qs
        matches = Q()
        for column in self.columns:
            matches |= Q(**{f"{column}__icontains": value})
        return qs.filter(matches)
