"""The trace of a request for operators: its line in the log, and the counts that Prometheus reads."""

import json
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client
from prometheus_client import REGISTRY

from stores.models import Store
from tests.conftest import IssueKey, bearer
from tests.reflow.observability.formatters import JSON, TEXT

TOKEN = "a3f1c2d4e5b6978877665544332211ff"


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """The requests' lines as they are written."""
    records = [record for record in caplog.records if record.name == "reflow.requests"]
    return [json.loads(JSON.format(record)) for record in records]


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "reflow.requests")
    return caplog


def test_a_request_is_one_line(
    client: Client, store: Store, issue: IssueKey, log: pytest.LogCaptureFixture
) -> None:
    key, plaintext = issue(access=["orders:read"])
    orders = f"/v1/stores/{store.pk}/orders/"
    answer = client.get(f"{orders}?search=ada@example.com", headers=bearer(plaintext))
    (line,) = lines(log)
    assert datetime.now(UTC) - datetime.fromisoformat(line.pop("time")) < timedelta(minutes=1)
    assert line.pop("request_id") == answer["X-Request-Id"]
    assert 0 < line.pop("ms") < 60_000
    assert line == {
        "level": "INFO",
        "logger": "reflow.requests",
        "message": f"GET {orders} 200",
        "method": "GET",
        "path": orders,
        "status": 200,
        "key": key.prefix,
        "store": str(store.pk),
        "resource": "orders",
        "outcome": "succeeded",
    }


def test_the_line_says_what_became_of_it(
    client: Client, store: Store, issue: IssueKey, log: pytest.LogCaptureFixture
) -> None:
    key, plaintext = issue(access=["orders:read"])
    for path, headers in [
        (f"/v1/stores/{store.pk}/customers/", bearer(plaintext)),
        (f"/v1/stores/{store.pk}/orders/9", bearer(plaintext)),
        (f"/v1/stores/{store.pk}/products/", {}),
        ("/v1/api-key/", bearer(plaintext)),
        ("/v1/nothing", {}),
        (f"/v1/{plaintext}", {}),
        ("/accounts/login/", {}),
        ("/accounts/password/reset/key/1-cz2n8m-4bb9a8e4/", {}),
        (f"/stores/{store.pk}/settings/api-keys/", {}),
    ]:
        client.get(path, headers=headers)
    said = [[line[name] for name in ("resource", "status", "outcome", "key", "store")] for line in lines(log)]
    assert said == [
        ["customers", 401, "refused", key.prefix, str(store.pk)],
        ["orders", 404, "failed", key.prefix, str(store.pk)],
        ["products", 200, "succeeded", None, str(store.pk)],
        ["api", 200, "succeeded", key.prefix, str(store.pk)],
        ["api", 404, "failed", None, None],
        ["api", 404, "failed", None, None],
        ["pages", 200, "succeeded", None, None],
        ["pages", 200, "succeeded", None, None],
        ["pages", 302, "succeeded", None, str(store.pk)],
    ]
    assert plaintext.split(".")[1] not in json.dumps(lines(log))
    assert "cz2n8m" not in json.dumps(lines(log))


def test_an_unknown_host_names_the_variable(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    assert client.get("/accounts/login/", HTTP_HOST="shop.lan:8000").status_code == 400
    (record,) = [record for record in caplog.records if "DisallowedHost" in record.name]
    assert record.getMessage().endswith("You may need to add 'shop.lan' to ALLOWED_HOSTS.")


def test_an_odd_request_id_is_no_warning(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    for request_id in ("nonsense", "%0a" * 50, "1" * 200):
        client.get("/docs/", headers={"X-Request-Id": request_id})
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_what_is_asked_all_the_time_is_not_logged(client: Client, log: pytest.LogCaptureFixture) -> None:
    client.get("/healthz")
    assert lines(log) == []


def test_no_path_looks_like_another_record_or_commands_a_terminal(
    client: Client, log: pytest.LogCaptureFixture
) -> None:
    client.get("/docs/%0a2026-11-25 ERROR forged%1b[31m%7f%c2%9b31m%e2%80%a8%0d")
    (record,) = [record for record in log.records if record.name == "reflow.requests"]
    first, *others = TEXT.format(record).split("\n")
    assert "GET /docs/" in first
    assert all(line.startswith("    ") for line in others)
    assert "\n".join([first, *others]).replace("\n", "").isprintable()
    assert JSON.format(record).isascii()
    assert JSON.format(record).isprintable()


@pytest.mark.parametrize("fault", [ZeroDivisionError, OperationalError])
@pytest.mark.parametrize(
    "path", ["/v1/stores/267418190/products/", "/v1/api-key/", "/stores/267418190/settings/api-keys/"]
)
def test_a_fault_is_one_error_line_and_one_count(
    signed_in: Client,
    issue: IssueKey,
    path: str,
    fault: type[Exception],
    caplog: pytest.LogCaptureFixture,
) -> None:
    signed_in.raise_request_exception = False
    _, plaintext = issue()
    before = REGISTRY.get_sample_value("reflow_errors_total") or 0

    def fail(*args: Any) -> None:
        raise fault

    with connection.execute_wrapper(fail):
        answer = signed_in.get(path, headers=bearer(plaintext) if path == "/v1/api-key/" else {})
    assert answer.status_code == (503 if fault is OperationalError else 500)
    assert len([record for record in caplog.records if record.levelno >= logging.WARNING]) == 1
    assert REGISTRY.get_sample_value("reflow_errors_total") == before + 1


def counted(**labels: str) -> float:
    return REGISTRY.get_sample_value("reflow_requests_total", labels) or 0


def test_requests_are_counted_by_resource_method_and_outcome(
    client: Client, store: Store, issue: IssueKey
) -> None:
    _, plaintext = issue(access=["orders:read"])
    orders = {"resource": "orders", "method": "GET"}
    before = [counted(**orders, outcome=outcome) for outcome in ("succeeded", "refused")]
    for headers in (bearer(plaintext), bearer(plaintext), {}):
        client.get(f"/v1/stores/{store.pk}/orders/", headers=headers)
    after = [counted(**orders, outcome=outcome) for outcome in ("succeeded", "refused")]
    assert [new - old for old, new in zip(before, after, strict=True)] == [2, 1]


def test_methods_that_nobody_knows_share_a_name(client: Client, store: Store) -> None:
    before = counted(resource="orders", method="other", outcome="refused")
    for method in ("BREW", "PUT"):
        client.generic(method, f"/v1/stores/{store.pk}/orders/")
    assert counted(resource="orders", method="other", outcome="refused") == before + 2


@pytest.mark.django_db
def test_metrics_are_for_whoever_has_the_token(client: Client, settings: Any) -> None:
    assert client.get("/metrics", headers=bearer("")).status_code == 404
    settings.METRICS_TOKEN = TOKEN
    for headers in ({}, bearer(""), bearer(TOKEN[:-1]), {"Authorization": TOKEN}, bearer("é")):
        answer = client.get("/metrics", headers=headers)
        assert (answer.status_code, answer["WWW-Authenticate"]) == (401, 'Bearer realm="Reflow metrics"')
        assert b"reflow_" not in answer.content
    answer = client.get("/metrics", headers=bearer(TOKEN))
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"
    assert b"# TYPE reflow_request_seconds histogram" in answer.content
