"""The worker of background tasks. tests/resilience has it send e-mails through faults."""

import logging
from typing import Any

import pytest
from django.core.management import call_command
from django.db import OperationalError
from django_tasks_db.management.commands import db_worker


@pytest.mark.django_db
def test_worker_says_once_that_the_database_is_away_and_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    outcomes = iter([OperationalError("the server closed\nthe connection"), None])

    def handle(self: Any, **options: Any) -> None:
        if error := next(outcomes):
            raise error

    monkeypatch.setattr(db_worker.Command, "handle", handle)
    with caplog.at_level(logging.WARNING):
        call_command("db_worker")
    assert caplog.messages == [
        "Background tasks wait: the database is away (the server closed the connection)",
        "Background tasks are run again",
    ]
    assert not any(record.exc_info for record in caplog.records)
