"""A flood of everything that must not be written down, through every way into the log, and a search of it."""

import io
import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory, override_settings
from django.urls import path
from django.utils.log import log_response

from apikeys import key_text
from tests.reflow.observability.formatters import JSON, TEXT

_, KEY = key_text.generate()
SECRET = KEY.split(".")[1]
SESSION = "z6q1t9x2w5y8u3i7o4p0"
PASSWORD = "Zm9yIG5vYm9keTphdCBhbGw="
HEADERS = {
    "Authorization": f"Bearer {KEY}",
    "Cookie": f'theme="dark"; sessionid={SESSION}; created_api_key="{KEY}"',
}
RESET = "/accounts/password/reset/key/1-cz2n8m-4bb9a8e4c1d7c1f1ab3de1f7b0d6f2f1/"
OPENS_A_DOOR = ("cz2n8m-4bb9", SECRET, SECRET[:12], SECRET.upper(), SESSION, PASSWORD)


class Unlucky(Exception):
    pass


def fails(key: str) -> None:
    raise Unlucky(f"No luck with {key} of {HEADERS}")


def chained() -> None:
    try:
        fails(KEY)
    except Unlucky as error:
        raise Unlucky("Nor with this") from error


def log_exception(logger: logging.Logger) -> None:
    try:
        chained()
    except Unlucky as error:
        error.add_note(f"It was {KEY}")
        logger.exception("Failed with %s", KEY)


def log_response_of(logger: logging.Logger) -> None:
    request = RequestFactory().get(f"/v1/{KEY}", {"key": KEY}, headers=HEADERS)
    log_response(
        "%s: %s", "Not Found", request.path, response=HttpResponse(status=500), request=request, logger=logger
    )


WAYS: dict[str, Callable[[logging.Logger], None]] = {
    "message": lambda log: log.error(f"It was {KEY}"),
    "upper case": lambda log: log.error("It was %s", KEY.upper()),
    "in part": lambda log: log.error("It was %s…", KEY[:-5]),
    "address": lambda log: log.error("GET /v1/orders?key=%s", KEY.replace(".", "%2E")),
    "encoded twice": lambda log: log.error("GET /docs/%s", KEY.replace(".", "%252e")),
    "mailed address": lambda log: log.error("Internal Server Error: %s", RESET),
    "arguments": lambda log: log.warning("%s and %r", KEY, {"key": KEY}),
    "named": lambda log: log.warning("%(key)s", {"key": KEY}),
    "object": lambda log: log.info(Unlucky(KEY)),
    "headers": lambda log: log.info("Got %s", HEADERS),
    "header lines": lambda log: log.info("".join(f"{name}: {value}\r\n" for name, value in HEADERS.items())),
    "header pairs": lambda log: log.info(list(HEADERS.items())),
    "bytes": lambda log: log.info([(name.encode(), value.encode()) for name, value in HEADERS.items()]),
    "other scheme": lambda log: log.info("Authorization: Basic %s", PASSWORD),
    "scheme alone": lambda log: log.info("He sent basic %s", PASSWORD),
    "environ": lambda log: log.info(RequestFactory().get("/", headers=HEADERS).META),
    "cookies": lambda log: log.info({"sessionid": SESSION}),
    "exception": log_exception,
    "stack": lambda log: log.info("Here", stack_info=True),
    "extra": lambda log: log.info("Asked", extra={"key": KEY, "headers": HEADERS, "deep": {"a": [KEY]}}),
    "request": log_response_of,
}  # fmt: skip
LOGGERS = ("root", "django.request", "gunicorn.error")


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """Lines that handlers write with each of our formatters."""
    stream = io.StringIO()
    handlers = []
    for formatter in (JSON, TEXT):
        handler = logging.StreamHandler(stream)
        handler.setFormatter(formatter)
        handlers.append(handler)
    for handler in handlers:
        logging.getLogger().addHandler(handler)
    yield stream
    for handler in handlers:
        logging.getLogger().removeHandler(handler)


@pytest.mark.parametrize("way", WAYS)
def test_nothing_that_opens_a_door_is_written(
    way: str, written: io.StringIO, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    for name in LOGGERS:
        caplog.set_level(logging.INFO, name)
        WAYS[way](logging.getLogger(name))
    _, errors = capfd.readouterr()
    for text in (written.getvalue(), errors):
        for secret in OPENS_A_DOOR:
            assert secret not in text
    assert written.getvalue().count("\n") >= 2 * len(LOGGERS)


@pytest.mark.parametrize("formatter", [JSON, TEXT])
def test_what_utf_8_does_not_have_is_written_all_the_same(formatter: logging.Formatter) -> None:
    line = formatter.format(logging.makeLogRecord({"msg": "\ud800 %s", "args": (KEY,)}))
    assert SECRET not in line
    assert "ud800" in line.encode().decode()


PROCESS = """
import logging, sys, warnings
import django
django.setup()
key = sys.stdin.read()
warnings.warn(f"An old key: {key}")
logging.getLogger("gunicorn.error").error("Error handling request /?key=%s", key)
broken = logging.StreamHandler(open("/dev/full", "w"))
logging.getLogger("apikeys").addHandler(broken)
logging.getLogger("apikeys").error(key)
logging.getLogger("apikeys").error("%d of them", key)
logging.getLogger("apikeys").error("Nothing to fill in", key)
"""


def test_nor_by_warnings_and_handlers_that_fail() -> None:
    environment = {
        "ENV_FILE": os.devnull,
        "DJANGO_SETTINGS_MODULE": "reflow.settings",
        "SECRET_KEY": "long and random enough for this, with 50 characters and more",
    }
    process = subprocess.run(
        [sys.executable, "-c", PROCESS],
        cwd=settings.BASE_DIR,
        env=environment,
        input=KEY,
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [json.loads(line) for line in process.stderr.splitlines()]
    assert [line["logger"] for line in lines] == ["py.warnings", "gunicorn.error", "apikeys"]
    assert SECRET not in process.stderr


# What DEBUG shows of an exception, and what would be mailed of one.


def failing(request: HttpRequest) -> HttpResponse:
    header = request.headers["Authorization"]
    connection = {"Authorization": f"Custom {PASSWORD}"}
    raise Unlucky(f"No luck with {header} and {connection}")


urlpatterns = [path("failing/", failing)]


@override_settings(ROOT_URLCONF=__name__, DEBUG=True)
def test_the_page_that_debug_shows_hides_it_too() -> None:
    client = Client(raise_request_exception=False)
    client.cookies["sessionid"] = SESSION
    for accepted in ("text/html", "text/plain"):
        headers = {"Authorization": HEADERS["Authorization"], "Accept": accepted}
        response = client.post(f"/failing/?key={KEY}", {"key": KEY}, headers=headers)
        page = response.content.decode()
        assert response.status_code == 500
        assert "No luck with" in page
        for secret in OPENS_A_DOOR:
            assert secret not in page
