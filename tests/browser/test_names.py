"""A key may have any name: every page and dialog shows it as text, whole, on a phone too."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import KEYS, PHONE, NewContext, open_dialog, scrolls_sideways

# Markup, one long word, emoji of several characters, and text that runs from right to left.
NAME = '"><script>alert(1)</script><img src=x onerror=alert(1)>WWWWWWWWWWWWWWWWWWWW 👩‍👧🏴‍☠️ مفتاح'


def test_a_name_is_shown_as_the_text_it_is(signed_in_context: NewContext, complaints: list[str]) -> None:
    page = signed_in_context(viewport=PHONE).new_page()
    page.on("dialog", lambda dialog: complaints.append(f"a script ran: {dialog.message}"))

    page.goto(KEYS)
    dialog = open_dialog(page, "Add API Key")
    dialog.get_by_label("Name", exact=True).fill(NAME)
    dialog.get_by_label("Read orders").check()
    dialog.get_by_role("button", name="Save").click()
    created = page.get_by_role("dialog", name="API key created")
    expect(created.locator("bdi")).to_have_text(NAME)
    assert not scrolls_sideways(page)
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(page.locator(".messages")).to_contain_text(NAME)
    expect(page.get_by_role("rowheader").get_by_role("link")).to_have_text(NAME)
    assert not scrolls_sideways(page)

    page.get_by_role("rowheader").get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(NAME)
    expect(page).to_have_title(re.compile(f"^{re.escape(NAME)} · Reflow$"))
    assert not scrolls_sideways(page)
    page.get_by_role("link", name="Delete", exact=True).click()
    expect(dialog.get_by_role("heading")).to_contain_text(NAME)
    assert not scrolls_sideways(page)
    assert dialog.evaluate("dialog => dialog.scrollWidth <= dialog.clientWidth")
    dialog.get_by_role("textbox").fill(NAME)
    dialog.get_by_role("button", name="Delete key").click()
    expect(page.locator(".messages p")).to_have_text(f"Deleted {NAME}.")
    assert not scrolls_sideways(page)
