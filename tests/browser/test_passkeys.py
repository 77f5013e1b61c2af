"""A passkey, in a browser that keeps one: to sign in with, and to prove it again. And in those without."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from apikeys.models import ApiKey
from stores.models import Store
from tests.browser.conftest import KEYS, NewContext, sign_in


def sign_out(page: Page, site: str) -> None:
    page.goto(f"{site}/accounts/logout/")
    page.get_by_role("main").get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


@pytest.fixture
def site(base_url: str) -> str:
    """The site by a name, for a passkey belongs to one; a number is none."""
    return base_url.replace("127.0.0.1", "localhost")


@pytest.fixture
def phone(new_context: NewContext, store: Store, site: str, complaints: list[str]) -> Iterator[Page]:
    """The owner's, unlocked and held to the reader whenever it is asked."""
    page = new_context().new_page()
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
    }
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    yield page
    complaints[:] = [text for text in complaints if not text.startswith(f"asked another site: {site}/")]


def test_a_passkey_signs_in_without_a_password_and_with_one(phone: Page, site: str, settings: Any) -> None:
    phone.goto(f"{site}/accounts/passkeys/add/")
    sign_in(phone)
    phone.get_by_role("textbox", name="Name").fill("My phone")
    phone.get_by_role("button", name="Add passkey").click()
    expect(phone.get_by_role("heading", name="Recovery codes")).to_be_visible()
    phone.get_by_role("link", name="Back to your account").click()
    expect(phone.get_by_text("My phone").first).to_be_visible()

    # In place of the password, and back to where it was asked for.
    sign_out(phone, site)
    phone.goto(f"{site}{KEYS}new/")
    phone.get_by_role("button", name="Use a passkey").click()
    expect(phone.get_by_role("dialog", name="Add API Key")).to_be_visible()

    # After the password.
    sign_out(phone, site)
    sign_in(phone)
    expect(phone.get_by_role("heading", name="One more step")).to_be_visible()
    phone.get_by_role("button", name="Use a passkey").click()
    expect(phone.get_by_role("link", name="Add API Key")).to_be_visible()

    # Instead of it, to change a key after an hour.
    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = 0
    phone.goto(f"{site}{KEYS}new/")
    phone.get_by_label("Name", exact=True).fill("Accounting")
    phone.get_by_label("Read orders").check()
    phone.get_by_role("button", name="Save").click()
    phone.get_by_role("link", name="Use a passkey").click()
    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = 60 * 60
    phone.get_by_role("button", name="Use a passkey").click()
    expect(phone.get_by_label("Name", exact=True)).to_have_value("Accounting")
    phone.get_by_role("button", name="Save").click()
    expect(phone.get_by_role("dialog", name="API key created")).to_be_visible()
    assert ApiKey.objects.get().name == "Accounting"


def test_a_passkey_that_is_not_given_costs_nothing(visitor: Page) -> None:
    visitor.goto("/accounts/login/")
    visitor.get_by_role("button", name="Use a passkey").click()
    expect(visitor.get_by_text("Passkeys do not work here").first).to_be_visible()
    expect(visitor.get_by_role("button", name="Use a passkey")).to_be_enabled()


def test_where_there_are_no_passkeys_none_is_offered(new_context: NewContext) -> None:
    page = new_context(java_script_enabled=False).new_page()
    page.goto("/accounts/login/")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    expect(page.get_by_role("button", name="Use a passkey")).to_be_hidden()
