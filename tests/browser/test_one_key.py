"""One key: its chart, what its use suggests, and what is done to it in dialogs over its page."""

import re
from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Locator, Page, expect

from apikeys import lifecycle
from apikeys.actors import Actor
from apikeys.models import ApiKey
from tests.browser.conftest import KEYS, CallApi, NewContext, open_dialog, use
from tests.conftest import IssueKey


@pytest.fixture
def issued(issue: IssueKey) -> tuple[ApiKey, str]:
    return issue(name="Accounting", access=["orders:read", "products:read"])


@pytest.fixture
def key(page: Page, issued: tuple[ApiKey, str]) -> ApiKey:
    """The key whose page is open."""
    key, _ = issued
    page.goto(f"{KEYS}{key.prefix}/")
    return key


@pytest.fixture
def plaintext(issued: tuple[ApiKey, str]) -> str:
    return issued[1]


def history_on(page: Page) -> Locator:
    """The sentences about what was done, newest first."""
    return page.get_by_role("region", name="History").locator("li p:first-child")


# Its chart.


def test_the_value_of_a_bar_is_read_by_keyboard_mouse_and_touch(page: Page, key: ApiKey) -> None:
    use(key, "orders:read", requests=1_234)
    use(key, "customers:read", outcome="refused", requests=5)
    page.reload()
    plot = page.get_by_role("slider", name="Requests of Accounting by day, last 30 days")
    shown = page.locator("[data-value]")
    nothing = re.compile("0 succeeded, 0 refused, 0 failed")
    today = re.compile("1,234 succeeded, 5 refused, 0 failed")
    plot.focus()
    page.keyboard.press("ArrowLeft")
    expect(plot).to_have_attribute("aria-valuetext", nothing)
    page.keyboard.press("End")
    expect(plot).to_have_attribute("aria-valuetext", today)
    expect(shown).to_have_text(today)

    page.keyboard.press("Home")
    expect(shown).to_have_text(nothing)
    box = plot.bounding_box()
    assert box is not None
    end = box["width"] - 3
    plot.dispatch_event("pointerdown", {"clientX": box["x"] + end, "pointerType": "touch"})
    expect(shown).to_have_text(today)

    plot.hover(position={"x": 3, "y": 20})
    expect(shown).to_have_text(nothing)
    plot.hover(position={"x": end, "y": 20})
    expect(shown).to_have_text(today)


# What its use suggests.


def test_each_address_is_allowed_or_left_refused_and_either_is_undone(
    page: Page, issue: IssueKey, call: CallApi
) -> None:
    key, plaintext = issue(name="Accounting", allowed_addresses=["203.0.113.7"])
    call(plaintext)
    page.goto(f"{KEYS}{key.prefix}/")
    region = page.get_by_role("region", name="Why requests were refused")
    allow = region.get_by_role("button", name="Allow 127.0.0.1")
    leave = region.get_by_role("button", name="Leave refused")
    boxes = [button.bounding_box() for button in (allow, leave)]
    assert boxes[0]
    assert boxes[1]
    assert boxes[0]["y"] == boxes[1]["y"]
    badge = page.locator(".title-line .badge")
    expect(badge).to_have_text("Requests refused")

    leave.click()
    expect(badge).to_have_text("Working")
    messages = page.locator(".messages")
    messages.get_by_role("button", name="Undo").click()
    expect(badge).to_have_text("Requests refused")

    allow.click()
    expect(messages).to_contain_text("Added 127.0.0.1.")
    expect(badge).to_have_text("Working")
    messages.get_by_role("button", name="Undo").click()
    expect(messages).to_contain_text("Removed 127.0.0.1.")
    assert call(plaintext).status == 401
    page.reload()
    expect(badge).to_have_text("Requests refused")


def test_a_note_ends_no_alarm(page: Page, key: ApiKey, plaintext: str, call: CallApi) -> None:
    call(plaintext, "/v1/stores/267418190/customers/")
    page.reload()
    dialog = open_dialog(page, "Edit")
    dialog.get_by_label("Note").fill("We know")
    dialog.get_by_role("button", name="Save").click()
    expect(page.locator("p.note")).to_have_text("We know")
    expect(page.locator(".title-line .badge")).to_have_text("Requests refused")


