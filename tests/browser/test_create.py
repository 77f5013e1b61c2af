"""A key is made in a dialog, shown once, and seen to work."""

import re

import pytest
from playwright.sync_api import Dialog, Locator, Page, Route, expect

from apikeys.models import ApiKey
from tests.browser.conftest import KEYS, ORDERS, PHONE, CallApi, open_dialog
from tests.conftest import IssueKey
from tests.programs import wait_until

WAYS_TO_CLOSE = ("Escape", "Cancel", "Back")


@pytest.fixture
def form(page: Page) -> Locator:
    """The open dialog with its form."""
    page.goto(KEYS)
    return open_dialog(page, "Add API Key")


@pytest.fixture
def created(page: Page, form: Locator) -> Locator:
    """The dialog that shows a new key, once the list behind it has said that it has been read again."""
    created = save(page, form)
    expect(page.locator("#live")).to_have_text("1 key shown")
    return created


def save(page: Page, form: Locator, name: str = "Accounting") -> Locator:
    form.get_by_label("Name", exact=True).fill(name)
    form.get_by_label("Read orders").check()
    form.get_by_role("button", name="Save").click()
    return page.get_by_role("dialog", name="API key created")


def secret_in(created: Locator) -> str:
    return created.get_by_label("The whole API key").inner_text()


def close(page: Page, dialog: Locator, way: str, link: str) -> None:
    if way == "Escape":
        page.keyboard.press("Escape")
    elif way == "Back":
        page.evaluate("history.back()")
    else:
        dialog.get_by_role("link", name=link).last.click()


def wait_for_history(page: Page) -> None:
    """Let the browser have gone back from the entry that the open dialog was."""
    # Playwright's own wait evaluates text in the page, which its content security policy forbids.
    wait_until(lambda: page.evaluate("!history.state?.dialog"))


# The form.


def test_errors_are_said_each_time_and_go_when_their_cause_does(
    page: Page, form: Locator, issue: IssueKey
) -> None:
    issue(name="Warehouse")
    name, errors = form.get_by_label("Name", exact=True), form.locator(".errorlist")
    form.get_by_role("button", name="Save").click()
    expect(errors).to_have_text(["Enter a name. ", "Choose at least one resource. "])
    form.get_by_role("button", name="Storefront").click()
    expect(errors).to_have_text(["Enter a name. "])
    day = form.get_by_label("Last day it works")
    expect(day).to_be_hidden()
    form.get_by_label("Expiry").select_option("date")
    day.fill("2020-02-29")
    for taken in ("WAREHOUSE", "warehouse"):
        name.fill(taken)
        expect(errors.filter(has_text="name")).to_have_count(0)
        form.get_by_role("button", name="Save").click()
        expect(name).to_have_accessible_description(re.compile("Another key of this store has this name"))
        expect(name).to_be_focused()
        expect(name).to_have_value(taken)
        expect(day).to_have_accessible_description(re.compile("in the past"))
        expect(page.get_by_role("status")).to_contain_text("Another key of this store has this name")
        assert "null" not in page.locator("body").inner_text()


def test_write_ticks_read_and_buttons_fill_in_access_and_address(form: Locator) -> None:
    read, write = form.get_by_label("Read orders"), form.get_by_label("Write orders")
    write.check()
    expect(read).to_be_checked()
    read.uncheck()
    expect(write).not_to_be_checked()

    caution = form.get_by_text("able to change everything in your store")
    form.get_by_role("button", name="Fulfilment").click()
    ticked = form.locator("[name=access]:checked")
    scopes = ["products:read", "orders:read", "orders:write", "customers:read"]
    assert ticked.evaluate_all("boxes => boxes.map((box) => box.value)") == scopes
    expect(caution).to_be_hidden()
    form.get_by_role("button", name="Full access").click()
    expect(caution).to_be_visible()
    form.get_by_role("button", name="Clear").click()
    expect(ticked).to_have_count(0)

    form.get_by_text("Allowed addresses: any").click()
    form.get_by_role("button", name="Add my address").dblclick()
    expect(form.get_by_label("Allowed addresses")).to_have_value("127.0.0.1")


