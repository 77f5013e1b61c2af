"""Requests as a browser shows them: live, in dialogs, and by the bars of a chart."""

import re

import pytest
from playwright.sync_api import Page, expect

from apikeys.models import ApiKey
from tests.browser.conftest import KEYS, CallApi, use
from tests.conftest import IssueKey


@pytest.fixture
def plaintext(issue: IssueKey) -> str:
    return issue(name="Accounting")[1]


def test_live_keeps_its_filters_and_waits_behind_an_open_request(
    page: Page, plaintext: str, call: CallApi
) -> None:
    call(plaintext)
    page.clock.install()
    page.goto(f"{KEYS}requests/?outcome=succeeded")
    page.get_by_role("link", name="Live", exact=True).click()
    rows = page.get_by_role("table", name="Requests").locator("tbody tr")
    call(plaintext)
    expect(rows).to_have_count(2)
    expect(page).to_have_url(re.compile(r"outcome=succeeded.*live=1"))

    rows.first.get_by_role("link").first.click()
    expect(page.get_by_role("dialog", name="Request")).to_be_visible()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    call(plaintext)
    page.clock.run_for(10_000)
    assert asked == []
    page.keyboard.press("Escape")
    expect(rows).to_have_count(3)


def test_the_day_of_a_bar_stays_with_the_next_filter(page: Page, plaintext: str, call: CallApi) -> None:
    use(ApiKey.objects.get(), "orders:read", requests=3)
    call(plaintext)
    page.goto(KEYS)
    page.get_by_text("Show as a table").click()
    page.get_by_role("region", name="Requests by day").get_by_role("link").last.click()
    rows = page.get_by_role("table", name="Requests").locator("tbody tr")
    expect(rows).to_have_count(1)
    page.get_by_role("link", name="Succeeded").click()
    expect(rows).to_have_count(1)
    page.get_by_text("More filters: From (UTC), To (UTC)").click()
    expect(page.get_by_label("From (UTC)")).to_have_value(re.compile("T00:00$"))
    page.get_by_label("Method").select_option("POST")
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_role("heading", name="No requests")).to_be_visible()
    expect(page).to_have_url(re.compile("from=.*&to=.*T00%3A00"))


def test_offline_no_filter_leaves_the_page(page: Page, plaintext: str, call: CallApi) -> None:
    call(plaintext)
    for path in ("requests/", "activity/", ""):
        page.goto(f"{KEYS}{path}")
        address = page.url
        page.context.set_offline(True)
        page.get_by_role("link", name=re.compile("^(7 days|7d)$")).click()
        expect(page.locator(".messages")).to_contain_text("No answer arrived, so the page is as it was.")
        if path:
            page.get_by_text("More filters").click()
            page.locator(".messages li").evaluate("message => message.remove()")
            page.get_by_role("button", name="Filter").click()
            expect(page.locator(".messages")).to_contain_text("No answer arrived")
            expect(page.locator("form.sending")).to_have_count(0)
        expect(page).to_have_url(address)
        page.context.set_offline(False)


@pytest.mark.parametrize("way", ["scripts", "none"])
def test_a_key_pasted_into_any_box_gets_into_no_address(
    page: Page, plaintext: str, call: CallApi, way: str
) -> None:
    call(plaintext)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url))
    for path, box in (("requests/", "Find"), ("requests/", "Key"), ("activity/", "Find")):
        page.goto(f"{KEYS}{path}")
        page.get_by_text("More filters").click()
        field = page.get_by_label(box, exact=True)
        if way == "none":
            field.evaluate("(box, key) => { box.value = key }", f"Authorization: Bearer {plaintext}")
        else:
            field.fill(f"Authorization: Bearer {plaintext}")
        field.press("Enter")
        expect(page).to_have_url(re.compile(rf"{path}\?(q|key)={plaintext[:7]}$"))
        expect(page.get_by_role("table").locator("tbody tr")).to_have_count(1)
    assert not any(plaintext[8:] in address for address in sent)


def test_the_first_request_is_in_the_first_screen_of_a_phone(
    page: Page, plaintext: str, call: CallApi
) -> None:
    call(plaintext)
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(f"{KEYS}requests/")
    box = page.get_by_role("table", name="Requests").locator("tbody tr").first.bounding_box()
    assert box
    assert box["y"] + box["height"] <= 740
