"""Canaries: made to be found, off for good, told at once, and nothing tells them from a key that is off."""

import re
from collections import Counter
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import IntegrityError, OperationalError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apikeys import lifecycle
from apikeys.actors import Actor
from apikeys.lifecycle import StaleKey, create_canary
from apikeys.models import ApiKey, Email
from apikeys.usage.alarms import tell_of_alarm
from stores.models import Store
from tests.conftest import IssueKey, bearer, deliver_emails
from tests.key_requests import fail_at
from tests.routes import ROUTES

LITERALS = re.compile(r"'[^']*'|\b\d+\b")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
ELSEWHERE = ("/v1/nothing/", "/v1/stores/518203746/orders/", "/v1/projects/267418190/products/")
# A test of the routes compares them with the URLconf.
REQUESTS = [
    *(
        (route.method, route.path.format(store_id=267418190, id=1, prefix="19656ea", request_id=uuid4()))
        for route in ROUTES
    ),
    *((method, path) for method in METHODS for path in ELSEWHERE),
]


@pytest.fixture
def canary(store: Store, owner: User) -> tuple[ApiKey, str]:
    made = create_canary(store=store, name="Canary", place="README of the old repository", by=Actor(owner))
    deliver_emails().clear()
    return made


@pytest.mark.usefixtures("patient", "other_store")
def test_an_answer_is_that_to_a_key_which_is_off_and_takes_the_same_statements(
    client: Client, issue: IssueKey, owner: User, canary: tuple[ApiKey, str], settings: Any
) -> None:
    settings.RATE_LIMIT_PER_KEY = settings.RATE_LIMIT_FAILED_KEYS = 10**6
    off, plaintext = issue(access=["products:read"])
    lifecycle.deactivate_key(off, by=Actor(owner))
    codes: Counter[int] = Counter()
    for method, path in REQUESTS:
        answers, statements = [], []
        for key in (plaintext, canary[1]):
            with CaptureQueriesContext(connection) as queries:
                answers.append(
                    client.generic(method, path, content_type="application/json", headers=bearer(key))
                )
            statements.append([LITERALS.sub("?", query["sql"]) for query in queries])
        assert answers[0].status_code == answers[1].status_code, (method, path)
        assert fixed_part(answers[0]) == fixed_part(answers[1]), (method, path)
        assert statements[0] == statements[1], (method, path)
        codes[answers[0].status_code] += 1
    assert codes[401] > len(REQUESTS) / 2, codes


def fixed_part(answer: Any) -> tuple[Any, ...]:
    """The parts of an answer that another one to the same request has too: headers in order, and the body."""
    headers = [
        (name, "" if name == "RateLimit" or name.lower().endswith("request-id") else value)
        for name, value in answer.items()
    ]
    return headers, {**answer.json(), "request_id": ""} if answer.content else None


@pytest.mark.parametrize("path", ["/v1/stores/267418190/orders/", "/v1/api-key/", "/v1/nothing/at/all"])
def test_any_use_is_an_email_once_an_hour_and_needs_attention(
    client: Client, signed_in: Client, canary: tuple[ApiKey, str], path: str
) -> None:
    key, plaintext = canary
    for _ in range(3):
        client.get(path, headers=bearer(plaintext) | {"User-Agent": "finder/1"}, REMOTE_ADDR="203.0.113.9")
    (email,) = deliver_emails()
    assert email.subject == f"Canary key {key.prefix} was used: Canary"
    for fact in ("README of the old repository", f"GET {path}", "203.0.113.9", "finder/1"):
        assert fact in email.body
    assert plaintext not in email.body
    page = signed_in.get(f"/stores/{key.store_id}/settings/api-keys/").text
    assert "A canary was found: <bdi>Canary</bdi>" in page
    assert "from 203.0.113.9 (network 203.0.113.0/24) with finder/1" in page


def test_an_alarm_that_could_not_be_queued_is_told_at_the_next_request(canary: tuple[ApiKey, str]) -> None:
    request = (canary[0].pk, "GET /v1/", "192.0.2.1", "curl", timezone.now().isoformat())
    with connection.execute_wrapper(fail_at(Email._meta.db_table)), pytest.raises(OperationalError):
        tell_of_alarm.func(*request)
    tell_of_alarm.func(*request)
    assert len(deliver_emails()) == 1


def test_alarms_within_an_hour_are_one_email_wherever_it_begins(canary: tuple[ApiKey, str]) -> None:
    with time_machine.travel("2026-11-23 10:59:59Z", tick=False) as clock:
        for pause, told in ((0, 1), (2, 1), (60 * 60, 2)):
            clock.shift(pause)
            tell_of_alarm.func(canary[0].pk, "GET /v1/", "192.0.2.1", "curl", timezone.now().isoformat())
            assert len(deliver_emails()) == told


def test_nobody_can_switch_it_on(canary: tuple[ApiKey, str], owner: User) -> None:
    key, _ = canary
    assert not key.is_reactivatable
    with pytest.raises(StaleKey):
        lifecycle.reactivate_key(key, by=Actor(owner), version=key.version)
    with pytest.raises(IntegrityError, match="api_key_canary_is_off_for_good"), transaction.atomic():
        ApiKey.objects.update(deactivated_at=None)
    assert not ApiKey.objects.usable().exists()
    assert key.status == "canary"


def test_add_canary_shows_the_key_once_and_lists_it_apart(signed_in: Client, store: Store) -> None:
    page = f"/stores/{store.pk}/settings/api-keys/"
    assert "Enter where you put it." in signed_in.post(f"{page}canaries/new/", {"name": "A"}).text
    shown = signed_in.post(f"{page}canaries/new/", {"name": "A", "place": "Shared drive"}, follow=True)
    key = ApiKey.objects.get()
    assert f"{key.prefix}." in shown.text
    assert (key.is_canary, key.note, key.expires_at) == (True, "Shared drive", None)
    assert ">Canary<" in signed_in.get(page).text
