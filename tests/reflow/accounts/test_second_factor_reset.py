"""Somebody who has lost a second factor: it is removed, they are told, and it is in the account's history."""

from io import StringIO
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from tests.conftest import PASSWORD, admin_page, deliver_emails, is_signed_in, sign_in

TYPES = ("totp", "recovery_codes", "webauthn", "webauthn")
ALL = "authenticator app, passkey, recovery codes"


@pytest.fixture
def browser(owner: User) -> Client:
    """A browser in which the owner is signed in, who has second factors of every kind since."""
    client = sign_in(Client(), owner.email)
    for type_ in TYPES:
        Authenticator.objects.create(user=owner, type=type_, data={"name": "Phone"})
    return client


def reset(email: str) -> str:
    output = StringIO()
    call_command("reset_second_factor", email, stdout=output)
    return output.getvalue()


def histories(user: User) -> list[tuple[str, str]]:
    """Each change of the account and its author, as its page in the admin lists it."""
    entries = LogEntry.objects.filter(object_id=str(user.pk), content_type__model="user")
    return [(entry.user.get_username(), entry.get_change_message()) for entry in entries]


def test_the_command_leaves_the_password(browser: Client, owner: User) -> None:
    User.objects.update(is_staff=True, is_superuser=True)
    assert ALL in reset("Owner@example.com ")
    assert not Authenticator.objects.exists()
    assert not is_signed_in(browser)
    sign_in(browser, owner.email)
    assert browser.get("/admin/").status_code == 200


def test_the_command_tells_the_person_and_the_history(browser: Client, owner: User) -> None:
    reset(owner.email)
    (email,) = deliver_emails()
    assert email.to == [owner.email]
    assert email.subject == "Your second factor was removed"
    assert f"the account of {owner.email}: {ALL}." in email.body
    assert histories(owner) == [(owner.username, f"Second factor removed on the command line: {ALL}.")]


def test_the_command_says_why_there_is_nothing_to_do(owner: User) -> None:
    for email, line in (("nobody@example.com", "There is no account"), (owner.email, "has no second factor")):
        with pytest.raises(CommandError, match=line):
            reset(email)
    assert deliver_emails() == []
    assert histories(owner) == []


@pytest.mark.parametrize("page", ["delete", "changelist"])
def test_the_admin_does_the_same(operator: Client, browser: Client, owner: User, page: str) -> None:
    lost = Authenticator.objects.exclude(type="recovery_codes")
    if page == "delete":
        for authenticator in lost:
            operator.post(admin_page(Authenticator, "delete", authenticator.pk), {"post": "yes"})
    else:
        chosen = [authenticator.pk for authenticator in lost]
        action: dict[str, Any] = {"action": "delete_selected", "_selected_action": chosen, "post": "yes"}
        operator.post(admin_page(Authenticator, "changelist"), action)
    assert not Authenticator.objects.exists()
    assert not is_signed_in(browser)
    assert {email.to[0] for email in deliver_emails()} == {owner.email}
    messages = histories(owner)
    assert {by for by, _ in messages} == {"operator@example.com"}
    if page == "changelist":
        assert messages == [("operator@example.com", f"Second factor removed in the admin: {ALL}.")]


def test_one_of_several_leaves_the_others(operator: Client, browser: Client, owner: User) -> None:
    lost = Authenticator.objects.get(type="totp")
    operator.post(admin_page(Authenticator, "delete", lost.pk), {"post": "yes"})
    assert Authenticator.objects.count() == len(TYPES) - 1
    assert histories(owner) == [
        ("operator@example.com", "Second factor removed in the admin: authenticator app.")
    ]


def test_operators_stay_signed_in_where_they_remove_their_own(operator: Client) -> None:
    user = User.objects.get(email="operator@example.com")
    elsewhere = sign_in(Client(), user.email)
    own = Authenticator.objects.create(user=user, type="totp", data={})
    answer = operator.post(admin_page(Authenticator, "delete", own.pk), {"post": "yes"})
    assert answer.status_code == 302
    assert is_signed_in(operator)
    assert not is_signed_in(elsewhere)
    assert UserSession.objects.filter(user=user).count() == 1
    assert Client().post("/accounts/login/", {"login": user.email, "password": PASSWORD})["Location"] == "/"
