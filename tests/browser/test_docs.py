"""The documentation in a real browser."""

import pytest
from playwright.sync_api import Page, expect

from apikeys.usage import reports
from stores.models import Store
from tests.browser.conftest import KEYS
from tests.conftest import IssueKey
from tests.specimens import Specimens, make_specimens


@pytest.fixture
def specimens(store: Store) -> Specimens:
    return make_specimens(store)


# Getting started.


def test_the_settings_page_leads_to_the_documentation(page: Page, store: Store) -> None:
    page.goto(KEYS)
    page.get_by_role("link", name="Getting started").click()
    expect(page.get_by_role("heading", name="Getting started")).to_be_visible()
    expect(page.locator("#read_orders-sh")).to_contain_text("/v1/stores/267418190/orders/")
    page.get_by_role("link", name="API reference").click()
    expect(page.get_by_role("heading", name="API reference")).to_be_visible()


def test_an_example_is_copied(page: Page) -> None:
    page.goto("/docs/api-keys/")
    page.locator("summary", has_text="Python with httpx").first.click()
    example = page.get_by_role("region", name="Read orders in Python with httpx")
    example.locator("xpath=..").get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == example.text_content()


# The reference.


def test_a_pasted_key_authorizes_what_is_tried(visitor: Page, specimens: Specimens, issue: IssueKey) -> None:
    key, plaintext = issue(access=["orders:read"])
    visitor.goto("/docs/")
    visitor.get_by_role("button", name="Authorize").click()
    dialog = visitor.locator(".dialog-ux")
    dialog.get_by_role("textbox").fill(plaintext)
    dialog.get_by_role("button", name="Apply credentials").click()
    dialog.get_by_role("button", name="Close").first.click()

    orders = visitor.locator("#operations-Orders-list_orders")
    orders.get_by_role("button", name="List orders").click()
    orders.get_by_role("button", name="Try it out").click()
    orders.get_by_placeholder("store_id").fill("267418190")
    orders.get_by_role("button", name="Execute").click()
    answer = orders.locator(".live-responses-table")
    expect(answer.get_by_role("cell", name="200")).to_be_visible()
    expect(answer).to_contain_text('"number": 1001')
    assert reports.by_resource(key)["orders"]["succeeded"] == 1


def test_the_reference_leaves_no_key_behind(visitor: Page, issue: IssueKey) -> None:
    visitor.goto("/docs/")
    visitor.get_by_role("button", name="Authorize").click()
    visitor.locator(".dialog-ux").get_by_role("textbox").fill(issue()[1])
    visitor.locator(".dialog-ux").get_by_role("button", name="Apply credentials").click()
    assert visitor.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])") == "[{},{}]"
