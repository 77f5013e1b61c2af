"""The pages of accounts: those of django-allauth that this site has, each by name.

allauth's other pages do not exist here: nobody signs up, adds an address, or signs in with a mailed code.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account import views as account
from allauth.core import ratelimit
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as passkeys
from django.contrib.auth.decorators import login_required
from django.contrib.sessions.models import Session
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, re_path

from reflow.accounts import sessions

View = Callable[..., HttpResponseBase]


def page(route: str, view: View, name: str, *, make: Callable[..., URLPattern] = path) -> URLPattern:
    """Route to a page whose form is answered with 503 while the database cannot be written."""

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method == "POST":
            try_to_write()
        return view(request, *args, **kwargs)

    return make(route, checked, name=name)


def try_to_write() -> None:
    """Raise DatabaseError where the database cannot be written.

    allauth counts attempts in the cache, whose table is in the database. Where that fails, Django says
    nothing, and allauth takes it for too many attempts.
    """
    Session.objects.filter(session_key="").delete()  # no row has this key


def private_page(route: str, view: View, name: str) -> URLPattern:
    """Route to a page of the person who is signed in.

    allauth asks some visitors to sign in only after it has stored what they sent, in a session of theirs.
    """
    return page(route, login_required(view), name)


def limit_challenges(view: View) -> View:
    """Limit how often an address asks for a passkey's challenge: each is kept in a session of its own."""

    @wraps(view)
    def limited(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try_to_write()
        refusal = ratelimit.consume_or_429(request, action="challenge", limit_get=True)
        return refusal or view(request, *args, **kwargs)

    return limited


urlpatterns = [
    private_page("", mfa.index, "mfa_index"),
    # Signing in and out.
    page("login/", account.login, "account_login"),
    page("login/passkey/", limit_challenges(passkeys.login_webauthn), "mfa_login_webauthn"),
    page("login/code/", mfa.authenticate, "mfa_authenticate"),
    page("logout/", account.logout, "account_logout"),
    page("inactive/", account.account_inactive, "account_inactive"),
    # Confirming it again.
    page("reauthenticate/", account.reauthenticate, "account_reauthenticate"),
    page("reauthenticate/code/", mfa.reauthenticate, "mfa_reauthenticate"),
    page("reauthenticate/passkey/", passkeys.reauthenticate_webauthn, "mfa_reauthenticate_webauthn"),
    # The password. An account without one gets one in the way a forgotten one is replaced.
    private_page("password/change/", account.password_change, "account_change_password"),
    page("password/set/", account.password_reset, "account_set_password"),
    page("password/reset/", account.password_reset, "account_reset_password"),
    page("password/reset/sent/", account.password_reset_done, "account_reset_password_done"),
    page(
        "^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        account.password_reset_from_key,
        "account_reset_password_from_key",
        make=re_path,
    ),
    # Second factors.
    private_page("authenticator/set-up/", totp.activate_totp, "mfa_activate_totp"),
    private_page("authenticator/turn-off/", totp.deactivate_totp, "mfa_deactivate_totp"),
    private_page("recovery-codes/", recovery_codes.view_recovery_codes, "mfa_view_recovery_codes"),
    private_page(
        "recovery-codes/new/", recovery_codes.generate_recovery_codes, "mfa_generate_recovery_codes"
    ),
    private_page(
        "recovery-codes/download/", recovery_codes.download_recovery_codes, "mfa_download_recovery_codes"
    ),
    private_page("passkeys/", mfa.index, "mfa_list_webauthn"),
    private_page("passkeys/add/", passkeys.add_webauthn, "mfa_add_webauthn"),
    private_page("passkeys/<int:pk>/rename/", passkeys.edit_webauthn, "mfa_edit_webauthn"),
    private_page("passkeys/<int:pk>/remove/", passkeys.remove_webauthn, "mfa_remove_webauthn"),
    # Sessions in other browsers.
    private_page("sessions/", sessions.SessionListView.as_view(), "usersessions_list"),
    private_page("sessions/<int:pk>/end/", sessions.end_session, "end_session"),
]
