"""A key is made in a dialog, shown once, and seen to work."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from apikeys.models import ApiKey
from apikeys.settings_page import one_time_display
from tests.browser.conftest import KEYS, ORDERS, CallApi, open_dialog, requests_of, responses_to
from tests.conftest import IssueKey


@pytest.fixture
def form(page: Page) -> Locator:
    """The open dialog with its form."""
    page.goto(KEYS)
    return open_dialog(page, "Add API Key")


@pytest.fixture
def created(page: Page, form: Locator) -> Locator:
    """The dialog that shows a new key."""
    form.get_by_label("Name", exact=True).fill("Accounting")
    form.get_by_label("Read orders").check()
    form.get_by_role("button", name="Save").click()
    return page.get_by_role("dialog", name="API key created")


def secret_in(created: Locator) -> str:
    return created.get_by_label("The whole API key").input_value()


# The form.


@pytest.mark.parametrize("way", ["click", "keyboard"])
def test_the_dialog_opens_over_the_list_at_the_name(page: Page, way: str) -> None:
    page.goto(KEYS)
    link = page.get_by_role("link", name="Add API Key")
    if way == "click":
        link.click()
    else:
        link.focus()
        page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Add API Key")
    expect(dialog.get_by_label("Name", exact=True)).to_be_focused()
    expect(page).to_have_url(re.compile(f"{KEYS}$"))


def test_two_clicks_open_one_dialog(page: Page) -> None:
    page.goto(KEYS)
    page.get_by_role("link", name="Add API Key").dblclick()
    expect(page.get_by_role("dialog").get_by_label("Name", exact=True)).to_be_focused()
    expect(page.get_by_role("dialog")).to_have_count(1)


def test_errors_come_back_into_the_open_dialog_with_what_was_typed(
    page: Page, form: Locator, issue: IssueKey
) -> None:
    issue(name="Accounting")
    form.get_by_label("Name", exact=True).fill("accounting")
    form.get_by_label("Expires").select_option("90 days")
    form.get_by_label("Write coupons").check()
    form.get_by_role("button", name="Save").click()

    name = form.get_by_label("Name", exact=True)
    expect(name).to_have_accessible_description(re.compile("Another key of this store has this name"))
    expect(name).to_be_focused()
    expect(name).to_have_value("accounting")
    expect(form.get_by_label("Expires")).to_have_value("90")
    expect(form.get_by_label("Write coupons")).to_be_checked()
    expect(form.get_by_label("Read coupons")).to_be_checked()
    expect(form.get_by_label("Read orders")).not_to_be_checked()
    expect(page.get_by_role("status")).to_contain_text("Another key of this store has this name")
    expect(page).to_have_url(re.compile(f"{KEYS}$"))

    name.fill("Bookkeeping")
    form.get_by_role("button", name="Save").click()
    expect(page.get_by_role("dialog", name="API key created")).to_be_visible()


def test_a_key_that_reaches_nothing_leads_to_the_table(page: Page, form: Locator) -> None:
    form.get_by_label("Name", exact=True).fill("Idle")
    form.get_by_role("button", name="Save").click()
    expect(form.get_by_role("paragraph").filter(has_text="Tick at least one resource")).to_be_visible()
    expect(form.get_by_label("Read products")).to_be_focused()
    expect(form.get_by_label("Name", exact=True)).to_have_value("Idle")


def test_a_day_is_asked_for_only_where_one_is_needed(form: Locator) -> None:
    day = form.get_by_label("Last day it works")
    expect(day).to_be_hidden()
    form.get_by_label("Expires").select_option("On a date")
    day.fill("2020-02-29")
    form.get_by_role("button", name="Save").click()
    expect(form.get_by_label("Name", exact=True)).to_be_focused()
    expect(day).to_have_value("2020-02-29")
    expect(day).to_have_accessible_description(re.compile("in the past"))


def test_write_ticks_read_and_unticking_read_unticks_write(form: Locator) -> None:
    read, write = form.get_by_label("Read orders"), form.get_by_label("Write orders")
    write.check()
    expect(read).to_be_checked()
    read.uncheck()
    expect(write).not_to_be_checked()


def test_presets_fill_the_table_and_writing_everything_gets_a_caution(form: Locator) -> None:
    caution = form.get_by_text("able to change everything in your store")
    boxes = form.get_by_role("checkbox")
    form.get_by_role("button", name="Read only").click()
    expect(form.locator("[value$=':read']:checked")).to_have_count(5)
    expect(form.locator("[value$=':write']:checked")).to_have_count(0)
    expect(caution).to_be_hidden()
    form.get_by_role("button", name="All resources").click()
    expect(form.locator("[name=access]:checked")).to_have_count(boxes.count())
    expect(caution).to_be_visible()
    form.get_by_label("Write coupons").uncheck()
    expect(caution).to_be_hidden()
    form.get_by_role("button", name="Clear").click()
    expect(form.locator("[name=access]:checked")).to_have_count(0)


def test_a_double_click_on_save_makes_one_key(page: Page, form: Locator) -> None:
    form.get_by_label("Name", exact=True).fill("Once")
    form.get_by_label("Read orders").check()
    form.get_by_role("button", name="Save").dblclick()
    expect(page.get_by_role("dialog", name="API key created")).to_be_visible()
    assert ApiKey.objects.count() == 1


def test_a_form_that_cannot_be_sent_stays_as_it_is(page: Page, form: Locator, complaints: list[str]) -> None:
    form.get_by_label("Name", exact=True).fill("In a tunnel")
    form.get_by_label("Read orders").check()
    page.context.set_offline(True)
    form.get_by_role("button", name="Save").click()
    expect(form.get_by_role("paragraph").filter(has_text="This could not be sent")).to_be_visible()
    expect(page.get_by_role("status")).to_contain_text("This could not be sent")
    assert {"ERR_INTERNET_DISCONNECTED" in complaint for complaint in complaints} == {True}
    complaints.clear()

    page.context.set_offline(False)
    form.get_by_role("button", name="Save").click()
    expect(page.get_by_role("dialog", name="API key created")).to_be_visible()
    assert ApiKey.objects.get().name == "In a tunnel"


# The key, once.


def test_the_new_key_is_shown_selected_and_works(created: Locator, call: CallApi) -> None:
    secret = created.get_by_label("The whole API key")
    expect(secret).to_be_focused()
    assert secret.evaluate("field => field.value.slice(field.selectionStart, field.selectionEnd)") == (
        secret_in(created)
    )
    assert call(secret_in(created)).status == 200


def test_copy_and_close_puts_the_key_into_the_clipboard(page: Page, created: Locator) -> None:
    secret = secret_in(created)
    created.get_by_role("button", name="Copy and close").click()
    expect(created).to_be_hidden()
    assert page.evaluate("navigator.clipboard.readText()") == secret
    expect(page.get_by_role("status")).to_have_text("API key copied")
    expect(page.get_by_role("link", name="Add API Key")).to_be_focused()
    expect(page.get_by_role("row", name=secret[:7])).to_be_visible()
    assert secret[8:] not in page.content()


def test_copying_works_where_the_clipboard_is_closed_to_scripts(page: Page) -> None:
    """As on a site without HTTPS."""
    page.add_init_script("delete Navigator.prototype.clipboard")
    page.goto(f"{KEYS}new/")
    page.get_by_label("Name", exact=True).fill("Accounting")
    page.get_by_label("Read orders").check()
    page.get_by_role("button", name="Save").click()
    created = page.get_by_role("dialog", name="API key created")
    secret = secret_in(created)
    created.get_by_role("button", name="Copy and close").click()
    expect(created).to_be_hidden()
    other = page.context.new_page()
    other.goto(KEYS)
    assert other.evaluate("navigator.clipboard.readText()") == secret


def test_the_curl_beside_it_can_be_copied_and_counts_as_copied(page: Page, created: Locator) -> None:
    created.get_by_role("button", name="Copy", exact=True).click()
    expect(created.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith(f"curl --header 'Authorization: Bearer {secret_in(created)}' 'http://127.0.0.1")
    page.keyboard.press("Escape")
    expect(created).to_be_hidden()


@pytest.mark.parametrize("way", ["button", "cross", "escape"])
def test_closing_without_having_copied_asks_once(page: Page, created: Locator, way: str) -> None:
    def close() -> None:
        if way == "escape":
            page.keyboard.press("Escape")
        else:
            created.get_by_role("link", name="Close").nth(int(way == "button")).click()

    expect(created).to_be_visible()
    close()
    expect(created.get_by_role("alert")).to_contain_text("has not been copied")
    expect(created).to_be_visible()
    close()
    expect(created).to_be_hidden()
    expect(page.get_by_role("link", name="Add API Key")).to_be_focused()


def test_the_key_is_never_shown_again(page: Page, form: Locator, base_url: str) -> None:
    """Not after a reload, not on the way back or forth, not in another tab, not for the same cookie."""
    received = responses_to(page)
    form.get_by_label("Name", exact=True).fill("Accounting")
    form.get_by_label("Read orders").check()
    form.get_by_role("button", name="Save").click()
    created = page.get_by_role("dialog", name="API key created")
    secret = secret_in(created)[8:]
    expect(page).to_have_url(re.compile(f"{KEYS}$"))

    def is_shown(page: Page) -> bool:
        expect(page.get_by_role("heading", name="API keys", level=1)).to_be_visible()
        return secret in page.content() or page.get_by_role("dialog").is_visible()

    page.reload()
    assert not is_shown(page)
    page.go_back()
    assert not is_shown(page)
    page.go_forward()
    assert not is_shown(page)

    tab = page.context.new_page()
    tab.goto(f"{KEYS}created/")
    assert not is_shown(tab)

    (sent,) = [response for response in received if response.request.method == "POST"]
    ((name, cookie),) = re.findall(
        rf"({one_time_display.COOKIE_PREFIX}\w+)=([^;]+)", sent.all_headers()["set-cookie"]
    )
    address = f"{base_url}{KEYS}created/"
    page.context.add_cookies([{"name": name, "value": cookie, "url": address}])
    tab.goto(address)
    assert not is_shown(tab)
    assert name not in {kept.get("name") for kept in page.context.cookies(address)}


# Its first request.


def test_the_first_request_arrives_while_the_dialog_is_open(
    page: Page, created: Locator, call: CallApi
) -> None:
    expect(created.get_by_text("Waiting for the first request…")).to_be_visible()
    call(secret_in(created), ORDERS.replace("orders", "customers"))
    received = "Received: GET customers, 401"
    expect(created.get_by_role("paragraph").filter(has_text=received)).to_be_visible()
    expect(page.get_by_role("status")).to_have_text(received)


@pytest.mark.parametrize("end", ["the first request", "closing", "ten minutes"])
def test_the_dialog_stops_asking(page: Page, call: CallApi, end: str) -> None:
    page.clock.install()
    page.goto(f"{KEYS}new/")
    page.get_by_label("Name", exact=True).fill("Accounting")
    page.get_by_label("Read orders").check()
    page.get_by_role("button", name="Save").click()
    created = page.get_by_role("dialog", name="API key created")
    with page.expect_request("**/first-request/"):
        page.clock.run_for(1_000)

    if end == "the first request":
        call(secret_in(created))
        page.clock.run_for(1_000)
        expect(created.get_by_role("paragraph").filter(has_text="Received")).to_be_visible()
    elif end == "closing":
        created.get_by_role("button", name="Copy and close").click()
        expect(created).to_be_hidden()
    else:
        page.clock.fast_forward("10:01")

    sent = requests_of(page)
    page.clock.run_for(10_000)
    page.reload()
    assert not any("first-request" in request for request in sent)
