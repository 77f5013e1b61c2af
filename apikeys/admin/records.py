"""Rows that only the product writes, for operators to read: usage, logs, e-mail."""

import re
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

from apikeys import key_text
from apikeys.models import (
    ApiKey,
    AuditEntry,
    Email,
    LoggedRequest,
    TokenExchange,
    Trust,
    Usage,
)

MAX_LISTED_REQUESTS = 10_000


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """Rows that only the product itself writes."""

    # That counts all rows once more, of which there can be millions.
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    has_change_permission = has_delete_permission = has_add_permission


admin.site.register(
    Trust,
    ReadOnlyAdmin,
    list_display=("name", "store", "issuer", "lifetime", "paused_at", "last_exchange_at"),
    list_filter=("issuer",),
    list_select_related=("store",),
    search_fields=("=store__id", "store__name", "name"),
    ordering=("-created_at",),
)
admin.site.register(
    TokenExchange,
    ReadOnlyAdmin,
    list_display=("at", "trust_id", "run", "prefix", "reason", "address"),
    search_fields=("=prefix", "run"),
    ordering=("-at",),
)
admin.site.register(
    Usage,
    ReadOnlyAdmin,
    list_display=(
        "day",
        "store_id",
        "key_id",
        "resource",
        "access",
        "outcome",
        "reason",
        "requests",
        "last_at",
    ),
    list_filter=("outcome", "resource", "access"),
    search_fields=("key__prefix", "key__name", "=store__id"),
    date_hierarchy="day",
    ordering=("-day", "-requests"),
)
admin.site.register(
    AuditEntry,
    ReadOnlyAdmin,
    list_display=("at", "store", "subject", "event", "sentence", "actor_name", "address"),
    list_display_links=("at",),
    list_filter=("event",),
    list_select_related=("store",),
    search_fields=("=prefix", "search_text__contains", "=store__id"),
    search_help_text="A prefix, a key's name, a person's e-mail address or a store's number.",
    date_hierarchy="at",
)
admin.site.register(
    Email,
    ReadOnlyAdmin,
    list_display=("created_at", "recipient", "subject", "attempts", "sent_at", "failed_at", "error"),
    list_filter=(("sent_at", admin.EmptyFieldListFilter), ("failed_at", admin.EmptyFieldListFilter)),
    list_select_related=("recipient",),
    search_fields=("=recipient__email", "subject"),
    search_help_text="A person's e-mail address, or a part of the subject such as a prefix.",
    date_hierarchy="created_at",
    ordering=("-created_at",),
)


class CappedPaginator(Paginator):  # type: ignore[type-arg]  # not generic at run time
    """Does not count the whole request log, only as far as anybody pages."""

    @cached_property
    def count(self) -> int:
        return len(self.object_list[:MAX_LISTED_REQUESTS].values_list("pk"))  # type: ignore[attr-defined]


@admin.register(LoggedRequest)
class LoggedRequestAdmin(ReadOnlyAdmin):
    """The request log of every store. No filter here looks through the whole of it."""

    list_display = (
        "at",
        "store_id",
        "prefix",
        "method",
        "path",
        "status",
        "reason",
        "milliseconds",
        "address",
        "client",
        "request_id",
    )
    list_display_links = ("at",)
    search_fields = ("request_id",)
    search_help_text = "A request id, a key's prefix or a store's number."
    paginator = CappedPaginator

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """Ids follow time and are indexed across stores; time is indexed for each store and key."""
        return ("-at", "-id") if request.GET.get("q") else ("-id",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[LoggedRequest], search_term: str
    ) -> tuple[QuerySet[LoggedRequest], bool]:
        """Each of what can be searched for has an index; anything else finds nothing."""
        term = search_term.strip()
        if not term:
            return queryset, False
        if prefix := key_text.find_prefix(term):
            key = ApiKey.objects.filter(prefix=prefix).first()
            return queryset.filter(key=key) if key else queryset.none(), False
        if re.fullmatch("[1-9][0-9]{8}", term):
            return queryset.filter(store=int(term)), False
        try:
            return queryset.filter(request_id=UUID(term)), False
        except ValueError:
            return queryset.none(), False
