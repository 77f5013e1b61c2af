"""Forms of django-allauth that do something else than allauth's own."""

from typing import Any

from allauth.account import forms
from django.http import HttpRequest

from reflow.accounts.emails import queue_password_reset


class ResetPasswordForm(forms.ResetPasswordForm):
    """Takes as long for an address that has an account as for one that has none."""

    def save(self, request: HttpRequest, **kwargs: Any) -> str:
        email: str = self.cleaned_data["email"]
        queue_password_reset(email)
        return email
