"""Files that programs ask every site for, at addresses that are the same everywhere."""

from datetime import timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.templatetags.static import static
from django.utils import timezone

# Nothing but the documentation is for search engines.
ROBOTS = "User-agent: *\nAllow: /docs/\nDisallow: /\n"
# RFC 9116 recommends less than a year.
SECURITY_TEXT_VALID = timedelta(days=180)


def robots(request: HttpRequest) -> HttpResponse:
    return HttpResponse(ROBOTS, content_type="text/plain; charset=utf-8")


def security(request: HttpRequest) -> HttpResponse:
    """Say where faults of the site's security are reported (RFC 9116): to the mailbox of RFC 2142."""
    expires = (timezone.now() + SECURITY_TEXT_VALID).replace(hour=0, minute=0, second=0, microsecond=0)
    lines = (
        f"Contact: mailto:security@{urlsplit(settings.SITE_URL).hostname}",
        f"Expires: {expires:%Y-%m-%dT%H:%M:%SZ}",
        f"Canonical: {settings.SITE_URL}/.well-known/security.txt",
        "Preferred-Languages: en",
    )
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")


def favicon(request: HttpRequest) -> HttpResponse:
    """Redirect to the site's mark, which pages name themselves."""
    return redirect(static("img/mark.svg"))
