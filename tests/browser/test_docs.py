"""The documentation in a real browser, and its examples run as a reader would run them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from apikeys.usage import reports
from stores.models import Store
from tests.browser.conftest import KEYS
from tests.conftest import IssueKey
from tests.specimens import Specimens, make_specimens

EXAMPLES = Path(__file__).parents[2] / "templates" / "docs" / "examples"
COMMANDS = {"sh": ["sh"], "py": [sys.executable], "js": ["node", "--input-type=module"]}


@pytest.fixture
def specimens(store: Store) -> Specimens:
    return make_specimens(store)


# Getting started.


@pytest.mark.parametrize("example", sorted(path.name for path in EXAMPLES.iterdir()))
def test_an_example_does_what_it_promises(
    page: Page, specimens: Specimens, issue: IssueKey, example: str
) -> None:
    """As it stands on the page, with nothing changed and the key in the environment."""
    name, suffix = example.split(".")
    command = COMMANDS[suffix]
    if not shutil.which(command[0]):
        pytest.skip(f"There is no {command[0]} here.")
    _, key = issue(access=["orders:read"])
    page.goto("/docs/api-keys/")
    code = page.locator(f"#{name}-{suffix}").text_content() or ""
    ran = run(command, code, key)
    assert ran.returncode == 0, ran.stderr
    if suffix == "sh":
        assert '"number":1001' in ran.stdout
    else:
        assert sorted(ran.stdout.splitlines()) == ["1001 pending $14.95", "1002 pending $14.95"]


def run(command: list[str], code: str, key: str) -> "subprocess.CompletedProcess[str]":
    environment = {"PATH": os.environ["PATH"], "REFLOW_API_KEY": key}
    return subprocess.run(command, input=code, env=environment, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("suffix", ["py", "js"])
def test_an_example_passes_on_why_it_was_refused(page: Page, issue: IssueKey, suffix: str) -> None:
    if not shutil.which(COMMANDS[suffix][0]):
        pytest.skip(f"There is no {COMMANDS[suffix][0]} here.")
    _, key = issue(access=["products:read"])
    page.goto("/docs/api-keys/")
    ran = run(COMMANDS[suffix], page.locator(f"#read_all_orders-{suffix}").text_content() or "", key)
    assert ran.returncode != 0
    assert "it needs orders:read" in ran.stderr
    assert "resource_not_allowed, request " in ran.stderr


def test_the_settings_page_leads_to_the_documentation(page: Page, store: Store) -> None:
    page.goto(KEYS)
    page.get_by_role("link", name="Getting started").click()
    expect(page.get_by_role("heading", name="Getting started")).to_be_visible()
    expect(page.locator("#read_orders-sh")).to_contain_text("/v1/stores/267418190/orders/")
    page.get_by_role("link", name="API reference").click()
    expect(page.get_by_role("heading", name="API reference")).to_be_visible()


def test_an_example_is_copied(page: Page) -> None:
    page.goto("/docs/api-keys/")
    example = page.get_by_role("region", name="Read orders in Python")
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
