"""A key is made in a dialog, shown once, and seen to work."""

import re

import pytest
from playwright.sync_api import Dialog, Locator, Page, Route, expect

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
    return created.get_by_label("The whole API key").inner_text()


# The form.


def test_errors_come_back_into_the_open_dialog_with_what_was_typed(
    page: Page, form: Locator, issue: IssueKey
) -> None:
    issue(name="Accounting")
    form.get_by_label("Name", exact=True).fill("accounting")
    form.get_by_label("Expiry").select_option("60")
    form.get_by_label("Write coupons").check()
    form.get_by_role("button", name="Save").click()

    name = form.get_by_label("Name", exact=True)
    expect(name).to_have_accessible_description(re.compile("Another key of this store has this name"))
    expect(name).to_be_focused()
    expect(name).to_have_value("accounting")
    expect(form.get_by_label("Expiry")).to_have_value("60")
    expect(form.get_by_label("Write coupons")).to_be_checked()
    expect(form.get_by_label("Read coupons")).to_be_checked()
    expect(form.get_by_label("Read orders")).not_to_be_checked()
    expect(page.get_by_role("status")).to_contain_text("Another key of this store has this name")
    expect(page).to_have_url(re.compile(f"{KEYS}$"))

    name.fill("Bookkeeping")
    form.get_by_role("button", name="Save").click()
    expect(page.get_by_role("dialog", name="API key created")).to_be_visible()


def test_a_day_is_asked_for_only_where_one_is_needed(form: Locator) -> None:
    day = form.get_by_label("Last day it works")
    expect(day).to_be_hidden()
    form.get_by_label("Expiry").select_option("date")
    day.fill("2020-02-29")
    form.get_by_role("button", name="Save").click()
    expect(form.get_by_label("Name", exact=True)).to_be_focused()
    expect(day).to_have_value("2020-02-29")
    expect(day).to_have_accessible_description(re.compile("in the past"))


def test_write_ticks_read_and_presets_fill_the_table(form: Locator) -> None:
    read, write = form.get_by_label("Read orders"), form.get_by_label("Write orders")
    write.check()
    expect(read).to_be_checked()
    read.uncheck()
    expect(write).not_to_be_checked()

    caution = form.get_by_text("able to change everything in your store")
    form.get_by_role("button", name="Fulfilment").click()
    ticked = form.locator("[name=access]:checked")
    assert ticked.evaluate_all("boxes => boxes.map((box) => box.value)") == [
        "products:read",
        "orders:read",
        "orders:write",
        "customers:read",
    ]
    expect(caution).to_be_hidden()
    form.get_by_role("button", name="Full access").click()
    expect(caution).to_be_visible()
    form.get_by_role("button", name="Clear").click()
    expect(ticked).to_have_count(0)


def test_an_error_goes_when_its_cause_does(form: Locator) -> None:
    name, errors = form.get_by_label("Name", exact=True), form.locator(".field-error")
    form.get_by_role("button", name="Save").click()
    expect(errors).to_have_text(["Enter a name. ", "Choose at least one resource. "])
    name.fill("Idle")
    expect(errors).to_have_text(["Choose at least one resource. "])
    form.get_by_role("button", name="Save").click()
    expect(form.get_by_label("Read products")).to_be_focused()
    expect(name).to_have_value("Idle")
    form.get_by_role("button", name="Storefront").click()
    expect(errors).to_have_count(0)


def test_ones_own_address_is_added_with_a_click(form: Locator) -> None:
    form.get_by_text("Allowed addresses: any").click()
    form.get_by_role("button", name="Add my address").dblclick()
    expect(form.get_by_label("Allowed addresses")).to_have_value("127.0.0.1")


def test_the_buttons_stay_in_view_on_a_phone(page: Page, form: Locator) -> None:
    page.set_viewport_size({"width": 360, "height": 640})
    expect(form.get_by_role("button", name="Save")).to_be_in_viewport(ratio=1)
    form.get_by_label("Write coupons").check()
    expect(form.get_by_role("button", name="Save")).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize("way", ["Escape", "Cancel", "Back"])
