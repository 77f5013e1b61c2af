"""Limits of the permissions of staff: not to more permissions, and not to the accounts of other staff."""

import os
import threading
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Group, Permission, User
from django.db import connection
from django.test import Client
from django.urls import reverse

from apikeys.models import AuditEntry
from stores.models import Store
from tests.conftest import PASSWORD, admin_page, deliver_emails, make_owner, make_staff, sign_in


@pytest.fixture
def staff(db: None) -> User:
    """An operator with every permission of every model, who is no superuser."""
    user = make_owner("staff@example.com")
    User.objects.filter(pk=user.pk).update(is_staff=True)
    user.user_permissions.set(Permission.objects.all())
    return user


@pytest.fixture
def browser(staff: User) -> Client:
    return sign_in(Client(), staff.email)


def account_form(user: User, **changes: Any) -> dict[str, Any]:
    joined = {"date_joined_0": "2026-11-23", "date_joined_1": "12:00:00"}
    return {"username": user.username, "email": user.email, "is_active": "on"} | joined | changes


def powers(user: User) -> tuple[bool, bool, int, int]:
    fresh = User.objects.get(pk=user.pk)
    return fresh.is_staff, fresh.is_superuser, fresh.groups.count(), fresh.user_permissions.count()


def test_staff_make_nobody_more_powerful(browser: Client, owner: User, staff: User) -> None:
    group = Group.objects.create(name="Everything")
    more = {
        "is_staff": "on",
        "is_superuser": "on",
        "groups": [group.pk],
        "user_permissions": [Permission.objects.all()[0].pk],
    }
    before = powers(owner), powers(staff)
    form = account_form(owner, first_name="Anna", **more)
    assert browser.post(admin_page(User, "change", owner.pk), form).status_code == 302
    assert User.objects.get(pk=owner.pk).first_name == "Anna"
    browser.post(admin_page(User, "change", staff.pk), account_form(staff, **more))
    new = {"username": "new", "email": "new@example.com", "password1": PASSWORD, "password2": PASSWORD}
    browser.post(admin_page(User, "add"), new | {"usable_password": "true"} | more)
    assert powers(User.objects.get(username="new")) == (False, False, 0, 0)
    assert (powers(owner), powers(staff)) == before


def test_staff_do_not_touch_the_accounts_of_staff(browser: Client, operator: Client) -> None:
    """With a superuser's password, address or missing second factor, they would be one."""
    make_staff("other@example.com")
    for user in User.objects.filter(email__in=("operator@example.com", "other@example.com")):
        factor = Authenticator.objects.create(user=user, type="totp", data={})
        form = account_form(user, email="mine@example.com")
        password = {"password1": PASSWORD * 2, "password2": PASSWORD * 2, "usable_password": "true"}
        pages: list[tuple[str, dict[str, Any]]] = [
            (admin_page(User, "change", user.pk), form),
            (admin_page(User, "delete", user.pk), {"post": "yes"}),
            (reverse("admin:auth_user_password_change", args=[user.pk]), password),
            (admin_page(Authenticator, "delete", factor.pk), {"post": "yes"}),
        ]
        for url, data in pages:
            assert browser.post(url, data).status_code == 403, url
        for model, row in ((User, user), (Authenticator, factor)):
            action = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
            browser.post(admin_page(model, "changelist"), action)
            assert model.objects.filter(pk=row.pk).exists()
        assert User.objects.get(pk=user.pk).check_password(PASSWORD)
        assert User.objects.get(pk=user.pk).email == user.email


def test_a_person_is_told_of_another_address_at_both(browser: Client, owner: User) -> None:
    former = owner.email
    browser.post(admin_page(User, "change", owner.pk), account_form(owner, first_name="Anna"))
    assert deliver_emails() == []
    browser.post(admin_page(User, "change", owner.pk), account_form(owner, email="New@example.com"))
    told = deliver_emails()
    assert sorted(email.to[0] for email in told) == ["new@example.com", former]
    for email in told:
        assert f"from {former} to new@example.com" in email.body


