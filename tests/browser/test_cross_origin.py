"""A shop's front end on another origin calls the API from the browser, as published clients do."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from playwright.sync_api import Page

from stores.models import Store
from tests.conftest import IssueKey

CALL = """async ([url, headers, credentials]) => {
  try {
    const answer = await fetch(url, { headers, credentials });
    const exposed = Object.fromEntries(
      ["X-Request-Id", "RateLimit", "WWW-Authenticate"].map((name) => [name, answer.headers.get(name)]),
    );
    return { status: answer.status, body: await answer.json(), exposed };
  } catch (error) {
    return { blocked: error.name };
  }
}"""


FRAME = """(url) => new Promise((loaded) => {
  const frame = document.createElement("iframe");
  frame.addEventListener("load", loaded);
  frame.src = url;
  document.body.append(frame);
})"""


class BlankPage(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><link rel=icon href=data:,><title>A shop</title>")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the name is the library's
        """A test run has nothing to say about each request."""


@pytest.fixture(scope="module")
def shop() -> Iterator[str]:
    """The address of a page on an origin of its own."""
    server = HTTPServer(("127.0.0.1", 0), BlankPage)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def front_end(shop: str, browser: Any, store: Store) -> Iterator[Page]:
    context = browser.new_context()
    page = context.new_page()
    page.goto(shop)
    yield page
    context.close()


def test_a_page_elsewhere_calls_the_api_with_and_without_a_key(
    front_end: Page, base_url: str, issue: IssueKey
) -> None:
    products = f"{base_url}/v1/stores/267418190/products/?perpage=100"
    orders = f"{base_url}/v1/stores/267418190/orders?page=1&perpage=100&order=date_asc"
    answer = front_end.evaluate(CALL, [products, {}, "omit"])
    assert (answer["status"], answer["body"]["data"]) == (200, [])
    assert answer["exposed"]["X-Request-Id"]
    answer = front_end.evaluate(CALL, [orders, {"Authorization": f"Bearer {issue()[1]}"}, "omit"])
    assert answer["status"] == 200
    assert answer["exposed"]["RateLimit"].startswith('"key";r=')
    answer = front_end.evaluate(CALL, [orders, {}, "omit"])
    assert answer["body"]["code"] == "api_key_missing"
    assert answer["exposed"]["WWW-Authenticate"] == 'Bearer realm="Reflow API"'


def test_a_page_elsewhere_gets_nothing_with_cookies_and_shows_no_page_in_a_frame(
    front_end: Page, base_url: str
) -> None:
    for path in ("/v1/stores/267418190/products/", "/stores/267418190/settings/api-keys/"):
        assert front_end.evaluate(CALL, [f"{base_url}{path}", {}, "include"]) == {"blocked": "TypeError"}
    front_end.evaluate(FRAME, f"{base_url}/accounts/login/")
    (frame,) = front_end.frames[1:]
    assert frame.url.startswith("chrome-error:")
