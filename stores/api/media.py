"""A product's pictures, each in three sizes: read and written as a part of the product."""

from typing import Any

from django.utils.crypto import get_random_string
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from stores.api.base import JsonObject
from stores.api.serializers import CharField, ChoiceField, CompleteSerializer, URLField
from stores.api.shapes import Shape, constant_field, text_field

SIZES = ("sm", "md", "lg")


class ImageShape(Shape):
    sm = serializers.URLField(help_text="Where the small rendition is.")
    md = serializers.URLField(help_text="Where the medium rendition is.")
    lg = serializers.URLField(help_text="Where the large rendition is.")


class MediaShape(Shape):
    id = text_field("Its own id within the product.")
    type = constant_field("image")
    src = ImageShape(help_text="Where it is, in three sizes.")


class ImageSerializer(CompleteSerializer):
    sm = URLField()
    md = URLField()
    lg = URLField()


class MediaSerializer(CompleteSerializer):
    id = CharField(max_length=40, required=False, help_text="Its id as it was read; a new one has none.")
    type = ChoiceField(["image"])
    src = ImageSerializer()


class MediaField(serializers.ListField):
    """Reads the pictures as they are stored: ``{"id", "sm", "md", "lg"}`` each."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(child=MediaSerializer(), max_length=50, **kwargs)

    def to_internal_value(self, data: Any) -> list[Any]:
        media = [
            {"id": picture.get("id", get_random_string(8)), **picture["src"]}
            for picture in super().to_internal_value(data)
        ]
        if len({picture["id"] for picture in media}) < len(media):
            raise ValidationError("Two pictures have the same id.")
        return media


def represent_media(media: list[dict[str, str]]) -> list[JsonObject]:
    """Return a product's stored pictures for clients. One without an id of its own is known by its place."""
    return [
        {
            "id": picture.get("id", str(place)),
            "type": "image",
            "src": {size: picture[size] for size in SIZES},
        }
        for place, picture in enumerate(media, start=1)
    ]
