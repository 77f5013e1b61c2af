"""The filters of lists. What cannot be understood is a 400 that names the parameter.

Each has a ``help_text`` and a ``schema``, which describe its query parameter in the OpenAPI document.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import reduce
from operator import or_
from typing import Any, TypeAlias

import django_filters as filters
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet, TextChoices
from django_filters.fields import IsoDateTimeField

from stores.api.base import ID_PATTERN
from stores.text import comparable

MAX_ID = 2**63 - 1
MAX_IDS = 100
MAX_SEARCH_LENGTH = 100
Schema: TypeAlias = dict[str, Any]


def array_of(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def choose_from(words: Iterable[str]) -> dict[str, Any]:
    """Return the options of a filter by some words, which its errors list."""
    unknown = f"Unknown %(value)s: use some of {', '.join(words)}."
    return {"choices": [(word, word) for word in words], "error_messages": {"invalid_choice": unknown}}


class SortFilter(filters.BaseCSVFilter, filters.TypedChoiceFilter):
    """Reads ``price_asc,name_desc`` into the columns to order by, which the view does.

    ``columns`` maps what clients call a column to its name here; every list has ``updated`` besides.
    """

    def __init__(self, **columns: str) -> None:
        known = {
            f"{name}_{direction}": f"{sign}{column}"
            for name, column in (columns | {"updated": "updated_at"}).items()
            for direction, sign in (("asc", ""), ("desc", "-"))
        }
        help_text = "What to sort by, the first counting most, separated by commas. Default: newest first."
        super().__init__(**choose_from(known), coerce=known.get, help_text=help_text)
        self.schema = array_of({"type": "string", "enum": list(known)})

    def filter(self, qs: QuerySet[Any], value: Sequence[str]) -> QuerySet[Any]:
        return qs


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
    schema: Schema = {"type": "string", "format": "date-time"}


class NumberFilter(filters.Filter):
    field_class = forms.IntegerField
    schema: Schema = {"type": "integer", "minimum": 0, "maximum": MAX_ID}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, min_value=0, max_value=MAX_ID, **kwargs)


class IdFilter(NumberFilter):
    schema = {"type": "string", "pattern": f"^{ID_PATTERN}$"}


class IdsField(forms.CharField):
    """Reads ``1,2,3`` into ids."""

    def clean(self, value: Any) -> list[int]:
        words = [word.strip() for word in super().clean(value).split(",") if word.strip()]
        if len(words) > MAX_IDS:
            raise ValidationError(f"Give at most {MAX_IDS} ids at once.")
        if not all(re.fullmatch(ID_PATTERN, word) for word in words):
            raise ValidationError("Must be ids, digits, separated by commas.")
        return [int(word) for word in words]


class IdsFilter(filters.Filter):
    field_class = IdsField
    schema = array_of(IdFilter.schema) | {"maxItems": MAX_IDS}

    def __init__(self) -> None:
        super().__init__("id", "in", help_text=f"Only those with one of these ids, at most {MAX_IDS}.")


class EnumsFilter(filters.BaseInFilter, filters.ChoiceFilter):
    """Finds rows with one of some choices, such as ``pending,processing``."""

    def __init__(self, enum: type[TextChoices], *, help_text: str) -> None:
        help_text = f"{help_text} Several are separated by commas."
        super().__init__(**choose_from(enum.values), help_text=help_text)
        self.schema = array_of({"$ref": f"#/components/schemas/{enum.__name__}"})


class WordFilter(filters.ChoiceFilter):
    """Finds rows by one of some words."""

    def __init__(self, words: Iterable[str], **kwargs: Any) -> None:
        super().__init__(choices=[(word, word) for word in words], **kwargs)
        self.schema: Schema = {"type": "string", "enum": list(words)}


class FlagFilter(filters.TypedChoiceFilter):
    schema: Schema = {"type": "boolean"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        words = [("true", "true"), ("false", "false")]
        super().__init__(*args, choices=words, coerce=lambda word: word == "true", **kwargs)


class CharFilter(filters.CharFilter):
    def __init__(self, *args: Any, max_length: int = MAX_SEARCH_LENGTH, **kwargs: Any) -> None:
        super().__init__(*args, max_length=max_length, **kwargs)
        self.schema = {"type": "string", "maxLength": max_length}


class TextFilter(CharFilter):
    """Finds rows one of whose columns is the text, or ``contains`` it, folded as the columns are."""

    def __init__(self, *columns: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.columns = columns

    def filter(self, qs: QuerySet[Any], value: str) -> QuerySet[Any]:
        if not value:
            return qs
        text = comparable(value)
        return qs.filter(reduce(or_, [Q((f"{column}__{self.lookup_expr}", text)) for column in self.columns]))


class ListFilters(filters.FilterSet):
    """The filters of every list."""

    ids = IdsFilter()
    updated_after = UtcDateTimeFilter(
        field_name="updated_at", lookup_expr="gte", help_text="Only those changed at this time or later."
    )
