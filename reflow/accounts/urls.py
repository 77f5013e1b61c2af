"""The pages about who somebody is: those of django-allauth that we want, each by name.

What allauth has beyond these is not there: nobody signs up, adds an address, or gets in by a mailed code.
"""

from typing import Any

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as passkeys
from allauth.usersessions import views as sessions
from django.urls import URLPattern, path, re_path
from django.views.decorators.cache import never_cache
from django.views.generic import RedirectView


def page(route: str, view: Any, name: str) -> URLPattern:
    """No copy of it is kept: it is about one person, and may show a secret."""
    pattern: URLPattern = path(route, never_cache(view), name=name)
    return pattern


def to_page(name: str) -> Any:
    """A view that has no page of its own here."""
    return RedirectView.as_view(pattern_name=name)


urlpatterns = [
    page("", mfa.index, "mfa_index"),
    # Signing in and out.
    page("login/", account.login, "account_login"),
    page("login/passkey/", passkeys.login_webauthn, "mfa_login_webauthn"),
    page("login/code/", mfa.authenticate, "mfa_authenticate"),
    page("logout/", account.logout, "account_logout"),
    page("inactive/", account.account_inactive, "account_inactive"),
    # Proving it again.
    page("reauthenticate/", account.reauthenticate, "account_reauthenticate"),
    page("reauthenticate/code/", mfa.reauthenticate, "mfa_reauthenticate"),
    page("reauthenticate/passkey/", passkeys.reauthenticate_webauthn, "mfa_reauthenticate_webauthn"),
    # The password. Whoever has none gets one the way that a forgotten one is replaced.
    page("password/change/", account.password_change, "account_change_password"),
    page("password/set/", to_page("account_reset_password"), "account_set_password"),
    page("password/reset/", account.password_reset, "account_reset_password"),
    page("password/reset/sent/", account.password_reset_done, "account_reset_password_done"),
    re_path(
        "^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        never_cache(account.password_reset_from_key),
        name="account_reset_password_from_key",
    ),
    # Second factors.
    page("authenticator/set-up/", totp.activate_totp, "mfa_activate_totp"),
    page("authenticator/turn-off/", totp.deactivate_totp, "mfa_deactivate_totp"),
    page("recovery-codes/", recovery_codes.view_recovery_codes, "mfa_view_recovery_codes"),
    page("recovery-codes/new/", recovery_codes.generate_recovery_codes, "mfa_generate_recovery_codes"),
    page("recovery-codes/download/", recovery_codes.download_recovery_codes, "mfa_download_recovery_codes"),
    page("passkeys/", to_page("mfa_index"), "mfa_list_webauthn"),
    page("passkeys/add/", passkeys.add_webauthn, "mfa_add_webauthn"),
    page("passkeys/<int:pk>/rename/", passkeys.edit_webauthn, "mfa_edit_webauthn"),
    page("passkeys/<int:pk>/remove/", passkeys.remove_webauthn, "mfa_remove_webauthn"),
    # Other browsers.
    page("sessions/", sessions.list_usersessions, "usersessions_list"),
]
