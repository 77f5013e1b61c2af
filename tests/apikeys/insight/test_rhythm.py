"""Keys that fall silent: found when they miss more than they ever do, told once, and when they are back."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import time_machine
from django.core.management import call_command
from django.test import Client

from apikeys.insight.rhythm import WEEK_HOURS, is_quiet
from apikeys.models import ApiKey, AuditEntry, HourlyUsage
from apikeys.usage import writer
from apikeys.usage.batch import Batch
from stores.models import Store
from tests.conftest import IssueKey, deliver_emails
from tests.key_requests import make_request

START = 100 * WEEK_HOURS
NOW = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)


def hours_of(weeks: int, *slots: int) -> list[int]:
    return [START + week * WEEK_HOURS + slot for week in range(weeks) for slot in slots]


@pytest.mark.parametrize(
    ("slots", "silent_hours", "quiet"),
    [
        (range(WEEK_HOURS), 3, False),
        (range(WEEK_HOURS), 4, True),
        (range(2, WEEK_HOURS, 24), 72, False),  # nightly
        (range(2, WEEK_HOURS, 24), 73, True),
        ([50], 2 * WEEK_HOURS, False),  # weekly
        ([50], 2 * WEEK_HOURS + 1, True),
        ([], 500, False),
    ],
)
def test_a_key_is_quiet_that_misses_three_of_its_hours(
    slots: range | list[int], silent_hours: int, *, quiet: bool
) -> None:
    active = hours_of(4, *slots) or [START]
    assert is_quiet(active, active[-1] + silent_hours) is quiet


def test_a_key_that_often_misses_some_of_its_hours_is_given_more_time() -> None:
    active = hours_of(4, *range(WEEK_HOURS))
    gap = set(range(active[-1] - 60, active[-1] - 56))
    uneven = [hour for hour in active if hour not in gap]
    assert not is_quiet(uneven, active[-1] + 9)
    assert is_quiet(uneven, active[-1] + 10)


def test_hours_in_which_the_site_was_away_tell_nothing() -> None:
    active = hours_of(4, *range(WEEK_HOURS))
    assert not is_quiet(active, active[-1] + 6, set(range(active[-1] + 1, active[-1] + 5)))


@pytest.fixture
def key(issue: IssueKey) -> ApiKey:
    """A key that was called every hour until NOW."""
    key, _ = issue(name="Warehouse")
    ApiKey.objects.filter(pk=key.pk).update(created_at=NOW - timedelta(days=60))
    call(key, *(NOW - timedelta(hours=ago) for ago in reversed(range(4 * WEEK_HOURS))))
    deliver_emails().clear()
    return key


def call(key: ApiKey, *moments: datetime) -> None:
    batch = Batch(uuid4(), 1)
    for at in moments:
        batch.add(make_request(key, at=at))
    writer.write(batch)


def test_a_program_that_stops_is_told_once_and_when_it_is_back(key: ApiKey, signed_in: Client) -> None:
    for hours, told in ((3, 0), (5, 1), (6, 1)):
        with time_machine.travel(NOW + timedelta(hours=hours)):
            call_command("hourly")
            assert len(deliver_emails()) == told
    with time_machine.travel(NOW + timedelta(hours=5, minutes=1)):
        key.refresh_from_db()
        assert (key.quiet_since, ApiKey.objects.in_state("quiet").get()) == (NOW, key)
        call(key, NOW + timedelta(hours=5))
        call_command("hourly")
    subjects = [email.subject for email in deliver_emails()]
    assert subjects == [
        f"API key {key.prefix} has fallen silent: Warehouse",
        f"API key {key.prefix} is used again: Warehouse",
    ]
    assert ApiKey.objects.get().quiet_since is None


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