def test_closing_asks_before_it_throws_away_what_was_typed(page: Page) -> None:
    page.goto(KEYS)
    for way in WAYS_TO_CLOSE:
        form = open_dialog(page, "Add API Key")
        expect(form.get_by_label("Name", exact=True)).to_be_focused()
        assert page.locator("dialog:modal").count() == 1  # it keeps the focus in itself
        form.get_by_label("Name", exact=True).fill("Typed")
        close(page, form, way, "Cancel")
        expect(form.get_by_role("alert")).to_contain_text("Discard what you entered?")
        form.get_by_role("button", name="Keep editing").click()
        expect(form.get_by_role("alert")).to_be_hidden()
        expect(form.get_by_label("Name", exact=True)).to_have_value("Typed")
        close(page, form, way, "Cancel")
        form.get_by_role("button", name="Discard").click()
        expect(form).to_be_hidden()
        expect(page.get_by_role("link", name="Add API Key")).to_be_focused()
        wait_for_history(page)


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
    with page.expect_request("**/new/"):
        save(page, form)
    form.get_by_label("Name", exact=True).press("Enter")
    expect(form.locator("form")).to_have_class(re.compile("htmx-request"))
    assert len(held) == 1
    held.pop().continue_()
    expect(page.get_by_role("dialog", name="API key created")).to_be_visible()
    assert ApiKey.objects.count() == 1


def test_a_form_that_cannot_be_sent_stays_as_it_is(page: Page, form: Locator, complaints: list[str]) -> None:
    page.context.set_offline(True)
    save(page, form, "In a tunnel")
    expect(form.get_by_role("paragraph").filter(has_text="No answer arrived")).to_be_visible()
    expect(page.get_by_role("status")).to_contain_text("No answer arrived")
    assert {"DISCONNECTED" in complaint or "htmx" in complaint for complaint in complaints} == {True}
    complaints.clear()

    page.context.set_offline(False)
    form.get_by_role("button", name="Save").click()
    expect(page.get_by_role("dialog", name="API key created")).to_be_visible()
    assert ApiKey.objects.get().name == "In a tunnel"


# The key, once.


def test_a_new_key_is_whole_on_a_phone_and_copied_into_the_clipboard(
    page: Page, form: Locator, call: CallApi
) -> None:
    page.set_viewport_size(PHONE)
    expect(form.get_by_role("button", name="Save")).to_be_in_viewport(ratio=1)
    created = save(page, form)
    # The list behind it is read again, and says so whenever that is answered.
    expect(page.locator("#live")).to_have_text("1 key shown")
    expect(created.get_by_role("button", name="Copy", exact=True)).to_be_focused()
    box, secret = created.get_by_label("The whole API key"), secret_in(created)
    expect(box).to_be_in_viewport(ratio=1)
    assert box.evaluate("box => box.scrollWidth <= box.clientWidth")
    created.get_by_role("button", name="Copy and close").click()
    expect(created).to_be_hidden()
    assert page.evaluate("navigator.clipboard.readText()") == secret
    expect(page.get_by_role("status")).to_have_text("Copied")
    assert call(secret).status_code == 200
    expect(page.get_by_role("link", name="Add API Key")).to_be_focused()
    expect(page.get_by_role("row", name=secret[:7])).to_be_visible()
    assert secret[8:] not in page.content()


def test_copying_works_where_the_clipboard_is_closed_to_scripts(page: Page) -> None:
    """As on a site without HTTPS."""
    page.add_init_script("delete Navigator.prototype.clipboard")
    page.goto(KEYS)
    created = save(page, open_dialog(page, "Add API Key"))
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


def test_closing_without_having_copied_asks_once(page: Page) -> None:
    page.goto(KEYS)
    for way in WAYS_TO_CLOSE:
        name = f'"><img src=x onerror=alert(1)> {way} مفتاح'
        created = save(page, open_dialog(page, "Add API Key"), name)
        expect(created).to_be_visible()
        close(page, created, way, "Close")
        expect(created.get_by_role("alert")).to_contain_text("You have not copied the key")
        close(page, created, way, "Close")
        expect(created).to_be_hidden()
        expect(page.get_by_role("link", name="Add API Key")).to_be_focused()
        expect(page.locator(".messages")).to_contain_text(f"You did not copy the key of {name}.")
        wait_for_history(page)


def test_a_reload_asks_first_and_the_key_is_never_shown_again(page: Page, created: Locator) -> None:
    asked: list[str] = []

    def leave(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    def is_shown(page: Page) -> bool:
        expect(page.get_by_role("heading", name="API keys", level=1)).to_be_visible()
        return secret in page.content() or page.get_by_role("dialog").is_visible()

    page.on("dialog", leave)
    secret = secret_in(created)[8:]
    expect(page).to_have_url(re.compile(f"{KEYS}$"))
    created.get_by_label("The whole API key").click()
    page.reload()
    assert asked == ["beforeunload"]
    expect(page.locator(".messages")).to_contain_text("You did not copy the key of Accounting.")
    assert not is_shown(page)
    page.reload()
    expect(page.locator(".messages")).to_have_count(0)
    page.go_back()
    assert not is_shown(page)
    page.go_forward()
    assert not is_shown(page)
    tab = page.context.new_page()
    tab.goto(f"{KEYS}created/")
    assert not is_shown(tab)
    assert asked == ["beforeunload"]


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
