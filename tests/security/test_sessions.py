"""Session fixation: what an attacker has planted in a browser is worth nothing once somebody signs in."""

import pytest
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.test import Client

from tests.conftest import sign_in
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


@pytest.mark.parametrize("made_up", ["a" * 32, "0" * 40, "attacker", "../../x" * 4])
def test_a_session_that_was_made_up_is_not_taken_on(client: Client, shops: Shops, made_up: str) -> None:
    client.cookies[SESSION] = made_up
    client.get("/accounts/login/")
    assert not Session.objects.filter(session_key=made_up).exists()
    sign_in(client, "owner@example.com")
    assert client.cookies[SESSION].value != made_up
    assert visit(made_up) == 302


def test_a_session_in_an_address_is_none(client: Client, shops: Shops) -> None:
    sign_in(client, "owner@example.com")
    session = client.cookies[SESSION].value
    assert Client().get(HOME, {SESSION: session, "PHPSESSID": session}).status_code == 302
    assert Client().get(f"{HOME};{SESSION}={session}").status_code == 404


def test_another_sign_in_takes_another_session_and_another_token(client: Client, shops: Shops) -> None:
    client.get("/accounts/login/")
    before = client.cookies[settings.CSRF_COOKIE_NAME].value
    sign_in(client, "owner@example.com")
    first = client.cookies[SESSION].value
    assert client.cookies[settings.CSRF_COOKIE_NAME].value != before
    client.post("/accounts/logout/")
    sign_in(client, "second@example.com")
    assert client.cookies[SESSION].value != first


def test_signing_out_ends_the_session_wherever_it_was_copied_to(client: Client, shops: Shops) -> None:
    sign_in(client, "owner@example.com")
    copied = client.cookies[SESSION].value
    client.post("/accounts/logout/")
    assert visit(copied) == 302


def test_what_a_visitor_sends_is_not_kept_without_end(client: Client, shops: Shops) -> None:
    """A form that waits for the sign-in is kept: not one as long as a body can be, from everybody."""
    client.post(f"{HOME}new/", {"name": "x" * 100, "access": ["orders:read"]})
    kept = Session.objects.get(session_key=client.cookies[SESSION].value)
    assert "apikeys_unsent_form" in kept.get_decoded()
    Client().post(f"{HOME}new/", {f"f{number}": "x" * 1000 for number in range(900)})
    assert max(len(session.session_data) for session in Session.objects.all()) < 10_000