def test_closing_asks_before_it_throws_away_what_was_typed(page: Page, form: Locator, way: str) -> None:
    def close() -> None:
        if way == "Escape":
            page.keyboard.press("Escape")
        elif way == "Back":
            page.evaluate("history.back()")
        else:
            form.get_by_role("link", name=way).click()

    form.get_by_label("Name", exact=True).fill("Typed")
    close()
    expect(form.get_by_role("alert")).to_contain_text("Discard what you entered?")
    form.get_by_role("button", name="Keep editing").click()
    expect(form.get_by_role("alert")).to_be_hidden()
    expect(form.get_by_label("Name", exact=True)).to_have_value("Typed")
    close()
    form.get_by_role("button", name="Discard").click()
    expect(form).to_be_hidden()
    expect(page.get_by_role("link", name="Add API Key")).to_be_focused()


def test_on_a_slow_line_the_link_and_the_form_show_that_they_are_under_way(page: Page) -> None:
    held: list[Route] = []
    page.goto(KEYS)
    page.route("**/new/", lambda route: held.append(route))
    link = page.get_by_role("link", name="Add API Key")
    with page.expect_request("**/new/"):
        link.click()
    link.dispatch_event("click")
    expect(link).to_have_class(re.compile("htmx-request"))
    assert len(held) == 1
    held.pop().continue_()
    form = page.get_by_role("dialog", name="Add API Key")
    form.get_by_label("Name", exact=True).fill("Once")
    form.get_by_label("Read orders").check()
    with page.expect_request("**/new/"):
        form.get_by_role("button", name="Save").click()
    form.get_by_label("Name", exact=True).press("Enter")
    expect(form.locator("form")).to_have_class(re.compile("htmx-request"))
    assert len(held) == 1
    held.pop().continue_()
    expect(page.get_by_role("dialog", name="API key created")).to_be_visible()
    assert ApiKey.objects.count() == 1


def test_a_lost_answer_says_that_the_key_may_exist_and_the_list_marks_it(
    page: Page, form: Locator, complaints: list[str]
) -> None:
    def lose(route: Route) -> None:
        route.fetch(max_redirects=0)
        route.abort()

    page.route("**/new/", lose)
    form.get_by_label("Name", exact=True).fill("In a tunnel")
    form.get_by_label("Read orders").check()
    form.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("No answer arrived")
    expect(form.get_by_label("Name", exact=True)).to_have_value("In a tunnel")
    assert {"ERR_FAILED" in complaint or "htmx" in complaint for complaint in complaints} == {True}
    complaints.clear()
    page.goto(KEYS)
    expect(page.get_by_role("row", name="In a tunnel")).to_contain_text("Never shown")


def test_a_form_that_cannot_be_sent_stays_as_it_is(page: Page, form: Locator, complaints: list[str]) -> None:
    form.get_by_label("Name", exact=True).fill("In a tunnel")
    form.get_by_label("Read orders").check()
    page.context.set_offline(True)
    form.get_by_role("button", name="Save").click()
    expect(form.get_by_role("paragraph").filter(has_text="No answer arrived")).to_be_visible()
    assert {"DISCONNECTED" in complaint or "htmx" in complaint for complaint in complaints} == {True}
    complaints.clear()

    page.context.set_offline(False)
    form.get_by_role("button", name="Save").click()
    expect(page.get_by_role("dialog", name="API key created")).to_be_visible()
    assert ApiKey.objects.get().name == "In a tunnel"


# The key, once.


def test_the_new_key_is_shown_with_the_focus_on_copy_and_whole_on_a_phone(
    page: Page, created: Locator, call: CallApi
) -> None:
    expect(created.get_by_role("button", name="Copy", exact=True)).to_be_focused()
    assert call(secret_in(created)).status == 200
    page.set_viewport_size({"width": 360, "height": 740})
    secret = created.get_by_label("The whole API key")
    expect(secret).to_be_in_viewport(ratio=1)
    assert secret.evaluate("box => box.scrollWidth <= box.clientWidth")


