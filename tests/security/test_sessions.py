"""Session fixation: what an attacker has planted in a browser is worth nothing once somebody signs in."""

import secrets
from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apikeys.settings_page.form_recovery import UNSENT_COOKIE
from reflow.accounts import urls
from tests.conftest import sign_in
from tests.reflow.accounts.test_adapter import ARGUMENTS
from tests.security.surface import Shops

SESSION = settings.SESSION_COOKIE_NAME
HOME = "/stores/267418190/settings/api-keys/"


def planted(client: Client) -> str:
    """A session that the site has made for a visitor, and that an attacker knows."""
    session = SessionStore()
    session["planted"] = "by the attacker"
    session.save()
    known = str(session.session_key)
    client.cookies[SESSION] = known
    return known


def visit(session: str | None) -> int:
    browser = Client()
    browser.cookies[SESSION] = session or ""
    return browser.get(HOME).status_code


def test_a_planted_session_is_left_behind_at_the_sign_in(client: Client, shops: Shops) -> None:
    known = planted(client)
    sign_in(client, "owner@example.com")
    new = client.cookies[SESSION].value
    assert new != known
    assert visit(new) == 200
    assert visit(known) == 302
    assert not Session.objects.filter(session_key=known).exists()


def test_a_session_that_was_made_up_is_not_taken_on(client: Client, shops: Shops) -> None:
    for made_up in ("a" * 32, "../../x" * 4):
        client.cookies[SESSION] = made_up
        client.get("/accounts/login/")
        assert not Session.objects.filter(session_key=made_up).exists()
        sign_in(client, "owner@example.com")
        assert client.cookies[SESSION].value != made_up
        assert visit(made_up) == 302


def test_a_visitor_leaves_no_row_behind(shops: Shops) -> None:
    """Pages and forms of all kinds, opened and sent without a sign-in."""
    pages = [
        *(f"{HOME}{page}" for page in ("", "new/", "created/", "19656ea/", "19656ea/edit/", "19656ea/roll/")),
        *(reverse(str(page.name), args=ARGUMENTS.get(str(page.name))) for page in urls.urlpatterns),
        *("/", "/admin/", "/admin/login/", "/docs/", "/docs/api-keys/"),
    ]
    form = {"name": "x" * 100, "access": ["orders:read"], "login": "nobody@example.com", "password": "x"}
    challenge = reverse("mfa_login_webauthn")
    for page in pages:
        Client().get(page)
        Client().post(page, form)
        if page != challenge:
            Client().get(page, headers={"Accept": "application/json"})
    assert Session.objects.count() == 0


@pytest.mark.usefixtures("within_a_minute")
def test_a_visitor_gets_few_challenges_and_for_an_hour(client: Client, shops: Shops) -> None:
    page = reverse("mfa_login_webauthn")
    ask = {"Accept": "application/json"}
    statuses = [Client().get(page, headers=ask).status_code for _ in range(12)]
    assert statuses == [200] * 10 + [429] * 2
    assert Client().get(page, headers=ask, REMOTE_ADDR="198.51.100.7").status_code == 200
    assert Session.objects.count() == 11
    assert max(len(session.session_data) for session in Session.objects.all()) < 1000
    assert Session.objects.filter(expire_date__gt=timezone.now() + timedelta(hours=1)).count() == 0


def test_a_form_that_waits_for_the_sign_in_fits_a_cookie(shops: Shops) -> None:
    for size in (10, 9000, 900_000):
        client, text = Client(), secrets.token_hex(size // 2)
        fields = {f"f{at}": text[at : at + 1000] for at in range(0, size, 1000)}
        client.post(f"{HOME}new/", {"name": "ERP", **fields})
        cookie = client.cookies.get(UNSENT_COOKIE)
        assert (cookie is not None) == (size < 9000)
        if cookie:
            assert (cookie["path"], cookie["httponly"], cookie["max-age"]) == (f"{HOME}new/", True, "")
            assert len(cookie.value) < 4000
