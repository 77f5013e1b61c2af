"""Sessions of a person: every live one is found, described and ended."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from reflow.accounts.sessions import describe_browser
from tests.conftest import is_signed_in, make_owner, sign_in

SESSIONS = "/accounts/sessions/"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def elsewhere(owner: User) -> Client:
    """Another browser of the owner."""
    return sign_in(Client(headers={"User-Agent": FIREFOX}, REMOTE_ADDR="203.0.113.7"), owner.email)


def test_sessions_end_everywhere_else(signed_in: Client, elsewhere: Client) -> None:
    signed_in.post(SESSIONS)
    assert (is_signed_in(signed_in), is_signed_in(elsewhere)) == (True, False)


def test_end_session_ends_one_of_ones_own(signed_in: Client, elsewhere: Client) -> None:
    stranger = sign_in(Client(), make_owner("stranger@example.com").email)
    theirs = UserSession.objects.get(session_key=elsewhere.session.session_key)
    assert stranger.post(f"{SESSIONS}{theirs.pk}/end/").status_code == 404
    assert is_signed_in(elsewhere)
    assert signed_in.get(f"{SESSIONS}{theirs.pk}/end/").status_code == 405
    assert signed_in.post(f"{SESSIONS}{theirs.pk}/end/")["Location"] == SESSIONS
    assert (is_signed_in(signed_in), is_signed_in(elsewhere)) == (True, False)


def test_sessions_say_which_browser_was_used_last(signed_in: Client, elsewhere: Client) -> None:
    used = timezone.now() + timedelta(days=2)
    with time_machine.travel(used):
        elsewhere.get("/accounts/", REMOTE_ADDR="203.0.113.8")
    with time_machine.travel(used + timedelta(minutes=5)):
        page = signed_in.get(SESSIONS).content.decode()
    assert "Firefox on Windows" in page
    session = UserSession.objects.get(session_key=elsewhere.session.session_key)
    assert (session.ip, session.last_seen_at >= used) == ("203.0.113.8", True)


def test_a_page_writes_the_last_use_once_in_ten_minutes(
    signed_in: Client, django_assert_num_queries: Any
) -> None:
    with time_machine.travel(timezone.now() + timedelta(minutes=5)):
        signed_in.get("/accounts/")
    assert timezone.now() - UserSession.objects.get().last_seen_at < timedelta(minutes=1)


def test_a_session_that_a_new_secret_key_renewed_is_found_and_ended(
    settings: Any, signed_in: Client, elsewhere: Client
) -> None:
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "a new one " * 5
    before = elsewhere.session.session_key
    assert is_signed_in(elsewhere)
    assert elsewhere.session.session_key != before
    assert "Firefox on Windows" in signed_in.get(SESSIONS).content.decode()
    signed_in.post(SESSIONS)
    assert not is_signed_in(elsewhere)


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        (FIREFOX, "Firefox on Windows"),
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/142.0 Safari/537.36", "Chrome on Linux"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/26.0 Safari/605.1.15", "Safari on macOS"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/142.0 Safari/537.36 Edg/142.0", "Edge on Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 26_0 like Mac OS X) Safari/604.1", "Safari on iPhone"),
        ("curl/8", "Another browser"),
    ],
)
def test_describe_browser_names_it_in_words(user_agent: str, words: str) -> None:
    assert describe_browser(user_agent) == words
