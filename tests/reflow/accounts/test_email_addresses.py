"""One account for each e-mail address, whatever capitals it is written with."""

from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.core.management import CommandError
from django.db import IntegrityError, connection, transaction
from django.test import Client

from tests.conftest import PASSWORD, admin_page, make_owner

migration: Any = import_module("reflow.migrations.0002_unique_email_addresses")

SPELLINGS = ("anna@example.com", "Anna@Example.com", "ANNA@EXAMPLE.COM", " anna@example.com")


@pytest.mark.django_db
@pytest.mark.parametrize(("stored", "typed"), zip(SPELLINGS, reversed(SPELLINGS), strict=True))
def test_any_spelling_signs_in(client: Client, stored: str, typed: str) -> None:
    user = make_owner(stored)
    assert User.objects.get().email == "anna@example.com"
    signed_in = client.post("/accounts/login/", {"login": typed, "password": PASSWORD})
    assert (signed_in.status_code, client.session["_auth_user_id"]) == (302, str(user.pk))


@pytest.mark.django_db
@pytest.mark.parametrize("email", SPELLINGS[1:3])
def test_the_admin_refuses_an_address_that_is_taken(operator: Client, email: str) -> None:
    make_owner("anna@example.com")
    other = make_owner("other@example.com")
    form = {"username": "new", "email": email, "password1": PASSWORD, "password2": PASSWORD}
    pages = [
        operator.post(admin_page(User, "add"), form | {"usable_password": "true"}),
        operator.post(admin_page(User, "change", other.pk), {"username": "other", "email": email}),
    ]
    for page in pages:
        assert "There is an account with this e-mail address already." in page.content.decode()
    assert User.objects.filter(email="anna@example.com").count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("email", SPELLINGS[:3])
def test_the_database_refuses_an_address_that_is_taken(email: str) -> None:
    make_owner("anna@example.com")
    other = make_owner("other@example.com")
    with pytest.raises(IntegrityError, match="auth_user_email_is_unique"), transaction.atomic():
        User.objects.filter(pk=other.pk).update(email=email)


@pytest.mark.django_db
def test_accounts_without_an_address_are_not_the_same() -> None:
    User.objects.create_user("first")
    User.objects.create_user("second")


@pytest.fixture
def _without_the_index(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX auth_user_email_is_unique")


def migrate() -> None:
    migration.normalize_addresses(apps, SimpleNamespace(connection=connection))


@pytest.mark.usefixtures("_without_the_index")
def test_the_migration_normalizes_addresses() -> None:
    user = make_owner("anna@example.com")
    User.objects.filter(pk=user.pk).update(email="Anna@Example.com ")
    User.objects.create_user("nobody")
    migrate()
    assert sorted(User.objects.values_list("email", flat=True)) == ["", "anna@example.com"]


@pytest.mark.usefixtures("_without_the_index")
def test_the_migration_names_the_accounts_it_cannot_decide_about() -> None:
    older, newer = make_owner("anna@example.com"), make_owner("bob@example.com")
    User.objects.filter(pk=older.pk).update(email="Anna@Example.com", username="anna")
    User.objects.filter(pk=newer.pk).update(email="anna@example.com", username="anna2")
    with pytest.raises(CommandError) as refused:
        migrate()
    assert (
        f"anna@example.com: account {older.pk} (anna, never signed in), account {newer.pk} (anna2, never "
        "signed in)" in str(refused.value)
    )
    assert User.objects.filter(email="Anna@Example.com").exists()
