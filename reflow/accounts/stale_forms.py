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
    is_from_this_site = request.headers.get("Origin") == f"{request.scheme}://{request.get_host()}"
    namespace = match.namespace if match and is_from_this_site else ""
    if namespace == "apikeys":
        return redirect_to_form(request)
    kept: list[tuple[str, str]] = []
    if namespace == "admin" and not any("password" in name for name in request.POST):
        fields = request.POST.copy()
        fields.pop("csrfmiddlewaretoken", None)
        kept = [(name, value) for name, values in fields.lists() for value in values]
    return render(request, "403_csrf.html", {"kept": kept}, status=HTTPStatus.FORBIDDEN)
