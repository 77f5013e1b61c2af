"""Signing in, against whoever tries: limits, equal answers, passwords, sessions, and where it leads."""

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib import admin
from django.contrib.auth.hashers import MD5PasswordHasher
from django.contrib.auth.models import User
from django.core.mail import EmailMessage
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from apikeys.models import Email
from reflow import settings as production
from reflow.accounts import urls
from tests.conftest import PASSWORD, deliver_emails, is_signed_in, make_owner, sign_in

LOGIN = "/accounts/login/"
RESET = "/accounts/password/reset/"
CHANGE = "/accounts/password/change/"
NEW_PASSWORD = "another one that nobody guesses"
TOO_MANY = "Too many failed login attempts"


@pytest.fixture(autouse=True)
def _counted_as_in_production(settings: Any, db: None) -> None:
    settings.CACHES = production.CACHES


def attempt(
    email: str, *password: str, address: str = "192.0.2.1", host: str = "testserver", **more: str
) -> Any:
    """Sign in with this password, or a wrong one, from a browser that has never been here."""
    credentials = {"login": email, "password": password or "wrong", **more}
    return Client().post(LOGIN, credentials, REMOTE_ADDR=address, headers={"Host": host})


# Guessing.


@pytest.mark.parametrize("email", ["owner@example.com", "nobody@example.com"])
def test_guessing_locks_the_account_wherever_it_comes_from(owner: User, email: str) -> None:
    hosts = ["testserver", "localhost", "127.0.0.1", "testserver", "localhost"]
    for number, host in enumerate(hosts):
        assert TOO_MANY not in attempt(email, address=f"192.0.2.{number}", host=host).content.decode()
    locked = attempt(email, PASSWORD, address="198.51.100.1", host="localhost")
    assert locked.status_code == 200
    assert TOO_MANY in locked.content.decode()


def test_guessing_locks_the_address_whomever_it_is_about(owner: User) -> None:
    for number in range(10):
        assert TOO_MANY not in attempt(f"nobody{number}@example.com").content.decode()
    assert TOO_MANY in attempt(owner.email, PASSWORD).content.decode()
    assert attempt(owner.email, PASSWORD, address="198.51.100.1").status_code == 302


def test_a_patient_guesser_gets_twenty_an_hour(owner: User) -> None:
    tried = 0
    for minutes in range(0, 60, 6):
        with time_machine.travel(timezone.now() + timedelta(minutes=minutes), tick=False):
            answers = [attempt(owner.email, address=f"192.0.2.{minutes}") for _ in range(6)]
            tried += sum(TOO_MANY not in answer.content.decode() for answer in answers)
    assert tried == 20


def test_guessing_keeps_nobody_from_confirming_a_password(signed_in: Client, owner: User) -> None:
    for number in range(11):
        attempt(owner.email, address="127.0.0.1" if number % 2 else "192.0.2.1")
    confirm = {"password": PASSWORD, "next": "/docs/"}
    assert signed_in.post("/accounts/reauthenticate/", confirm)["Location"] == "/docs/"


def test_guessing_at_a_password_that_is_confirmed_is_limited(signed_in: Client) -> None:
    for _ in range(5):
        signed_in.post("/accounts/reauthenticate/", {"password": "wrong"})
    locked = signed_in.post("/accounts/reauthenticate/", {"password": PASSWORD})
    assert TOO_MANY in locked.content.decode()


@pytest.mark.parametrize("spelling", ["v1\u017f@example.com", "V1\u017f@Example.com"])
def test_an_account_has_one_spelling(client: Client, owner: User, spelling: str) -> None:
    """PostgreSQL takes U+017F for an s where case is ignored."""
    User.objects.filter(pk=owner.pk).update(email="v1s@example.com")
    client.post(RESET, {"email": spelling})
    assert deliver_emails() == []
    assert attempt(spelling, PASSWORD).status_code == 200
    client.post(RESET, {"email": " V1S@example.com"})
    (email,) = deliver_emails()
    assert email.to == ["v1s@example.com"]
    assert "V1S" not in email.body


def test_beyond_a_limit_the_page_says_to_come_back(settings: Any) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"login": "1/m/ip"}
    attempt("nobody@example.com")
    refused = attempt("nobody@example.com")
    assert refused.status_code == 429
    assert "Too many tries" in refused.content.decode()


# Whether there is such an account.


def bare(response: Any) -> str:
    """A page without what differs each time it is drawn, and without the address that was typed."""
    text = re.sub(r'(name="csrfmiddlewaretoken" value)="\w+"', r"\1", response.content.decode())
    return re.sub(r"[\w.]+@example\.com", "", text)


