"""Categories: the tree that products are sorted into."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from stores import models
from stores.api.base import HandleViewSet, Refused, find_by_id_or_handle
from stores.api.outputs import HANDLE, Columns, Output, Rows, Time, always, count, id_of, text, time
from stores.api.serializers import HandleSerializer, IdField
from stores.resources import Resource


class Category(Output, kw_only=True):
    object: Annotated[Literal["category"], always("category")]
    id: Annotated[str, id_of("category")]
    handle: Annotated[str, HANDLE]
    name: Annotated[str, text("What the category is called.", 100)]
    description: Annotated[str, text("Plain text; may be empty.", 20_000)]
    parent: Annotated[str | None, id_of("category it lies in; null at the top")]
    position: Annotated[int, count("Its place among its neighbours, the lowest first.")]
    updated_at: Annotated[Time, time("When it was last changed.")]
    subcategories: Annotated[
        list["Category"], text("The categories right below this one, in the owner's order.")
    ]


COLUMNS = Columns(models.Category, Category)
CATEGORIES = Rows(models.Category, "store_id", COLUMNS.names, order_by=("position", "name", "id"))


class CategorySerializer(HandleSerializer[models.Category]):
    parent = IdField(allow_null=True, required=False)  # type: ignore[assignment]

    class Meta:
        model = models.Category
        fields = ("handle", "name", "description", "parent", "position")

    def validate_parent(self, pk: int | None) -> models.Category | None:
        parent = models.Category.objects.filter(store=self.store, pk=pk).first() if pk else None
        if pk and parent is None:
            raise ValidationError("There is no such category.")
        return parent


def read_category_tree(store_id: int) -> dict[int, Category]:
    """Return all the store's categories by id, each with those below it inside."""
    rows = CATEGORIES.read([store_id])
    tree = {row["id"]: COLUMNS.fill(row, subcategories=[]) for row in rows}
    for row in rows:
        if row["parent"] in tree:
            tree[row["parent"]].subcategories.append(tree[row["id"]])
    return tree


def find_branch(store_id: int, key: str) -> list[int]:
    """Return the ids of the category with this id or handle and of all below it; none where there is none."""
    categories = models.Category.objects.filter(store=store_id)
    level = set(categories.filter(find_by_id_or_handle(key)).values_list("pk", flat=True))
    parents = list(categories.values_list("pk", "parent")) if level else []
    branch: list[int] = []
    while level:
        branch += level
        level = {pk for pk, parent in parents if parent in level}
    return branch


@extend_schema_view(
    destroy=extend_schema(
        description="A category with others below it is deleted with all of them, or not at all (409).",
        parameters=[
            OpenApiParameter(
                "subcategories",
                {"type": "string", "enum": ["delete"]},
                description="`delete` takes all categories below it too.",
            )
        ],
    )
)
class CategoryViewSet(HandleViewSet):
    """The list is the whole tree, a plain array of the categories at the top; it has no pages."""

    resource = Resource.CATEGORIES
    output = Category
    queryset = models.Category.objects.all()
    serializer_class = CategorySerializer
    pagination_class = None

    def get_parameter_names(self) -> list[str]:
        return ["subcategories"] if self.action == "destroy" else super().get_parameter_names()

    def represent(self, ids: Sequence[int]) -> Sequence[Category]:
        tree = read_category_tree(self.store.pk)
        return [tree[pk] for pk in ids if pk in tree]

    def list(self, request: Request, **kwargs: Any) -> Response:
        tree = read_category_tree(self.store.pk)
        return Response([category for category in tree.values() if category.parent is None])

    def get_object(self) -> Any:
        """Lock the tree for a change: two at once could put two categories below each other."""
        models.Store.objects.select_for_update(no_key=True).get(pk=self.store.pk)
        return super().get_object()

    def perform_destroy(self, row: models.Category) -> None:
        """Delete a category; with ``?subcategories=delete`` all below it as well. Raises Refused."""
        asked = self.parameters.get("subcategories")
        if asked not in {None, "delete"}:
            raise ValidationError({"subcategories": ["Must be delete."]})
        if asked is None and row.subcategories.exists():
            raise Refused("conflict", "It has subcategories: move them first, or send ?subcategories=delete.")
        row.delete()
