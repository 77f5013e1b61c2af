"""A roll that knows when it is done: who has moved, who has not, and what the owners are told."""

from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from apikeys import lifecycle
from apikeys.actors import Actor
from apikeys.insight.callers import moves_of
from apikeys.models import ApiKey
from apikeys.usage import recorder
from tests.conftest import IssueKey, deliver_emails
from tests.key_requests import make_request


def call(key: ApiKey, client: str, *, hours: int = 0) -> None:
    recorder.record(make_request(key, at=timezone.now() + timedelta(hours=hours), client=client))


@pytest.fixture
def rolled(issue: IssueKey, owner: User) -> tuple[ApiKey, ApiKey]:
    """A rolled key with three callers: the first has moved, the second has not, the third is silent."""
    old, _ = issue()
    for client in ("first", "second", "third"):
        call(old, client, hours=-1)
    new, _ = lifecycle.roll_key(old, by=Actor(owner), overlap=timedelta(hours=24))
    call(new, "first", hours=1)
    call(old, "second", hours=1)
    deliver_emails().clear()
    return old, new


def test_the_page_tells_who_has_moved(signed_in: Client, rolled: tuple[ApiKey, ApiKey]) -> None:
    assert [(move.client, move.state) for move in moves_of(rolled[0]) or ()] == [
        ("second", "old"), ("third", "silent"), ("first", "moved"),
    ]  # fmt: skip
    for key in rolled:
        page = signed_in.get(f"/stores/{key.store_id}/settings/api-keys/{key.prefix}/").text
        for sentence in ("Still on the old key", "Silent", "Moved", "End the old key now"):
            assert sentence in page


def test_owners_are_told_once_when_all_have_moved_and_end_the_key(
    signed_in: Client, rolled: tuple[ApiKey, ApiKey]
) -> None:
    old, new = rolled
    call_command("hourly")
    assert deliver_emails() == []
    for client in ("second", "third"):
        call(new, client, hours=2)
    for _ in range(2):
        call_command("hourly")
    (email,) = deliver_emails()
    assert email.subject == f"All programs have moved from API key {old.prefix}: {old.name}"
    end = f"/stores/{old.store_id}/settings/api-keys/{old.prefix}/end-old/"
    page = signed_in.post(end, follow=True).text
    assert f"The old key {old.prefix} has ended" in page
    assert "End the old key now" not in page
    assert ApiKey.objects.usable().get() == new
    assert "The key has changed meanwhile" in signed_in.post(end, follow=True).text


def test_nobody_is_told_or_offered_to_end_a_key_that_was_given_no_end(
    signed_in: Client, rolled: tuple[ApiKey, ApiKey]
) -> None:
    old, new = rolled
    lifecycle.update_key(old, by=Actor(), version=old.version, expires_at=None)
    deliver_emails().clear()
    for client in ("second", "third"):
        call(new, client, hours=2)
    call_command("hourly")
    assert deliver_emails() == []
    page = signed_in.get(f"/stores/{old.store_id}/settings/api-keys/{old.prefix}/").text
    assert "Old key and new key" in page
    assert "End the old key now" not in page


def test_owners_are_told_before_the_end_who_has_not_moved(
    signed_in: Client, rolled: tuple[ApiKey, ApiKey]
) -> None:
    old, _ = rolled
    before = old.expires_at
    with time_machine.travel(timezone.now() + timedelta(hours=19)):
        for _ in range(2):
            call_command("hourly")
        (email,) = deliver_emails()
        assert email.subject == f"API key {old.prefix} ends soon and is still called: {old.name}"
        assert "second" in email.body
        assert "first" not in email.body
    signed_in.post(f"/stores/{old.store_id}/settings/api-keys/{old.prefix}/end-old/", {"day": "1"})
    old.refresh_from_db()
    assert before is not None
    assert old.expires_at == before + timedelta(days=1)
