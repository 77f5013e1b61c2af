"""The operators' pages in a real browser, under the same strict policy as all others."""

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Page, expect

from apikeys.models import ApiKey
from stores.models import Store
from tests.browser.conftest import NewContext, requests_of, scrolls_sideways, use
from tests.conftest import IssueKey, admin_page

LEAK = "/admin/apikeys/apikey/leak/"


@pytest.fixture
def page(new_context: NewContext, operator: Client, base_url: str) -> Page:
    """An operator, signed in."""
    context = new_context()
    session = operator.cookies[settings.SESSION_COOKIE_NAME].value
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": base_url}])
    return context.new_page()


def test_every_page_keeps_to_the_policy_and_to_the_width_of_a_telephone(
    page: Page, issue: IssueKey, store: Store
) -> None:
    key, _ = issue()
    use(key, "orders:read", requests=40)
    page.set_viewport_size({"width": 360, "height": 800})
    for address in (
        "/admin/",
        LEAK,
        admin_page(ApiKey, "changelist"),
        admin_page(ApiKey, "change", key.pk),
        admin_page(Store, "changelist"),
        admin_page(Store, "change", store.pk),
        f"/admin/stores/store/suspend/?store={store.pk}",
    ):
        page.goto(address)
        assert not scrolls_sideways(page), address
    page.goto(admin_page(ApiKey, "change", key.pk))
    bars = page.locator("svg .succeeded")
    assert bars.count() == 1
    assert bars.evaluate("bar => getComputedStyle(bar).fill") != "rgb(0, 0, 0)"


def test_a_leaked_key_is_ended_and_the_paste_is_in_no_address_and_on_no_page(
    page: Page, issue: IssueKey
) -> None:
    key, plaintext = issue(name="Shop")
    page.goto(admin_page(ApiKey, "changelist"))
    page.get_by_role("link", name="Find leaked keys").click()
    sent = requests_of(page)
    page.get_by_label("Text").fill(f"Authorization: Bearer {plaintext}")
    page.get_by_role("button", name="Find keys").click()
    row = page.get_by_role("row").filter(has_text=key.prefix)
    expect(row).to_contain_text("The whole key")
    expect(row.get_by_role("checkbox")).to_be_checked()
    expect(page.get_by_label("Text")).to_have_value("")
    assert plaintext[8:] not in page.content() + page.url
    page.get_by_role("button", name="Deactivate as leaked").click()
    expect(page.get_by_text(f"Deactivated, and their owners told: Shop ({key.prefix}).")).to_be_visible()
    assert not ApiKey.objects.usable().exists()
    assert sum(plaintext[8:] in request for request in sent) == 1, "the form that was sent, and nothing else"


def test_all_keys_of_a_store_are_suspended_from_its_page(page: Page, issue: IssueKey, store: Store) -> None:
    issue()
    page.goto(admin_page(Store, "change", store.pk))
    page.get_by_role("link", name="Suspend all API keys").click()
    page.get_by_label("Reason").fill("Guessing at orders.")
    page.get_by_role("button", name="Suspend all API keys").click()
    expect(page.get_by_text("by operator@example.com: Guessing at orders.")).to_be_visible()
    assert not ApiKey.objects.usable().exists()
    page.get_by_role("link", name="Resume API keys").click()
    page.get_by_role("button", name="Resume API keys").click()
    expect(page.get_by_text("The API keys of Northwood work again.")).to_be_visible()
    assert ApiKey.objects.usable().exists()