def test_a_person_is_told_of_a_password_that_an_operator_has_set(browser: Client, owner: User) -> None:
    password = {"password1": PASSWORD * 2, "password2": PASSWORD * 2, "usable_password": "true"}
    browser.post(reverse("admin:auth_user_password_change", args=[owner.pk]), password)
    assert [email.subject for email in deliver_emails()] == ["Your password was changed by an operator"]


def test_staff_change_no_group(browser: Client, staff: User) -> None:
    group = Group.objects.create(name="Support")
    staff.groups.add(group)
    form = {"name": "Support", "permissions": [Permission.objects.all()[0].pk]}
    for url in (admin_page(Group, "change", group.pk), admin_page(Group, "add")):
        assert browser.post(url, form).status_code == 403
    assert browser.post(admin_page(Group, "delete", group.pk), {"post": "yes"}).status_code == 403
    assert Group.objects.get().permissions.count() == 0


def test_owners_of_a_store_are_named_by_whoever_may_change_accounts(
    browser: Client, staff: User, store: Store
) -> None:
    form = {"name": "Northwood", "currency": "USD", "owners": [staff.pk]}
    staff.user_permissions.remove(Permission.objects.get(codename="change_user"))
    assert browser.post(admin_page(Store, "change", store.pk), form).status_code == 302
    assert staff not in store.owners.all()
    staff.user_permissions.set(Permission.objects.all())
    browser.post(admin_page(Store, "change", store.pk), form)
    assert staff in store.owners.all()


@pytest.mark.parametrize("view", ["delete", "changelist"])
def test_owners_are_told_that_the_account_of_one_is_deleted(
    operator: Client, store: Store, owner: User, view: str
) -> None:
    store.owners.add(make_owner("partner@example.com"))
    if view == "delete":
        operator.post(admin_page(User, "delete", owner.pk), {"post": "yes"})
    else:
        action = {"action": "delete_selected", "_selected_action": [owner.pk], "post": "yes"}
        operator.post(admin_page(User, "changelist"), action)
    assert not User.objects.filter(pk=owner.pk).exists()
    (email,) = deliver_emails()
    assert email.to == ["partner@example.com"]
    assert AuditEntry.objects.filter(store=store).get().sentence == "Removed owner@example.com as owner."


@pytest.mark.skipif("SUITE_DATABASE_URL" not in os.environ, reason="SQLite has one writer at a time.")
@pytest.mark.django_db(transaction=True)
def test_of_two_accounts_saved_at_once_with_one_address_the_second_is_refused(operator: Client) -> None:
    def save_rival() -> None:
        make_owner("one@example.com")
        connection.close()

    def save_first(execute: Any, sql: str, *args: Any) -> Any:
        if (
            sql.startswith('INSERT INTO "auth_user"')
            and threading.current_thread() is threading.main_thread()
        ):
            rival = threading.Thread(target=save_rival)
            rival.start()
            rival.join()
        return execute(sql, *args)

    form = {"username": "two", "email": "One@example.com", "usable_password": "false"}
    with connection.execute_wrapper(save_first):
        answer = operator.post(admin_page(User, "add"), form)
    assert "There is an account with this e-mail address already." in answer.content.decode()
    assert 'value="two"' in answer.content.decode()


def test_superusers_do_all_of_it(operator: Client, owner: User) -> None:
    group = Group.objects.create(name="Support")
    form = account_form(owner, is_staff="on", is_superuser="on", groups=[group.pk])
    assert operator.post(admin_page(User, "change", owner.pk), form).status_code == 302
    assert powers(owner) == (True, True, 1, 0)
    operator.post(admin_page(User, "change", owner.pk), account_form(owner))
    assert powers(owner) == (False, False, 0, 0)
