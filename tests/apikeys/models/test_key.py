from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone

from apikeys import keys
from apikeys.models import ApiKey, StaleKey, audit
from stores.models import Store
from stores.resources import Access, Resource
from tests.conftest import IssueKey

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def words(key: ApiKey) -> list[str]:
    return [entry.change_message for entry in audit.of(key)]


def test_issuing_returns_the_plaintext_and_keeps_only_its_digest(issue: IssueKey) -> None:
    key, plaintext = issue()
    stored = ApiKey.objects.filter(pk=key.pk).values().get()
    assert plaintext not in map(str, stored.values())
    assert stored["digest"] == keys.digest(plaintext)
    assert plaintext.startswith(stored["prefix"])


def test_write_implies_read(issue: IssueKey) -> None:
    key, _ = issue(access=["customers:write", "orders:read"])
    assert key.access == ["orders:read", "customers:read", "customers:write"]
    assert key.allows("customers:read")
    assert not key.allows("orders:write")


def test_reach_names_the_most_that_a_key_may_do(issue: IssueKey) -> None:
    key, _ = issue(access=["customers:write", "orders:read"])
    assert key.reach == [(Resource.ORDERS, Access.READ), (Resource.CUSTOMERS, Access.WRITE)]


def test_access_to_an_unknown_resource_is_refused(issue: IssueKey) -> None:
    with pytest.raises(ValueError, match="planets:read"):
        issue(access=["orders:read", "planets:read"])
    assert not ApiKey.objects.exists()


def test_a_key_that_reaches_nothing_is_refused(issue: IssueKey) -> None:
    with pytest.raises(IntegrityError, match="api_key_reaches_something"), transaction.atomic():
        issue(access=[])


def test_a_name_is_unique_in_its_store_whatever_its_case(issue: IssueKey, other_store: Store) -> None:
    issue(name="Accounting")
    issue(name="Accounting", store=other_store)
    with pytest.raises(IntegrityError, match="api_key_name_is_unique_in_store"), transaction.atomic():
        issue(name="ACCOUNTING")


def test_a_prefix_that_is_taken_is_drawn_again(issue: IssueKey, monkeypatch: pytest.MonkeyPatch) -> None:
    first, plaintext = issue()
    draws = iter([(first.prefix, plaintext), (first.prefix, plaintext), ("0123abc", f"0123abc.{'0' * 27}")])
    monkeypatch.setattr(keys, "generate", lambda: next(draws))
    second, _ = issue()
    assert second.prefix == "0123abc"


@time_machine.travel(NOON, tick=False)
def test_a_deactivated_key_is_unusable_until_it_is_reactivated(issue: IssueKey, owner: User) -> None:
    key, _ = issue()
    key.deactivate(by=owner)
    assert not key.is_usable(NOON + timedelta(days=1000))
    key.reactivate(by=owner)
    assert key.is_usable(NOON)
    assert words(key)[:2] == ["Reactivated.", "Deactivated."]


@time_machine.travel(NOON, tick=False)
def test_a_paused_key_comes_back_by_itself(issue: IssueKey, owner: User) -> None:
    key, _ = issue()
    key.deactivate(by=owner, until=NOON + timedelta(hours=1))
    assert key.is_inactive(NOON + timedelta(minutes=59))
    assert not key.is_inactive(NOON + timedelta(hours=1))
    assert words(key)[0] == "Deactivated until 23 November 2026, 13:00 UTC."


def test_reactivating_a_key_that_works_changes_nothing(issue: IssueKey, owner: User) -> None:
    key, _ = issue()
    key.reactivate(by=owner)
    assert key.version == 1
    assert len(words(key)) == 1


@time_machine.travel(NOON, tick=False)
def test_a_key_expires_at_its_moment(issue: IssueKey) -> None:
    key, _ = issue(expires_at=NOON)
    assert key.is_expired(NOON)
    assert not key.is_expired(NOON - timedelta(seconds=1))


def test_a_change_is_told_in_words(issue: IssueKey, owner: User) -> None:
    key, _ = issue(name="Old", access=["orders:read", "customers:read"])
    key.change(by=owner, version=1, name="New", access=["orders:write"], expires_at=NOON + timedelta(days=30))
    assert words(key)[0] == (
        "Renamed from “Old” to “New”. Widened access: gained orders:write. "
        "Narrowed access: lost customers:read. Moved the expiry from never to 23 December 2026, 12:00 UTC."
    )
    key.refresh_from_db()
    assert (key.name, key.access, key.version) == ("New", ["orders:read", "orders:write"], 2)


