"""Who may open a page of a store's keys, and who may change one."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, resolve_url
from django.urls import reverse
from django.views.decorators.cache import never_cache

from apikeys.models import ApiKey
from apikeys.recent_login import has_recent_login
from apikeys.settings_page import form_recovery
from stores.models import Store

Parameters = ParamSpec("Parameters")


# Addresses that only take a click, and the page that it was made on. What was pasted to find a key by must
# not be kept.
RETURN_PAGES = {"find": "list", "access": "detail"}


class OwnerRequest(HttpRequest):
    """A request of a person who has signed in."""

    user: User


Page = Callable[Concatenate[OwnerRequest, Store, Parameters], HttpResponse]


def store_owner_required(page: Page[Parameters]) -> Callable[..., HttpResponse]:
    """The page gets the store in place of its id. A visitor signs in first; a stranger gets 404."""

    @never_cache
    @wraps(page)
    def guarded(request: Any, store_id: int, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            return redirect_to_proof(settings.LOGIN_URL, request)
        stores = Store.objects.owned_by(request.user).select_related("key_suspension")
        store = get_object_or_404(stores, pk=store_id)
        try:
            return for_dialog(request, page(request, store, *args, **kwargs))
        except ApiKey.DoesNotExist as error:
            raise Http404("The key was deleted at this very moment.") from error

    return guarded


def recent_login_required(page: Page[Parameters]) -> Callable[..., HttpResponse]:
    """A change takes a password typed within the hour: GitHub calls it sudo mode."""

    @wraps(page)
    def guarded(
        request: OwnerRequest, store: Store, *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> HttpResponse:
        if request.method == "POST" and not has_recent_login(request):
            return redirect_to_proof("account_reauthenticate", request)
        return page(request, store, *args, **kwargs)

    return guarded


def redirect_to_proof(url_name: str, request: HttpRequest) -> HttpResponse:
    """Go and prove who you are, then come back here, to what was typed."""
    match = request.resolver_match
    if match and match.url_name in RETURN_PAGES:
        back = reverse(f"apikeys:{RETURN_PAGES[match.url_name]}", kwargs=match.kwargs)
        messages.warning(request, "Nothing has been done yet: please click once more.")
    else:
        back = request.get_full_path()
    response = redirect(f"{resolve_url(url_name)}?{urlencode({'next': back})}")
    if request.method == "POST" and back == request.get_full_path():
        form_recovery.keep_unsent(request, response)
    return for_dialog(request, response)


def for_dialog(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """A script that sends a dialog's form must not follow a redirect itself: it would swallow the page.

    It is told where to send the browser instead.
    """
    if "X-Dialog" in request.headers and "Location" in response.headers:
        response.status_code = 204
        response["X-Location"] = response["Location"]
        del response["Location"]
    return response
