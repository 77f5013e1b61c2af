"""The documentation says what the server does, and its examples run as a reader would run them."""

import html
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from apikeys.api import rate_limits
from apikeys.api.exceptions import ApiError
from reflow.api.docs import EXAMPLE_LANGUAGES, TWO_LANGUAGES
from stores.models import Coupon, Order, Store
from tests import programs
from tests.conftest import IssueKey
from tests.specimens import make_specimens

GUIDE = "/docs/api-keys/"
COMMANDS = {
    "sh": ["sh"],
    "requests.py": [sys.executable],
    "httpx.py": [sys.executable],
    "js": ["node", "--input-type=module"],
}
ORDERS = ["1001 pending $14.95", "1002 pending $14.95"]


def code_on_page(origin: str, example: str) -> str:
    """An example as it stands on the page, for a reader who opened it at this origin."""
    page = Client().get(GUIDE, headers={"Host": origin.removeprefix("http://")}).content.decode()
    found = re.search(rf'<pre id="{example.replace(".", "-")}"[^>]*>(.*?)</pre>', page, re.DOTALL)
    assert found, example
    return html.unescape(found[1])


def run(suffix: str, code: str, key: str, cwd: Path | None = None) -> "subprocess.CompletedProcess[str]":
    command = COMMANDS[suffix]
    if not shutil.which(command[0]):
        programs.skip(f"Install {command[0]} to run it.")
    environment = {"PATH": os.environ["PATH"], "REFLOW_API_KEY": key}
    return subprocess.run(
        command, input=code, env=environment, cwd=cwd, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("suffix", EXAMPLE_LANGUAGES)
def test_an_example_reads_the_orders(
    live_server: Any, store: Store, issue: IssueKey, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    """Each program, one order a page; that which reads all is told once to come back a second later."""
    make_specimens(store)
    _, key = issue(access=["orders:read"])
    counted: list[str] = []

    def refuse_second(request: Any, key: Any) -> None:
        counted.append(request.path)
        if name == "read_all_orders" and len(counted) == 2:
            raise ApiError("rate_limited", wait=1)

    monkeypatch.setattr(rate_limits, "count_key", refuse_second)
    for name in ("read_orders", "read_order_pages", "read_all_orders"):
        counted.clear()
        code = code_on_page(live_server.url, f"{name}-{suffix}").replace("perpage=100", "perpage=1")
        ran = run(suffix, code, key)
        assert ran.returncode == 0, ran.stderr
        if suffix != "sh":
            assert sorted(ran.stdout.splitlines()) == ORDERS
        elif name == "read_orders":
            assert '"number":1002' in ran.stdout
        else:
            assert ran.stdout.index('"number":1002') < ran.stdout.index('"number":1001')
    assert len(counted) == 3


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("suffix", TWO_LANGUAGES)
def test_an_example_writes_and_follows_changes(
    live_server: Any, store: Store, issue: IssueKey, tmp_path: Path, suffix: str
) -> None:
    make_specimens(store)
    Coupon.objects.all().delete()
    _, key = issue(access=["orders:write", "coupons:write"])
    outputs = {}
    for name in ("change_order", "create_coupon", "follow_changes"):
        ran = run(suffix, code_on_page(live_server.url, f"{name}-{suffix}"), key, cwd=tmp_path)
        assert ran.returncode == 0, ran.stderr
        outputs[name] = ran.stdout
    assert "Packed." in outputs["change_order"]
    assert Order.objects.get(number=1002).note == "Packed."
    assert Coupon.objects.get().code == "WINTER"
    feed = outputs["follow_changes"]
    assert "coupons" in feed
    assert "orders" in feed


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("suffix", EXAMPLE_LANGUAGES)
def test_an_example_says_why_it_was_refused(
    live_server: Any, store: Store, issue: IssueKey, suffix: str
) -> None:
    _, key = issue(access=["products:read"])
    ran = run(suffix, code_on_page(live_server.url, f"read_all_orders-{suffix}"), key)
    assert ran.returncode != 0
    assert "it needs orders:read" in ran.stderr
    assert "resource_not_allowed" in ran.stderr
