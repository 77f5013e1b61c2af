"""The Host header: what a sender says the site is called is not repeated to anybody else."""

import re

from django.test import Client

from tests.conftest import deliver_emails
from tests.security.conftest import Walk
from tests.security.surface import CLAIMS, EVIL, Shops

HOSTS = [
    EVIL,
    f"{EVIL}:80",
    f"testserver.{EVIL}",
    f"testserver@{EVIL}",
    f"testserver:80@{EVIL}",
    f"testserver, {EVIL}",
    f"testserver {EVIL}",
    f"testserver#{EVIL}",
    f"testserver/{EVIL}",
    f"testserver\\{EVIL}",
    "testserver'\"<script>",
    "testserver:evil",
    "[::1]evil",
    "",
    "\xff",
]


def test_another_host_is_served_nothing(client: Client, shops: Shops) -> None:
    deliver_emails().clear()
    for host in HOSTS:
        for path in ("/accounts/login/", "/docs/api-keys/", f"/v1/stores/{shops.mine.store.pk}/products/"):
            answer = client.get(path, HTTP_HOST=host)
            assert answer.status_code == 400, (path, host)
            assert EVIL not in answer.content.decode()
            kind = "application/json" if path.startswith("/v1/") else "text/html; charset=utf-8"
            assert answer["Content-Type"] == kind, (path, host)
        reset = client.post("/accounts/password/reset/", {"email": "owner@example.com"}, HTTP_HOST=host)
        assert reset.status_code == 400, host
    assert deliver_emails() == []


def test_an_email_about_a_password_leads_to_this_site(client: Client, shops: Shops) -> None:
    deliver_emails().clear()
    client.post("/accounts/password/reset/", {"email": "owner@example.com"}, headers=CLAIMS)
    (email,) = deliver_emails()
    links = re.findall(r"\w+://[^\s/]+", str(email.message()))
    assert set(links) == {"http://testserver"}
    assert EVIL not in str(email.message())


def test_no_page_repeats_a_claimed_host(walk: Walk) -> None:
    for page, answer in walk.answers.items():
        said = walk.bodies[page].decode(errors="replace") + str(dict(answer.headers))
        assert EVIL not in said, page
        assert "gopher" not in said, page