def test_a_change_that_changes_nothing_leaves_no_trace(issue: IssueKey, owner: User) -> None:
    key, _ = issue()
    key.change(by=owner, version=1, name=key.name, access=key.access, expires_at=None)
    assert key.version == 1
    assert len(words(key)) == 1


def test_a_change_to_what_is_no_longer_there_is_refused(issue: IssueKey, owner: User) -> None:
    key, _ = issue(name="First")
    ApiKey.objects.get(pk=key.pk).change(
        by=owner, version=1, name="Second", access=key.access, expires_at=None
    )
    with pytest.raises(StaleKey):
        key.change(by=owner, version=1, name="Third", access=key.access, expires_at=None)
    assert ApiKey.objects.get(pk=key.pk).name == "Second"


@time_machine.travel(NOON, tick=False)
def test_rolling_gives_a_twin_and_lets_the_old_key_run_out(issue: IssueKey, owner: User) -> None:
    expiry = NOON + timedelta(days=90)
    old, old_plaintext = issue(name="Shop", access=["orders:write"], expires_at=expiry)
    new, plaintext = old.roll(by=owner, overlap=timedelta(hours=24))
    assert (new.name, new.access, new.expires_at) == ("Shop", old.access, expiry)
    assert new.predecessor == old
    assert plaintext != old_plaintext
    assert old.expires_at == NOON + timedelta(hours=24)
    assert words(old)[0] == f"Rolled: replaced by {new.prefix}, works until 24 November 2026, 12:00 UTC."
    assert words(new) == [f"Created by rolling {old.prefix}."]


@time_machine.travel(NOON, tick=False)
def test_rolling_never_lengthens_the_old_keys_life(issue: IssueKey, owner: User) -> None:
    old, _ = issue(expires_at=NOON + timedelta(hours=2))
    old.roll(by=owner, overlap=timedelta(days=7))
    assert old.expires_at == NOON + timedelta(hours=2)


@time_machine.travel(NOON, tick=False)
def test_rolling_at_once_stops_the_old_key(issue: IssueKey, owner: User) -> None:
    old, _ = issue()
    old.roll(by=owner, overlap=timedelta(0))
    assert old.is_expired(NOON)


def test_a_key_is_rolled_once(issue: IssueKey, owner: User) -> None:
    old, _ = issue()
    old.roll(by=owner, overlap=timedelta(hours=1))
    with pytest.raises(StaleKey):
        old.roll(by=owner, overlap=timedelta(hours=1))
    assert ApiKey.objects.count() == 2


def test_a_key_that_does_not_work_is_not_rolled(issue: IssueKey, owner: User) -> None:
    key, _ = issue()
    key.deactivate(by=owner)
    with pytest.raises(StaleKey):
        key.roll(by=owner, overlap=timedelta(0))
    assert not key.is_rollable


def test_a_rolled_keys_name_is_the_new_keys(issue: IssueKey, owner: User) -> None:
    old, _ = issue(name="Shop")
    old.roll(by=owner, overlap=timedelta(days=7))
    with pytest.raises(IntegrityError), transaction.atomic():
        issue(name="shop")


def test_removing_leaves_only_the_history(issue: IssueKey, owner: User) -> None:
    key, _ = issue()
    pk = key.pk
    key.remove(by=owner)
    assert not ApiKey.objects.exists()
    entries = LogEntry.objects.filter(object_id=str(pk)).order_by("pk")
    assert [entry.change_message for entry in entries] == ["Created with orders:read.", "Deleted."]


def test_a_key_deleted_meanwhile_cannot_be_changed(issue: IssueKey, owner: User) -> None:
    key, _ = issue()
    ApiKey.objects.get(pk=key.pk).remove(by=owner)
    with pytest.raises(ApiKey.DoesNotExist):
        key.deactivate(by=owner)


def test_a_key_may_be_shown_once(issue: IssueKey) -> None:
    key, _ = issue()
    assert key.reveal()
    assert not key.reveal()
    assert not ApiKey.objects.get(pk=key.pk).reveal()


def test_what_no_person_did_the_site_itself_did(issue: IssueKey) -> None:
    key, _ = issue(created_by=None)
    entry = audit.of(key).get()
    assert (entry.user.username, entry.user.is_active) == ("reflow", False)
    assert not entry.user.has_usable_password()


def test_a_key_reactivates_after_it_was_deactivated(issue: IssueKey, owner: User) -> None:
    key, _ = issue()
    with pytest.raises(IntegrityError, match="reactivates_after"), transaction.atomic():
        key.deactivate(by=owner, until=timezone.now() - timedelta(hours=1))
