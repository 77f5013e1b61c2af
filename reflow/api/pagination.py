"""Lists, a page at a time, in the envelope that Reflow's clients expect.

By number, ``page`` and ``perpage``, with totals; or by ``cursor``, for reading a whole list: its cost does
not grow with depth, and rows that are added meanwhile neither repeat nor hide others.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar
from urllib.parse import quote_plus, urlencode

from django.core.exceptions import ValidationError as FieldError
from django.db.models import Model, Q, QuerySet
from django.utils.functional import cached_property
from msgspec import UNSET, Meta, Struct, UnsetType, field
from msgspec.structs import asdict
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from stores.api.parameters import (
    DEFAULT_PAGE_SIZE,
    MAX_PAGE_SIZE,
    decode_cursor,
    encode_cursor,
    read_number,
)

MAX_PAGE = 10**9
# Pages on either side of this one that ``meta.links`` has.
NEIGHBOURS = 3
PARAMETERS: list[dict[str, Any]] = [
    {
        "name": "page",
        "in": "query",
        "description": "Which page, from 1, the default. Past `meta.last_page` pages are empty. Not together "
        "with `cursor`.",
        # Without a default: generated clients send it, and beside a cursor no page is taken.
        "schema": {"type": "integer", "minimum": 1, "maximum": MAX_PAGE},
    },
    {
        "name": "perpage",
        "in": "query",
        "description": "How many objects on a page.",
        "schema": {"type": "integer", "minimum": 1, "maximum": MAX_PAGE_SIZE, "default": DEFAULT_PAGE_SIZE},
    },
    {
        "name": "cursor",
        "in": "query",
        "description": "Another way to page, as fast at the end of a list as at its start, and steady while "
        "objects are added: empty to begin, then follow `links.next`.",
        "schema": {"type": "string"},
        "allowEmptyValue": True,
    },
]


def url(description: str) -> Meta:
    return Meta(description=description, extra_json_schema={"format": "uri"})


def number(description: str, minimum: int = 1) -> Meta:
    return Meta(description=description, extra_json_schema={"minimum": minimum})


class PageLinks(Struct):
    """Addresses of other pages, with all query parameters kept."""

    first: Annotated[str, url("The first page.")]
    last: Annotated[str | None, url("The last page; null with `cursor`.")]
    prev: Annotated[str | None, url("The previous page; null on the first.")]
    next: Annotated[str | None, url("The next page; null on the last.")]


class PagerLink(Struct):
    """A page of the list."""

    url: Annotated[str | None, url("The address of the page; null where there is none.")]
    label: Annotated[str, Meta(description="`Previous`, a number or `Next`.")]
    active: Annotated[bool, Meta(description="Whether it is this page.")]


class PageMeta(Struct, kw_only=True):
    """The position of this page in the list; with `cursor` only `per_page`, the size of a page."""

    per_page: Annotated[int, number("The maximum number of objects on a page.")]
    path: Annotated[str | UnsetType, url("The address of the list.")] = UNSET
    links: Annotated[
        list[PagerLink] | UnsetType,
        Meta(description="The pages around this one, for a pager."),
    ] = UNSET
    current_page: Annotated[int | UnsetType, number("The number of this page.")] = UNSET
    start: Annotated[
        int | UnsetType | None,
        number("The position of the page's first object; null on an empty page."),
    ] = field(name="from", default=UNSET)
    end: Annotated[
        int | UnsetType | None,
        number("The position of the page's last object; null on an empty page."),
    ] = field(name="to", default=UNSET)
    last_page: Annotated[int | UnsetType, number("The number of the last page.")] = UNSET
    total: Annotated[int | UnsetType, number("The number of objects in the whole list.", 0)] = UNSET


class ListPagination(BasePagination):
    """By cursor where the request has one, be it empty; by page number otherwise.

    Reads the ids of the objects on a page, from a QuerySet of ids or, by page number, whatever can be sliced
    and counted like it. The view has a ``get_ordering()`` for cursors.
    """

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        cursor = request.query_params.get("cursor", "undefined")
        self.pages: NumberedPages | CursorPages
        if cursor != "undefined" and "page" in view.parameters:
            raise ValidationError({"page": ["Send either page or cursor."]})
        if cursor == "undefined":
            self.pages = NumberedPages(request, view.parameters)
        else:
            order = ListOrder(queryset.model, view.get_ordering())
            self.pages = CursorPages(request, view.parameters, order)
        return self.pages.read(queryset)

    def get_paginated_response(self, data: Any) -> Response:
        links = self.pages.links
        addresses = [f'<{url}>; rel="{name}"' for name, url in asdict(links).items() if url]
        body = {"data": data, "links": links, "meta": self.pages.meta()}
        return Response(body, headers={"Link": ", ".join(addresses)})

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        return PARAMETERS

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        properties = {
            "data": {**schema, "description": "The objects on this page."},
            "links": {"$ref": "#/components/schemas/PageLinks", "description": PageLinks.__doc__},
            "meta": {"$ref": "#/components/schemas/PageMeta", "description": PageMeta.__doc__},
        }
        return {
            "type": "object",
            "description": "One page of a list.",
            "properties": properties,
            "required": list(properties),
        }


class Pages:
    """The base of both ways: the address of the list and the size of a page."""

    parameter: ClassVar[str]

    def __init__(self, request: Request, parameters: Mapping[str, str]) -> None:
        self.path = request.build_absolute_uri(request.path)
        others = urlencode({name: value for name, value in parameters.items() if name != self.parameter})
        self.others = others and f"&{others}"
        self.size = read_number(parameters, "perpage", default=DEFAULT_PAGE_SIZE, maximum=MAX_PAGE_SIZE)

    def link(self, value: object) -> str:
        """Return the address of another page of the same list."""
        return f"{self.path}?{self.parameter}={quote_plus(str(value))}{self.others}"


class NumberedPages(Pages):
    parameter = "page"

    def __init__(self, request: Request, parameters: Mapping[str, str]) -> None:
        super().__init__(request, parameters)
        self.number = read_number(parameters, "page", default=1, maximum=MAX_PAGE)
        self.start = (self.number - 1) * self.size

    def read(self, ids: Any) -> list[int]:
        self.ids = list(ids[self.start : self.start + self.size])
        # A page that is not full ends the list. One without objects may be far behind its end.
        is_end = len(self.ids) < self.size and (self.ids or not self.start)
        self.total = self.start + len(self.ids) if is_end else ids.count()
        self.last = max(1, -(-self.total // self.size))
        return self.ids

    @cached_property
    def links(self) -> PageLinks:
        previous = min(self.number - 1, self.last)
        return PageLinks(
            first=self.link(1),
            last=self.link(self.last),
            prev=self.link(previous) if previous else None,
            next=self.link(self.number + 1) if self.number < self.last else None,
        )

    def meta(self) -> PageMeta:
        return PageMeta(
            per_page=self.size,
            path=self.path,
            links=self.pager_links(),
            current_page=self.number,
            start=self.start + 1 if self.ids else None,
            end=self.start + len(self.ids) if self.ids else None,
            last_page=self.last,
            total=self.total,
        )

    def pager_links(self) -> list[PagerLink]:
        """Return what a pager shows: the previous page, this one and its neighbours, the next page."""
        first, last = max(1, self.number - NEIGHBOURS), min(self.last, self.number + NEIGHBOURS)
        return [
            PagerLink(self.links.prev, "Previous", active=False),
            *(
                PagerLink(self.link(page), str(page), active=page == self.number)
                for page in range(first, last + 1)
            ),
            PagerLink(self.links.next, "Next", active=False),
        ]


class ListOrder:
    """The order of a model's rows, from columns such as ``-created_at``; as text it identifies the list."""

    def __init__(self, model: type[Model], columns: Sequence[str]) -> None:
        self.columns = columns
        self.fields = [(name, model._meta.get_field(name)) for name in (each.lstrip("-") for each in columns)]
        self.text = " ".join([str(model._meta.model_name), *columns])

    def make_cursor(self, row: Mapping[str, Any], *, backwards: bool) -> str:
        """Return the cursor beside a row of the columns."""
        return encode_cursor([self.text, backwards, *(str(row[name]) for name, _ in self.fields)])

    def parse_cursor(self, text: str) -> tuple[list[Any], bool]:
        """Return the values in a cursor and whether it reads backwards. Raises ValidationError."""
        try:
            order, backwards, *values = decode_cursor(text, list[str | bool])
            return self.parse_values(order, values), backwards is True
        except (ValueError, OverflowError, FieldError) as error:
            message = (
                "Use the cursor of a link as it is, for the same list and order, or an empty one to begin."
            )
            raise ValidationError({"cursor": [message]}) from error

    def parse_values(self, order: object, texts: Sequence[object]) -> list[Any]:
        """Return the values in a cursor. Raises ValueError, OverflowError and Django's ValidationError."""
        if order != self.text:
            raise ValueError(order)
        return [parse_value(field, text) for (_, field), text in zip(self.fields, texts, strict=True)]

    def is_beyond(self, values: Sequence[Any], *, backwards: bool) -> Q:
        """Return the condition for rows after these values, column by column.

        An index can use its first part, which the others imply.
        """
        lookups = ["lt" if column.startswith("-") != backwards else "gt" for column in self.columns]
        beyond, same = Q(), Q()
        for (name, _), lookup, value in zip(self.fields, lookups, values, strict=True):
            beyond |= same & Q(**{f"{name}__{lookup}": value})
            same &= Q(**{name: value})
        return Q(**{f"{self.fields[0][0]}__{lookups[0]}e": values[0]}) & beyond


