"""Signing in: operators make the accounts, nobody signs up, and everybody uses one sign-in page."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import ratelimit
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from apikeys import client_ip
from apikeys.recent_login import has_recent_login
from reflow.accounts import emails
from reflow.accounts.email_addresses import normalize_email

UNKNOWN_ADDRESS = "::"


class AccountAdapter(DefaultAccountAdapter):
    def get_client_ip(self, request: HttpRequest) -> str:
        """Return the address that rate limits count: the client's, behind trusted proxies."""
        return str(client_ip.client_ip(request) or UNKNOWN_ADDRESS)

    def is_safe_url(self, url: str | None) -> bool:
        """Allow redirects to paths of this site only, without a host name."""
        return url_has_allowed_host_and_scheme(url, allowed_hosts=None)

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Require a recent sign-in for changes of accounts, as for changes of keys."""
        return not has_recent_login(self.request)

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("mfa_index")

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """Count an account's failed sign-ins under all host names together; allauth counts each apart.

        An account has one spelling: databases take letters for the same that are counted as two, such as s
        and U+017F.
        """
        email = normalize_email(credentials.get("email", ""))
        if not ratelimit.consume(request, action="login_failed_account", key=email):
            raise self.validation_error("too_many_login_attempts")
        user: User | None = super().authenticate(request, **credentials | {"email": email})
        if user is None or user.email != email:
            return None
        ratelimit.clear(request, action="login_failed_account", key=email)
        return user

    def reauthenticate(self, user: User, password: str) -> bool:
        """Whether the password is right of a person who has signed in.

        It is counted by itself: whoever guesses at a sign-in form keeps nobody from switching a key off.
        """
        if not ratelimit.consume(self.request, action="confirm_failed", user=user):
            raise self.validation_error("too_many_login_attempts")
        is_right = user.check_password(password)
        if is_right:
            ratelimit.clear(self.request, action="confirm_failed", user=user)
        return is_right

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Queue the e-mail: no request waits for a mail server, or fails with it."""
        emails.queue_notification(template_prefix, User.objects.get(email=email), {**context, "email": email})
