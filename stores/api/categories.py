"""Categories: the tree that products are sorted into."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from stores.api.base import (
    CreateMixin,
    DestroyMixin,
    HandleLookupMixin,
    JsonObject,
    RetrieveMixin,
    Row,
    UpdateMixin,
)
from stores.api.schema import describe_operations
from stores.api.serializers import HandleSerializer, IdField, SlugField
from stores.api.shapes import Shape, constant_field, count_field, id_field, text_field
from stores.models import Category, Store
from stores.resources import Resource

TREE_ROWS = Category.objects.values("id", "parent_id", "handle", "name", "description", "position")


@extend_schema_field({"type": "array", "items": {"$ref": "#/components/schemas/Category"}})
class SubcategoriesField(serializers.ListField):
    """More of what they are in, which the class below cannot say of itself."""


class CategoryShape(Shape):
    object = constant_field("category")
    id = id_field("category")
    handle = text_field(
        "Its name for addresses: letters, digits, hyphens and underscores; unique in the store."
    )
    name = text_field("What the category is called.")
    description = text_field("Plain text; may be empty.")
    parent = id_field("category it lies in; null at the top", allow_null=True)  # type: ignore[assignment]
    position = count_field("Its place among its neighbours, the lowest first.")
    subcategories = SubcategoriesField(help_text="The categories right below this one, in the owner's order.")


class CategorySerializer(HandleSerializer[Category]):
    handle = SlugField(max_length=100, required=False)
    parent = IdField(allow_null=True, required=False)  # type: ignore[assignment]

    class Meta:
        model = Category
        fields = ("handle", "name", "description", "parent", "position")

    def validate_parent(self, pk: int | None) -> Category | None:
        parent = Category.objects.for_store(self.store).filter(pk=pk).first() if pk else None
        if pk and parent is None:
            raise ValidationError("There is no such category.")
        return parent


def read_category_tree(store: Store) -> dict[int, JsonObject]:
    """Return the JSON objects of all the store's categories by id, each with those below it inside."""
    rows = TREE_ROWS.filter(store=store)
    tree = {row["id"]: represent_category(row) for row in rows}
    for row in rows:
        if row["parent_id"] in tree:
            tree[row["parent_id"]]["subcategories"].append(tree[row["id"]])
    return tree


def represent_category(row: Row) -> JsonObject:
    return {
        "object": "category",
        "id": str(row["id"]),
        "handle": row["handle"],
        "name": row["name"],
        "description": row["description"],
        "parent": row["parent_id"] and str(row["parent_id"]),
        "position": row["position"],
        "subcategories": [],
    }


def find_branch(store_id: int, key: str) -> list[int]:
    """Return the ids of the category with this id or handle and of all below it; none where there is none."""
    rows = list(Category.objects.filter(store=store_id).values_list("id", "parent_id", "handle"))
    level = {pk for pk, _, _ in rows if str(pk) == key} or {pk for pk, _, handle in rows if handle == key}
    branch: list[int] = []
    while level:
        branch += level
        level = {pk for pk, parent, _ in rows if parent in level}
    return branch


@describe_operations(CategoryShape, "category", "categories")
class CategoryViewSet(HandleLookupMixin, RetrieveMixin, CreateMixin, UpdateMixin, DestroyMixin):
    """The list is the whole tree, a plain array of the categories at the top; it has no pages."""

    resource = Resource.CATEGORIES
    queryset = Category.objects.all()
    serializer_class = CategorySerializer
    pagination_class = None
    rows = Category.objects.values("id")

    def represent(self, rows: list[Row]) -> list[JsonObject]:
        tree = read_category_tree(self.store)
        # One that was deleted meanwhile is in no tree.
        return [tree[row["id"]] for row in rows if row["id"] in tree]

    def list(self, request: Request, **kwargs: Any) -> Response:
        tree = read_category_tree(self.store)
        return Response([category for category in tree.values() if category["parent"] is None])

    def get_queryset(self) -> QuerySet[Any]:
        """Lock the tree for a change: two at once could put two categories below each other."""
        if self.request.method == "PATCH":
            Store.objects.select_for_update(no_key=True).get(pk=self.store.pk)
        return super().get_queryset()
