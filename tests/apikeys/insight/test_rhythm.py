"""Keys that fall silent: found when they miss more than they ever do, told once, and when they are back."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import time_machine
from django.core import mail
from django.core.management import call_command
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from apikeys.insight.rhythm import MIN_KEYS, WEEK_HOURS, is_quiet, look_for_silence
from apikeys.models import ApiKey, AuditEntry, HourlyUsage
from apikeys.usage import writer
from apikeys.usage.batch import Batch
from stores.models import Store
from tests.conftest import IssueKey, deliver_emails, sign_in
from tests.key_requests import make_request

START = 100 * WEEK_HOURS
NOW = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)


def hours_of(weeks: int, *slots: int) -> list[int]:
    return [START + week * WEEK_HOURS + slot for week in range(weeks) for slot in slots]


@pytest.mark.parametrize(
    ("slots", "requests_an_hour", "silent_hours", "quiet"),
    [
        (range(WEEK_HOURS), 12, 1, False),
        (range(WEEK_HOURS), 12, 2, True),  # one whole hour is three of its gaps
        (range(WEEK_HOURS), 1, 3, False),
        (range(WEEK_HOURS), 1, 4, True),
        (range(2, WEEK_HOURS, 24), 20, 72, False),  # nightly, however much it does then
        (range(2, WEEK_HOURS, 24), 20, 73, True),
        ([50], 20, 2 * WEEK_HOURS, False),  # weekly
        ([50], 20, 2 * WEEK_HOURS + 1, True),
        ([], 1, 500, False),
    ],
)
def test_a_key_is_quiet_that_misses_three_of_its_gaps(
    slots: range | list[int], requests_an_hour: int, silent_hours: int, *, quiet: bool
) -> None:
    active = hours_of(4, *slots) or [START]
    requests = len(active) * requests_an_hour
    assert is_quiet(active, requests, active[-1] + silent_hours) is quiet


def test_a_key_that_often_misses_some_of_its_hours_is_given_more_time() -> None:
    active = hours_of(4, *range(WEEK_HOURS))
    gap = set(range(active[-1] - 60, active[-1] - 56))
    uneven = [hour for hour in active if hour not in gap]
    assert not is_quiet(uneven, len(uneven), active[-1] + 9)
    assert is_quiet(uneven, len(uneven), active[-1] + 10)


def test_hours_in_which_the_site_was_away_tell_nothing() -> None:
    active = hours_of(4, *range(WEEK_HOURS))
    assert not is_quiet(active, len(active), active[-1] + 6, set(range(active[-1] + 1, active[-1] + 5)))


@pytest.fixture
def key(issue: IssueKey) -> ApiKey:
    """A key that was called every hour until NOW."""
    key, _ = issue(name="Warehouse")
    ApiKey.objects.filter(pk=key.pk).update(created_at=NOW - timedelta(days=60))
    call(key, *(NOW - timedelta(hours=ago) for ago in reversed(range(4 * WEEK_HOURS))))
    deliver_emails().clear()
    return key


def call(key: ApiKey, *moments: datetime, status_code: int = 200) -> None:
    batch = Batch(uuid4(), 1)
    for at in moments:
        reason = None if status_code == 200 else "server_error"
        batch.add(make_request(key, at=at, status_code=status_code, reason=reason))
    writer.write(batch)


def page_of(key: ApiKey, moment: datetime) -> str:
    """The page of a key as its owner finds it at this moment, signed in then."""
    with time_machine.travel(moment):
        client = sign_in(Client(), "owner@example.com")
        return client.get(f"/stores/{key.store_id}/settings/api-keys/{key.prefix}/").text


def look(moment: datetime) -> list[str]:
    """Look for silence at this moment; returns the subjects of all e-mails of the test so far."""
    with time_machine.travel(moment):
        call_command("hourly")
        return [str(email.subject) for email in deliver_emails()]


@pytest.mark.parametrize(
    ("state", "calls", "subject", "fact", "said"),
    [
        (
            "quiet", 0, "API key {} has fallen silent: Warehouse",
            "Succeeded before: 672 requests in the last five weeks",
            ("Quiet for 6 hours", "No request has come since"),
        ),
        (
            "failing", 280, "All requests of API key {} fail: Warehouse", "Newest request: GET orders, 500",
            ("Fails since 12:30 UTC", "none has succeeded since"),
        ),
    ],
)  # fmt: skip
def test_a_program_that_stops_or_fails_is_told_once_and_when_it_is_back(
    key: ApiKey, state: str, calls: int, subject: str, fact: str, said: tuple[str, str]
) -> None:
    told = [subject.format(key.prefix)]
    call(key, *(NOW + timedelta(minutes=minute) for minute in range(1, calls)), status_code=500)
    assert look(NOW + timedelta(hours=3)) == []
    assert look(NOW + timedelta(hours=5)) == told
    assert look(NOW + timedelta(hours=6)) == told
    assert fact in mail.outbox[0].body
    assert ApiKey.objects.in_state(state).get().quiet_since == NOW
    page = page_of(key, NOW + timedelta(hours=6))
    assert all(sentence in page for sentence in said)
    call(key, NOW + timedelta(hours=7))
    assert not ApiKey.objects.in_state(state).exists()
    assert look(NOW + timedelta(hours=7)) == [*told, f"API key {key.prefix} is used again: Warehouse"]
    assert ApiKey.objects.get().quiet_since is None


def test_all_keys_of_a_site_take_two_queries(
    key: ApiKey, issue: IssueKey, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(MIN_KEYS):
        other, _ = issue()
        ApiKey.objects.filter(pk=other.pk).update(created_at=NOW - timedelta(days=60))
        call(other, *(NOW - timedelta(hours=ago) for ago in range(4 * WEEK_HOURS)))
    with time_machine.travel(NOW), django_assert_num_queries(2):
        look_for_silence()
    deliver_emails().clear()
    # An hour in which nobody called is one in which the site was away.
    assert look(NOW + timedelta(hours=8)) == []
    call(other, *(NOW + timedelta(hours=hour) for hour in range(1, 8)))
    assert [subject for subject in look(NOW + timedelta(hours=8)) if key.prefix in subject]


@pytest.mark.parametrize("reason", ["young", "few", "off", "suspended", "not watched"])
def test_nobody_is_told_of(key: ApiKey, signed_in: Client, reason: str, store: Store) -> None:
    match reason:
        case "young":
            ApiKey.objects.update(created_at=NOW - timedelta(days=6))
        case "few":
            newest = HourlyUsage.objects.order_by("-hour").values_list("pk", flat=True)[:40]
            HourlyUsage.objects.exclude(pk__in=list(newest)).delete()
        case "off":
            ApiKey.objects.update(deactivated_at=NOW)
        case "suspended":
            ApiKey.objects.update(suspended_at=NOW)
        case "not watched":
            signed_in.post(f"/stores/{store.pk}/settings/api-keys/{key.prefix}/rhythm/", {})
            assert "no longer told" in AuditEntry.objects.for_key(key)[0].sentence
    with time_machine.travel(NOW + timedelta(hours=8)):
        call_command("hourly")
    assert deliver_emails() == []
