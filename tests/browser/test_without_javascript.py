"""Everything on the settings page works in a browser that runs no scripts."""

import pytest
from playwright.sync_api import Page, expect

from apikeys.models import ApiKey
from tests.browser.conftest import KEYS, CallApi, NewContext
from tests.conftest import IssueKey


@pytest.fixture
def page(signed_in_context: NewContext) -> Page:
    """The store's owner, signed in, in such a browser."""
    return signed_in_context(java_script_enabled=False).new_page()


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
