"""How people get an account: an operator makes it, nobody signs up."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest

from apikeys import addresses


class ClosedSignUpAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        """Whose sign-ins are counted together: the client behind the proxies that are trusted."""
        return addresses.counted_as(addresses.client_of(request))

    def is_safe_url(self, url: str | None) -> bool:
        """Whether somebody may be sent there after signing in; not to what cannot be taken apart."""
        try:
            return bool(super().is_safe_url(url))
        except ValueError:
            return False
