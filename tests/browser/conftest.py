"""A real browser on the real site, whose static files are collected and served as in production.

Whatever a test is about, no page in it may complain, fail to get something, or ask another site for it.
"""

import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import requests
from django.conf import settings
from django.test import Client
from django.test.utils import override_settings
from django.utils import timezone
from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, ViewportSize, expect
from playwright.sync_api import Request as PageRequest
from pytest_django.live_server_helper import LiveServer

from apikeys.models import ApiKey, Refusal
from apikeys.templatetags import page as page_tags
from stores.models import Store
from tests import chromium, prepared, programs
from tests.conftest import PASSWORD, bearer
from tests.key_requests import count_usage

KEYS = "/stores/267418190/settings/api-keys/"
ORDERS = "/v1/stores/267418190/orders/"
PHONE = ViewportSize(width=360, height=740)

# A machine that is busy with something else takes its time; nothing waits longer than it has to.
PATIENCE = 30_000
expect.set_options(timeout=PATIENCE)


NewContext = Callable[..., BrowserContext]
CallApi = Callable[..., requests.Response]


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    """Launch the browser that starts here; without one, skip, or with CI=true fail."""
    arguments = chromium.find()
    if arguments is None:
        programs.skip(chromium.REMEDY)
    # Scroll bars take room, as on most desks.
    return {**arguments, "ignore_default_args": ["--hide-scrollbars"]}


@pytest.fixture(scope="session")
def live_server(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """The site on a port of its own, its static files hashed and served by WhiteNoise.

    It is gone before the database is: that cannot be dropped while somebody is connected.
    """
    # A copy: while the settings name it, a test of a command in this process may collect files into it.
    static = tmp_path_factory.mktemp("site") / "static"
    shutil.copytree(prepared.static_folder(), static)
    storage = {"BACKEND": "reflow.server.static_files.HashedStaticFilesStorage"}
    with override_settings(
        STATIC_ROOT=static,
        STORAGES={**settings.STORAGES, "staticfiles": storage},
    ):
        server = LiveServer("127.0.0.1", start=False)
        # Django's own handler would serve the files unhashed, and get in before WhiteNoise.
        server.thread.static_handler = lambda application: application  # type: ignore[assignment]
        server.start()
        page_tags.icon.cache_clear()  # it keeps the address of a file as another test had it
        yield server
        server.stop()
    page_tags.icon.cache_clear()


@pytest.fixture(scope="session")
def base_url(live_server: LiveServer) -> str:
    """The address that relative ones, such as that of ``page.goto("/")``, begin with."""
    return live_server.url


# Browsers, each with cookies of its own, and all of them watched.


@pytest.fixture
def complaints() -> list[str]:
    """Complaints of any page so far. A test that provokes something takes it out of here."""
    return []


@pytest.fixture
def new_context(new_context: NewContext, complaints: list[str], base_url: str) -> Iterator[NewContext]:
    def note_console(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            complaints.append(message.text)

    def note_stranger(request: PageRequest) -> None:
        if not request.url.startswith((base_url, "data:")):
            complaints.append(f"asked another site: {request.url}")

    def note_failure(request: PageRequest) -> None:
        # The browser itself gives up what a page that is left was still waiting for.
        if request.failure != "net::ERR_ABORTED":
            complaints.append(f"{request.url}: {request.failure}")

    def watched(**options: Any) -> BrowserContext:
        context = new_context(**options)
        context.set_default_timeout(PATIENCE)
        context.on("console", note_console)
        context.on("weberror", lambda error: complaints.append(str(error.error)))
        context.on("request", note_stranger)
        context.on("requestfailed", note_failure)
        return context

    yield watched
    assert complaints == []


@pytest.fixture
def signed_in_context(new_context: NewContext, signed_in: Client, base_url: str) -> NewContext:
    """Makes a browser in which the store's owner has signed in."""

    def new_signed_in_context(**options: Any) -> BrowserContext:
        context = new_context(**options)
        session = signed_in.cookies[settings.SESSION_COOKIE_NAME].value
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": base_url}])
        return context

    return new_signed_in_context


@pytest.fixture
def page(signed_in_context: NewContext) -> Page:
    """The store's owner, signed in."""
    context = signed_in_context()
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    return context.new_page()


@pytest.fixture
def visitor(new_context: NewContext) -> Page:
    """Somebody who has not signed in."""
    return new_context().new_page()


# What owners do, and what their programs do.


def sign_in(page: Page, email: str = "owner@example.com") -> None:
    """Fill in the sign-in form that the page shows."""
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def open_dialog(page: Page, link: str) -> Locator:
    """Click the link with this name; returns the dialog it opens."""
    page.get_by_role("link", name=link, exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.wait_for()
    return dialog


def requests_of(page: Page) -> list[str]:
    """Addresses and bodies of all that the browser sends from now on."""
    sent: list[str] = []
    page.context.on("request", lambda request: sent.append(f"{request.url} {request.post_data}"))
    return sent


def scrolls_sideways(page: Page) -> bool:
    """Whether some of the page lies to the right of what the window shows."""
    return bool(
        page.evaluate(
            "(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth)(document.scrollingElement)"
        )
    )


def use(key: ApiKey, scope: str, *, outcome: str = "succeeded", requests: int = 1) -> None:
    """Let it have been today that the key made these requests."""
    now = timezone.now()
    reason = "resource_not_allowed" if outcome == "refused" else ""
    count_usage(key, requests, scope=scope, outcome=outcome, reason=reason)
    if reason:
        cause = {"store_id": key.store_id, "key": key, "reason": reason, "scope": scope}
        Refusal.objects.create(**cause, requests=requests, first_at=now, last_at=now)


def age(key: ApiKey, *, days: int) -> None:
    """Let the key have been created earlier."""
    ApiKey.objects.filter(pk=key.pk).update(created_at=timezone.now() - timedelta(days=days))


@pytest.fixture
def call(base_url: str, store: Store) -> CallApi:
    """A program that asks for the store's orders, or something else, with a key."""

    def call_with(key: str, path: str = ORDERS) -> requests.Response:
        return requests.get(f"{base_url}{path}", headers=bearer(key), timeout=60)

    return call_with
