"""The base of all resources' views: the store in the address, reading rows, writing in transactions.

Reads make no model instances: the ids of objects are found first, and ``represent()`` makes the objects of
these, with one query for themselves and one for each kind of part, however many there are.
"""

import hashlib
import re
from collections.abc import Sequence
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec
from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower
from django.db.models.lookups import Exact
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils.functional import cached_property
from django.utils.http import http_date
from django_filters import FilterSet
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from stores.api.outputs import Ids, Output, in_seconds
from stores.api.parameters import KnownParametersMixin
from stores.models import Store, StoreObject

ID_PATTERN = "[1-9][0-9]{0,17}"
HANDLE_PATTERN = "[-a-zA-Z0-9_]{1,120}"
DEFAULT_ORDERING = ("-created_at", "-id")


class Refused(APIException):
    """A request that is refused with a code of the table of errors: that has the status and a sentence."""

    def __init__(self, code: str, sentence: str = "") -> None:
        super().__init__(sentence, code)


class PreconditionFailed(Refused):
    """Nothing was done, since the object is not as the request's headers want it."""

    def __init__(self, current: Output) -> None:
        super().__init__("precondition_failed")
        self.extra = {"current": current}
        self.headers = {"ETag": make_entity_tag(msgspec.json.encode(current))}


def make_entity_tag(content: bytes) -> str:
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'


class StoreScopedViewSet(KnownParametersMixin, GenericViewSet[Any]):
    """Whatever is below the address of a store."""

    output: type[Output]

    @property
    def store_id(self) -> int:
        """The id in the address, which may be of no store where there is no key."""
        return int(self.kwargs["store_id"])

    @cached_property
    def store(self) -> Store:
        """The store in the address: the key's own, or read by one query. Raises Http404."""
        store: Store | None = getattr(self.request.auth, "store", None)
        return store or get_object_or_404(Store, pk=self.store_id)

    def respond(self, output: Output, **options: Any) -> Response:
        """Build the response with an object and its validators, the same for reads and writes."""
        content = msgspec.json.encode(output)
        response = Response(msgspec.Raw(content), **options)
        response["ETag"] = make_entity_tag(content)
        if updated_at := getattr(output, "updated_at", None):
            response["Last-Modified"] = http_date(updated_at.timestamp())
        return response


