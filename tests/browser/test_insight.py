"""What the log knows, while somebody clicks: forecasts, a fence and its undo, the end of an old key."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import Page, expect

from apikeys import lifecycle
from apikeys.actors import Actor
from apikeys.models import ApiKey
from apikeys.usage import recorder
from tests.browser.conftest import KEYS, CallApi, open_dialog
from tests.conftest import IssueKey
from tests.key_requests import make_request


@pytest.fixture
def key(issue: IssueKey) -> ApiKey:
    """A key that read orders from one address, and nothing else that it may."""
    key, _ = issue(name="Accounting", access=["orders:read", "customers:read"])
    recorder.record(make_request(key, at=timezone.now() - timedelta(hours=1), client="accounting/1"))
    return key


def test_the_forecast_follows_what_is_ticked_chosen_and_added(page: Page, key: ApiKey) -> None:
    page.goto(f"{KEYS}{key.prefix}/")
    dialog = open_dialog(page, "Edit")
    forecast = dialog.locator("#rehearsal")
    works = "With these settings 1 of the 1 request of the last 14 days would have worked."
    expect(forecast).to_contain_text(works)
    dialog.get_by_label("Read orders").uncheck()
    expect(forecast).to_contain_text("1 would not")
    expect(forecast.get_by_role("listitem")).to_contain_text("orders:read · 203.0.113.7 · accounting/1 · 1 ·")
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


def test_a_key_is_fenced_and_that_is_undone(page: Page, key: ApiKey) -> None:
    page.goto(f"{KEYS}{key.prefix}/")
    fence = page.get_by_role("region", name="Fence")
    expect(fence).to_contain_text("Fence it to that: 0 of 1 requests would have been refused.")
    fence.get_by_role("button", name="Fence it").click()
    expect(fence).to_contain_text("Before, it had orders:read, customers:read, from any address.")
    page.locator(".messages").get_by_role("button", name="Undo").click()
    expect(fence.get_by_role("button", name="Fence it")).to_be_visible()


def test_an_old_key_is_ended_when_its_caller_has_moved(
    page: Page, issue: IssueKey, owner: User, call: CallApi
) -> None:
    old, plaintext = issue(name="Accounting")
    call(plaintext)
    new, new_plaintext = lifecycle.roll_key(old, by=Actor(owner), overlap=timedelta(days=1))
    page.goto(f"{KEYS}{new.prefix}/")
    family = page.get_by_role("region", name="Old key and new key").first
    expect(family.get_by_role("listitem")).to_contain_text("Silent")
    call(new_plaintext)
    page.reload()
    expect(family.get_by_role("listitem")).to_contain_text("Moved")
    family.get_by_role("button", name="End the old key now").click()
    expect(page.locator(".messages")).to_contain_text("has ended: requests with it are refused.")
    assert call(plaintext).status == 401
