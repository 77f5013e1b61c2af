"""Everything on the settings page works in a browser that runs no scripts."""

import re

import pytest
from playwright.sync_api import Page, expect

from apikeys.models import ApiKey
from tests.browser.conftest import KEYS, CallApi, NewContext, requests_of, sign_in, use
from tests.conftest import IssueKey


@pytest.fixture
def page(signed_in_context: NewContext) -> Page:
    """The store's owner, signed in, in such a browser."""
    return signed_in_context(java_script_enabled=False).new_page()


def test_signing_in(new_context: NewContext, issue: IssueKey) -> None:
    issue(name="Accounting")
    page = new_context(java_script_enabled=False).new_page()
    page.goto(KEYS)
    sign_in(page)
    expect(page.get_by_role("link", name="Accounting")).to_be_visible()


def test_a_key_is_made_and_shown_once(page: Page, call: CallApi) -> None:
    page.goto(KEYS)
    page.get_by_role("link", name="Add API Key").click()
    expect(page.get_by_role("button", name="Read everything")).to_be_hidden()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Enter a name.")).to_be_visible()
    expect(page.get_by_text("Choose at least one resource")).to_be_visible()
    page.get_by_label("Name", exact=True).fill("Accounting")
    page.get_by_label("Write orders").check()
    page.get_by_role("button", name="Save").click()

    created = page.get_by_role("dialog", name="API key created")
    secret = created.get_by_label("The whole API key").inner_text()
    expect(created.get_by_role("button", name="Copy and close")).to_be_hidden()
    expect(created.get_by_text("Waiting for the first request")).to_be_hidden()
    assert call(secret).status == 200
    assert ApiKey.objects.get().access == ["orders:read", "orders:write"]
    page.reload()
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert secret[8:] not in page.content()


def test_the_dialog_of_a_new_key_is_left_by_its_links(page: Page) -> None:
    page.goto(f"{KEYS}new/")
    page.get_by_label("Name", exact=True).fill("Accounting")
    page.get_by_label("Read orders").check()
    page.get_by_role("button", name="Save").click()
    page.get_by_role("dialog").get_by_role("link", name="Close").last.click()
    expect(page).to_have_url(re.compile(f"{KEYS}$"))
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_a_key_is_edited_paused_rolled_and_deleted(page: Page, issue: IssueKey, call: CallApi) -> None:
    key, plaintext = issue(name="Accounting")
    page.goto(KEYS)
    page.get_by_role("row", name="Accounting").locator("summary").click()
    page.get_by_role("row", name="Accounting").get_by_role("link", name="Edit").click()
    page.get_by_label("Name", exact=True).fill("Bookkeeping")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved Bookkeeping.")).to_be_visible()

    page.get_by_role("link", name="Deactivate", exact=True).click()
    page.get_by_role("button", name="Deactivate").click()
    expect(page.get_by_text("Deactivated Bookkeeping.")).to_be_visible()
    assert call(plaintext).status == 401
    page.get_by_role("link", name="Reactivate", exact=True).click()
    page.get_by_role("button", name="Reactivate").click()
    expect(page.get_by_text("Reactivated Bookkeeping.")).to_be_visible()
    assert call(plaintext).status == 200

    page.get_by_role("link", name="Roll", exact=True).click()
    page.get_by_label("Stops now").check()
    page.get_by_role("button", name="Roll key").click()
    new = page.get_by_label("The whole API key").inner_text()
    assert [call(plaintext).status, call(new).status] == [401, 200]

    page.goto(f"{KEYS}{key.prefix}/delete/")
    page.get_by_role("textbox").fill("Accounting")
    page.get_by_role("button", name="Delete key").click()
    expect(page.get_by_text("This is not the key's name")).to_be_visible()
    page.get_by_role("textbox").fill("Bookkeeping")
    page.get_by_role("button", name="Delete key").click()
    expect(page.get_by_text("Deleted Bookkeeping.")).to_be_visible()
    expect(page.get_by_role("rowheader")).to_have_count(1)


def test_a_pasted_key_is_found_and_its_secret_gets_into_no_address(page: Page, issue: IssueKey) -> None:
    issue(name="Warehouse")
    key, plaintext = issue(name="Accounting")
    page.goto(KEYS)
    sent = requests_of(page)
    page.get_by_role("searchbox").fill(plaintext)
    page.get_by_role("searchbox").press("Enter")
    expect(page.get_by_role("rowheader")).to_have_count(1)
    expect(page).to_have_url(re.compile(rf"\?q={key.prefix}$"))
    assert not any(plaintext[8:] in request.split()[0] for request in sent)
    assert plaintext[8:] not in page.content()


def test_a_suggestion_is_taken_and_undone(page: Page, issue: IssueKey) -> None:
    key, _ = issue()
    use(key, "customers:read", outcome="refused")
    page.goto(f"{KEYS}{key.prefix}/")
    page.get_by_role("button", name="Grant customers:read").click()
    expect(page.get_by_text("Added customers:read.").first).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Removed customers:read.").first).to_be_visible()
    key.refresh_from_db()
    assert key.access == ["orders:read"]


def test_several_keys_are_deactivated(page: Page, issue: IssueKey) -> None:
    for name in ("One", "Two"):
        issue(name=name)
    page.goto(KEYS)
    page.get_by_label("Select One").check()
    page.get_by_label("Select Two").check()
    page.get_by_role("button", name="Deactivate", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Deactivate").click()
    expect(page.get_by_text("Deactivated One, Two.")).to_be_visible()
    assert not ApiKey.objects.usable().exists()
