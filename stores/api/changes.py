"""The feed of changes: what a program that keeps a copy of a store reads instead of all its lists."""

from typing import Annotated, Any, Literal

import msgspec
from django.db import DEFAULT_DB_ALIAS
from django.db.models import Q
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from stores import models
from stores.api.base import Refused, StoreScopedViewSet
from stores.api.outputs import Columns, Output, Row, Time, always, in_seconds, text, time
from stores.api.parameters import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, decode_cursor, encode_cursor, read_number
from stores.models.changes import DAYS_KEPT, RESOURCES
from stores.resources import Access, Resource

MAX_CURSOR_LENGTH = 100
DESCRIPTION = (
    "Everything that was created, updated or deleted, the oldest first, for programs that keep a copy. No "
    f"change is missed or told twice. Kept for {DAYS_KEPT} days. Poll with `If-None-Match`: 304 while "
    "nothing is new."
)
PARAMETERS = [
    OpenApiParameter(
        "cursor",
        {"type": "string", "maxLength": MAX_CURSOR_LENGTH},
        description="The `next_cursor` of the answer before; empty to begin with the oldest change.",
    ),
    OpenApiParameter(
        "resource",
        {"type": "string", "enum": [resource.value for resource in RESOURCES]},
        description="Only changes of this resource. Default: all resources that the key may read.",
    ),
    OpenApiParameter(
        "perpage",
        {"type": "integer", "minimum": 1, "maximum": MAX_PAGE_SIZE, "default": DEFAULT_PAGE_SIZE},
        description="How many changes at most.",
    ),
]


class Change(Output, kw_only=True):
    object: Annotated[Literal["change"], always("change")]
    resource: Annotated[str, text("The resource of the object that changed, such as `products`.", 20)]
    id: Annotated[str, text("The id of the object that changed: digits, in a string.", 19)]
    event: Annotated[Literal["created", "updated", "deleted"], text("What happened to it.")]
    at: Annotated[Time, time("When it happened.")]


COLUMNS = Columns(models.Change, Change)


class Changes(Output):
    data: Annotated[list[Change], text("The changes, the oldest first.")]
    next_cursor: Annotated[
        str, text("Send it as `cursor` to read on from here, now or later.", MAX_CURSOR_LENGTH)
    ]
    has_more: Annotated[bool, text("Whether more changes are there already.")]


PlaceNumber = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class Place(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """A reader's place in the feed: the change that was read last; its beginning before the first."""

    transaction_id: PlaceNumber = 0
    pk: PlaceNumber = 0


class ChangesViewSet(StoreScopedViewSet):
    needs_key = True
    resource: Resource | None = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Let the permission ask for the resource that is asked for, where there is one."""
        asked = request.query_params.get("resource")
        self.resource = Resource(asked) if asked in RESOURCES else None
        super().initial(request, *args, **kwargs)

    def get_parameter_names(self) -> list[str]:
        return ["cursor", "resource", "perpage"]

    @extend_schema(
        operation_id="list_changes",
        summary="List changes",
        description=DESCRIPTION,
        parameters=PARAMETERS,
        responses={200: Changes, 410: None},
    )
    def retrieve(self, request: Request, **kwargs: Any) -> Response:
        size = read_number(self.parameters, "perpage", default=DEFAULT_PAGE_SIZE, maximum=MAX_PAGE_SIZE)
        place = self.get_place()
        rows = self.read_rows(place, size)
        page = rows[:size]
        if page:
            place = Place(page[-1]["transaction_id"], page[-1]["id"])
        return Response(
            Changes(
                [COLUMNS.fill(row, id=str(row["object_id"]), at=in_seconds(row["at"])) for row in page],
                encode_cursor(place),
                len(rows) > size,
            )
        )

    def get_place(self) -> Place:
        """Return the place in the request. Raises ValidationError."""
        try:
            return decode_cursor(self.parameters["cursor"], Place) if "cursor" in self.parameters else Place()
        except ValueError as error:
            message = "Use next_cursor as it is, or an empty one to begin."
            raise ValidationError({"cursor": [message]}) from error

    def read_rows(self, place: Place, size: int) -> list[Row]:
        """Read one change more than there may be. Raises Refused if that of the place is gone.

        From the primary: a replica may not have the place yet.
        """
        changes = models.Change.objects.using(DEFAULT_DB_ALIAS).filter(
            Q(resource__in=self.get_resources()) | Q(pk=place.pk), store=self.store
        )
        rows = changes.settled().beginning_at(place.transaction_id, place.pk)
        found = list(rows.values(*COLUMNS.names, "transaction_id", "object_id")[: size + 2])
        if place.pk and (not found or found.pop(0)["id"] != place.pk):
            raise Refused("cursor_expired")
        return found[: size + 1]

    def get_resources(self) -> list[Resource]:
        """Return the resources whose changes the key may read and, if it named one, wants."""
        named = self.parameters.get("resource")
        if named is not None and self.resource is None:
            raise ValidationError({"resource": [f"Must be one of {', '.join(RESOURCES)}."]})
        key: Any = self.request.auth
        allowed = [each for each in RESOURCES if key.allows(each.scope(Access.READ))]
        return [self.resource] if self.resource else allowed
