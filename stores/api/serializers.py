"""Serializers of what clients may write: checked by strict fields, then by the model's own rules."""

import json
import re
from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any, TypeVar

from django.core.exceptions import NON_FIELD_ERRORS
from django.core.exceptions import ValidationError as ModelError
from django.db import models
from django.db.models.functions import Lower
from django.db.models.lookups import Exact
from django.utils.text import slugify
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

from stores.api.base import HANDLE_PATTERN, ID_PATTERN
from stores.models import Store
from stores.models.objects import HandleModel

Row = TypeVar("Row", bound=models.Model)
MAX_AMOUNT = 10**12
MAX_COUNT = 2**31 - 1
REQUIRED = "This field is required."


# The JSON types of fields' values. Django REST Framework would convert others.
JSON_TYPES: tuple[tuple[Any, Any, str], ...] = (
    (serializers.BooleanField, bool, "Must be true or false."),
    (serializers.IntegerField, (int, float), "Must be a whole number."),
    ((serializers.CharField, serializers.ChoiceField), str, "Must be a string."),
)


def describe_wrong_type(field: Any, value: Any) -> str:
    """Return what is wrong with the JSON type of a field's value, or "". Null is the field's own matter."""
    for fields, types, sentence in JSON_TYPES:
        if isinstance(field, fields) and value is not None and not isinstance(value, types):
            return sentence
    return ""


class CharField(serializers.CharField):
    """A text; null removes one that may be empty (RFC 7396)."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"allow_null": kwargs.get("allow_blank", False), **kwargs})

    def run_validation(self, data: Any = serializers.empty) -> Any:
        return super().run_validation("" if data is None and self.allow_blank else data)


class EnumField(serializers.ChoiceField):
    """A choice that is one named schema wherever it is read, written or filtered by."""

    def __init__(self, enum: type[models.TextChoices], **kwargs: Any) -> None:
        super().__init__(enum.choices, **kwargs)
        self.enum = enum


class IdField(serializers.RegexField):
    """An id of an object: digits in a string, a number inside."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(f"^{ID_PATTERN}$", error_messages={"invalid": "Must be an id: digits."}, **kwargs)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        text = super().run_validation(data)
        return text and int(text)


class CountField(serializers.IntegerField):
    """A number of things, as large as every database can keep it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"min_value": 0, **kwargs, "max_value": MAX_COUNT})


class AmountField(serializers.IntegerField):
    """Money in the currency's smallest unit."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=0, max_value=MAX_AMOUNT, **kwargs)


class ListField(serializers.ListField):
    """A list, no two items of which have the same id; null empties it (RFC 7396)."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_null=True, **kwargs)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        return super().run_validation([] if data is None else data)

    def to_internal_value(self, data: Any) -> list[Any]:
        items: list[Any] = super().to_internal_value(data)
        ids = [item["id"] for item in items if isinstance(item, Mapping) and "id" in item]
        if len(set(ids)) < len(ids):
            raise ValidationError("Two of them have the same id.")
        return items


# Objects.


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses unknown fields, so that a typo is never silently ignored, and values of other JSON types."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            mistakes = {name: self.describe_mistake(name, value) for name, value in data.items()}
            mistakes |= {name: REQUIRED for name in self.get_required(data) if name not in data}
            if errors := {name: [mistake] for name, mistake in mistakes.items() if mistake}:
                raise ValidationError(errors)
        return super().to_internal_value(data)

    def get_required(self, data: Mapping[str, Any]) -> Sequence[str]:
        """Return the fields that even a PATCH needs: those of an object that is part of another."""
        if self.root is self:
            return ()
        return [name for name, field in self.fields.items() if field.required]

    def describe_mistake(self, name: str, value: Any) -> str:
        if name not in self.fields:
            return "This field is unknown or cannot be written."
        return describe_wrong_type(self.fields[name], value)


class StrictModelSerializer(StrictSerializer, serializers.ModelSerializer[Row]):
    serializer_field_mapping = {
        **serializers.ModelSerializer.serializer_field_mapping,
        models.CharField: CharField,
        models.PositiveIntegerField: CountField,
        models.TextField: CharField,
    }


class StoreScopedSerializer(StrictModelSerializer[Row]):
    """Writes one row of the store in ``context["store"]`` once it passes the model's own rules.

    ``context["current"]`` is the object in JSON that a PATCH changes. What the PATCH repeats of it, computed
    fields too, is no change.
    """

    @property
    def store(self) -> Store:
        store: Store = self.context["store"]
        return store

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            data = drop_unchanged(data, self.context.get("current", {}))
        return super().to_internal_value(data)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Set the columns in a copy of the row, which is saved later if its model's rules allow it."""
        model: Any = self.Meta.model
        self.row = copy(self.instance) if self.instance else model(store=self.store)
        self.changed = {field.name for field in self.row._meta.concrete_fields} & attrs.keys()
        for name in self.changed:
            setattr(self.row, name, attrs[name])
        validate_row(self.row)
        return attrs

    def save(self, **kwargs: Any) -> Row:
        """Save what differs. A row in which nothing does stays untouched, and tells of no change."""
        if self.instance is None:
            self.row.save()
            self.write_parts(self.row, self.validated_data)
        elif self.write_parts(self.row, self.validated_data) or any(
            getattr(self.row, name) != getattr(self.instance, name) for name in self.changed
        ):
            self.row.save()
        return self.row  # type: ignore[no-any-return]

    def write_parts(self, row: Any, sent: dict[str, Any]) -> bool:
        """Write what other tables hold of a row; returns whether anything differs from before."""
        return False


