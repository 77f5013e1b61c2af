"""Decorators that say who may open a page of a store's keys, and who may change one."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from urllib.parse import urlencode, urljoin

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import get_object_or_404, redirect, resolve_url
from django.utils.cache import patch_vary_headers
from django.views.decorators.cache import never_cache
from django_htmx.http import HttpResponseStopPolling, push_url
from django_htmx.middleware import HtmxDetails

from apikeys import key_text
from apikeys.models import ApiKey
from apikeys.recent_login import has_recent_login
from apikeys.settings_page import form_recovery
from apikeys.settings_page.dialogs import render_dialog
from stores.models import Store

Parameters = ParamSpec("Parameters")


# Addresses that only take a click or a search, and the page that it was made on, seen from there. What was
# pasted to find a key by must not be kept.
RETURN_PAGES = {
    "find": "..",
    "requests": ".",
    "activity": ".",
    "access": "..",
    "refusals": "..",
    "pause_trust": "..",
    "fence": "..",
    "rhythm": "..",
    "end_old": "..",
    "rehearse": "../edit/",
}
# The element whose content is the list of keys.
LIST_ID = "keys"
# Of a person who owns more, the page lists so many.
MAX_STORES = 50


class OwnerRequest(HttpRequest):
    """A request of a person who has signed in."""

    user: User
    store: Store
    stores: list[Store]
    htmx: HtmxDetails


Page = Callable[Concatenate[OwnerRequest, Parameters], HttpResponseBase]


def store_owner_required(page: Page[Concatenate[Store, Parameters]]) -> Callable[..., HttpResponseBase]:
    """The page gets the store in place of its id. A visitor signs in first; a stranger gets 404."""

    @never_cache
    @wraps(page)
    def guarded(request: Any, store_id: int, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return redirect_to_proof(settings.LOGIN_URL, request)
        stores = Store.objects.owned_by(request.user).select_related("key_suspension")
        request.stores = list(stores[:MAX_STORES])
        found = [store for store in request.stores if store.pk == store_id]
        store = found[0] if found else get_object_or_404(stores, pk=store_id)
        request.store = store
        refuse_nul(request)
        if request.method in {"GET", "HEAD"} and (query := cut_keys(request.GET)) != request.GET:
            return redirect(f"{request.path}?{query.urlencode()}")
        try:
            return adapt_to_htmx(request, page(request, store, *args, **kwargs))
        except ApiKey.DoesNotExist as error:
            raise Http404("The key was deleted at this very moment.") from error

    return guarded


def refuse_nul(request: HttpRequest) -> None:
    """Raise BadRequest for a parameter or a field with a NUL, which no person types and no text may hold."""
    for data in (request.GET, request.POST):
        if any("\0" in value for name, values in data.lists() for value in (name, *values)):
            raise BadRequest("A parameter or a field contains a NUL character.")


def cut_keys(query: QueryDict) -> QueryDict:
    """Return the parameters of an address with the prefix alone of every key in them."""
    cut = query.copy()
    for name, values in query.lists():
        cut.setlist(name, [key_text.search_term(v) if key_text.contains_key(v) else v for v in values])
    return cut


def redirect_to_query(request: HttpRequest) -> HttpResponse:
    """Redirect to what a form asks for: it comes by POST, so that no key that is pasted is in an address."""
    query = cut_keys(request.POST)
    query.pop("csrfmiddlewaretoken", None)
    for name in [name for name, value in query.items() if not str(value).strip()]:
        del query[name]
    return redirect(f"{request.path}?{query.urlencode()}" if query else request.path)


def open_store_required(page: Page[Parameters]) -> Page[Parameters]:
    """Say instead of a form to fill where all keys of the store are suspended."""

    @wraps(page)
    def guarded(
        request: OwnerRequest, /, *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> HttpResponseBase:
        if hasattr(request.store, "key_suspension"):
            return render_dialog(request, "suspended", request.store)
        return page(request, *args, **kwargs)

    return guarded


def store_change(page: Page[Concatenate[Store, Parameters]]) -> Callable[..., HttpResponseBase]:
    """The page changes something, which takes a password typed within the hour: GitHub calls it sudo mode."""

    @store_owner_required
    @wraps(page)
    def guarded(
        request: OwnerRequest, store: Store, /, *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> HttpResponseBase:
        if request.method == "POST" and not has_recent_login(request):
            return redirect_to_proof("account_reauthenticate", request)
        return page(request, store, *args, **kwargs)

    return guarded


def key_change(page: Page[[ApiKey]]) -> Callable[..., HttpResponseBase]:
    """The page changes a key, which it gets in place of its store's id and its prefix."""

    @store_change
    @wraps(page)
    def guarded(request: OwnerRequest, store: Store, prefix: str) -> HttpResponseBase:
        return page(request, get_key(store, prefix))

    return guarded


