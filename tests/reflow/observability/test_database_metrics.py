"""Metrics that warn operators when e-mail does not get out, or connections run out."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.test import Client
from django.utils import timezone
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from apikeys.models import Email
from reflow.observability.database_metrics import FROM_DATABASE
from tests.conftest import bearer

TOKEN = "of nobody, but long enough to be one"


def figures() -> dict[str, float]:
    families = text_string_to_metric_families(generate_latest(FROM_DATABASE).decode())
    return {sample.name: sample.value for family in families for sample in family.samples}


def emails() -> dict[str, float]:
    return {name: value for name, value in figures().items() if name.startswith("reflow_emails_")}


@pytest.mark.django_db
def test_the_queue_is_told_by_length_age_and_failures() -> None:
    now = timezone.now()
    Email.objects.create(created_at=now - timedelta(minutes=10))
    Email.objects.create(created_at=now - timedelta(minutes=1))
    Email.objects.create(created_at=now - timedelta(hours=1), sent_at=now)
    Email.objects.create(created_at=now - timedelta(hours=2), failed_at=now)
    found = emails()
    assert found.pop("reflow_emails_oldest_seconds") == pytest.approx(600, abs=60)
    assert found == {"reflow_emails_waiting": 2, "reflow_emails_failed": 1}


@pytest.mark.django_db
def test_an_empty_queue_has_no_age() -> None:
    assert set(emails().values()) == {0}


@pytest.mark.django_db
def test_connections_are_told_with_their_maximum() -> None:
    found = figures()
    if connection.vendor == "sqlite":
        assert not any(name.startswith("reflow_database_") for name in found)
    else:
        assert 1 <= found["reflow_database_connections"] < found["reflow_database_connections_max"]


def test_without_the_database_the_other_metrics_are_there(
    client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise DatabaseError

    monkeypatch.setattr(Email.objects, "aggregate", fail)
    settings.METRICS_TOKEN = TOKEN
    answer = client.get("/metrics", headers=bearer(TOKEN))
    assert answer.status_code == 200
    assert b"reflow_emails" not in answer.content
    assert b"reflow_requests" in answer.content
