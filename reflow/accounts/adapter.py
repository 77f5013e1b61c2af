"""How people get in: an operator makes the account, nobody signs up, and everybody uses the one door."""

from http import HTTPStatus
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from apikeys import addresses
from apikeys.recent_login import has_recent_login
from reflow.accounts import emails

RETRY_AFTER_SECONDS = 60
NOWHERE = "::"


class AccountAdapter(DefaultAccountAdapter):
    def get_client_ip(self, request: HttpRequest) -> str:
        """Whose sign-ins are counted together: the client behind the proxies that are trusted."""
        return str(addresses.client_address(request) or NOWHERE)

    def is_safe_url(self, url: str | None) -> bool:
        """Whether to send somebody there: only to a path of this site, by no host's name at all."""
        return url_has_allowed_host_and_scheme(url, allowed_hosts=None)

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Accounts change under the same rule as keys: a proof within the hour, be it the sign-in."""
        return not has_recent_login(self.request)

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("mfa_index")

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """Whose failed sign-ins are counted together, by whichever of the site's names they were tried."""
        login: str = credentials.get("email") or credentials.get("username") or ""
        return login.lower()

    def send_notification_mail(
        self, template_prefix: str, user: Any, context: dict[str, Any] | None = None, email: str | None = None
    ) -> None:
        super().send_notification_mail(template_prefix, user, {**(context or {}), "user": user}, email)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Queue the letter: no request waits for a mail server, or fails with it."""
        emails.queue_notification(template_prefix, context["user"], {**context, "email": email})


def too_many_requests(request: HttpRequest) -> HttpResponse:
    """The answer beyond one of ACCOUNT_RATE_LIMITS."""
    response = render(request, "429.html", status=HTTPStatus.TOO_MANY_REQUESTS)
    response["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response
