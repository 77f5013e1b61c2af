"""What clients may write: checked by strict fields here, then by the model's own rules."""

from collections.abc import Mapping
from copy import copy
from typing import Any, TypeVar

from django.core.exceptions import NON_FIELD_ERRORS
from django.core.exceptions import ValidationError as ModelError
from django.db import models
from django.utils.crypto import get_random_string
from django.utils.text import slugify
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from stores.api.base import ID_PATTERN
from stores.models import Store

Row = TypeVar("Row", bound=models.Model)
MAX_AMOUNT = 10**12
MAX_COUNT = 2**31 - 1


# Fields that refuse another JSON type, where Django REST Framework would convert it.


class StrictTextMixin:
    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            raise ValidationError("Must be a string.")
        return super().to_internal_value(data)  # type: ignore[misc]


class CharField(StrictTextMixin, serializers.CharField):
    pass


class EmailField(StrictTextMixin, serializers.EmailField):
    pass


class SlugField(StrictTextMixin, serializers.SlugField):
    pass


class URLField(StrictTextMixin, serializers.URLField):
    pass


class ChoiceField(StrictTextMixin, serializers.ChoiceField):
    pass


class EnumField(ChoiceField):
    """A choice that is one named schema wherever it is read, written or filtered by: that of the class."""

    enum: type[models.TextChoices]

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(self.enum.choices, **kwargs)

    def __init_subclass__(cls) -> None:
        schema = {"type": "string", "enum": cls.enum.values}
        extend_schema_field(schema, component_name=cls.get_component_name())(cls)

    @classmethod
    def get_component_name(cls) -> str:
        return cls.__name__.removesuffix("Field")


class IdField(StrictTextMixin, serializers.RegexField):
    """An id of an object: digits in a string, a number inside."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(f"^{ID_PATTERN}$", error_messages={"invalid": "Must be an id: digits."}, **kwargs)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        text = super().run_validation(data)
        return text and int(text)


class IntegerField(serializers.IntegerField):
    """A whole number."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int | float):
            raise ValidationError("Must be a whole number.")
        return super().to_internal_value(data)


class BooleanField(serializers.BooleanField):
    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            raise ValidationError("Must be true or false.")
        return data


class CountField(IntegerField):
    """A number of things, as large as every database can keep it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"min_value": 0, **kwargs, "max_value": MAX_COUNT})


class AmountField(IntegerField):
    """Money in the currency's smallest unit."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=0, max_value=MAX_AMOUNT, **kwargs)


# Objects.


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses unknown fields, so that a typo is never silently ignored."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping) and (unknown := [name for name in data if name not in self.fields]):
            raise ValidationError({name: ["This field is unknown or cannot be written."] for name in unknown})
        return super().to_internal_value(data)


class CompleteSerializer(StrictSerializer):
    """A nested object that always needs its required fields: DRF would let a PATCH leave them out."""

    def to_internal_value(self, data: Any) -> Any:
        required = [name for name, field in self.fields.items() if field.required]
        if isinstance(data, Mapping) and (missing := [name for name in required if name not in data]):
            raise ValidationError({name: ["This field is required."] for name in missing})
        return super().to_internal_value(data)


class StrictModelSerializer(StrictSerializer, serializers.ModelSerializer[Row]):
    serializer_field_mapping = {
        **serializers.ModelSerializer.serializer_field_mapping,
        models.BooleanField: BooleanField,
        models.CharField: CharField,
        models.EmailField: EmailField,
        models.PositiveIntegerField: CountField,
        models.SlugField: SlugField,
        models.TextField: CharField,
    }
    serializer_choice_field = ChoiceField


class StoreScopedSerializer(StrictModelSerializer[Row]):
    """Writes one row of the store in ``context["store"]`` once it passes the model's own rules."""

    @property
    def store(self) -> Store:
        store: Store = self.context["store"]
        return store

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        model: Any = self.Meta.model
        row = copy(self.instance) if self.instance else model(store=self.store)
        columns = {field.name for field in row._meta.concrete_fields}
        for name in columns & attrs.keys():
            setattr(row, name, attrs[name])
        validate_row(row)
        return attrs

    def create(self, validated_data: dict[str, Any]) -> Row:
        return super().create({"store": self.store, **validated_data})


class HandleSerializer(StoreScopedSerializer[Row]):
    """Gives a new row without a handle one made from its name."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if self.instance is None and "handle" not in attrs:
            max_length = self.fields["handle"].max_length  # type: ignore[attr-defined]
            # A name without a Latin letter leaves nothing.
            attrs["handle"] = slugify(attrs["name"])[:max_length] or get_random_string(8).lower()
        return super().validate(attrs)


def validate_row(row: models.Model) -> None:
    """Check a row by its model's rules. Raises ValidationError by field."""
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