@pytest.fixture
def disabled(db: None) -> User:
    user = make_owner("disabled@example.com")
    user.is_active = False
    user.save()
    return user


@pytest.mark.usefixtures("owner", "disabled")
def test_a_wrong_password_and_an_unknown_account_are_one_answer() -> None:
    emails = ["owner@example.com", "disabled@example.com", "nobody@example.com"]
    answers = [attempt(email) for email in emails]
    assert {answer.status_code for answer in answers} == {200}
    assert len({bare(answer) for answer in answers}) == 1
    assert "are not correct" in bare(answers[0])


class CountingHasher(MD5PasswordHasher):
    """Hashing is what takes the time of a sign-in; this counts how often it is done."""

    algorithm = "counting"
    done = 0

    def encode(self, password: str, salt: str) -> str:
        CountingHasher.done += 1
        return super().encode(password, salt)


@pytest.mark.parametrize("email", ["owner@example.com", "disabled@example.com", "nobody@example.com", ""])
def test_every_attempt_costs_one_hash_whoever_it_is_about(
    settings: Any, owner: User, disabled: User, email: str
) -> None:
    settings.PASSWORD_HASHERS = [f"{__name__}.CountingHasher"]
    for user in (owner, disabled):
        user.set_password(PASSWORD)
        user.save()
    invited = User.objects.create_user("invited", "invited@example.com")
    CountingHasher.done = 0
    attempt(email or invited.email)
    assert CountingHasher.done == 1


@pytest.mark.usefixtures("owner", "disabled")
def test_asking_for_a_new_password_tells_nothing_and_mails_only_who_is_known(client: Client) -> None:
    emails = ["nobody@example.com", "disabled@example.com", "owner@example.com"]
    answers = [client.post(RESET, {"email": email}, follow=True) for email in emails]
    assert len({bare(answer) for answer in answers}) == 1
    assert "If the address belongs to an account" in bare(answers[0])
    assert [message.to for message in deliver_emails()] == [["owner@example.com"]]


@pytest.mark.usefixtures("owner")
@pytest.mark.parametrize("email", ["owner@example.com", "nobody@example.com"])
def test_nobodys_mailbox_is_filled(client: Client, email: str) -> None:
    statuses = [client.post(RESET, {"email": email}).status_code for _ in range(4)]
    assert statuses == [302, 302, 302, 429]
    assert len(deliver_emails()) == (3 if email == "owner@example.com" else 0)


@pytest.mark.usefixtures("owner")
def test_a_known_and_an_unknown_address_cost_the_same_queries(client: Client) -> None:
    sent = []
    for email in ("owner@example.com", "nobody@example.com"):
        with CaptureQueriesContext(connection) as captured:
            client.post(RESET, {"email": email})
        sent.append([re.sub(r"\d+", "", query["sql"])[:40] for query in captured])
    assert sent[0] == sent[1]
    assert len(deliver_emails()) == 1


def test_the_link_is_made_when_the_email_is_sent_and_kept_nowhere(client: Client, owner: User) -> None:
    client.post(RESET, {"email": owner.email})
    queued = list(DBTaskResult.objects.values_list("args_kwargs", flat=True))
    (message,) = deliver_emails()
    token = link_in(message).strip("/").rpartition("-")[2]
    email = Email.objects.get()
    assert queued == [{"args": [email.pk, 0], "kwargs": {}}]
    assert token not in str(Email.objects.values_list())


# Passwords.


def link_in(message: EmailMessage) -> str:
    found = re.search(r"http://testserver(\S+)", str(message.body))
    assert found is not None, message.body
    return found[1]


def test_the_link_in_the_e_mail_replaces_the_password_once(
    client: Client, signed_in: Client, owner: User
) -> None:
    # Whoever keeps the account locked meanwhile does not keep its owner out.
    for _ in range(6):
        attempt(owner.email)
    client.post(RESET, {"email": owner.email})
    link = link_in(deliver_emails()[0])
    form = client.get(link)
    assert form.status_code == 302
    assert form["Location"].endswith("-set-password/"), "The key would be in the address of the page."
    done = client.post(form["Location"], {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})
    assert done["Location"] == "/"
    assert is_signed_in(client)
    assert not is_signed_in(signed_in), "Whoever knew the old password is still in."
    assert attempt(owner.email, PASSWORD, address="198.51.100.1").status_code == 200
    assert attempt(owner.email, NEW_PASSWORD, address="198.51.100.1").status_code == 302
    assert "used already or is too old" in Client().get(link).content.decode()
    assert "was replaced" in str(deliver_emails()[-1].body)