def parse_value(field: Any, text: object) -> Any:
    """Return the value of a column. Raises ValueError, OverflowError and Django's ValidationError."""
    if not isinstance(text, str) or "\0" in text:
        raise ValueError(text)
    value = field.to_python(text)
    field.run_validators(value)
    return value.astimezone(UTC) if isinstance(value, datetime) else value


class CursorPages(Pages):
    parameter = "cursor"

    def __init__(self, request: Request, parameters: Mapping[str, str], order: ListOrder) -> None:
        super().__init__(request, parameters)
        self.order = order
        cursor = parameters.get(self.parameter)
        self.beside, self.backwards = order.parse_cursor(cursor) if cursor else ([], False)

    def read(self, queryset: QuerySet[Any]) -> list[int]:
        if self.beside:
            queryset = queryset.filter(self.order.is_beyond(self.beside, backwards=self.backwards))
        names = [name for name, _ in self.order.fields]
        rows = queryset.order_by(*self.order.columns).values("pk", *names)
        found = list((rows.reverse() if self.backwards else rows)[: self.size + 1])
        self.has_more = len(found) > self.size
        self.rows = found[: self.size][::-1] if self.backwards else found[: self.size]
        return [row["pk"] for row in self.rows]

    @cached_property
    def links(self) -> PageLinks:
        has_next = self.rows and (self.has_more or self.backwards)
        has_previous = self.rows and (self.has_more if self.backwards else self.beside)
        return PageLinks(
            first=self.link(""),
            last=None,
            prev=self.link(self.order.make_cursor(self.rows[0], backwards=True)) if has_previous else None,
            next=self.link(self.order.make_cursor(self.rows[-1], backwards=False)) if has_next else None,
        )

    def meta(self) -> PageMeta:
        return PageMeta(per_page=self.size)
