"""The list of keys: found, filtered, sorted, paged, and what can be done from a row."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from apikeys.models import ApiKey
from stores.models import Store
from tests.browser.conftest import KEYS, PHONE, requests_of
from tests.conftest import IssueKey


def names_in(page: Page) -> Locator:
    return page.get_by_role("table", name="API keys").get_by_role("rowheader").get_by_role("link")


@pytest.fixture
def find(page: Page) -> Locator:
    """The find box of the list, once it is open."""
    return page.get_by_role("searchbox", name="Find a key")


@pytest.fixture
def thirty(issue: IssueKey) -> list[ApiKey]:
    """Keys on two pages: all but the last end soon."""
    soon = timezone.now() + timedelta(days=3)
    return [issue(name=f"Key {n:02}", expires_at=soon if n < 30 else None)[0] for n in range(1, 31)]


def test_a_pasted_key_is_found_and_its_secret_is_in_no_request(
    page: Page, find: Locator, issue: IssueKey
) -> None:
    issue(name="Warehouse")
    key, plaintext = issue(name="Accounting")
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


def test_filters_sorting_and_pages_change_the_list_without_a_reload(page: Page, thirty: list[ApiKey]) -> None:
    page.goto(KEYS)
    page.evaluate("window.isSamePage = true")
    pills = page.get_by_role("navigation", name="Filter by status")
    pills.get_by_role("link", name="Expires soon 29").click()
    expect(pills.locator("[aria-current=true]")).to_have_text("Expires soon 29")
    expect(pills.locator("[aria-current=true]")).to_be_focused()
    expect(page.get_by_role("status")).to_have_text("29 keys shown")
    pills.get_by_role("link", name="All 30").click()
    expect(page.get_by_role("status")).to_have_text("30 keys shown")

    name = page.get_by_role("columnheader", name="Name")
    for order, first in (("ascending", "Key 01"), ("descending", "Key 30"), ("ascending", "Key 01")):
        name.get_by_role("link").click()
        expect(name).to_have_attribute("aria-sort", order)
        expect(names_in(page).first).to_have_text(first)
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Next").click()
    expect(names_in(page)).to_have_text([f"Key {number}" for number in range(26, 31)])
    expect(page).to_have_url(re.compile(r"\?sort=name&page=2$"))
    assert page.evaluate("window.isSamePage")
    page.go_back()
    expect(names_in(page)).to_have_count(25)


def test_a_selection_lasts_over_pages_and_searches_until_its_dialog_is_sent(
    page: Page, find: Locator, thirty: list[ApiKey]
) -> None:
    page.goto(f"{KEYS}?sort=name")
    bar = page.locator("#selected")
    expect(bar).to_be_hidden()
    page.get_by_label("Select all keys on this page").check()
    page.get_by_role("row", name="Key 07").get_by_role("checkbox").uncheck()
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Page 2").click()
    page.get_by_role("row", name="Key 30").get_by_role("checkbox").check()
    expect(bar).to_contain_text("selected here, 24 elsewhere")
    find.fill("Key 07")
    expect(names_in(page)).to_have_text(["Key 07"])
    page.get_by_role("row", name="Key 07").get_by_role("checkbox").check()
    bar.get_by_role("button", name="Delete").click()

    dialog = page.get_by_role("dialog", name="Delete 26 keys?")
    word = dialog.get_by_role("textbox", name="Type delete to confirm")
    expect(word).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(bar.get_by_role("button", name="Delete")).to_be_focused()
    bar.get_by_role("button", name="Delete").click()
    word.fill("delete")
    dialog.get_by_role("button", name="Delete").dblclick()
    expect(page.locator(".messages")).to_contain_text("Deleted ")
    expect(page).to_have_url(re.compile("q=Key"))
    expect(bar).to_be_hidden()
    assert ApiKey.objects.count() == 4


def test_the_menu_of_the_last_row_opens_upwards(page: Page, issue: IssueKey) -> None:
    for _ in range(14):
        issue()
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(KEYS)
    rows = page.get_by_role("table", name="API keys").locator("tbody tr")
    rows.last.scroll_into_view_if_needed()
    for row in (rows.last, rows.first):
        row.locator("summary").click()
        expect(row.locator(".menu-items")).to_be_in_viewport(ratio=1)
    page.get_by_role("heading", name="API keys", level=1).click()
    expect(rows.first.locator(".menu-items")).to_be_hidden()


def test_a_store_is_chosen_with_a_thumb(page: Page, store: Store) -> None:
    Store.objects.create(id=518203746, name="Southwood").owners.add(*store.owners.all())
    page.set_viewport_size(PHONE)
    page.goto("/")
    box = page.get_by_role("link", name="Southwood").bounding_box()
    assert box is not None
    assert box["height"] >= 44


def test_a_phone_sorts_and_filters_by_menus(page: Page, issue: IssueKey) -> None:
    issue(name="Beta", access=["orders:write"])
    issue(name="Alpha")
    page.set_viewport_size(PHONE)
    page.goto(KEYS)
    page.get_by_label("Sort by").select_option("Name, Z to A")
    expect(names_in(page)).to_have_text(["Beta", "Alpha"])
    page.get_by_label("Filter by access").select_option("Any write access")
    expect(names_in(page)).to_have_text(["Beta"])


def test_a_phone_has_all_selected_keys_above_what_is_asked_of_them(page: Page, issue: IssueKey) -> None:
    page.set_viewport_size(PHONE)
    for _ in range(4):
        issue()
    page.goto(KEYS)
    for box in page.get_by_role("checkbox", name="Select Key").all():
        box.check()
    page.locator("#selected").get_by_role("button", name="Deactivate", exact=True).click()
    dialog = page.get_by_role("dialog", name="Deactivate 4 keys?")
    keys, form = dialog.locator(".scroll").bounding_box(), dialog.locator("form").bounding_box()
    assert keys
    assert form
    assert keys["y"] + keys["height"] <= form["y"]


def test_a_rows_menu_works_by_keyboard_and_gives_the_focus_back(page: Page, issue: IssueKey) -> None:
    issue(name="Accounting")
    page.goto(KEYS)
    menu = page.get_by_role("row", name="Accounting").locator("summary")
    items = page.get_by_role("row", name="Accounting").locator(".menu-items")
    menu.focus()
    page.keyboard.press("ArrowDown")
    expect(items.get_by_role("link", name="Edit")).to_be_focused()
    for key, item in (("ArrowDown", "Roll"), ("End", "Delete"), ("ArrowDown", "Edit"), ("ArrowUp", "Delete")):
        page.keyboard.press(key)
        expect(items.get_by_role("link", name=item)).to_be_focused()
    page.keyboard.press("Escape")
    expect(items).to_be_hidden()
    expect(menu).to_be_focused()

    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Edit Accounting")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(items).to_be_hidden()
    expect(menu).to_be_focused()
