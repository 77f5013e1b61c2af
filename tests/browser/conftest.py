"""A real browser on the real site, whose static files are collected and served as in production."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test.utils import override_settings
from pytest_django.live_server_helper import LiveServer

from tests import chromium


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    """Launch the browser that starts here; without one, skip, or with CI=true fail."""
    arguments = chromium.find()
    if arguments is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(chromium.REMEDY)
    return arguments


@pytest.fixture(scope="session")
def live_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """The site on a port of its own, its static files hashed and served by WhiteNoise."""
    storage = {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}
    with override_settings(
        STATIC_ROOT=tmp_path_factory.mktemp("static"),
        STORAGES={**settings.STORAGES, "staticfiles": storage},
    ):
        call_command("collectstatic", interactive=False, verbosity=0)
        server = LiveServer("127.0.0.1", start=False)
        # Django's own handler would serve the files unhashed, and get in before WhiteNoise.
        server.thread.static_handler = lambda application: application  # type: ignore[assignment]
        server.start()
        yield server
        server.stop()


@pytest.fixture(scope="session")
def base_url(live_server: LiveServer) -> str:
    """Where a relative address, such as that of ``page.goto("/")``, leads."""
    return live_server.url
