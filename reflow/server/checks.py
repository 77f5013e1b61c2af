"""Checks of ``manage.py check --deploy``: what the site has to be told about the proxy in front."""

from collections.abc import Sequence
from typing import Any

from django.apps.config import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register  # noqa: A004  # Django's name


@register(Tags.security, deploy=True)
def check_proxy(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Warn where HTTPS is on, so that there is a proxy that ends TLS, and it is not believed."""
    warnings: list[CheckMessage] = []
    if settings.SECURE_SSL_REDIRECT and not getattr(settings, "SECURE_PROXY_SSL_HEADER", None):
        warnings.append(
            Warning(
                "HTTPS is on, and the site is not told whom to believe that a request came by HTTPS.",
                hint="Set TRUST_X_FORWARDED_PROTO=true if the proxy always sets or strips X-Forwarded-Proto.",
                id="reflow.W001",
            )
        )
    if settings.SECURE_SSL_REDIRECT and not settings.TRUSTED_PROXIES:
        warnings.append(
            Warning(
                "HTTPS is on, and no proxy is trusted to say who the client is: all clients count as one.",
                hint="Set TRUSTED_PROXIES to the proxy's address; not needed where it uses a Unix socket.",
                id="reflow.W002",
            )
        )
    return warnings
