"""The headers of every address there is, whoever asks.

The addresses are read from the URLconf, so that a new one is held to the same.
"""

from typing import Any

import pytest
from django.test import Client

from reflow.api.addresses import is_api_path
from tests.conftest import bearer
from tests.routes import ROUTES
from tests.security.surface import Shops, pages, route_url

TOOLS = ("/healthz", "/readyz", "/metrics")
BESIDES = (
    *("/nothing", "/v1/nothing", "/v1/nothing/", "//evil.example/", "/%00", "/static/nothing.css", *TOOLS),
    *("/static/css/base.css", "/static/img/mark.svg", "/projects/267418190/products/"),
)
ELSEWHERE = {"Origin": "https://shop.example"}


@pytest.fixture
def everything(settings: Any, shops: Shops) -> list[str]:
    """All addresses, on a site that people reach over HTTPS, with its static files."""
    settings.SECURE_HSTS_SECONDS = 60
    settings.WHITENOISE_AUTOREFRESH = settings.WHITENOISE_USE_FINDERS = True
    routes = [route_url(route, shops.mine) for route in ROUTES]
    return [*(page.url for page in pages(shops)), *routes, *BESIDES]


@pytest.fixture
def visitors(mighty: Client, shops: Shops) -> dict[str, Client]:
    """Nobody in particular, the owner of a store who is an operator too, and a program with a key."""
    nobody, program = Client(raise_request_exception=False), Client(headers=bearer(shops.my_plaintext))
    return {"nobody": nobody, "owner": mighty, "program": program}


def test_every_answer_keeps_browsers_careful(everything: list[str], visitors: dict[str, Client]) -> None:
    assert len(everything) > 100
    for address in everything:
        for name in ("nobody", "program" if is_api_path(address) else "owner"):
            answer = visitors[name].get(address, secure=True, headers=ELSEWHERE)
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
