"""Browsers in which a person is signed in: what each is, when it was last used, and a way to end one."""

import time
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from allauth.account.adapter import get_adapter as get_account_adapter
from allauth.usersessions.adapter import get_adapter
from allauth.usersessions.models import UserSession
from allauth.usersessions.views import ListUserSessionsView
from django.contrib.auth import logout
from django.contrib.sessions import middleware
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from reflow.server.middleware import PagesOnly

# A page that is only read writes nothing, but for this often.
LAST_USE_SECONDS = 10 * 60
LAST_USE = "last_use"

# The first that stands in a User-Agent: browsers name those that they are like, too.
BROWSERS = {"Edg": "Edge", "OPR/": "Opera", "Firefox/": "Firefox", "Chrome/": "Chrome", "Safari/": "Safari"}
SYSTEMS = {
    "Windows": "Windows",
    "Android": "Android",
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Mac OS X": "macOS",
    "Linux": "Linux",
}


class SessionMiddleware(PagesOnly, middleware.SessionMiddleware):
    """Tells the session of a request from one that is looked at, and records when a browser was last used."""

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        request.session.is_of_request = True  # type: ignore[attr-defined]  # our own SessionStore

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        # Pages that failed have not asked who it is.
        if request.session.accessed and response.status_code < HTTPStatus.BAD_REQUEST:
            record_use(request)
        return super().process_response(request, response)


def record_use(request: HttpRequest) -> None:
    """Record that a person has used their browser now, and from which address."""
    session, now = request.session, time.time()
    if not request.user.is_authenticated or session.get(LAST_USE, 0) > now - LAST_USE_SECONDS:
        return
    # A page that was read is not lost because this cannot be written.
    with suppress(DatabaseError):
        UserSession.objects.filter(session_key=session.session_key).update(
            last_seen_at=timezone.now(), ip=get_account_adapter().get_client_ip(request)
        )
        session[LAST_USE] = now


def describe_browser(user_agent: str) -> str:
    """Return a browser and its system in words, such as ``Firefox on Windows``."""
    browser = next((name for mark, name in BROWSERS.items() if mark in user_agent), "Another browser")
    system = next((name for mark, name in SYSTEMS.items() if mark in user_agent), None)
    return f"{browser} on {system}" if system else browser


class SessionListView(ListUserSessionsView):  # type: ignore[misc]  # allauth has no types
    """The browsers in which a person is signed in."""

    def get_context_data(self, **kwargs: object) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        sessions = context["sessions"]
        return context | {"browsers": [(one, describe_browser(one.user_agent)) for one in sessions]}


@require_POST
def end_session(request: HttpRequest, pk: int) -> HttpResponse:
    session = get_object_or_404(UserSession, user=request.user, pk=pk)
    if session.is_current():
        logout(request)
    get_adapter().end_sessions([session])
    return redirect("usersessions_list")
