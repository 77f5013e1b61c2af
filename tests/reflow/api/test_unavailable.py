"""Answers to people and programs about a database that is away, and of one that can only be read."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.urls import reverse

from apikeys.models import ApiKey
from apikeys.usage import recorder
from reflow import settings as production
from reflow.accounts import urls
from stores.models import Product, Store
from tests.conftest import PASSWORD, IssueKey, bearer, sign_in
from tests.reflow.accounts.test_adapter import ARGUMENTS
from tests.shop import make_product

KEYS = "/stores/267418190/settings/api-keys/"
UNKNOWN = bearer("0000000." + "0" * 27)

CHALLENGE = "/accounts/login/passkey/"
PAGES = ("/", KEYS, f"{KEYS}new/", "/docs/api-keys/", "/admin/", "/accounts/password/change/")
ROUTES = [f"/v1/stores/267418190/{path}" for path in ("products/", "orders/", "categories/1")]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def person(owner: User, store: Store) -> Client:
    """The store's owner, who signed in while all was well, and gets to see what people do."""
    return sign_in(Client(raise_request_exception=False), owner.email)


@contextmanager
def away(**changed: Any) -> Iterator[None]:
    """The database cannot be reached: there is none at the address that the connection has meanwhile."""
    kept = dict(connection.settings_dict)
    connection.close()
    connection.settings_dict.update(changed or {"NAME": "/nowhere/at-all", "HOST": "127.0.0.1", "PORT": "1"})
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.clear()
        connection.settings_dict.update(kept)


@contextmanager
def read_only() -> Iterator[None]:
    """The database refuses every write, as it does on a full disk and on a standby. Then all is well."""
    setting = {"sqlite": "PRAGMA query_only", "postgresql": "SET default_transaction_read_only"}
    execute(f"{setting[connection.vendor]} = on")
    try:
        yield
    finally:
        execute(f"{setting[connection.vendor]} = off")
        recorder.flush()


def execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def assert_is_a_page_that_says_come_back(response: Any) -> None:
    assert response.status_code == 503
    assert response["Content-Type"] == "text/html; charset=utf-8"
    assert (response["Retry-After"], response["Cache-Control"]) == ("5", "no-store")
    assert "Back in a moment" in response.content.decode()
    assert "Error" not in response.content.decode()


def assert_is_an_error_that_says_come_back(response: Any) -> None:
    assert (response.status_code, response.json()["code"]) == (503, "unavailable")
    assert response["Retry-After"] == "5"


def test_without_a_database_people_and_programs_are_asked_to_come_back(
    person: Client, caplog: pytest.LogCaptureFixture
) -> None:
    visitor = Client(raise_request_exception=False)
    with away():
        for route in ROUTES:
            assert_is_an_error_that_says_come_back(visitor.get(route, headers=UNKNOWN))
        assert_is_an_error_that_says_come_back(visitor.get(ROUTES[0]))
        for page in PAGES:
            assert_is_a_page_that_says_come_back(person.get(page))
        errors = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
        assert len(errors) == len(ROUTES) + 1 + len(PAGES)
        assert all(error.startswith("The database cannot be used: ") for error in errors)
        assert_is_a_page_that_says_come_back(person.post(f"{KEYS}new/", {"name": "Lost"}))
        for page in ("/accounts/login/", "/docs/", "/docs/api-keys/", "/v1/openapi.json"):
            assert visitor.get(page).status_code == 200, page


def test_what_can_only_be_read_is_still_read_and_counted_afterwards(
    person: Client, issue: IssueKey, store: Store
) -> None:
    key, plaintext = issue(access=["products:write"])
    make_product(store)
    with read_only():
        for page in ("/", KEYS, f"{KEYS}{key.prefix}/", f"{KEYS}new/", "/docs/api-keys/"):
            assert person.get(page, follow=True).status_code == 200, page
        for _ in range(3):
            answer = Client().get(ROUTES[0], headers=bearer(plaintext))
            assert (answer.status_code, answer.json()["meta"]["total"]) == (200, 1)
        assert not key.usage.exists()
    assert key.usage.get().requests == 3


def test_writes_to_what_can_only_be_read_are_refused_whole(
    person: Client, issue: IssueKey, store: Store, owner: User
) -> None:
    key, plaintext = issue(access=["products:write"])
    with read_only():
        products = f"/v1/stores/{store.pk}/products/"
        body = {"name": "Mug", "price": 1}
        assert_is_an_error_that_says_come_back(
            person.post(products, body, "application/json", headers=bearer(plaintext))
        )
        assert_is_a_page_that_says_come_back(
            person.post(f"{KEYS}new/", {"name": "Lost", "expiry": "never", "access": ["orders:read"]})
        )
        assert_is_a_page_that_says_come_back(person.post(f"{KEYS}{key.prefix}/deactivate/", {"until": ""}))
        visitor = Client(raise_request_exception=False)
        assert_is_a_page_that_says_come_back(
            visitor.post("/accounts/login/", {"login": owner.email, "password": PASSWORD})
        )
    assert Product.objects.count() == 0
    assert list(ApiKey.objects.usable()) == list(ApiKey.objects.all()) == [key]


def test_no_form_about_accounts_takes_it_for_too_many_attempts(
    settings: Any, person: Client, owner: User
) -> None:
    """Attempts are counted in the database too, as in production."""
    settings.CACHES = production.CACHES
    fields = {"login": owner.email, "email": owner.email, "password": PASSWORD, "credential": "{}"}
    visitor = Client(raise_request_exception=False)
    with read_only():
        for page in urls.urlpatterns:
            address = reverse(str(page.name), args=ARGUMENTS.get(str(page.name)))
            for browser in (visitor, person):
                response = browser.post(address, fields)
                assert response.status_code in {302, 405, 503}, address
                if page.name in {"account_login", "account_reset_password", "mfa_login_webauthn"}:
                    assert_is_a_page_that_says_come_back(response)
        assert visitor.get(CHALLENGE, headers={"Accept": "application/json"}).status_code == 503
