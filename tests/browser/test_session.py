"""Who somebody is: signing in, staying signed in, and proving it again, without losing what was typed."""

import pytest
from django.conf import settings
from playwright.sync_api import Locator, Page, expect

from apikeys.models import ApiKey
from stores.models import Store
from tests.browser.conftest import KEYS, open_dialog, sign_in
from tests.conftest import IssueKey

NOTHING_SAVED = "Nothing has been saved yet."


def test_a_visitor_signs_in_and_comes_to_the_page_that_was_asked_for(visitor: Page, issue: IssueKey) -> None:
    key, _ = issue(name="Accounting")
    visitor.goto(f"{KEYS}{key.prefix}/")
    visitor.get_by_label("Email").fill("owner@example.com")
    visitor.get_by_label("Password", exact=True).fill("wrong")
    visitor.get_by_role("button", name="Sign in").click()
    expect(visitor.get_by_role("alert")).to_be_visible()
    expect(visitor.get_by_label("Email")).to_have_value("owner@example.com")
    sign_in(visitor)
    expect(visitor.get_by_role("heading", name="Accounting", level=1)).to_be_visible()


def test_signing_out_ends_it(page: Page, issue: IssueKey) -> None:
    issue(name="Accounting")
    page.goto(KEYS)
    page.get_by_role("banner").get_by_text("owner@example.com").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(page.get_by_text("Accounting")).to_be_hidden()


# A session that ends in the middle of a form.


@pytest.fixture
def typed(page: Page) -> Locator:
    """The dialog of a new key, filled in but not sent."""
    page.goto(KEYS)
    dialog = open_dialog(page, "Add API Key")
    dialog.get_by_label("Name", exact=True).fill("Accounting")
    dialog.get_by_label("Expiry").select_option("60")
    dialog.get_by_label("Write orders").check()
    return dialog


def expect_what_was_typed(page: Page) -> None:
    expect(page.get_by_role("dialog", name="Add API Key")).to_contain_text(NOTHING_SAVED)
    expect(page.get_by_label("Name", exact=True)).to_have_value("Accounting")
    expect(page.get_by_label("Expiry")).to_have_value("60")
    expect(page.get_by_label("Write orders")).to_be_checked()
    expect(page.get_by_label("Read products")).not_to_be_checked()
    assert not ApiKey.objects.exists()


def test_a_session_that_ended_while_typing_costs_a_sign_in_and_nothing_else(
    page: Page, typed: Locator
) -> None:
    page.context.clear_cookies(name=settings.SESSION_COOKIE_NAME)
    typed.get_by_role("button", name="Save").click()
    sign_in(page)
    expect_what_was_typed(page)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("dialog", name="API key created")).to_contain_text("Accounting")


def test_a_session_that_ended_before_a_dialog_leads_to_the_sign_in(page: Page) -> None:
    page.goto(KEYS)
    page.context.clear_cookies(name=settings.SESSION_COOKIE_NAME)
    page.get_by_role("link", name="Add API Key").click()
    sign_in(page)
    expect(page.get_by_role("dialog", name="Add API Key")).to_be_visible()
    expect(page.get_by_text(NOTHING_SAVED)).to_be_hidden()


def test_a_form_whose_token_is_gone_costs_a_sign_in_and_nothing_else(page: Page, typed: Locator) -> None:
    page.context.clear_cookies()
    typed.get_by_role("button", name="Save").click()
    sign_in(page)
    expect_what_was_typed(page)


def test_somebody_elses_sign_in_does_not_get_what_was_typed(
    page: Page, typed: Locator, other_store: Store, complaints: list[str]
) -> None:
    page.context.clear_cookies(name=settings.SESSION_COOKIE_NAME)
    typed.get_by_role("button", name="Save").click()
    sign_in(page, "second@example.com")
    expect(page.get_by_role("heading", name="Page not found")).to_be_visible()
    expect(page.get_by_text("Accounting")).to_be_hidden()
    assert {"404" in complaint for complaint in complaints} == {True}
    complaints.clear()
