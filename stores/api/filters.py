"""The query parameters of lists. What cannot be understood is a 400 that names the parameter."""

from datetime import UTC, datetime
from typing import Any

import django_filters as filters
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django_filters.fields import IsoDateTimeField

LARGEST_ID = 2**63 - 1


class SortField(forms.CharField):
    """``price_asc,name_desc`` as the names to order by; the newest id settles ties."""

    def __init__(self, *, keys: dict[str, str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.choices = {
            f"{key}_{way}": f"{sign}{column}"
            for key, column in keys.items()
            for way, sign in (("asc", ""), ("desc", "-"))
        }

    def clean(self, value: Any) -> list[str]:
        words = [word.strip() for word in super().clean(value).split(",") if word.strip()]
        if unknown := [word for word in words if word not in self.choices]:
            known = ", ".join(self.choices)
            params = {"unknown": ", ".join(unknown), "known": known}
            raise ValidationError("Unknown order %(unknown)s: use some of %(known)s.", params=params)
        return [*(self.choices[word] for word in words), "-id"] if words else []


class SortFilter(filters.Filter):
    """Sorts by the keys given as ``{"price": "price"}``: what clients call it, and its column."""

    field_class = SortField

    def filter(self, qs: QuerySet[Any], value: list[str]) -> QuerySet[Any]:
        return qs.order_by(*value) if value else qs


class MomentField(IsoDateTimeField):
    """ISO 8601; without a time zone it is UTC. A moment that UTC cannot express is refused."""

    def clean(self, value: Any) -> datetime | None:
        moment: datetime | None = super().clean(value)
        try:
            return moment.astimezone(UTC) if moment else None
        except OverflowError as error:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from error


class MomentFilter(filters.IsoDateTimeFilter):
    field_class = MomentField


class IdFilter(filters.Filter):
    field_class = forms.IntegerField

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, min_value=1, max_value=LARGEST_ID, **kwargs)


class SearchFilter(filters.CharFilter):
    """Rows with the text in one of the columns."""

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
