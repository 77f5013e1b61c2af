"""Reminders: when, about what, and once, however often the daily work is done."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.mail import EmailMessage

from apikeys import lifecycle, reminders
from apikeys.actors import Actor
from apikeys.models import ApiKey, LastUse, NotificationSettings
from stores.models import Store
from tests.conftest import IssueKey, deliver_letters, make_owner

CREATED = datetime.fromisoformat("2026-01-01 09:00Z")


@pytest.fixture
def key(issue: IssueKey) -> ApiKey:
    """A key of 90 days."""
    with time_machine.travel(CREATED, tick=False):
        key, _ = issue(name="Shop", expires_at=CREATED + timedelta(days=90))
    deliver_letters().clear()
    return key


def letters_by(days: float, *, runs: int = 2) -> list[EmailMessage]:
    """The letters after the daily work on a day since the key was created, done more than once."""
    with time_machine.travel(CREATED + timedelta(days=days), tick=False):
        for _ in range(runs):
            reminders.remind_of_expiry()
            reminders.remind_of_expired_keys()
        return deliver_letters()


def test_an_expiry_is_told_a_week_and_a_day_before(key: ApiKey) -> None:
    told = [len(letters_by(day)) for day in range(80, 95)]
    assert told == [0, 0, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2]
    letter = letters_by(95)[0]
    assert letter.subject == f"API key {key.prefix} expires soon: Shop"
    assert "Expires: 1 Apr 2026, 09:00 UTC" in letter.body
    assert (
        f"Extend the key: http://testserver/stores/267418190/settings/api-keys/{key.prefix}/edit/?extend"
        in (letter.body)
    )
    assert letter.extra_headers["List-Unsubscribe"].endswith("/notifications/>")


def test_days_without_the_daily_work_send_one_letter(key: ApiKey) -> None:
    assert len(letters_by(89.5)) == 1


def test_a_new_expiry_is_told_anew(key: ApiKey) -> None:
    letters_by(83)
    later = CREATED + timedelta(days=180)
    lifecycle.update_key(key, by=Actor(), version=key.version, expires_at=later)
    deliver_letters().clear()
    assert len(letters_by(89)) == 0
    assert len(letters_by(173)) == 1


@pytest.mark.parametrize("days", [1, 7])
def test_an_expiry_that_was_just_chosen_is_not_told(issue: IssueKey, days: int) -> None:
    with time_machine.travel(CREATED, tick=False):
        issue(expires_at=CREATED + timedelta(days=days))
        deliver_letters().clear()
    assert letters_by(0.5) == []


@pytest.mark.parametrize("column", ["deactivated_at", "suspended_at"])
def test_a_key_that_is_off_is_not_told_about(key: ApiKey, column: str) -> None:
    ApiKey.objects.update(**{column: CREATED})
    LastUse.objects.create(key=key, at=CREATED + timedelta(days=91), method="GET", status_code=401)
    assert letters_by(89) == letters_by(92) == []


def test_an_expired_key_that_is_still_called_is_told_once(key: ApiKey) -> None:
    ApiKey.objects.update(created_at=CREATED + timedelta(days=89))
    last_use = LastUse.objects.create(key=key, at=CREATED + timedelta(days=89), method="GET", status_code=200)
    assert letters_by(91) == []
    LastUse.objects.update(at=CREATED + timedelta(days=91), address="192.0.2.7")
    (letter,) = letters_by(92)
    assert letter.subject == f"API key {key.prefix} has expired and is still called: Shop"
    assert "from 192.0.2.7" in letter.body
    last_use.at = CREATED + timedelta(days=100)
    last_use.save()
    assert len(letters_by(101)) == 1


def test_only_owners_who_want_it_are_told(key: ApiKey, store: Store, owner: User) -> None:
    store.owners.add(make_owner("partner@example.com"), User.objects.create_user("without an address"))
    NotificationSettings.objects.create(store=store, user=owner, expiry=False)
    assert [letter.to for letter in letters_by(83)] == [["partner@example.com"]]


def review(month: str) -> list[EmailMessage]:
    with time_machine.travel(f"2026-{month} 03:30Z", tick=False):
        for _ in range(2):
            reminders.send_monthly_reviews()
        return deliver_letters()


def test_a_store_is_reviewed_once_a_month_where_something_needs_it(
    key: ApiKey, store: Store, owner: User
) -> None:
    assert review("01-20") == []
    (letter,) = review("02-15")
    assert letter.subject == "API keys of Northwood to look at"
    path = f"http://testserver/stores/{store.pk}/settings/api-keys/?attention=never-used"
    assert f"- 1 key never used in 30 days:\n  {path}" in letter.body
    assert len(review("02-28")) == 1
    assert len(review("03-01")) == 2
    NotificationSettings.objects.update(monthly_review=False)
    assert len(review("04-01")) == 2


def test_a_store_without_keys_is_not_reviewed(store: Store, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        reminders.send_monthly_reviews()