# Dialogs.


def test_every_failed_send_is_said_and_shown_without_a_null(page: Page, key: ApiKey, issue: IssueKey) -> None:
    issue(name="Warehouse")
    issue(name="Dashboard")
    dialog = open_dialog(page, "Edit")
    name = dialog.get_by_label("Name", exact=True)
    for taken in ("WAREHOUSE", "dashboard"):
        name.fill(taken)
        expect(dialog.locator(".field-error")).to_have_count(0)
        dialog.get_by_role("button", name="Save").click()
        expect(name).to_have_accessible_description(re.compile("Another key of this store has this name"))
        expect(name).to_be_focused()
        expect(page.get_by_role("status")).to_have_text(re.compile("Another key of this store has this name"))
        assert "null" not in page.locator("body").inner_text()
    name.fill("Accounting")
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_have_text("Saved Accounting.")


def test_edit_keeps_what_another_tab_saved_and_asks_only_about_the_same_field(
    page: Page, key: ApiKey, owner: User
) -> None:
    dialog = open_dialog(page, "Edit")
    dialog.get_by_label("Note").fill("Mine")
    lifecycle.update_key(
        ApiKey.objects.get(), by=Actor(owner), version=key.version, allowed_addresses=["203.0.113.7"]
    )
    dialog.get_by_role("button", name="Save").click()
    expect(page.locator(".messages")).to_contain_text("Allowed addresses changed from any to 203.0.113.7.")
    assert ApiKey.objects.get().allowed_addresses == ["203.0.113.7"]

    dialog = open_dialog(page, "Edit")
    dialog.get_by_label("Note").fill("Mine again")
    lifecycle.update_key(ApiKey.objects.get(), by=Actor(owner), version=3, note="Theirs")
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("somebody else changed the note, too")
    expect(dialog.get_by_label("Note")).to_have_value("Mine again")
    dialog.get_by_label("Note").fill("Ours")
    expect(dialog.locator(".notice.error")).to_have_count(0)
    dialog.get_by_role("button", name="Save").click()
    expect(page.locator("p.note")).to_have_text("Ours")


def test_the_way_from_deleting_to_a_pause_chooses_the_hour(page: Page, key: ApiKey) -> None:
    open_dialog(page, "Delete").get_by_role("link", name="deactivate it for an hour").click()
    dialog = page.get_by_role("dialog", name="Deactivate Accounting?")
    expect(dialog.get_by_label("For an hour")).to_be_checked()
    expect(page.get_by_role("dialog")).to_have_count(1)


def test_a_dialog_of_a_deleted_key_leads_to_a_page_that_says_so(
    page: Page, key: ApiKey, owner: User, complaints: list[str]
) -> None:
    lifecycle.delete_key(ApiKey.objects.get(), by=Actor(owner))
    page.get_by_role("link", name="Delete", exact=True).click()
    expect(page.get_by_role("heading", name="Page not found")).to_be_visible()
    page.goto(f"{KEYS}{key.prefix}/")
    expect(page.get_by_role("heading", name="This key was deleted")).to_be_visible()
    assert {"404" in complaint for complaint in complaints} == {True}
    complaints.clear()


def test_times_show_the_readers_own_beside_utc(
    signed_in_context: NewContext, issued: tuple[ApiKey, str]
) -> None:
    created_at = datetime(2026, 1, 29, 14, 5, tzinfo=UTC)
    ApiKey.objects.update(created_at=created_at, expires_at=created_at)
    page = signed_in_context(timezone_id="Asia/Tokyo").new_page()
    page.goto(f"{KEYS}{issued[0].prefix}/")
    details = page.get_by_role("region", name="Details")
    expect(details).to_contain_text("29 Jan 2026, 14:05 UTC (29 Jan 2026, 23:05 your time)")
    expect(details.locator("time").first).to_have_attribute("title", re.compile("23:05 your time$"))
