"""Reminders: when, about what, and once, however often the daily work is done."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.mail import EmailMessage

from apikeys import lifecycle, reminders
from apikeys.actors import Actor
from apikeys.models import ApiKey, LastUse, NotificationSettings
from stores.models import Store
from tests.conftest import IssueKey, deliver_emails, make_owner

CREATED = datetime.fromisoformat("2026-01-01 09:00Z")


@pytest.fixture
def key(issue: IssueKey) -> ApiKey:
    """A key of 90 days."""
    with time_machine.travel(CREATED, tick=False):
        key, _ = issue(name="Shop", expires_at=CREATED + timedelta(days=90))
    deliver_emails().clear()
    return key


def emails_by(days: float, *, runs: int = 2) -> list[EmailMessage]:
    """The e-mails after the daily work on a day since the key was created, done more than once."""
    with time_machine.travel(CREATED + timedelta(days=days), tick=False):
        for _ in range(runs):
            reminders.remind_of_expiry()
            reminders.remind_of_expired_keys()
        return deliver_emails()


def test_remind_of_expiry_tells_a_week_and_a_day_before(key: ApiKey) -> None:
    told = [len(emails_by(day)) for day in range(80, 95)]
    assert told == [0, 0, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2]
    email = emails_by(95)[0]
    assert email.subject == f"API key {key.prefix} expires soon: Shop"
    assert "Expiry: 1 Apr 2026, 09:00 UTC" in email.body
    assert (
        f"Extend the key: http://testserver/stores/267418190/settings/api-keys/{key.prefix}/edit/?extend"
        in (email.body)
    )
    assert email.extra_headers["List-Unsubscribe"].endswith("/notifications/>")


def test_remind_of_expiry_a_day_before_tells_no_week(key: ApiKey) -> None:
    assert len(emails_by(89.5)) == 1


def test_remind_of_expiry_tells_a_new_expiry_anew(key: ApiKey) -> None:
    emails_by(83)
    later = CREATED + timedelta(days=180)
    lifecycle.update_key(key, by=Actor(), version=key.version, expires_at=later)
    deliver_emails().clear()
    assert len(emails_by(89)) == 0
    assert len(emails_by(173)) == 1


@pytest.mark.parametrize("days", [1, 7])
def test_remind_of_expiry_leaves_what_was_just_chosen(issue: IssueKey, days: int) -> None:
    with time_machine.travel(CREATED, tick=False):
        issue(expires_at=CREATED + timedelta(days=days))
        deliver_emails().clear()
    assert emails_by(0.5) == []


def test_remind_of_expiry_leaves_a_key_that_will_renew_itself(issue: IssueKey) -> None:
    with time_machine.travel(CREATED, tick=False):
        issue(renews_days=10)
        deliver_emails().clear()
    assert emails_by(7) == []
    assert len(emails_by(8)) == 1


@pytest.mark.parametrize("column", ["deactivated_at", "suspended_at"])
def test_reminders_leave_a_key_that_is_off(key: ApiKey, column: str) -> None:
    ApiKey.objects.update(**{column: CREATED})
    LastUse.objects.create(key=key, at=CREATED + timedelta(days=91), method="GET", status_code=401)
    assert emails_by(89) == emails_by(92) == []


def test_remind_of_expired_keys_tells_once(key: ApiKey) -> None:
    ApiKey.objects.update(created_at=CREATED + timedelta(days=89))
    last_use = LastUse.objects.create(key=key, at=CREATED + timedelta(days=89), method="GET", status_code=200)
    assert emails_by(91) == []
    LastUse.objects.update(at=CREATED + timedelta(days=91), address="192.0.2.7")
    (email,) = emails_by(92)
    assert email.subject == f"API key {key.prefix} has expired and is still called: Shop"
    assert "From: 192.0.2.7" in email.body
    last_use.at = CREATED + timedelta(days=100)
    last_use.save()
    assert len(emails_by(101)) == 1


def test_remind_of_expired_keys_names_the_key_that_replaced_it(key: ApiKey) -> None:
    ApiKey.objects.update(superseded_at=CREATED + timedelta(days=80))
    LastUse.objects.create(key=key, at=CREATED + timedelta(days=91), method="GET", status_code=401)
    (email,) = emails_by(92)
    assert "give the program the key that replaces it" in email.body
    assert emails_by(93) == [email]


def test_remind_of_expiry_tells_owners_who_want_it(key: ApiKey, store: Store, owner: User) -> None:
    store.owners.add(make_owner("partner@example.com"), User.objects.create_user("without an address"))
    NotificationSettings.objects.create(store=store, user=owner, expiry=False)
    assert [email.to for email in emails_by(83)] == [["partner@example.com"]]


def review(month: str) -> list[EmailMessage]:
    with time_machine.travel(f"2026-{month} 03:30Z", tick=False):
        for _ in range(2):
            reminders.send_monthly_reviews()
        return deliver_emails()


def test_send_monthly_reviews_tells_once_a_month_what_needs_attention(
    key: ApiKey, store: Store, issue: IssueKey
) -> None:
    assert review("01-20") == []
    with time_machine.travel("2026-02-14 12:00Z", tick=False):
        issue(expires_at=datetime(2026, 2, 19, tzinfo=UTC))
    deliver_emails().clear()
    (email,) = review("02-15")
    assert email.subject == "API keys of Northwood to look at"
    path = f"http://testserver/stores/{store.pk}/settings/api-keys/?status=unused"
    assert f"- 1 key never used in 30 days:\n  {path}" in email.body
    assert "expiring" not in email.body, "owners are told of that when it is time"
    assert len(review("02-28")) == 1
    assert len(review("03-01")) == 2
    NotificationSettings.objects.update(monthly_review=False)
    assert len(review("04-01")) == 2


def test_send_monthly_reviews_leaves_a_store_without_keys(
    store: Store, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(1):
        reminders.send_monthly_reviews()