def test_only_the_address_on_the_account_opens_it(client: Client, owner: User) -> None:
    """After an operator has changed it, the former one is a stranger's: with all that was sent to it."""
    client.post(RESET, {"email": owner.email})
    link = link_in(deliver_emails()[0])
    User.objects.filter(pk=owner.pk).update(email="successor@example.com")
    assert "used already or is too old" in client.get(link).content.decode()
    client.post(RESET, {"email": "owner@example.com"})
    assert len(deliver_emails()) == 1
    assert attempt("owner@example.com", PASSWORD).status_code == 200
    assert attempt("successor@example.com", PASSWORD).status_code == 302


def test_a_new_password_ends_every_other_session_and_is_told_by_e_mail(
    signed_in: Client, owner: User
) -> None:
    elsewhere = sign_in(Client(), owner.email)
    before = signed_in.session.session_key
    fields = {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    assert signed_in.post(CHANGE, fields)["Location"] == "/accounts/"
    assert is_signed_in(signed_in)
    assert signed_in.session.session_key != before
    assert not is_signed_in(elsewhere)
    assert "was changed" in str(deliver_emails()[0].body)


@pytest.mark.parametrize("password", ["short", "q1w2e3r4t5y6", "123456789012", "owner@example.com"])
def test_a_password_that_is_easily_guessed_is_refused(signed_in: Client, password: str) -> None:
    fields = {"oldpassword": PASSWORD, "password1": password, "password2": password}
    assert signed_in.post(CHANGE, fields).status_code == 200
    assert User.objects.get().check_password(PASSWORD)


# Sessions and cookies.


def test_over_https_the_cookies_stay_in_this_host_and_out_of_scripts(settings: Any, owner: User) -> None:
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    browser = Client()
    browser.get(LOGIN, secure=True)
    browser.post(LOGIN, {"login": owner.email, "password": PASSWORD}, secure=True)
    assert set(browser.cookies) == {"sessionid", "csrftoken"}
    for cookie in browser.cookies.values():
        flags = {name: cookie[name] for name in ("secure", "httponly", "samesite", "path", "domain")}
        assert flags == {"secure": True, "httponly": True, "samesite": "Lax", "path": "/", "domain": ""}
    assert browser.cookies["sessionid"]["max-age"] == 14 * 24 * 60 * 60


def test_a_server_on_a_socket_signs_people_in(owner: User) -> None:
    """It hears no address, and none can be kept with the session."""
    assert attempt(owner.email, PASSWORD, address="").status_code == 302


# What is there at all.

ENTRANCES = {
    "account_login",
    "account_inactive",
    "account_set_password",
    "account_reset_password",
    "account_reset_password_done",
    "account_reset_password_from_key",
}


PAGES = sorted({str(pattern.name) for pattern in urls.urlpatterns} - ENTRANCES)
ARGUMENTS: dict[str, list[str]] = {
    "account_reset_password_from_key": ["1", "key"],
    "mfa_edit_webauthn": ["1"],
    "mfa_remove_webauthn": ["1"],
    "end_session": ["1"],
}


def test_a_visitor_gets_no_further_than_the_entrance(client: Client) -> None:
    for name in PAGES:
        response = client.get(reverse(name, args=ARGUMENTS.get(name)), follow=True)
        assert response.redirect_chain[-1][0].startswith(LOGIN), name


def test_what_allauth_has_beyond_that_is_not_there(signed_in: Client) -> None:
    for path in ("signup/", "signup/passkey/", "email/", "confirm-email/", "login/code/confirm/", "2fa/"):
        assert signed_in.get(f"/accounts/{path}").status_code == 404, path


# Operators.


def test_the_admin_has_no_door_of_its_own(operator: Client, signed_in: Client, owner: User) -> None:
    """Its own would look at passwords without counting, and ask for no second factor."""
    before = operator.session["_auth_user_id"]
    fields = {"username": owner.email, "password": PASSWORD, "next": "//evil.example"}
    assert operator.post("/admin/login/", fields)["Location"] == "/admin/"
    assert operator.session["_auth_user_id"] == before
    assert signed_in.get("/admin/login/").status_code == 403
    assert Client().post("/admin/login/", fields)["Location"].startswith(LOGIN)
    assert operator.get("/admin/password_change/")["Location"] == CHANGE


def test_operators_give_an_account_no_further_address_and_take_no_session() -> None:
    shown = {model._meta.label for model in admin.site._registry}
    assert not shown & {"account.EmailAddress", "account.EmailConfirmation", "usersessions.UserSession"}
