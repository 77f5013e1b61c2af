"""A form that was opened before its person signed in again: its token is no longer right.

Signing in, in any tab, gives a browser a new token. What was typed into a form of this site is not thrown
away for that: the page of the form is there again, filled in.
"""

from http import HTTPStatus

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render

from apikeys.settings_page.decorators import redirect_to_form


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponseBase:
    """Answer a form without the right token; Django's CSRF_FAILURE_VIEW.

    Only for a form that a page of this site has sent is there a way on. Whatever a page elsewhere sends in
    somebody's name, it gets no further, and is not shown to them as their own.
    """
    match = request.resolver_match
    fields: list[tuple[str, str]] = []
    if match and is_from_this_site(request):
        if match.namespace == "apikeys":
            return redirect_to_form(request)
        if match.namespace == "admin":
            fields = [(name, value) for name, values in request.POST.lists() for value in values]
    kept = [(name, value) for name, value in fields if name != "csrfmiddlewaretoken"]
    if any("password" in name for name, _ in kept):
        kept = []
    return render(request, "403_csrf.html", {"kept": kept}, status=HTTPStatus.FORBIDDEN)


def is_from_this_site(request: HttpRequest) -> bool:
    """Whether a browser says that one of our own pages sent this."""
    return request.headers.get("Origin") == f"{request.scheme}://{request.get_host()}"