def get_key(store: Store, prefix: str) -> ApiKey:
    """Return one of the store's keys; 404 for any other."""
    joined = ("last_use", "created_by", "made_by", "predecessor", "trust")
    keys = ApiKey.objects.for_store(store).select_related(*joined)
    key = get_object_or_404(keys, prefix=prefix)
    key.store = store
    return key


def redirect_to_proof(url_name: str, request: HttpRequest) -> HttpResponseBase:
    """Redirect to a page where people prove who they are, and from there back to what they typed."""
    page = f"{resolve_url(url_name)}?{urlencode({'next': return_path(request)})}"
    return keep_typed(request, page, "Nothing was saved yet. What you entered is kept.")


def redirect_to_form(request: HttpRequest) -> HttpResponseBase:
    """Redirect back to a form that was sent with a token of the sign-in before, with what was typed."""
    return keep_typed(request, return_path(request))


def keep_typed(request: HttpRequest, page: str, note: str = "") -> HttpResponseBase:
    """Redirect to a page on the way back to a form, which then says itself that it was not sent yet.

    ``note`` says so on the way. What was only clicked has to be clicked again.
    """
    if is_asked_by_itself(request):
        return HttpResponseStopPolling()
    response = redirect(page)
    if request.method != "POST":
        messages.info(request, "Sign in to open the API Key Settings page.")
    elif find_return_page(request):
        messages.warning(request, "Nothing was changed yet: click once more.")
    else:
        form_recovery.keep_unsent(request, response)
        if note:
            messages.warning(request, note)
    return adapt_to_htmx(request, response)


def is_asked_by_itself(request: HttpRequest) -> bool:
    """Tell whether a page asked without a click. It must not leave for a form because of that."""
    match = request.resolver_match
    name = match.url_name if match else None
    is_scripted = bool(request.htmx)  # type: ignore[attr-defined]  # its middleware adds it
    return name == "first_request" or (name == "rehearse" and is_scripted)


def find_return_page(request: HttpRequest) -> str | None:
    """Return the page on which something was clicked, seen from the address of the click; None for a form."""
    match = request.resolver_match
    return RETURN_PAGES.get(match.url_name or "") if match and request.method == "POST" else None


def return_path(request: HttpRequest) -> str:
    """Return the address of the form that was sent, or of the page on which something was clicked."""
    if page := find_return_page(request):
        return urljoin(request.path, page)
    query = cut_keys(request.GET).urlencode()
    return f"{request.path}?{query}" if query else request.path


def adapt_to_htmx(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """Let htmx load the page that a redirect leads to; only the list changes the address of a page.

    A script does not see a redirect: it would get the page that it leads to, and swap that in.
    """
    htmx: HtmxDetails = request.htmx  # type: ignore[attr-defined]  # its middleware adds it
    if htmx and "Location" in response.headers:
        response.status_code = 204
        response["HX-Redirect"] = response["Location"]
        del response["Location"]
    elif htmx and htmx.target != LIST_ID:
        push_url(response, False)  # noqa: FBT003  # the argument's name is url
    patch_vary_headers(response, ["HX-Request"])
    return response
