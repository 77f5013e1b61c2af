"""Caches in between: nobody is given what was made for somebody else, or what somebody else put there."""

import re
from typing import Any

from django.test import Client

from tests.conftest import bearer
from tests.security.surface import CLAIMS, Shops, route_url, store_routes

# What a cache does not tell requests apart by, and that other sites' answers depend on.
UNKEYED = CLAIMS | {
    "X-Forwarded-For": "203.0.113.7",
    "X-Forwarded-Scheme": "http",
    "X-HTTP-Method-Override": "DELETE",
    "X-HTTP-Method": "DELETE",
    "X-Original-Method": "DELETE",
    "X-Method-Override": "DELETE",
    "User-Agent": "evil",
    "Accept-Language": "evil",
    "X-Requested-With": "XMLHttpRequest",
    "X-Dialog": "1",
    "Range": "bytes=0-1",
    "Content-Type": "text/plain; charset=evil",
    "Via": "evil",
    "X-Evil": "evil",
}
CHANGING = {"X-Request-Id", "RateLimit", "Set-Cookie", "Content-Length", "Date", "ETag"}


def public_urls(shops: Shops) -> list[str]:
    """Return the addresses that everybody may read without a key, and keep."""
    urls = [route_url(route, shops.mine) for route in store_routes() if route.method == "GET"]
    return [*(url for url in urls if Client().get(url).status_code == 200), "/v1/openapi.json", "/docs/"]


def essence(answer: Any) -> tuple[int, str, dict[str, str]]:
    """An answer, but for what is made anew each time."""
    body = re.sub(r'"request_id":"[^"]*"|value="[A-Za-z0-9]{64}"', "", answer.content.decode())
    return answer.status_code, body, {k: v for k, v in answer.headers.items() if k not in CHANGING}


def test_public_answers_depend_on_nothing_that_caches_ignore(shops: Shops) -> None:
    urls = public_urls(shops)
    assert len(urls) >= 7
    for url in urls:
        plain = Client().get(url)
        assert essence(Client().get(url, headers=UNKEYED)) == essence(plain), url
        assert url == "/docs/" or "Authorization" in plain["Vary"], url


def test_no_answer_to_a_key_is_kept(shops: Shops) -> None:
    for route in store_routes():
        answer = Client().generic(
            route.method, route_url(route, shops.mine), headers=bearer(shops.my_plaintext)
        )
        assert answer["Cache-Control"] == "no-store", route


def test_a_page_is_not_there_under_a_name_that_caches_keep(mighty: Client, shops: Shops) -> None:
    page, api = (
        f"/stores/{shops.mine.store.pk}/settings/api-keys/",
        f"/v1/stores/{shops.mine.store.pk}/orders",
    )
    for disguise in ("x.css", ".css", ";x.css", "%3bx.css", "%2fx.css", "%0ax.css", "%00.css", "x.js"):
        for url in (page, f"{page}{shops.my_key.prefix}/", "/docs/api-keys/", api):
            answer = mighty.get(url + disguise, headers=bearer(shops.my_plaintext))
            assert answer.status_code == 404, url + disguise
