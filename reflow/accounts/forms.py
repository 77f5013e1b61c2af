"""Forms of django-allauth that do something else than allauth's own."""

from typing import Any

from allauth.account import forms
from allauth.account.adapter import get_adapter
from allauth.core import ratelimit
from allauth.mfa.adapter import get_adapter as get_mfa_adapter
from allauth.mfa.base import forms as second_factor
from django.core.cache import cache
from django.http import HttpRequest

from reflow.accounts.email_addresses import normalize_email
from reflow.accounts.emails import queue_password_reset

# Of an authenticator app: the one before and the one after it, too (MFA_TOTP_TOLERANCE).
CODE_VALID_SECONDS = 3 * 30


class ResetPasswordForm(forms.ResetPasswordForm):
    """Takes as long for an address that has an account as for one that has none."""

    def clean_email(self) -> str:
        """Return the one spelling in which the account is looked for, counted and written to."""
        return normalize_email(self.cleaned_data["email"])

    def save(self, request: HttpRequest, **kwargs: Any) -> str:
        email: str = self.cleaned_data["email"]
        queue_password_reset(email)
        return email


class ResetPasswordKeyForm(forms.ResetPasswordKeyForm):
    def save(self) -> None:
        """Replace the password, and forget who guessed at the one before."""
        super().save()
        ratelimit.clear(get_adapter().request, action="login_failed_account", key=self.user.email)


class CodeFormMixin:
    """Takes each code once, and counts those that are wrong.

    Confirming in a signed-in session is counted apart from signing in: see AccountAdapter.reauthenticate.
    """

    action: str
    user: Any

    def clean_code(self) -> str:
        adapter = get_adapter()
        if not ratelimit.consume(adapter.request, action=self.action, user=self.user):
            raise adapter.validation_error("too_many_login_attempts")
        code: str = super().clean_code()  # type: ignore[misc]  # allauth's form
        # allauth remembers a code as long as it is shown, which is shorter than it is good for.
        typed = "".join(filter(str.isalnum, code)).upper()
        if not cache.add(f"reflow.code:{self.user.pk}:{typed}", True, CODE_VALID_SECONDS):  # noqa: FBT003
            raise get_mfa_adapter().validation_error("incorrect_code")
        ratelimit.clear(adapter.request, action=self.action, user=self.user)
        return code


class AuthenticateForm(CodeFormMixin, second_factor.AuthenticateForm):
    action = "code_failed"


class ReauthenticateForm(CodeFormMixin, second_factor.ReauthenticateForm):
    action = "confirm_failed"
