"""Every kind of page and dialog, in both colour schemes, on a desk and on a phone: for everybody."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Literal

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from axe_playwright_python.base import AXE_SCRIPT, AxeResults
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import Page, ViewportSize, expect

from apikeys import lifecycle
from apikeys.actors import Actor
from apikeys.models import ApiKey, StoreUsage, TokenExchange
from stores.models import Store
from tests.browser.conftest import KEYS, PHONE, CallApi, NewContext, age, open_dialog, scrolls_sideways, use
from tests.conftest import IssueKey
from tests.issuer import make_trust

DESK = ViewportSize(width=1440, height=900)
# One long word, an emoji of several characters, and text that runs from right to left.
NAME = f"Accounting{'W' * 40} 👩‍👧 مفتاح"

# Sizes of targets are WCAG 2.2, which axe leaves out by itself. Contrast, which takes axe longest, is what a
# colour scheme decides; a phone has the same colours and names, and other sizes.
EVERYTHING = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}
SIZES = {"resultTypes": ["violations"], "runOnly": ["target-size", "scrollable-region-focusable"]}
CONTRAST = {"resultTypes": ["violations"], "runOnly": ["color-contrast"]}


def check(page: Page) -> None:
    """Let axe look at the page on a desk and on a phone, and see that it never scrolls sideways."""
    page.evaluate(AXE_SCRIPT)
    examine(page, PHONE, "light", SIZES)
    examine(page, DESK, "dark", CONTRAST)
    examine(page, DESK, "light", EVERYTHING)


def examine(
    page: Page, size: ViewportSize, scheme: Literal["light", "dark"], options: Mapping[str, object]
) -> None:
    page.set_viewport_size(size)
    page.emulate_media(color_scheme=scheme)
    assert not scrolls_sideways(page)
    results = AxeResults(page.evaluate("options => axe.run(options)", options))
    assert results.violations_count == 0, f"{scheme}, {page.viewport_size}: {results.generate_report()}"


def check_pages(page: Page, *addresses: str) -> None:
    for address in addresses:
        page.goto(address)
        expect(page.locator("h1:visible")).to_have_count(1)
        check(page)


@pytest.fixture
def page(signed_in_context: NewContext) -> Page:
    """The store's owner, who has asked for less motion, so that no colour is still on its way."""
    return signed_in_context(reduced_motion="reduce").new_page()


@pytest.fixture
def key(issue: IssueKey, owner: User) -> ApiKey:
    """A key of a long name with something in every part of its page, in a list with every status."""
    now = timezone.now()
    issue(name="Ends soon", expires_at=now + timedelta(days=3), access=["coupons:write"])
    issue(name="Ended", expires_at=now - timedelta(days=3))
    use(issue(name="Turned away")[0], "customers:read", outcome="refused", requests=3)
    paused, _ = issue(name="Paused")
    lifecycle.deactivate_key(paused, by=Actor(owner), until=now + timedelta(days=1))
    key, _ = issue(name=NAME, access=["orders:write", "products:write", "customers:read", "coupons:read"])
    age(key, days=40)
    use(key, "orders:read", requests=1_200)
    use(key, "orders:write", outcome="failed", requests=30)
    use(key, "categories:write", outcome="refused", requests=14)
    lifecycle.roll_key(key, by=Actor(owner), overlap=timedelta(days=1))
    return key


def test_pages_of_visitors(new_context: NewContext, owner: User, complaints: list[str]) -> None:
    page = new_context(reduced_motion="reduce").new_page()
    page.goto(KEYS)
    page.get_by_label("Email").fill("nobody@example.com")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    check(page)
    check_pages(page, "/docs/api-keys/", "/accounts/password/reset/", "/nothing/")
    # The browser complains of the page that is not there.
    complaints.clear()


def test_the_list_and_its_dialogs(page: Page, key: ApiKey) -> None:
    StoreUsage.objects.create(store=key.store, day=timezone.now().date(), outcome="succeeded", requests=1_200)
    page.goto(KEYS)
    page.get_by_text("Show as a table").click()
    check(page)
    page.get_by_label("Select all keys on this page").check()
    check(page)
    page.locator(".selected").get_by_role("button", name="Extend").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    check(page)


