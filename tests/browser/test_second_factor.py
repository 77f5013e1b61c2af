"""An authenticator app and recovery codes, as their owner uses them; and browsers that have no passkey."""

import time
from typing import Any

from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from playwright.sync_api import Page, expect

from tests.browser.conftest import NewContext, sign_in


def sign_out(page: Page, site: str = "") -> None:
    page.goto(f"{site}/accounts/logout/")
    page.get_by_role("main").get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def enter_code(page: Page, code: str, button: str) -> None:
    page.get_by_role("textbox", name="Code").fill(code)
    page.get_by_role("button", name=button, exact=True).click()


def test_an_authenticator_app_and_recovery_codes(page: Page, settings: Any) -> None:
    # Its codes change every half minute, and this must not wait for that.
    settings.MFA_TOTP_TOLERANCE = 1

    page.goto("/accounts/")
    page.get_by_role("link", name="Set up").click()
    expect(page.get_by_role("img", name="QR code")).to_be_visible()
    page.get_by_text("No camera?").click()
    secret = page.locator(".secret").inner_text()
    code = format_hotp_value(hotp_value(secret, int(time.time()) // 30))
    enter_code(page, "000000", "Turn on")
    expect(page.get_by_text("The code is wrong")).to_be_visible()
    enter_code(page, code, "Turn on")
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    recovery_codes = page.locator("#codes").inner_text().split()
    page.get_by_role("button", name="Copy").click()
    assert page.evaluate("navigator.clipboard.readText()").split() == recovery_codes

    sign_out(page)
    sign_in(page)
    expect(page.get_by_role("heading", name="One more step")).to_be_visible()
    expect(page.get_by_role("button", name="Use a passkey")).to_be_hidden()
    enter_code(page, code, "Sign in")
    expect(page.get_by_role("link", name="Add API Key")).to_be_visible()

    sign_out(page)
    sign_in(page)
    enter_code(page, recovery_codes[7], "Sign in")
    expect(page.get_by_role("link", name="Add API Key")).to_be_visible()
    page.goto("/accounts/")
    expect(page.get_by_text("9 of 10 are left")).to_be_visible()


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
