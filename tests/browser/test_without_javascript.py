"""Everything on the settings page works in a browser that runs no scripts."""

from playwright.sync_api import expect

from apikeys.models import ApiKey
from tests.browser.conftest import KEYS, CallApi, NewContext


def test_a_key_is_made_shown_once_edited_and_deactivated(
    signed_in_context: NewContext, call: CallApi
) -> None:
    page = signed_in_context(java_script_enabled=False).new_page()
    page.goto(KEYS)
    page.get_by_role("link", name="Add API Key").click()
    expect(page.get_by_role("button", name="Read everything")).to_be_hidden()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Enter a name.")).to_be_visible()
    page.get_by_label("Name", exact=True).fill("Accounting")
    page.get_by_label("Write orders").check()
    page.get_by_role("button", name="Save").click()

    created = page.get_by_role("dialog", name="API key created")
    secret = created.get_by_label("The whole API key").inner_text()
    expect(created.get_by_role("button", name="Copy and close")).to_be_hidden()
    expect(created.get_by_text("Waiting for the first request")).to_be_hidden()
    assert call(secret).status_code == 200
    assert ApiKey.objects.get().access == ["orders:read", "orders:write"]
    page.reload()
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert secret[8:] not in page.content()

    page.get_by_role("row", name="Accounting").locator("summary").click()
    page.get_by_role("row", name="Accounting").get_by_role("link", name="Edit").click()
    page.get_by_label("Name", exact=True).fill("Bookkeeping")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved Bookkeeping.")).to_be_visible()

    page.goto(KEYS)
    page.get_by_label("Select Bookkeeping").check()
    page.get_by_role("button", name="Deactivate", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Deactivate").click()
    expect(page.get_by_text("Deactivated Bookkeeping.")).to_be_visible()
    assert call(secret).status_code == 401
