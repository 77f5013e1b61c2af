"""What the views of all resources share: the store in the address, reading rows, writing in transactions.

Reads make no model instances: a view's ``rows`` are a QuerySet of dicts, and ``represent()`` turns these into
JSON objects, with one query for each kind of part however many rows there are. The QuerySet is made once,
because naming its columns takes half as long as running it.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils.functional import cached_property
from django_filters import FilterSet
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from stores.api.parameters import parse_parameters
from stores.models import Store

ID_PATTERN = "[1-9][0-9]{0,17}"
HANDLE_PATTERN = "[-a-zA-Z0-9_]{1,120}"
DEFAULT_ORDERING = ("-created_at", "-id")

Row = Mapping[str, Any]
JsonObject = dict[str, Any]


class StoreScopedViewSet(GenericViewSet[Any]):
    """Objects of the store in the address; those of any other store do not exist."""

    http_method_names = ["get", "post", "patch", "delete", "head", "options"]
    lookup_value_regex = ID_PATTERN
    filterset_class: type[FilterSet] | None = None
    rows: QuerySet[Any, Any]

    def represent(self, rows: list[Row]) -> list[JsonObject]:
        """Return the JSON objects of some of the view's ``rows``."""
        raise NotImplementedError

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if self.action:  # else the method is not allowed, whatever the parameters
            self.parameters = parse_parameters(request.query_params, self.get_parameter_names())

    def get_parameter_names(self) -> list[str]:
        """Return the query parameters that the requested action takes."""
        if self.action != "list" or self.paginator is None:
            return []
        paging = self.paginator.get_schema_operation_parameters(self)
        filters = self.filterset_class.base_filters if self.filterset_class else {}
        return [*filters, *(parameter["name"] for parameter in paging)]

    @cached_property
    def store(self) -> Store:
        """The store in the address: the key's own, or read by one query. Raises Http404."""
        store: Store | None = getattr(self.request.auth, "store", None)
        return store or get_object_or_404(Store, pk=self.kwargs["store_id"])

    def get_queryset(self) -> QuerySet[Any]:
        return super().get_queryset().for_store(self.store)  # type: ignore[attr-defined, no-any-return]

    def get_rows(self) -> QuerySet[Any, Any]:
        return self.rows.filter(store=self.store)

    @cached_property
    def filterset(self) -> FilterSet | None:
        """The filters in the query parameters, if any. Raises ValidationError."""
        filters = self.filterset_class.base_filters if self.filterset_class else {}
        if self.filterset_class is None or filters.keys().isdisjoint(self.parameters):
            return None  # a form that nobody filled in would cost more than a query
        filterset = self.filterset_class(self.parameters, request=self.request)
        if not filterset.is_valid():
            raise ValidationError({name: list(errors) for name, errors in filterset.errors.items()})
        return filterset

    def filter_queryset(self, queryset: QuerySet[Any, Any]) -> QuerySet[Any, Any]:
        return self.filterset.filter_queryset(queryset) if self.filterset else queryset

    def get_ordering(self) -> tuple[str, ...]:
        """Return the columns of the list's order, the last of them unique."""
        return (self.filterset and self.filterset.form.cleaned_data["order"]) or DEFAULT_ORDERING

    def count(self) -> int:
        """Count the objects of the list, without the joins that reading them needs."""
        return self.filter_queryset(self.get_queryset()).count()

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "store": self.store}

    def find(self, queryset: QuerySet[Any, Any]) -> Any:
        """Return what the queryset holds of the object in the address. Raises Http404."""
        for lookup in self.get_lookups():
            if (found := queryset.filter(**lookup).first()) is not None:
                return found
        raise Http404

    def get_lookups(self) -> Iterator[dict[str, Any]]:
        """Yield the conditions that find the object in the address, to be tried in turn."""
        yield {"pk": self.kwargs["pk"]}

    def get_object(self) -> Any:
        """Return the object in the address to be changed, locked until the transaction ends."""
        return self.find(self.get_queryset().select_for_update(of=("self",)))

    def read(self, pk: int) -> JsonObject:
        """Return the JSON object of one of the store's rows, as it is now in the database."""
        (found,) = self.represent(list(self.get_rows().filter(pk=pk)))
        return found


class HandleLookupMixin(StoreScopedViewSet):
    """Objects that also answer to their handle, which storefronts make their addresses from."""

    lookup_value_regex = HANDLE_PATTERN

    def get_lookups(self) -> Iterator[dict[str, Any]]:
        text = self.kwargs["pk"]
        if text.isdigit() and not text.startswith("0") and len(text) <= 18:
            yield {"pk": text}
        yield {"handle": text}


class ListMixin(StoreScopedViewSet):
    def list(self, request: Request, **kwargs: Any) -> Response:
        rows: Any = self.paginate_queryset(self.filter_queryset(self.get_rows()))
        return self.get_paginated_response(self.represent(rows))


class RetrieveMixin(StoreScopedViewSet):
    def retrieve(self, request: Request, **kwargs: Any) -> Response:
        found = self.represent([self.find(self.get_rows())])
        if not found:  # deleted meanwhile
            raise Http404
        return Response(found[0])


# The body is read to its end before a transaction begins, so that a slow client does not hold locks.


class CreateMixin(StoreScopedViewSet):
    def create(self, request: Request, **kwargs: Any) -> Response:
        created = self.create_object(request.data)
        location = self.reverse_action("detail", kwargs={**self.kwargs, "pk": created["id"]})
        return Response(created, status=201, headers={"Location": location})

    @transaction.atomic
    def create_object(self, data: Any) -> JsonObject:
        serializer = self.get_serializer(data=data)
        serializer.is_valid(raise_exception=True)
        return self.read(serializer.save().pk)


class UpdateMixin(StoreScopedViewSet):
    def partial_update(self, request: Request, **kwargs: Any) -> Response:
        return Response(self.update_object(request.data))

    @transaction.atomic
    def update_object(self, data: Any) -> JsonObject:
        serializer = self.get_serializer(self.get_object(), data=data, partial=True)
        serializer.is_valid(raise_exception=True)
        return self.read(serializer.save().pk)


class DestroyMixin(StoreScopedViewSet):
    @transaction.atomic
    def destroy(self, request: Request, **kwargs: Any) -> Response:
        self.get_object().delete()
        return Response(status=204)
