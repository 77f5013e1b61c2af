"""The admin site: how operators sign in, when they prove it again, and which queries its lists take."""

from collections.abc import Iterable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from allauth.account.decorators import secure_admin_login
from django.contrib import admin, messages
from django.core.exceptions import BadRequest, ObjectDoesNotExist
from django.db import DataError, IntegrityError
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.decorators import method_decorator

from apikeys import key_text
from apikeys.recent_login import has_recent_login
from stores.text import comparable

# What Django's filters append to a field's name in the query string, and what its drill-down by date does.
FILTER_LOOKUPS = ("exact", "isnull", "isempty")
DATE_LOOKUPS = ("year", "month", "day")


def without_keys(form: Any) -> Any:
    """Return a form class that refuses an API key in any text."""

    class FormWithoutKeys(form):  # type: ignore[misc]  # which form, is known at run time
        def clean(self) -> Any:
            cleaned = super().clean()
            for name, value in self.cleaned_data.copy().items():
                if isinstance(value, str) and key_text.contains_key(value):
                    self.add_error(name, "This contains an API key. Remove it: others can read it here.")
            return cleaned

    return FormWithoutKeys


class OperatorSite(admin.AdminSite):
    site_header = site_title = "Reflow"
    index_title = "Operators"

    # https://docs.allauth.org/en/latest/common/admin.html: operators sign in where everybody does.
    @method_decorator(secure_admin_login)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return redirect("admin:index")

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:  # noqa: FBT001, FBT002  # Django's
        """Require a recent sign-in for every change, as the settings page does."""
        inner = super().admin_view(view, cacheable)

        @wraps(inner)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            is_change = request.method == "POST" and view != self.logout
            if is_change and self.has_permission(request) and not has_recent_login(request):
                messages.warning(request, "Nothing has been changed. Make the change again.")
                query = urlencode({"next": request.get_full_path()})
                return redirect(f"{reverse('account_reauthenticate')}?{query}")
            response: HttpResponse
            try:
                response = inner(request, *args, **kwargs)
            except (IntegrityError, ObjectDoesNotExist):
                # Somebody saved the same or deleted it meanwhile: looked at again, the page says so.
                response = inner(request, *args, **kwargs)
            except (DataError, OverflowError, ValueError) as error:
                raise BadRequest("It names a number, a date or a text that no column can hold.") from error
            return response

        return guarded

    def register(
        self,
        model_or_iterable: type[Model] | Iterable[type[Model]],
        admin_class: "type[admin.ModelAdmin[Any]] | None" = None,
        **options: Any,
    ) -> None:
        """Register the models with ``CheckedAdmin``, Django's own models too."""
        base = admin_class or admin.ModelAdmin
        super().register(model_or_iterable, type(base.__name__, (CheckedAdmin, base), {}), **options)


class CheckedAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """Takes only texts without API keys, and the kinds of queries that lists send.

    Django would look up any column in any way: by pattern, which takes as long as the pattern likes, or in
    ways that the database has not, which is a server error.
    """

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001, FBT002  # Django's
        """Return the form, which refuses an API key in any text: what is typed here others read."""
        return without_keys(super().get_form(request, obj, change=change, **kwargs))

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        field, _, kind = lookup.rpartition("__")
        kinds = DATE_LOOKUPS if field == self.date_hierarchy else FILTER_LOOKUPS
        return (not field or kind in kinds) and super().lookup_allowed(lookup, value, request)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Search as the settings page does: for the prefix of a pasted key, and folded where texts are.

        The text is cut: each word is a condition on each column, and too many are more than SQLite takes.
        """
        term = key_text.search_term(search_term)
        folded = comparable(term) if "search_text__contains" in self.search_fields else term
        return super().get_search_results(request, queryset, folded)
