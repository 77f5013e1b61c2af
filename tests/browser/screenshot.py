"""``python -m tests.browser.screenshot`` draws the README's picture: the demo owner's settings page."""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests import chromium
from tests.server import PASSWORD, served

PICTURE = Path(__file__).parents[2] / ".github" / "screenshot.png"


def main() -> int:
    arguments = chromium.find()
    if arguments is None:
        print(chromium.REMEDY, file=sys.stderr)
        return 1
    PICTURE.parent.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        served(Path(folder), f"sqlite:///{folder}/db.sqlite3") as site,
        sync_playwright() as playwright,
    ):
        page = playwright.chromium.launch(**arguments).new_page(viewport={"width": 1440, "height": 900})
        page.goto(f"{site.url}/accounts/login/")
        page.locator("[name=login]").fill("owner@example.com")
        page.locator("[name=password]").fill(PASSWORD)
        page.locator("[name=password]").press("Enter")
        page.wait_for_url("**/api-keys/")
        page.goto(f"{page.url}?sort=-requests")
        page.screenshot(path=PICTURE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
