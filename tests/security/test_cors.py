"""Pages of other origins: they may call the API with a key they hold, and never as whoever looks at them."""

import pytest
from django.test import Client

from reflow.api.routes import ROUTES
from tests.security.conftest import Walk
from tests.security.surface import Shops, route_url

ORIGINS = ["https://evil.example", "null", "http://testserver.evil.example", "http://testserver"]
ASKING = {
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization, cookie",
    "Access-Control-Request-Private-Network": "true",
}


@pytest.mark.parametrize("origin", ORIGINS)
def test_no_origin_is_let_in_with_cookies(mighty: Client, shops: Shops, origin: str) -> None:
    for route in ROUTES:
        for method, headers in ((route.method, {}), ("OPTIONS", ASKING)):
            url = route_url(route, shops.mine)
            sent = {"Origin": origin, **headers}
            answer = mighty.generic(method, url, "{}", "application/json", headers=sent)
            # A star is for everybody, and browsers give it nothing that came of a cookie.
            assert answer["Access-Control-Allow-Origin"] == "*", route
            assert "Access-Control-Allow-Credentials" not in answer.headers, route
            assert "Access-Control-Allow-Private-Network" not in answer.headers, route


def test_no_page_is_for_other_origins(walk: Walk) -> None:
    for page, answer in walk.answers.items():
        assert not [name for name in answer.headers if name.startswith("Access-Control-")], page
