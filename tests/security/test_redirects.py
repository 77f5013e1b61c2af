"""Open redirects: no address of ours leads to another site, whatever is asked for."""

import re
from typing import Any
from urllib.parse import quote, urlsplit

from django.test import Client

from tests.conftest import PASSWORD
from tests.security.surface import Shops, pages

PARAMETERS = ("next", "redirect", "redirect_to", "return_to", "url", "continue")
ELSEWHERE = [
    "https://evil.example/",
    "//evil.example/",
    "///evil.example/",
    "/\\evil.example/",
    "\\\\evil.example/",
    "/\t/evil.example/",
    "/\r\n/evil.example/",
    "https:evil.example",
    "https:///evil.example",
    "http://testserver@evil.example/",
    "http://testserver.evil.example/",
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    " //evil.example",
    "\x01//evil.example",
    "//evil.example\\@testserver/",
    "//[::1",
]


def leads_elsewhere(location: str) -> bool:
    """Whether a browser would leave the site: it drops tabs and line ends, and takes \\ for /."""
    seen = re.sub(r"[\t\r\n]", "", location).strip("".join(map(chr, range(33)))).replace("\\", "/")
    if seen.startswith("/"):
        return seen.startswith("//")
    try:
        parts = urlsplit(seen)
    except ValueError:
        return True
    return bool(parts.scheme or parts.netloc) and (parts.scheme, parts.netloc) != ("http", "testserver")


def destinations(answer: Any) -> list[str]:
    return [answer.headers[name] for name in ("Location", "X-Location", "Refresh") if name in answer.headers]


def test_leads_elsewhere_reads_addresses_as_browsers_do() -> None:
    home = ["/", "/a//b", "?next=//evil.example", "http://testserver/a", "a/b", "/%09/evil.example"]
    assert [url for url in home if leads_elsewhere(url)] == []
    assert [url for url in ELSEWHERE if not leads_elsewhere(url)] == []


def test_no_page_redirects_to_another_site(mighty: Client, shops: Shops) -> None:
    visitor = Client(raise_request_exception=False)
    asked = "&".join(f"{name}={quote(ELSEWHERE[1])}" for name in PARAMETERS)
    for page in pages(shops):
        for browser in (visitor, mighty):
            answer = browser.post(f"{page.url}?{asked}")
            assert not any(map(leads_elsewhere, destinations(answer))), (page, answer.headers)


def test_sign_in_with_a_foreign_next_redirects_within_the_site(client: Client, shops: Shops) -> None:
    script = {"X-Dialog": "1", "X-Requested-With": "XMLHttpRequest"}
    for url, headers in [*((url, {}) for url in ELSEWHERE), (ELSEWHERE[1], script)]:
        typed = {"login": "owner@example.com", "password": PASSWORD, "next": url}
        answer = client.post("/accounts/login/", typed, headers=headers)
        assert answer.status_code == (200 if headers else 302)
        assert client.session.get("_auth_user_id")
        told = [*destinations(answer), *([answer.json()["location"]] if headers else [])]
        assert told
        for address in ("/accounts/login/", "/accounts/reauthenticate/", "/accounts/logout/"):
            told += destinations(client.get(address, {"next": url}))
        told += destinations(client.post("/accounts/logout/", {"next": url}))
        assert not any(map(leads_elsewhere, told)), (url, told)


def test_a_missing_slash_is_added_to_our_own_address(client: Client, db: None) -> None:
    for path in (
        *("//evil.example/admin", "//evil.example/accounts/login", "/%2fevil.example/..", "/\\evil.example"),
        *("/admin//evil.example", "/accounts/login//evil.example", "//evil.example//docs", "/docs"),
    ):
        answer = client.get("/", PATH_INFO=path.replace("%2f", "/"))
        assert answer.status_code in {301, 302, 404}, path
        assert not any(map(leads_elsewhere, destinations(answer))), (path, answer.headers)