class ObjectViewSet(StoreScopedViewSet):
    """Objects of the store in the address, to read and to change; those of any other store do not exist."""

    http_method_names = ["get", "post", "patch", "delete", "head", "options"]
    lookup_value_regex = ID_PATTERN
    filterset_class: type[FilterSet] = FilterSet
    queryset: QuerySet[Any]

    def represent(self, ids: Sequence[int]) -> Sequence[Output]:
        """Return the objects with these ids in their order, without those that are gone meanwhile."""
        raise NotImplementedError

    def get_parameter_names(self) -> list[str]:
        if self.action != "list" or self.paginator is None:
            return []
        paging = self.paginator.get_schema_operation_parameters(self)
        return [*self.filterset_class.base_filters, *(parameter["name"] for parameter in paging)]

    def get_conditions(self) -> dict[str, Any]:
        """Return the fields and values of all rows that the client may see."""
        return {"store": self.store_id}

    def get_queryset(self) -> QuerySet[Any]:
        """Return what the client may see."""
        return super().get_queryset().filter(**self.get_conditions())

    @cached_property
    def filterset(self) -> FilterSet | None:
        """The filters in the query parameters, if any. Raises ValidationError."""
        if self.filterset_class.base_filters.keys().isdisjoint(self.parameters):
            return None  # a form that nobody filled in would cost more than a query
        filterset = self.filterset_class(self.parameters, self.get_queryset(), request=self.request)
        if not filterset.is_valid():
            raise ValidationError({name: list(errors) for name, errors in filterset.errors.items()})
        return filterset

    def filter_queryset(self, queryset: QuerySet[Any, Any]) -> QuerySet[Any, Any]:
        return self.filterset.filter_queryset(queryset) if self.filterset else queryset

    def find_ids(self) -> Any:
        """Return the ids of the whole list, to slice and to count. Raises ValidationError.

        What filters and cursors ask for besides is made up by the ORM.
        """
        if self.filterset or "cursor" in self.request.query_params:
            found = self.filter_queryset(self.get_queryset()).order_by(*self.get_ordering())
            return found.values_list("pk", flat=True)
        return Ids(self.queryset.model, self.get_conditions(), DEFAULT_ORDERING)

    def get_ordering(self) -> tuple[str, ...]:
        """Return the columns of the list's order, the last of them unique; the newest settles ties."""
        columns = self.filterset and self.filterset.form.cleaned_data.get("order")
        return (*dict.fromkeys(filter(None, columns)), "-id") if columns else DEFAULT_ORDERING

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "store": self.store}

    def get_lookup(self) -> Q:
        return Q((self.lookup_field, self.kwargs[self.lookup_field]))

    def get_object(self) -> Any:
        """Return the object in the address to be changed, locked until the transaction ends."""
        return get_object_or_404(self.get_queryset().select_for_update(of=("self",)), self.get_lookup())

    def read(self, lookup: Q) -> Output:
        """Return one of the store's objects as it is now in the database. Raises Http404."""
        ids = self.get_queryset().filter(lookup).values_list("pk", flat=True)
        for found in self.represent(list(ids[:1])):
            return found
        raise Http404

    def list(self, request: Request, **kwargs: Any) -> Response:
        """Answer a page of the list. Raises Http404 where there is no such store."""
        ids: Any = self.paginate_queryset(self.find_ids())
        if not ids and not Store.objects.filter(pk=self.store_id).exists():
            raise Http404
        return self.get_paginated_response(self.represent(ids))

    def retrieve(self, request: Request, **kwargs: Any) -> Response:
        return self.respond(self.read(self.get_lookup()))

    # The body is read to its end before a transaction begins, so that a slow client does not hold locks.

    def partial_update(self, request: Request, **kwargs: Any) -> Response:
        return self.respond(self.update_object(request.data))

    @transaction.atomic
    def update_object(self, data: Any) -> Output:
        row = self.get_object()
        current = self.read(Q(pk=row.pk))
        self.check_preconditions(row, current)
        context = {**self.get_serializer_context(), "current": msgspec.to_builtins(current)}
        serializer = self.get_serializer(row, data=data, partial=True, context=context)
        serializer.is_valid(raise_exception=True)
        serializer.save()
        return self.read(Q(pk=row.pk))

    def check_preconditions(self, row: StoreObject, current: Output | None = None) -> None:
        """Raise PreconditionFailed if the locked row is not as the headers want it (RFC 9110, 13.2.2).

        ``current`` is what was read of the row, if it was.
        """
        tags = self.request.headers.get("If-Match")
        date = self.request.headers.get("If-Unmodified-Since")
        if tags is None and date is None:
            return
        failed = PreconditionFailed(current or self.read(Q(pk=row.pk)))
        if tags is not None:
            # The W/ that compression adds to our tags is left out of account.
            is_met = tags.strip() == "*" or failed.headers["ETag"] in re.findall('"[^"]*"', tags)
        else:
            is_met = is_unmodified_since(row, date or "")
        if not is_met:
            raise failed


def is_unmodified_since(row: StoreObject, date: str) -> bool:
    """Whether a row was not changed after this HTTP date. Ignore what is no date (RFC 9110, 13.1.4)."""
    try:
        since = parsedate_to_datetime(date)
    except ValueError:
        return True
    return in_seconds(row.updated_at) <= since.replace(tzinfo=since.tzinfo or UTC)


class EditableViewSet(ObjectViewSet):
    """Objects that clients also create and delete."""

    def create(self, request: Request, **kwargs: Any) -> Response:
        created: Any = self.create_object(request.data)
        location = self.reverse_action("detail", kwargs={**self.kwargs, "pk": created.id})
        return self.respond(created, status=201, headers={"Location": location})

    @transaction.atomic
    def create_object(self, data: Any) -> Output:
        """Create an object; with ``If-None-Match: *`` only if there is none of its name yet."""
        serializer: Any = self.get_serializer(data=data)
        is_conditional = self.request.headers.get("If-None-Match", "").strip() == "*"
        if is_conditional and (existing := serializer.find_existing(data)):
            raise PreconditionFailed(self.read(Q(pk=existing.pk)))
        serializer.is_valid(raise_exception=True)
        return self.read(Q(pk=serializer.save().pk))

    @transaction.atomic
    def destroy(self, request: Request, **kwargs: Any) -> Response:
        row = self.get_object()
        self.check_preconditions(row)
        self.perform_destroy(row)
        return Response(status=204)

    def perform_destroy(self, row: Any) -> None:
        row.delete()


class HandleViewSet(EditableViewSet):
    """Objects that also answer to their handle, which storefronts make their addresses from."""

    lookup_value_regex = HANDLE_PATTERN

    def get_lookup(self) -> Q:
        return find_by_id_or_handle(self.kwargs["pk"])


def find_by_id_or_handle(text: str) -> Q:
    """Return the condition for an id or, with a letter in it, for a handle without regard to case."""
    if re.fullmatch(ID_PATTERN, text):
        return Q(pk=text)
    return Q(Exact(Lower("handle"), text.lower()))
