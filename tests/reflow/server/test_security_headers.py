"""The headers of every address there is, whoever asks.

The addresses are read from the URLconf, so that a new one is held to the same.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLResolver, get_resolver

from reflow.api.addresses import is_api_path
from stores.models import Store
from tests.conftest import IssueKey, bearer, sign_in
from tests.shop import make_product

# A value for each part of an address that varies; pages of the admin are those of a product.
PARTS = {
    "store_id": "267418190",
    "id": "1",
    "object_id": "1",
    "app_label": "stores",
    "content_type_id": "1",
    "uidb36": "1",
    "key": "set-password",
    "url": "nothing/",
    "request_id": "1",
}
TOOLS = ("/healthz", "/readyz", "/metrics")
BESIDES = (
    *("/nothing", "/v1/nothing", "/v1/nothing/", "//evil.example/", "/%00", "/static/nothing.css"),
    *("/static/css/base.css", "/static/img/mark.svg", *TOOLS),
)
ELSEWHERE = {"Origin": "https://shop.example"}


def addresses(resolver: URLResolver | None = None, before: str = "/") -> Iterator[str]:
    """Every address of the URLconf, with its parts filled in."""
    for pattern in (resolver or get_resolver()).url_patterns:
        address = before + str(pattern.pattern).removeprefix("^").removesuffix("\\Z").removesuffix("$")
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern, address)
        else:
            yield address.removesuffix("/?")


def filled_in(address: str, parts: dict[str, str]) -> str:
    return re.sub(r"\(\?P<(\w+)>[^)]*\)|<(?:\w+:)?(\w+)>", lambda part: parts[part[1] or part[2]], address)


@pytest.fixture
def everything(settings: Any, store: Store, issue: IssueKey) -> list[str]:
    """All addresses, on a site that people reach over HTTPS, with its static files."""
    settings.SECURE_HSTS_SECONDS = 60
    settings.WHITENOISE_AUTOREFRESH = settings.WHITENOISE_USE_FINDERS = True
    key, _ = issue()
    product = make_product(store)
    parts = PARTS | {"prefix": key.prefix, "pk": str(product.pk)}
    return [*(filled_in(address, parts) for address in addresses()), *BESIDES]


@pytest.fixture
def visitors(store: Store, owner: User, everything: list[str], issue: IssueKey) -> dict[str, Client]:
    """Nobody in particular, the owner of a store who is an operator too, and a program with a key."""
    User.objects.filter(pk=owner.pk).update(is_staff=True, is_superuser=True)
    signed_in = Client(raise_request_exception=False, headers=ELSEWHERE)
    sign_in(signed_in, owner.email)
    _, plaintext = issue()
    return {
        "nobody": Client(raise_request_exception=False, headers=ELSEWHERE),
        "owner": signed_in,
        "program": Client(raise_request_exception=False, headers=ELSEWHERE | bearer(plaintext)),
    }


def test_every_answer_keeps_browsers_careful(everything: list[str], visitors: dict[str, Client]) -> None:
    assert len(everything) > 100
    for address in everything:
        for name in ("nobody", "program" if is_api_path(address) else "owner"):
            answer = visitors[name].get(address, secure=True)
            # A download reads the database as it is sent.
            answer.getvalue()
            who = f"{address} to {name}: {answer.status_code} {dict(answer.headers)}"
            assert answer.status_code < 500 or address == "/readyz", who
            assert answer["X-Content-Type-Options"] == "nosniff", who
            assert answer["X-Frame-Options"] == "DENY", who
            assert answer["Referrer-Policy"] == "same-origin", who
            assert "camera=()" in answer["Permissions-Policy"], who
            assert answer["Strict-Transport-Security"] == "max-age=60", who
            assert_nothing_foreign_runs(answer, who)
            assert_no_page_is_shared(answer, address, who)
            assert_secrets_are_not_kept(answer, address, name, who)


def assert_nothing_foreign_runs(answer: Any, who: str) -> None:
    directives = (directive.split() for directive in answer["Content-Security-Policy"].split(";"))
    policy = {name: sources for name, *sources in directives}
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == ["'none'"], who
    assert policy["form-action"] in (["'none'"], ["'self'"]), who
    for kind in ("script-src", "style-src", "connect-src"):
        assert policy.get(kind, ["'self'"]) == ["'self'"], who


def assert_no_page_is_shared(answer: Any, address: str, who: str) -> None:
    is_api = is_api_path(address)
    is_page = not is_api and not address.startswith("/static/")
    assert answer["Cross-Origin-Resource-Policy"] == ("same-origin" if is_page else "cross-origin"), who
    assert answer.get("Access-Control-Allow-Origin", "") == ("*" if is_api else ""), who
    assert "Access-Control-Allow-Credentials" not in answer, who
    if is_page:
        assert answer["Cross-Origin-Opener-Policy"] == "same-origin", who


def assert_secrets_are_not_kept(answer: Any, address: str, name: str, who: str) -> None:
    if address.startswith("/static/"):
        assert not answer.cookies, who
    elif name == "program" or answer.status_code == 401 or not is_api_path(address):
        assert "no-store" in answer["Cache-Control"], who
