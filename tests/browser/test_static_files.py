"""The pages' own files, as a browser gets them in production."""

import re

from playwright.sync_api import Page, Response, expect


def test_style_and_scripts_are_named_by_their_content_and_kept_for_ever(page: Page) -> None:
    files: list[Response] = []
    page.on("response", lambda response: files.append(response) if "/static/" in response.url else None)
    page.goto("/accounts/login/")
    assert files
    for file in files:
        assert file.status == 200, file.url
        assert re.search(r"\.[0-9a-f]{12}\.\w+$", file.url), file.url
        assert "immutable" in file.headers["cache-control"]


def test_nothing_on_the_page_breaks_its_own_security_policy(page: Page) -> None:
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.goto("/accounts/login/")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    assert complaints == []
