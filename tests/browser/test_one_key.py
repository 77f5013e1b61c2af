"""One key: its chart, and what is done to it in dialogs over its page."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import Page, expect

from apikeys import lifecycle
from apikeys.actors import Actor
from apikeys.models import ApiKey
from apikeys.usage import recorder
from tests.browser.conftest import KEYS, PHONE, NewContext, open_dialog, scrolls_sideways, use
from tests.conftest import IssueKey
from tests.key_requests import make_request


@pytest.fixture
def key(issue: IssueKey) -> ApiKey:
    return issue(name="Accounting", access=["orders:read", "customers:read"])[0]


@pytest.mark.usefixtures("within_a_minute")
def test_the_value_of_a_bar_is_read_by_keyboard_mouse_and_touch(page: Page, key: ApiKey) -> None:
    use(key, "orders:read", requests=1_234)
    use(key, "customers:read", outcome="refused", requests=5)
    page.goto(f"{KEYS}{key.prefix}/")
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


def test_the_long_name_of_a_client_that_was_refused_fits_a_phone(page: Page, key: ApiKey) -> None:
    refused = {"status_code": 401, "reason": "resource_not_allowed", "resource": "products"}
    recorder.record(make_request(key, client="x" * 80, **refused))
    page.set_viewport_size(PHONE)
    page.goto(f"{KEYS}{key.prefix}/")
    expect(page.get_by_text("x" * 80).first).to_be_visible()
    caller = page.locator("#callers").get_by_text("x" * 80)
    assert caller.evaluate("({ scrollWidth, clientWidth }) => scrollWidth <= clientWidth")
    assert not scrolls_sideways(page)


# Dialogs.


def test_the_forecast_follows_what_is_ticked_chosen_and_added(page: Page, key: ApiKey) -> None:
    recorder.record(make_request(key, at=timezone.now() - timedelta(hours=1), client="accounting/1"))
    page.goto(f"{KEYS}{key.prefix}/")
    dialog = open_dialog(page, "Edit")
    forecast = dialog.locator("#rehearsal")
    works = "With these settings 1 of the 1 request of the last 14 days would have worked."
    expect(forecast).to_contain_text(works)
    dialog.get_by_label("Read orders").uncheck()
    expect(forecast).to_contain_text("1 would not")
    dialog.get_by_role("button", name="Accounting").click()
    expect(forecast).to_contain_text(works)
    dialog.get_by_text("Allowed addresses: any").click()
    addresses = dialog.get_by_label("Allowed addresses")
    addresses.fill("192.0.2.1")
    expect(forecast).to_contain_text("1 would not")
    dialog.get_by_role("button", name="Add the addresses it is called from").click()
    expect(addresses).to_have_value("192.0.2.1\n203.0.113.7")
    expect(forecast).to_contain_text(works)
    # Enter saves: the buttons before Save are not the form's own.
    dialog.get_by_label("Name", exact=True).press("Enter")
    expect(page.get_by_role("status")).to_have_text("Saved Accounting.")


def test_the_way_from_deleting_to_a_pause_chooses_the_hour(page: Page, key: ApiKey) -> None:
    page.goto(f"{KEYS}{key.prefix}/")
    open_dialog(page, "Delete").get_by_role("link", name="deactivate it for an hour").click()
    dialog = page.get_by_role("dialog", name="Deactivate Accounting?")
    expect(dialog.get_by_label("For an hour")).to_be_checked()
    expect(page.get_by_role("dialog")).to_have_count(1)


def test_a_dialog_of_a_deleted_key_leads_to_a_page_that_says_so(
    page: Page, key: ApiKey, owner: User, complaints: list[str]
) -> None:
    page.goto(f"{KEYS}{key.prefix}/")
    lifecycle.delete_key(key, by=Actor(owner))
    page.get_by_role("link", name="Delete", exact=True).click()
    expect(page.get_by_role("heading", name="Page not found")).to_be_visible()
    assert {"404" in complaint for complaint in complaints} == {True}
    complaints.clear()


def test_times_show_the_readers_own_beside_utc(signed_in_context: NewContext, key: ApiKey) -> None:
    created_at = datetime(2026, 1, 29, 14, 5, tzinfo=UTC)
    ApiKey.objects.update(created_at=created_at, expires_at=created_at)
    page = signed_in_context(timezone_id="Asia/Tokyo").new_page()
    page.goto(f"{KEYS}{key.prefix}/")
    details = page.get_by_role("region", name="Details")
    expect(details).to_contain_text("29 Jan 2026, 14:05 UTC (29 Jan 2026, 23:05 your time)")
    expect(details.locator("time").first).to_have_attribute("title", re.compile("23:05 your time$"))
