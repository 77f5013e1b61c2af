"""The Chromium that the tests drive: ``python -m tests.chromium`` makes sure that there is one.

It is the first of these that starts: what E2E_BROWSER names, Playwright's own download, one on the PATH.
Where none does, Playwright's is downloaded, or as root on Debian the distribution's is installed.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from playwright.sync_api import Error, sync_playwright

from tests import programs
from tests.programs import Unavailable

REMEDY = "No Chromium starts here: install one, or name it as E2E_BROWSER=/path/to/chromium."

# Quiet: no look-ups, downloads or first-run pages of the browser's own.
FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# The first has no window to draw, and takes two thirds of the time.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome-stable", "google-chrome")


def main() -> int:
    """Find a browser or install one; returns 1, with one line, where neither is possible."""
    if find() or any(find() for _ in installed()):
        return 0
    print(REMEDY, file=sys.stderr)
    return 1


def find() -> dict[str, Any] | None:
    """The arguments to launch a browser that starts, for Playwright; None where there is no such browser."""
    with sync_playwright() as playwright:
        for arguments in candidates():
            try:
                playwright.chromium.launch(**arguments).close()
            except Error:
                continue
            return arguments
    return None


def candidates() -> Iterator[dict[str, Any]]:
    # Chromium's sandbox cannot be set up by root.
    common = {"args": [*FLAGS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]}
    if named := os.environ.get("E2E_BROWSER"):
        yield {**common, "executable_path": named}
    yield common
    for name in NAMES:
        if path := shutil.which(name):
            yield {**common, "executable_path": path}


def installed() -> Iterator[None]:
    """Install one browser after the other, the one that needs no rights first."""
    print("Looking for a browser …", flush=True)
    subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], capture_output=True)
    yield
    for package in NAMES[:2]:
        with suppress(Unavailable):
            programs.get(package, package)
            yield


if __name__ == "__main__":
    sys.exit(main())
