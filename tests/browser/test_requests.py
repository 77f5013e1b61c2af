"""Requests as a browser shows them: live, in dialogs, offline, and on a phone."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import KEYS, PHONE, CallApi, requests_of
from tests.conftest import IssueKey


@pytest.fixture
def plaintext(issue: IssueKey) -> str:
    return issue(name="Accounting")[1]


def test_live_keeps_its_filters_and_waits_behind_an_open_request(
    page: Page, plaintext: str, call: CallApi
) -> None:
    call(plaintext)
    page.clock.install()
    page.set_viewport_size(PHONE)
    page.goto(f"{KEYS}requests/?outcome=succeeded")
    rows = page.get_by_role("table", name="Requests").locator("tbody tr")
    expect(rows.first).to_be_in_viewport(ratio=1)
    page.get_by_role("link", name="Live", exact=True).click()
    call(plaintext)
    expect(rows).to_have_count(2)
    expect(page).to_have_url(re.compile(r"outcome=succeeded.*live=1"))

    rows.first.get_by_role("link").first.click()
    expect(page.get_by_role("dialog", name="Request")).to_be_visible()
    asked = requests_of(page)
    call(plaintext)
    page.clock.run_for(10_000)
    assert asked == []
    page.keyboard.press("Escape")
    expect(rows).to_have_count(3)


def test_offline_no_filter_leaves_the_page(page: Page, plaintext: str, call: CallApi) -> None:
    call(plaintext)
    for path in ("requests/", ""):
        page.goto(f"{KEYS}{path}")
        address = page.url
        page.context.set_offline(True)
        page.get_by_role("link", name=re.compile("^(7 days|7d)$")).click()
        message = page.locator(".messages").get_by_text("No answer arrived, so the page is as it was.")
        expect(message).to_be_visible()
        if path:
            page.get_by_text("More filters").click()
            message.evaluate("message => message.remove()")
            page.get_by_role("button", name="Filter").click()
            expect(message).to_be_visible()
            expect(page.locator("form.sending")).to_have_count(0)
        expect(page).to_have_url(address)
        page.context.set_offline(False)


def test_a_key_pasted_into_any_box_is_cut_to_its_prefix(page: Page, plaintext: str) -> None:
    sent = requests_of(page)
    for path, box in (("requests/", "Find"), ("requests/", "Key"), ("activity/", "Find")):
        page.goto(f"{KEYS}{path}")
        page.get_by_text("More filters").click()
        field = page.get_by_label(box, exact=True)
        field.fill(f"Authorization: Bearer {plaintext}")
        field.press("Enter")
        expect(page).to_have_url(re.compile(rf"{path}\?(q|key)={plaintext[:7]}$"))
    assert not any(plaintext[8:] in request for request in sent)
