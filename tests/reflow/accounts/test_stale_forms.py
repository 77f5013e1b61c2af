"""A form that was opened before its person signed in again is there once more, filled in."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from apikeys.models import ApiKey, NotificationSettings
from apikeys.settings_page.decorators import RETURN_PAGES
from apikeys.settings_page.urls import urlpatterns
from stores.models import Product, Store
from tests.conftest import PASSWORD, admin_page

KEYS = "/stores/267418190/settings/api-keys/"
ORIGIN = {"Origin": "http://testserver"}
KEY = {"name": "Typed for long", "expiry": "90", "access": ["orders:read"]}


def token_of(response: Any) -> str:
    found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', response.content.decode())
    assert found is not None
    return found[1]


def sign_in_again(browser: Client, email: str) -> None:
    """As in another tab."""
    browser.post("/accounts/logout/", {"csrfmiddlewaretoken": token_of(browser.get("/accounts/logout/"))})
    form = {"csrfmiddlewaretoken": token_of(browser.get("/accounts/login/"))}
    assert browser.post("/accounts/login/", form | {"login": email, "password": PASSWORD}).status_code == 302


@pytest.fixture
def browser(store: Store, owner: User) -> Client:
    """A browser that is taken at its word, in which the owner has signed in."""
    User.objects.filter(pk=owner.pk).update(is_staff=True, is_superuser=True)
    client = Client(enforce_csrf_checks=True)
    form = {"csrfmiddlewaretoken": token_of(client.get("/accounts/login/"))}
    client.post("/accounts/login/", form | {"login": owner.email, "password": PASSWORD})
    return client


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_new_shows_what_was_typed_with_a_new_token(
    browser: Client, owner: User, headers: dict[str, str]
) -> None:
    stale = token_of(browser.get(f"{KEYS}new/"))
    sign_in_again(browser, owner.email)
    sent = browser.post(f"{KEYS}new/", KEY | {"csrfmiddlewaretoken": stale}, headers=ORIGIN | headers)
    assert sent.get("Location", sent.get("HX-Redirect")) == f"{KEYS}new/"
    form = browser.get(f"{KEYS}new/")
    assert 'value="Typed for long"' in form.content.decode()
    assert "Nothing has been saved yet." in form.text
    created = browser.post(f"{KEYS}new/", KEY | {"csrfmiddlewaretoken": token_of(form)}, follow=True)
    assert "Nothing " not in created.text
    assert ApiKey.objects.get().name == "Typed for long"


def test_notifications_show_what_was_chosen(browser: Client, owner: User) -> None:
    page = f"{KEYS}notifications/"
    stale = token_of(browser.get(page))
    sign_in_again(browser, owner.email)
    sent = browser.post(page, {"new_network": "on", "csrfmiddlewaretoken": stale}, headers=ORIGIN)
    shown = browser.get(sent["Location"])
    assert "Nothing has been saved yet." in shown.text
    form = shown.context["form"]
    assert [name for name in form.fields if form[name].value()] == ["new_network"]
    assert not NotificationSettings.objects.exists()
    assert "Nothing has been saved yet." not in browser.get(page).text


def test_the_admin_sends_it_again(browser: Client, owner: User, store: Store) -> None:
    url = admin_page(Product, "add")
    stale = token_of(browser.get(url))
    sign_in_again(browser, owner.email)
    typed = {"name": 'Mug "large"', "csrfmiddlewaretoken": stale}
    page = browser.post(url, typed, headers=ORIGIN)
    assert page.status_code == 403
    assert '<input type="hidden" name="name" value="Mug &quot;large&quot;">' in page.content.decode()
    again = browser.post(url, typed | {"csrfmiddlewaretoken": token_of(page)}, headers=ORIGIN)
    assert again.context["adminform"].form["name"].value() == 'Mug "large"'


@pytest.mark.parametrize("url", [f"{KEYS}new/", "/admin/stores/product/add/"])
def test_nothing_that_came_from_elsewhere_is_kept(browser: Client, url: str) -> None:
    for headers in ({}, {"Origin": "https://evil.example"}, {"Origin": "null"}):
        answer = browser.post(url, KEY | {"csrfmiddlewaretoken": "x" * 64}, headers=headers)
        assert answer.status_code == 403
        assert "Typed for long" not in answer.content.decode()
        assert "apikeys_unsent_form" not in answer.cookies


def test_a_form_from_elsewhere_is_refused_unread(browser: Client, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10
    answer = browser.post("/accounts/login/", KEY, headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403


def test_a_password_is_in_no_page(browser: Client, owner: User) -> None:
    url = f"/admin/auth/user/{owner.pk}/password/"
    answer = browser.post(url, {"password1": "typed once", "password2": "typed once"}, headers=ORIGIN)
    assert answer.status_code == 403
    assert "typed once" not in answer.content.decode()


def test_every_address_that_takes_only_a_click_has_a_page_to_go_back_to(
    signed_in: Client, key: ApiKey
) -> None:
    for pattern in urlpatterns:
        path = str(pattern.pattern).replace("^", "").replace("$", "")
        path = path.replace("(?P<prefix>[0-9a-f]{7})", key.prefix).replace("<int:pk>", "1")
        if signed_in.get(KEYS + path).status_code == 405:
            assert pattern.name in RETURN_PAGES, path
            assert Client().post(KEYS + path).status_code == 302, path
