"""A key's columns and constraints, and keys as they are found."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from apikeys.actors import Actor
from apikeys.lifecycle import NameTaken, report_leaked_keys
from apikeys.models import ApiKey
from stores.models import Store
from stores.resources import Access, Resource
from stores.text import comparable
from tests.conftest import IssueKey
from tests.key_requests import count_usage

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_highest_access_names_the_most_that_a_key_may_do(issue: IssueKey) -> None:
    key, _ = issue(access=["customers:write", "orders:read"])
    assert key.highest_access == [(Resource.ORDERS, Access.READ), (Resource.CUSTOMERS, Access.WRITE)]


def test_key_without_access_is_refused(issue: IssueKey) -> None:
    with pytest.raises(IntegrityError, match="api_key_reaches_something"), transaction.atomic():
        issue(access=[])


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Accounting", "ACCOUNTING"),
        ("Café", "CAFÉ"),
        ("Straße", "STRASSE"),
        ("Cafe\u0301", "Café"),
        ("Shop", "Ｓｈｏｐ"),
        ("می\u200cخواهم", "میخواهم"),
    ],
)
def test_create_key_refuses_a_name_that_looks_like_another(
    issue: IssueKey, other_store: Store, first: str, second: str
) -> None:
    issue(name=first)
    issue(name=first, store=other_store)
    with pytest.raises(NameTaken):
        issue(name=second)
    key, _ = issue(name="Other")
    with pytest.raises(IntegrityError), transaction.atomic():
        ApiKey.objects.filter(pk=key.pk).update(comparable_name=comparable(second))


@pytest.mark.parametrize(
    "columns",
    [
        {"deactivated_at": None, "reactivates_at": None},
        {"reactivates_at": NOON + timedelta(days=36500)},
    ],
)
def test_leaked_key_is_off_for_good_in_the_database(key: ApiKey, columns: dict[str, object]) -> None:
    report_leaked_keys([key], by=Actor())
    with pytest.raises(IntegrityError, match="api_key_leaked_is_off_for_good"), transaction.atomic():
        ApiKey.objects.filter(pk=key.pk).update(**columns)


def test_key_reactivates_after_its_deactivation_in_the_database(key: ApiKey) -> None:
    now = timezone.now()
    with pytest.raises(IntegrityError, match="reactivates_after"), transaction.atomic():
        ApiKey.objects.filter(pk=key.pk).update(deactivated_at=now, reactivates_at=now - timedelta(hours=1))


# Finding.


def test_search_finds_a_key_by_name_note_prefix_or_whole_key(issue: IssueKey) -> None:
    key, plaintext = issue(name="Warehouse sync", note="For the Caf\u00e9")
    issue(name="Accounting")
    for text in ("house", "ＨＯＵＳＥ", "CAFE\u0301", key.prefix, key.prefix[:6], plaintext, key.masked):
        assert list(ApiKey.objects.search(text)) == [key], text
    for text in ("nothing like it", "%", "_", "\\", "' OR '1'='1"):
        assert not ApiKey.objects.search(text).exists(), text


@pytest.mark.usefixtures("within_a_minute")
def test_with_requests_counts_thirty_days(issue: IssueKey) -> None:
    quiet, busiest, busy = (issue()[0] for _ in range(3))
    for key, count, days_ago in ((quiet, 1000, 30), (busiest, 9, 29), (busy, 5, 0)):
        count_usage(key, count, days_ago=days_ago)
    assert list(ApiKey.objects.with_requests().order_by(F("requests").desc())) == [busiest, busy, quiet]