def test_an_empty_list_and_its_dialog(page: Page) -> None:
    check_pages(page, KEYS)
    dialog = open_dialog(page, "Add API Key")
    dialog.get_by_role("button", name="Full access").click()
    dialog.get_by_label("Expiry").select_option("date")
    dialog.get_by_label("Last day it works").fill("2020-02-29")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_label("Name", exact=True)).to_have_attribute("aria-invalid", "true")
    check(page)
    dialog.get_by_label("Name", exact=True).fill("Accounting")
    dialog.get_by_label("Expiry").select_option("never")
    dialog.get_by_role("button", name="Save").click()
    created = page.get_by_role("dialog", name="API key created")
    expect(created).to_be_visible()
    page.keyboard.press("Escape")
    expect(created.get_by_role("alert")).to_be_visible()
    check(page)


def test_one_key_and_what_is_done_to_it(page: Page, key: ApiKey, owner: User) -> None:
    page.goto(f"{KEYS}{key.prefix}/")
    page.get_by_role("button", name="Grant").click()
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    check(page)
    dialog = open_dialog(page, "Edit")
    dialog.get_by_label("Note").fill("Mine")
    key.refresh_from_db()
    lifecycle.update_key(key, by=Actor(owner), version=key.version, note="Theirs")
    dialog.get_by_role("button", name="Save changes").click()
    expect(dialog.get_by_role("alert")).to_contain_text("somebody else changed the note, too")
    check(page)
    check_pages(page, f"{KEYS}{key.prefix}/delete/", f"{KEYS}canaries/new/")
    lifecycle.suspend_store(key.store, by=Actor(), reason="Guessing at orders.")
    check_pages(page, f"{KEYS}{key.prefix}/")


def test_requests_with_filters_live_and_one_of_them(page: Page, issue: IssueKey, call: CallApi) -> None:
    call(issue(name="Accounting", allowed_addresses=["203.0.113.7"])[1])
    page.goto(f"{KEYS}requests/?live=1&outcome=refused")
    page.get_by_text("More filters").click()
    check(page)
    page.get_by_role("table", name="Requests").get_by_role("link").first.click()
    expect(page.get_by_role("button", name="Allow 127.0.0.1")).to_be_visible()
    check(page)
    check_pages(page, f"{KEYS}requests/?from=2020-01-01T00:00", f"{KEYS}activity/", f"{KEYS}notifications/")


def test_what_the_log_knows(page: Page, issue: IssueKey, owner: User, call: CallApi) -> None:
    _, plaintext = lifecycle.create_canary(
        store=owner.stores.get(), name="Canary", place="README", by=Actor(owner)
    )
    call(plaintext)
    key, plaintext = issue(name="Accounting", access=["orders:read", "customers:read"])
    call(plaintext)
    ApiKey.objects.filter(pk=key.pk).update(quiet_since=timezone.now())
    page.goto(KEYS)
    expect(page.get_by_text("A canary was found")).to_be_visible()
    page.set_viewport_size(DESK)
    # Of the last row: nothing lies half behind its menu.
    page.get_by_role("table", name="API keys").locator("summary").last.click()
    check(page)
    page.goto(f"{KEYS}{key.prefix}/")
    expect(page.get_by_role("button", name="Fence it")).to_be_visible()
    expect(page.get_by_role("link", name="127.0.0.1 is not ours")).to_be_visible()
    check(page)
    check_pages(page, f"{KEYS}{key.prefix}/incident/?address=127.0.0.1")
    lifecycle.roll_key(key, by=Actor(owner), overlap=timedelta(days=1))
    check_pages(page, f"{KEYS}{key.prefix}/")


def test_pages_about_a_trust(page: Page, owner: User, store: Store) -> None:
    trust = make_trust(store, Actor(owner))
    TokenExchange.objects.create(trust=trust, run="northwood/shop", prefix="19656ea")
    TokenExchange.objects.create(trust=trust, run="evil/shop", reason="repository is “evil/shop”.")
    check_pages(page, *(f"{KEYS}trusts/{path}" for path in ("", "new/", f"{trust.pk}/", f"{trust.pk}/edit/")))


def test_pages_about_the_account(page: Page, owner: User, store: Store, other_store: Store) -> None:
    other_store.owners.set([owner])
    check_pages(page, "/", "/accounts/authenticator/set-up/", "/accounts/sessions/", "/accounts/logout/")
    TOTP.activate(owner, generate_totp_secret())
    RecoveryCodes.activate(owner)
    check_pages(page, "/accounts/", "/accounts/recovery-codes/", "/accounts/passkeys/add/")
