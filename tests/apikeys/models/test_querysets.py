from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from apikeys import lifecycle
from apikeys.actors import Actor
from apikeys.models import ApiKey, ApiKeyUsage
from apikeys.models.outcomes import Outcome, Status
from stores.models import Store
from tests.conftest import IssueKey


def refused(key: ApiKey, *, hours_ago: float) -> None:
    at = timezone.now() - timedelta(hours=hours_ago)
    ApiKeyUsage.objects.create(
        key=key, date=at.date(), resource="orders", outcome=Outcome.REFUSED, requests=1, last_at=at
    )


def status(key: ApiKey) -> str:
    return ApiKey.objects.with_status().get(pk=key.pk).status


def test_status_is_what_an_owner_should_know_first(issue: IssueKey, owner: User) -> None:
    now = timezone.now()
    key, _ = issue(expires_at=now + timedelta(days=30))
    assert status(key) == Status.ACTIVE
    ApiKey.objects.filter(pk=key.pk).update(expires_at=now + timedelta(days=6))
    assert status(key) == Status.EXPIRING
    refused(key, hours_ago=1)
    assert status(key) == Status.REFUSALS
    ApiKey.objects.filter(pk=key.pk).update(expires_at=now)
    assert status(key) == Status.EXPIRED
    lifecycle.deactivate_key(key, by=Actor(owner))
    assert status(key) == Status.INACTIVE


def test_refusals_are_forgotten_after_a_day(issue: IssueKey) -> None:
    key, _ = issue()
    refused(key, hours_ago=24.1)
    assert status(key) == Status.ACTIVE


def test_status_and_the_door_agree(issue: IssueKey, owner: User) -> None:
    """What a request may use and what the page calls usable are written twice, in Python and in SQL."""
    now = timezone.now()
    moments = (None, now - timedelta(hours=2), now - timedelta(hours=1), now + timedelta(hours=1))
    for expires_at in moments:
        for deactivated_at in (None, now - timedelta(hours=3)):
            for reactivates_at in moments if deactivated_at else (None,):
                key, _ = issue(expires_at=expires_at)
                ApiKey.objects.filter(pk=key.pk).update(
                    deactivated_at=deactivated_at, reactivates_at=reactivates_at
                )
    usable = set(ApiKey.objects.usable())
    assert len(usable) == 6
    for key in ApiKey.objects.with_status():
        assert (key in usable) == key.is_usable(timezone.now())
        assert (key in usable) == (key.status == (Status.EXPIRING if key.expires_at else Status.ACTIVE))
        assert (key.status == Status.INACTIVE) == key.is_inactive(timezone.now())


def test_in_status_finds_only_those(issue: IssueKey, owner: User) -> None:
    issue()
    inactive, _ = issue()
    lifecycle.deactivate_key(inactive, by=Actor(owner))
    assert list(ApiKey.objects.in_status(Status.INACTIVE)) == [inactive]


def test_keys_of_another_store_are_out_of_reach(issue: IssueKey, store: Store, other_store: Store) -> None:
    mine, _ = issue()
    issue(store=other_store)
    assert list(ApiKey.objects.for_store(store)) == [mine]


def test_find_by_name_prefix_or_whole_key(issue: IssueKey) -> None:
    key, plaintext = issue(name="Warehouse sync")
    issue(name="Accounting")
    for text in ("house", "WAREHOUSE", key.prefix, key.prefix[:4], plaintext, key.masked):
        assert list(ApiKey.objects.search(text)) == [key], text
    assert not ApiKey.objects.search("nothing like it").exists()


def test_granting_finds_keys_by_scope(issue: IssueKey) -> None:
    reader, _ = issue(access=["orders:read"])
    writer, _ = issue(access=["orders:write"])
    issue(access=["customers:read"])
    assert set(ApiKey.objects.granting("orders:read")) == {reader, writer}
    assert set(ApiKey.objects.granting("orders:write")) == {writer}


@pytest.mark.parametrize("requests", [(5, 9), (9, 5)])
def test_busiest_first_counts_thirty_days(issue: IssueKey, requests: tuple[int, int]) -> None:
    now = timezone.now()
    made = [issue()[0], issue()[0], issue()[0]]
    for key, count in zip(made, requests, strict=False):
        ApiKeyUsage.objects.create(
            key=key, date=now.date(), outcome=Outcome.SUCCEEDED, requests=count, last_at=now
        )
    long_ago = now - timedelta(days=30)
    ApiKeyUsage.objects.create(
        key=made[2], date=long_ago.date(), outcome=Outcome.SUCCEEDED, requests=1000, last_at=long_ago
    )
    busiest = [made[0], made[1]] if requests[0] > requests[1] else [made[1], made[0]]
    assert list(ApiKey.objects.busiest_first()) == [*busiest, made[2]]
