"""Daily work is one command, that may run twice; the worker. test_doctor.py has a step that fails."""

import logging
from datetime import timedelta
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import OperationalError
from django.test import Client
from django.utils import timezone
from django_tasks_db.management.commands import db_worker
from django_tasks_db.models import DBTaskResult

from apikeys.models import ApiKey, Email, Usage
from tests.conftest import deliver_emails

LONG_AGO = timezone.now() - timedelta(days=1000)


def test_what_is_old_is_removed_however_often_it_runs(key: ApiKey) -> None:
    deliver_emails()
    Email.objects.update(sent_at=LONG_AGO)
    DBTaskResult.objects.update(status="SUCCESSFUL", finished_at=LONG_AGO)
    Session.objects.create(session_key="old", session_data="", expire_date=LONG_AGO)
    Usage.objects.create(
        store_id=key.store_id, key=key, day=LONG_AGO.date(), outcome="succeeded", requests=1, last_at=LONG_AGO
    )
    for _ in range(2):
        call_command("daily")
        for model in (Email, DBTaskResult, Session, Usage):
            assert not model._default_manager.exists()


def test_records_of_ended_sign_ins_are_removed_and_others_stay(signed_in: Client, owner: User) -> None:
    ended = {"user": owner, "ip": "192.0.2.1", "user_agent": "Mozilla/5.0"}
    UserSession.objects.create(session_key="ended", **ended)
    Session.objects.create(session_key="expired", session_data="", expire_date=LONG_AGO)
    UserSession.objects.create(session_key="expired", **ended)
    call_command("daily")
    assert UserSession.objects.get().session_key == signed_in.session.session_key


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
