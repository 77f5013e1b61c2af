"""The list of keys: found, filtered, sorted, paged, and what can be done from a row."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from apikeys.models import ApiKey
from tests.browser.conftest import KEYS, requests_of, use
from tests.conftest import IssueKey


def names_in(page: Page) -> Locator:
    return page.get_by_role("table", name="API keys").get_by_role("rowheader").get_by_role("link")


@pytest.fixture
def find(page: Page) -> Locator:
    """The find box of the list, once it is open."""
    return page.get_by_role("searchbox", name="Find a key")


@pytest.fixture
def accounting(issue: IssueKey) -> tuple[ApiKey, str]:
    """One key among others, and its plaintext."""
    issue(name="Warehouse")
    issue(name="Dashboard")
    return issue(name="Accounting")


@pytest.mark.parametrize("typed", ["name", "prefix"])
def test_a_key_is_found_by_its_name_or_prefix(
    page: Page, find: Locator, accounting: tuple[ApiKey, str], typed: str
) -> None:
    key, _ = accounting
    page.goto(KEYS)
    find.fill("count" if typed == "name" else key.prefix)
    find.press("Enter")
    expect(names_in(page)).to_have_text(["Accounting"])
    expect(find).to_have_value("count" if typed == "name" else key.prefix)


def test_a_pasted_key_is_found_and_its_secret_is_in_no_request(
    page: Page, find: Locator, accounting: tuple[ApiKey, str]
) -> None:
    key, plaintext = accounting
    page.goto(KEYS)
    sent = requests_of(page)
    page.evaluate("text => navigator.clipboard.writeText(text)", f" {plaintext}\n")
    find.focus()
    page.keyboard.press("Control+V")
    expect(find).to_have_value(key.prefix)
    page.keyboard.press("Enter")
    expect(names_in(page)).to_have_text(["Accounting"])
    expect(page).to_have_url(re.compile(rf"\?q={key.prefix}$"))
    assert sent
    assert not any(plaintext[8:] in request for request in sent)


def test_what_nothing_matches_leads_back_to_all_keys(
    page: Page, find: Locator, accounting: tuple[ApiKey, str]
) -> None:
    page.goto(KEYS)
    find.fill("<b>nobody</b>")
    find.press("Enter")
    expect(page.get_by_role("heading", name="No key matches")).to_be_visible()
    expect(find).to_have_value("<b>nobody</b>")
    page.get_by_role("link", name="Show all keys").click()
    expect(names_in(page)).to_have_count(3)


def test_pills_filter_by_status(page: Page, issue: IssueKey) -> None:
    issue(name="Works")
    issue(name="Ends soon", expires_at=timezone.now() + timedelta(days=3))
    issue(name="Ended", expires_at=timezone.now() - timedelta(days=3))
    use(issue(name="Turned away")[0], "customers:read", outcome="refused")
    ApiKey.objects.filter(pk=issue(name="Paused")[0].pk).update(deactivated_at=timezone.now())
    page.goto(KEYS)
    expect(names_in(page)).to_have_count(5)
    pills = page.get_by_role("navigation", name="Filter by status")
    for status, name in {
        "Active": "Works",
        "Expires soon": "Ends soon",
        "Expired": "Ended",
        "Refusals": "Turned away",
        "Inactive": "Paused",
    }.items():
        pills.get_by_role("link", name=status, exact=True).click()
        expect(names_in(page)).to_have_text([name])
        expect(pills.locator("[aria-current=true]")).to_have_text(status)
        expect(page.get_by_role("row", name=name).get_by_text(status, exact=True)).to_be_visible()
    pills.get_by_role("link", name="All", exact=True).click()
    expect(names_in(page)).to_have_count(5)


def test_heads_of_columns_sort_and_a_second_click_takes_it_back(page: Page, issue: IssueKey) -> None:
    busy, _ = issue(name="Beta")
    issue(name="Alpha")
    use(busy, "orders:read", requests=1_200)
    page.goto(KEYS)
    expect(names_in(page)).to_have_text(["Alpha", "Beta"])
    requests = page.get_by_role("columnheader", name="Requests, 30 days")
    requests.get_by_role("link").click()
    expect(names_in(page)).to_have_text(["Beta", "Alpha"])
    expect(requests).to_have_attribute("aria-sort", "descending")
    expect(page.get_by_role("row", name="Beta")).to_contain_text("1,200")
    requests.get_by_role("link").click()
    expect(names_in(page)).to_have_text(["Alpha", "Beta"])


def test_thirty_keys_come_on_two_pages_that_keep_the_sort(page: Page, issue: IssueKey) -> None:
    for number in range(1, 31):
        issue(name=f"Key {number:02}")
    page.goto(KEYS)
    page.get_by_role("link", name="Name", exact=True).click()
    expect(names_in(page)).to_have_count(25)
    pages = page.get_by_role("navigation", name="Pages")
    expect(pages).to_contain_text("1 to 25 of 30")
    pages.get_by_role("link", name="Next").click()
    expect(names_in(page)).to_have_text([f"Key {number}" for number in range(26, 31)])
    pages.get_by_role("link", name="Previous").click()
    expect(names_in(page).first).to_have_text("Key 01")


def test_a_store_without_keys_is_told_what_a_key_is(page: Page) -> None:
    page.goto(KEYS)
    expect(page.get_by_role("heading", name="No API keys yet")).to_be_visible()
    page.get_by_role("link", name="Add your first key").click()
    expect(page.get_by_role("dialog", name="Add API Key")).to_be_visible()


def test_a_rows_menu_works_by_keyboard_and_gives_the_focus_back(page: Page, issue: IssueKey) -> None:
    issue(name="Accounting")
    page.goto(KEYS)
    menu = page.get_by_role("row", name="Accounting").locator("summary")
    items = page.get_by_role("row", name="Accounting").locator(".menu-items")
    menu.focus()
    page.keyboard.press("Enter")
    expect(items).to_be_visible()
    page.keyboard.press("Tab")
    expect(items.get_by_role("link", name="Edit")).to_be_focused()
    page.keyboard.press("Escape")
    expect(items).to_be_hidden()
    expect(menu).to_be_focused()

    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Edit Accounting")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(items).to_be_hidden()
    expect(menu).to_be_focused()


def test_a_click_elsewhere_closes_a_menu(page: Page, issue: IssueKey) -> None:
    issue()
    page.goto(KEYS)
    page.get_by_role("row", name="Key 1").locator("summary").click()
    items = page.get_by_role("row", name="Key 1").locator(".menu-items")
    expect(items).to_be_visible()
    page.get_by_role("heading", name="API keys", level=1).click()
    expect(items).to_be_hidden()