class HandleSerializer(StoreScopedSerializer[Row]):
    """Gives a new row without a handle one made from its name."""

    handle = serializers.SlugField(max_length=HandleModel.MAX_HANDLE_LENGTH, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if self.instance is None and "handle" not in attrs:
            # Two at once would be given the same.
            Store.objects.select_for_update(no_key=True).get(pk=self.store.pk)
            model: Any = self.Meta.model
            attrs["handle"] = model(store=self.store).find_free_handle(attrs["name"])
        return super().validate(attrs)

    def find_existing(self, data: Any) -> Any:
        """Return the row that already has the handle of what is to be created, or None."""
        sent = data if isinstance(data, Mapping) else {}
        handle = str(sent.get("handle") or slugify(str(sent.get("name", ""))))
        if not re.fullmatch(HANDLE_PATTERN, handle):
            return None
        model: Any = self.Meta.model
        rows = model.objects.filter(store=self.store)
        return rows.filter(Exact(Lower("handle"), handle.lower())).first()


def drop_unchanged(sent: Mapping[str, Any], current: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a merge patch (RFC 7396) changes in an object: members that are as they are say nothing."""
    changed: dict[str, Any] = {}
    for name, value in sent.items():
        now = current.get(name)
        if name in current and is_same(value, now):
            continue
        if isinstance(value, Mapping) and isinstance(now, Mapping):
            value = drop_unchanged(value, now)
            if not value:
                continue
        changed[name] = value
    return changed


def leave_changes(items: list[Any], current: list[Any]) -> list[Any]:
    """Leave out of each item that has the id of a current one what it repeats of that."""
    by_id = {each["id"]: each for each in current}
    return [
        {"id": item["id"], **drop_unchanged(item, by_id[item["id"]])}
        if isinstance(item, Mapping) and isinstance(item.get("id"), str) and item["id"] in by_id
        else item
        for item in items
    ]


def is_same(value: Any, other: Any) -> bool:
    """Whether two JSON values are equal; to Python, 1, 1.0 and true are."""
    return json.dumps(value, sort_keys=True) == json.dumps(other, sort_keys=True)


def validate_row(row: models.Model) -> None:
    """Check a row by its model's rules. Raises ValidationError by field."""
    try:
        row.full_clean()
    except ModelError as error:
        fields: dict[str, list[ErrorDetail]] = {}
        for name, problems in error.error_dict.items():
            for problem in problems:
                # A constraint's code names its field; see stores.models.
                code = str(problem.code) if name == NON_FIELD_ERRORS else f"invalid:{name}"
                kind, _, field = code.rpartition(":")
                details = [ErrorDetail(message, kind or "invalid") for message in problem.messages]
                fields.setdefault(field, []).extend(details)
        raise ValidationError(fields) from error
