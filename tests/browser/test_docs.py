"""The documentation in a real browser."""

from playwright.sync_api import Page, expect

from stores.models import Store
from tests.conftest import IssueKey
from tests.specimens import make_specimens


def test_a_key_pasted_into_the_reference_authorizes_what_is_tried_and_is_kept_nowhere(
    visitor: Page, store: Store, issue: IssueKey
) -> None:
    make_specimens(store)
    _, plaintext = issue(access=["orders:read"])
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
    expect(answer.get_by_role("cell", name="200", exact=True)).to_be_visible()
    expect(answer).to_contain_text('"number": 1001')
    assert visitor.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])") == "[{},{}]"
