"""One key: what its use suggests, and everything that is done to it."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from apikeys import lifecycle
from apikeys.actors import Actor
from apikeys.models import ApiKey
from tests.browser.conftest import KEYS, CallApi, age, open_dialog, use
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


# What its use suggests.


def test_a_refused_scope_is_granted_and_taken_back_with_a_click_each(page: Page, key: ApiKey) -> None:
    use(key, "orders:read", requests=3)
    use(key, "customers:read", outcome="refused", requests=14)
    page.reload()
    expect(page.get_by_text("14 requests were refused for customers:read.")).to_be_visible()
    page.get_by_role("button", name="Grant customers:read").dblclick()
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    expect(page.get_by_role("status")).to_contain_text("Access changed.")
    expect(page.get_by_role("row", name="customers:read")).to_contain_text("Yes")
    expect(history_on(page).first).to_have_text("Added customers:read.")

    page.get_by_role("button", name="Undo").dblclick()
    expect(history_on(page).first).to_have_text("Removed customers:read.")
    key.refresh_from_db()
    assert key.access == ["products:read", "orders:read"]
    assert history_on(page).count() == 3


def test_what_lies_idle_is_removed_and_given_back_with_a_click_each(page: Page, key: ApiKey) -> None:
    use(key, "orders:read", requests=3)
    age(key, days=40)
    page.reload()
    expect(page.get_by_text("products:read has not been used for 30 days.")).to_be_visible()
    page.get_by_role("button", name="Remove products:read").click()
    expect(history_on(page).first).to_have_text("Removed products:read.")
    key.refresh_from_db()
    assert key.access == ["orders:read"]
    page.get_by_role("button", name="Undo").click()
    expect(history_on(page).first).to_have_text("Added products:read.")
    expect(page.get_by_role("button", name="Remove products:read")).to_be_visible()


# Edit.


def test_editing_changes_name_expiry_and_access_but_never_the_key(
    page: Page, key: ApiKey, plaintext: str, call: CallApi
) -> None:
    dialog = open_dialog(page, "Edit")
    expect(dialog.get_by_label("Name", exact=True)).to_have_value("Accounting")
    dialog.get_by_label("Name", exact=True).fill("Bookkeeping")
    dialog.get_by_label("Expires").select_option("30 days")
    dialog.get_by_label("Read products").uncheck()
    dialog.get_by_label("Write orders").check()
    dialog.get_by_role("button", name="Save").dblclick()
    expect(page.get_by_role("heading", name="Bookkeeping", level=1)).to_be_visible()
    expect(page.get_by_role("status")).to_have_text("Saved Bookkeeping.")
    expect(history_on(page)).to_have_count(2)
    expect(history_on(page).first).to_contain_text(
        "Renamed from “Accounting” to “Bookkeeping”. Added orders:write. "
        "Removed products:read. Expiry changed from no expiry to "
    )
    assert call(plaintext).status == 200


def test_a_name_that_is_taken_is_said_in_the_dialog(page: Page, key: ApiKey, issue: IssueKey) -> None:
    issue(name="Warehouse")
    dialog = open_dialog(page, "Edit")
    name = dialog.get_by_label("Name", exact=True)
    name.fill("WAREHOUSE")
    dialog.get_by_role("button", name="Save").click()
    expect(name).to_have_accessible_description(re.compile("Another key of this store has this name"))
    expect(name).to_have_value("WAREHOUSE")
    expect(name).to_be_focused()
    name.fill("Accounting")
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_have_text("Saved Accounting.")


def test_a_key_that_somebody_else_changed_is_replaced_only_by_a_second_save(
    page: Page, key: ApiKey, owner: User
) -> None:
    dialog = open_dialog(page, "Edit")
    dialog.get_by_label("Name", exact=True).fill("Mine")
    lifecycle.update_key(
        ApiKey.objects.get(),
        by=Actor(owner),
        version=key.version,
        name="Theirs",
        access=["coupons:read"],
        expires_at=None,
    )
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("alert")).to_contain_text("It is now named “Theirs” and reaches coupons:read.")
    expect(page.get_by_role("status")).to_contain_text("Somebody changed this key")
    expect(dialog.get_by_label("Name", exact=True)).to_have_value("Mine")
    key.refresh_from_db()
    assert key.name == "Theirs"

    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Mine", level=1)).to_be_visible()
    key.refresh_from_db()
    assert key.access == ["products:read", "orders:read"]


def test_what_was_typed_for_a_key_deleted_meanwhile_can_become_a_new_one(page: Page, key: ApiKey) -> None:
    dialog = open_dialog(page, "Edit")
    dialog.get_by_label("Name", exact=True).fill("Bookkeeping")
    ApiKey.objects.all().delete()
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("alert")).to_contain_text("was deleted while you were editing it")
    expect(dialog.get_by_label("Name", exact=True)).to_have_value("Bookkeeping")
    expect(dialog.get_by_label("Read products")).to_be_checked()
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_role("dialog", name="API key created")).to_contain_text("Bookkeeping")
    assert ApiKey.objects.get().prefix != key.prefix


# Pause.


def test_a_paused_key_comes_back_by_itself(page: Page, key: ApiKey, plaintext: str, call: CallApi) -> None:
    assert call(plaintext).status == 200
    dialog = open_dialog(page, "Deactivate")
    expect(dialog).to_contain_text("Today and yesterday1 request")
    expect(dialog).to_contain_text("GET orders, 200, from 127.0.0.1")
    dialog.get_by_label("For an hour").check()
    dialog.get_by_role("button", name="Deactivate").dblclick()
    expect(page.get_by_role("status")).to_have_text("Deactivated Accounting.")
    expect(page.get_by_text("It comes back by itself on")).to_be_visible()
    expect(history_on(page)).to_have_text([re.compile("^Deactivated until "), re.compile("^Created with ")])
    assert call(plaintext).status == 401

    an_hour_ago = timezone.now() - timedelta(hours=1)
    ApiKey.objects.update(deactivated_at=an_hour_ago, reactivates_at=an_hour_ago + timedelta(minutes=59))
    assert call(plaintext).status == 200
    page.reload()
    expect(page.get_by_role("link", name="Deactivate", exact=True)).to_be_visible()
    expect(page.get_by_text("It comes back by itself on")).to_be_hidden()


def test_a_deactivated_key_is_reactivated(page: Page, key: ApiKey, plaintext: str, call: CallApi) -> None:
    open_dialog(page, "Deactivate").get_by_role("button", name="Deactivate").click()
    expect(page.get_by_text("Every request with this key is refused.")).to_be_visible()
    assert call(plaintext).status == 401
    dialog = open_dialog(page, "Reactivate")
    expect(dialog.get_by_role("button", name="Reactivate")).to_be_focused()
    dialog.get_by_role("button", name="Reactivate").dblclick()
    expect(page.get_by_role("status")).to_have_text("Reactivated Accounting.")
    expect(history_on(page)).to_have_text(["Reactivated.", "Deactivated.", re.compile("^Created with ")])
    assert call(plaintext).status == 200


# Roll.


def test_rolling_shows_the_new_key_once_and_both_work(
    page: Page, key: ApiKey, plaintext: str, call: CallApi
) -> None:
    dialog = open_dialog(page, "Roll")
    dialog.get_by_label("Works for 1 more hour").check()
    dialog.get_by_role("button", name="Roll key").dblclick()
    created = page.get_by_role("dialog", name="API key created")
    new = created.get_by_label("The whole API key").input_value()
    created.get_by_role("button", name="Copy and close").click()
    assert [call(plaintext).status, call(new).status] == [200, 200]
    assert ApiKey.objects.count() == 2

    page.goto(f"{KEYS}{new[:7]}/")
    family = page.get_by_role("region", name="Old key and new", exact=True)
    expect(family.get_by_role("link")).to_have_text([new[:7], key.prefix])
    expect(history_on(page)).to_have_text([f"Created by rolling {key.prefix}."])
    family.get_by_role("link", name=key.prefix).click()
    expect(page.get_by_text("This key was rolled. It keeps working until")).to_be_visible()
    expect(history_on(page).first).to_contain_text(f"Rolled: replaced by {new[:7]}, works until ")
    expect(page.get_by_role("link", name="Roll", exact=True)).to_be_hidden()


def test_a_key_rolled_in_another_tab_is_not_rolled_again(page: Page, key: ApiKey, owner: User) -> None:
    dialog = open_dialog(page, "Roll")
    lifecycle.roll_key(ApiKey.objects.get(), by=Actor(owner), overlap=timedelta(hours=1))
    dialog.get_by_role("button", name="Roll key").click()
    expect(dialog.get_by_role("alert")).to_contain_text("can no longer be rolled")
    assert ApiKey.objects.count() == 2


# Delete.


def test_deleting_asks_for_the_name(page: Page, key: ApiKey, plaintext: str, call: CallApi) -> None:
    dialog = open_dialog(page, "Delete")
    name = dialog.get_by_role("textbox", name="Type Accounting to confirm")
    expect(name).to_be_focused()
    name.fill("accounting")
    dialog.get_by_role("button", name="Delete key").click()
    expect(name).to_have_accessible_description(re.compile("This is not the key's name"))
    expect(name).to_be_focused()
    expect(name).to_have_value("accounting")
    assert call(plaintext).status == 200

    name.fill("Accounting")
    dialog.get_by_role("button", name="Delete key").dblclick()
    expect(page.get_by_role("status")).to_have_text("Deleted Accounting.")
    expect(page).to_have_url(re.compile(f"{KEYS}$"))
    assert call(plaintext).status == 401


def test_the_way_from_deleting_to_a_pause_is_one_click(page: Page, key: ApiKey) -> None:
    open_dialog(page, "Delete").get_by_role("link", name="deactivate it for an hour").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_have_accessible_name("Deactivate Accounting?")
    expect(dialog).to_have_count(1)


def test_a_key_deleted_in_another_tab_is_not_there(page: Page, key: ApiKey, complaints: list[str]) -> None:
    ApiKey.objects.all().delete()
    page.get_by_role("link", name="Delete", exact=True).click()
    expect(page.get_by_role("heading", name="Nothing here")).to_be_visible()
    assert {"404" in complaint for complaint in complaints} == {True}
    complaints.clear()
