"""The whole product once, on real parts: from the one command to the answer that a deleted key gets."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from stores.demo import NORTHWOOD_ID
from tests.server import Served, Visitor, call_api, served

ORDERS = f"/v1/stores/{NORTHWOOD_ID}/orders/"
KEYS = f"/stores/{NORTHWOOD_ID}/settings/api-keys/"
WHOLE_KEY = re.compile(r"\b[0-9a-f]{7}\.[0-9a-f]{27}\b")


@pytest.fixture(scope="module")
def database_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('database') / 'db.sqlite3'}"


@pytest.fixture(scope="module")
def first_run(database_url: str) -> Iterator[ExitStack]:
    """Closing it stops the site."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, first_run: ExitStack, database_url: str) -> Served:
    return first_run.enter_context(served(tmp_path_factory.mktemp("site"), database_url))


@pytest.fixture(scope="module")
def owner(site: Served) -> Visitor:
    visitor = Visitor(site)
    visitor.sign_in("owner@example.com")
    return visitor


def create_key(visitor: Visitor, keys: str, name: str, *access: str) -> str:
    """A new key's plaintext, as the page shows it."""
    created = visitor.send(f"{keys}new/", name=name, expiry="never", access=list(access))
    assert created.status_code == 200, created.text
    shown = WHOLE_KEY.search(created.text)
    assert shown is not None, created.text
    return shown[0]


def test_the_printed_curl_works(site: Served) -> None:
    printed = re.search(r"Bearer ([^']+)' \\\n +'http://[^/]+(/[^']+)'", site.printed)
    assert printed is not None, site.printed
    key, path = printed.groups()
    assert path == ORDERS
    assert call_api(site, path, key).status_code == 200


def test_the_whole_key_is_shown_once_and_kept_nowhere(site: Served, owner: Visitor) -> None:
    key = create_key(owner, KEYS, "Shown once", "orders:read", "products:write")
    prefix, secret = key.split(".")
    assert call_api(site, ORDERS, key).status_code == 200
    assert call_api(site, ORDERS + "?page=none", key).status_code == 400
    assert call_api(site, f"/v1/stores/{NORTHWOOD_ID}/customers/", key).status_code == 401

    (page,) = [page for page in owner.seen if secret in page]
    owner.seen.clear()
    later = [
        "created/", "", "new/", f"?q={prefix}", f"{prefix}/", f"{prefix}/edit/", f"{prefix}/deactivate/",
        f"{prefix}/roll/", f"{prefix}/delete/", f"{prefix}/callers/", "requests/", "activity/",
    ]  # fmt: skip
    for path in later:
        assert owner.get(KEYS + path).status_code == 200
    # 204 until the request has been counted.
    assert owner.get(f"{KEYS}{prefix}/first-request/").status_code in {200, 204}
    owner.send(f"{KEYS}{prefix}/edit/", name="Shown once, renamed", expiry="30", access=["orders:read"])
    owner.send(f"{KEYS}{prefix}/deactivate/")
    assert any(prefix in page for page in owner.seen)
    assert not any(secret in page for page in owner.seen)

    assert secret in page
    assert prefix in site.dump()
    assert secret not in site.dump()
    assert secret not in site.printed


def test_a_second_run_loses_nothing(
    site: Served, owner: Visitor, first_run: ExitStack, database_url: str, tmp_path: Path
) -> None:
    """Stopping the server writes what it had counted, and the next one goes on from there."""
    key = create_key(owner, KEYS, "Survives", "orders:read")
    for _ in range(20):
        assert call_api(site, ORDERS, key).status_code == 200
    first_run.close()
    with served(tmp_path, database_url) as second:
        owner.site = second
        assert call_api(second, "/v1/api-key/", key).json()["usage"]["orders"]["succeeded"] == 20
        assert "Survives" in owner.get(KEYS).text
        assert second.printed.count("Bearer ") == 1