def test_copy_and_close_puts_the_key_into_the_clipboard(page: Page, created: Locator) -> None:
    secret = secret_in(created)
    created.get_by_role("button", name="Copy and close").click()
    expect(created).to_be_hidden()
    assert page.evaluate("navigator.clipboard.readText()") == secret
    expect(page.get_by_role("status")).to_have_text("Copied")
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


def test_an_example_with_the_key_can_be_copied_and_counts_as_copied(page: Page, created: Locator) -> None:
    created.get_by_text("Python", exact=True).click()
    created.get_by_role("button", name="Copy the Python example").click()
    expect(created.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("from urllib")
    assert f"Bearer {secret_in(created)}" in copied
    page.keyboard.press("Escape")
    expect(created).to_be_hidden()


@pytest.mark.parametrize("way", ["button", "escape", "back"])
def test_closing_without_having_copied_asks_once(page: Page, created: Locator, way: str) -> None:
    def close() -> None:
        if way == "escape":
            page.keyboard.press("Escape")
        elif way == "back":
            page.evaluate("history.back()")
        else:
            created.get_by_role("link", name="Close").last.click()

    expect(created).to_be_visible()
    close()
    expect(created.get_by_role("alert")).to_contain_text("You have not copied the key")
    expect(created).to_be_visible()
    close()
    expect(created).to_be_hidden()
    expect(page.get_by_role("link", name="Add API Key")).to_be_focused()
    expect(page.locator(".messages")).to_contain_text("You did not copy the key of Accounting.")


def test_a_reload_asks_first_and_says_afterwards_that_nobody_copied_the_key(
    page: Page, created: Locator
) -> None:
    asked: list[str] = []

    def leave(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    page.on("dialog", leave)
    created.get_by_label("The whole API key").click()
    page.reload()
    assert asked == ["beforeunload"]
    expect(page.locator(".messages")).to_contain_text("You did not copy the key of Accounting.")
    page.reload()
    expect(page.locator(".messages")).to_have_count(0)
    assert asked == ["beforeunload"]


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
    refused = "GET /v1/stores/…/customers/, 401. The key did not have customers:read."
    expect(created.locator(".notice.caution").filter(has_text=refused)).to_be_visible()
    expect(created.locator(".received")).to_have_count(0)
    expect(page.get_by_role("status")).to_contain_text(refused)
    call(secret_in(created))
    received = "First request received: GET /v1/stores/…/orders/, 200"
    expect(created.get_by_role("paragraph").filter(has_text=received)).to_be_visible()
    expect(page.get_by_role("status")).to_have_text(received)
    created.get_by_role("button", name="Copy and close").click()
    expect(page.get_by_role("table", name="API keys").get_by_role("row").last).to_contain_text("just now")


@pytest.mark.parametrize("end", ["the first request", "closing"])
def test_the_dialog_stops_asking(page: Page, call: CallApi, end: str) -> None:
    page.clock.install()
    page.goto(f"{KEYS}new/")
    page.get_by_label("Name", exact=True).fill("Accounting")
    page.get_by_label("Read orders").check()
    page.get_by_role("button", name="Save").click()
    created = page.get_by_role("dialog", name="API key created")
    with page.expect_request("**/first-request/"):
        page.clock.run_for(1_500)

    if end == "the first request":
        call(secret_in(created))
        page.clock.run_for(1_500)
        expect(created.get_by_role("paragraph").filter(has_text="First request received")).to_be_visible()
    else:
        created.get_by_role("button", name="Copy and close").click()
        expect(page.locator("#dialog-content")).to_be_empty()

    sent = requests_of(page)
    page.clock.run_for(10_000)
    page.reload()
    assert not any("first-request" in request for request in sent)
