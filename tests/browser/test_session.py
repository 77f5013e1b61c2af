"""The end of a session: it costs a sign-in, and nothing that was typed."""

import pytest
from django.conf import settings
from playwright.sync_api import Page, expect

from apikeys.models import ApiKey
from tests.browser.conftest import KEYS, open_dialog, sign_in
from tests.conftest import IssueKey


def test_signing_out_leaves_nothing_to_go_back_to(page: Page, issue: IssueKey) -> None:
    issue(name="Accounting")
    page.goto(KEYS)
    page.get_by_role("banner").get_by_text("owner@example.com").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(page.get_by_text("Accounting")).to_be_hidden()


@pytest.mark.parametrize("lost", [settings.SESSION_COOKIE_NAME, None], ids=["session", "all cookies"])
def test_a_session_that_ended_while_typing_costs_a_sign_in_and_nothing_else(
    page: Page, lost: str | None
) -> None:
    page.goto(KEYS)
    form = open_dialog(page, "Add API Key")
    form.get_by_label("Name", exact=True).fill("Accounting")
    form.get_by_label("Write orders").check()
    page.context.clear_cookies(name=lost)
    form.get_by_role("button", name="Save").click()
    sign_in(page)
    expect(page.get_by_role("dialog", name="Add API Key")).to_contain_text("Nothing has been saved yet.")
    expect(page.get_by_label("Name", exact=True)).to_have_value("Accounting")
    expect(page.get_by_label("Write orders")).to_be_checked()
    assert not ApiKey.objects.exists()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("dialog", name="API key created")).to_contain_text("Accounting")
