"""Categories: the tree that products are sorted into."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from stores.api.base import Changes, Creates, Deletes, OfStoreSerializer, with_handle
from stores.api.shapes import Shape, constant, id_of, operations, text
from stores.models import Category, Store
from stores.resources import Resource


@extend_schema_field({"type": "array", "items": {"$ref": "#/components/schemas/Category"}})
class Categories(serializers.ListField):
    """More of what they are in, which the class below cannot say of itself."""


class CategoryShape(Shape):
    object = constant("category")
    id = id_of("category")
    handle = text("Its name for addresses: letters, digits, hyphens and underscores; unique in the store.")
    name = text("What the category is called.")
    description = text("Plain text; may be empty.")

    subcategories = Categories(help_text="The categories right below this one, in the owner's order.")


class CategorySerializer(OfStoreSerializer[Category]):
    handle = serializers.SlugField(max_length=100, required=False)

    class Meta:
        model = Category
        fields = ("handle", "name", "description", "parent", "position")
        extra_kwargs = {
            "parent": {
                "help_text": "The id of the category to put it into; null for the top.",
                # As the model says of another store's, so that nobody learns which ids those have.
                "error_messages": {"does_not_exist": "There is no such category."},
            },
            "position": {"help_text": "Its place among its neighbours, the lowest first."},
        }

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return super().validate(with_handle(self, attrs))

    def to_representation(self, instance: Category) -> dict[str, Any]:
        """One category with those below it; ``context["children"]`` holds the store's, by parent id."""
        children: Mapping[int | None, list[Category]] = self.context["children"]
        return {
            "object": "category",
            "id": str(instance.pk),
            "handle": instance.handle,
            "name": instance.name,
            "description": instance.description,
            "subcategories": [self.to_representation(child) for child in children.get(instance.pk, [])],
        }


@operations(CategoryShape, "a category", "categories")
class CategoryViewSet(Creates, Changes, Deletes):
    """Categories come as a tree, in two shapes: all of it, or one category with those below."""

    resource = Resource.CATEGORIES
    queryset = Category.objects.all()
    serializer_class = CategorySerializer
    pagination_class = None

    def get_queryset(self) -> QuerySet[Any]:
        """A change holds the whole tree: else two at once could hang two categories into each other."""
        if self.request.method == "PATCH":
            Store.objects.select_for_update(no_key=True).get(pk=self.store.pk)
        return super().get_queryset()

    def get_serializer_context(self) -> dict[str, Any]:
        children: defaultdict[int | None, list[Category]] = defaultdict(list)
        for category in Category.objects.for_store(self.store):
            children[category.parent_id].append(category)
        return {**super().get_serializer_context(), "children": children}

    def list(self, request: Request, **kwargs: Any) -> Response:
        serializer = self.get_serializer()
        roots = serializer.context["children"][None]
        return Response([serializer.to_representation(category) for category in roots])

    def retrieve(self, request: Request, **kwargs: Any) -> Response:
        return Response(self.get_serializer(self.get_object()).data)
