"""Changes to a key: nothing weaker replaces something stronger."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db.models import Model

from apikeys import key_text, lifecycle
from apikeys.actors import Actor
from apikeys.lifecycle import NameTaken, StaleKey
from apikeys.locks import lock_store
from apikeys.models import ApiKey, AuditEntry
from apikeys.reach import ProgramStopped
from stores.models import Store
from tests.conftest import IssueKey

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)

Change = Callable[[ApiKey, Actor], object]


@pytest.fixture
def by(owner: User) -> Actor:
    return Actor(owner)


def history(key: ApiKey) -> list[str]:
    return [entry.sentence for entry in AuditEntry.objects.for_key(key)]


class OnAReplica:
    """A router as in a GET request of the API, which reads from a replica: there is none of this name."""

    has_written = False

    def db_for_read(self, model: type[Model], **hints: Any) -> str:
        return "replica"

    def db_for_write(self, model: type[Model], **hints: Any) -> str:
        self.has_written = True
        return "default"


def test_lock_store_locks_the_primary_and_counts_as_a_write(store: Store, settings: Any) -> None:
    router = OnAReplica()
    settings.DATABASE_ROUTERS = [router]
    with lock_store(store):
        assert router.has_written


# Creating.


def test_create_key_and_update_key_refuse_a_name_with_a_key_in_it(issue: IssueKey, by: Actor) -> None:
    key, plaintext = issue(name="  Ware\thouse  ")
    assert key.name == "Ware house"
    for name in (plaintext, f"ERP {plaintext.upper()}", "Ware\u200bhouse"):
        with pytest.raises(ValidationError):
            issue(name=name)
        with pytest.raises(ValidationError):
            lifecycle.update_key(key, by=by, version=1, name=name)


def test_create_key_adds_what_is_implied_and_refuses_an_unknown_scope(issue: IssueKey) -> None:
    assert issue(access=["orders:write"])[0].access == ["orders:read", "orders:write"]
    with pytest.raises(ValueError, match="planets:read"):
        issue(access=["orders:read", "planets:read"])


def test_create_key_draws_a_taken_prefix_again(issue: IssueKey, monkeypatch: pytest.MonkeyPatch) -> None:
    first, plaintext = issue()
    draws = iter([(first.prefix, plaintext), (first.prefix, plaintext), ("0123abc", f"0123abc.{'0' * 27}")])
    monkeypatch.setattr(key_text, "generate", lambda: next(draws))
    second, _ = issue()
    assert second.prefix == "0123abc"


def test_create_key_refuses_a_program_whose_key_has_stopped_at_this_moment(
    issue: IssueKey, by: Actor
) -> None:
    program, _ = issue(access=["orders:read", "api_keys:write"])
    lifecycle.deactivate_key(ApiKey.objects.get(pk=program.pk), by=by)
    with pytest.raises(ProgramStopped):
        issue(by=Actor(key=program))


# Changing.


def test_update_key_keeps_each_change_as_data(issue: IssueKey, by: Actor) -> None:
    key, _ = issue(name="Old", access=["orders:read", "customers:read"], allowed_addresses=["203.0.113.9"])
    expires_at = NOON + timedelta(days=30)
    lifecycle.update_key(key, by=by, version=1, name="New", access=["orders:write"], expires_at=expires_at)
    assert AuditEntry.objects.for_key(key)[0].details == {
        "name": {"from": "Old", "to": "New"},
        "access": {"from": ["orders:read", "customers:read"], "to": ["orders:read", "orders:write"]},
        "expires_at": {"from": None, "to": "2026-12-23T12:00:00+00:00"},
    }
    key.refresh_from_db()
    assert (key.name, key.access, key.version) == ("New", ["orders:read", "orders:write"], 2)
    assert key.allowed_addresses == ["203.0.113.9"]


def test_update_key_without_a_change_leaves_no_entry(key: ApiKey, by: Actor) -> None:
    lifecycle.update_key(key, by=by, version=1, name=key.name, access=key.access, expires_at=None)
    assert key.version == 1
    assert len(history(key)) == 1


def test_update_key_frees_the_old_name_and_takes_the_new(issue: IssueKey, by: Actor) -> None:
    key, _ = issue(name="First")
    lifecycle.update_key(key, by=by, version=1, name="Second")
    issue(name="First")
    with pytest.raises(NameTaken):
        issue(name="SECOND")


# Switching off and on.


@time_machine.travel(NOON, tick=False)
def test_deactivate_key_holds_until_reactivate_key_or_its_moment(issue: IssueKey, by: Actor) -> None:
    key, _ = issue()
    lifecycle.deactivate_key(key, by=by)
    assert not key.is_usable(NOON + timedelta(days=1000))
    lifecycle.reactivate_key(key, by=by, version=key.version)
    assert key.is_usable(NOON)
    lifecycle.deactivate_key(key, by=by, until=NOON + HOUR)
    assert not key.is_usable(NOON + timedelta(minutes=59))
    assert key.is_usable(NOON + HOUR)
    assert history(key)[:3] == ["Deactivated until 23 Nov 2026, 13:00 UTC.", "Reactivated.", "Deactivated."]


CHANGES: dict[str, Change] = {
    "works": lambda key, by: None,
    "off": lambda key, by: lifecycle.deactivate_key(key, by=by),
    "off for an hour": lambda key, by: lifecycle.deactivate_key(key, by=by, until=NOON + HOUR),
    "off for a day": lambda key, by: lifecycle.deactivate_key(key, by=by, until=NOON + 24 * HOUR),
    "on again": lambda key, by: lifecycle.reactivate_key(key, by=by, version=key.version),
    # From a dialog that was opened before somebody else changed the key.
    "on as it was": lambda key, by: lifecycle.reactivate_key(key, by=by, version=key.version - 1),
    "leaked": lambda key, by: lifecycle.report_leaked_keys([key], by=by),
    "rolled": lambda key, by: lifecycle.roll_key(key, by=by, overlap=HOUR),
    "suspended": lambda key, by: lifecycle.suspend_store(key.store, by=by, reason="Guessing."),
}


@time_machine.travel(NOON, tick=False)
@pytest.mark.parametrize(
    ("before", "weaker"),
    [
        ("works", "on again"),
        ("off", "off for an hour"),
        ("off", "off"),
        ("off", "rolled"),
        ("off", "on as it was"),
        ("off for a day", "off for an hour"),
        ("off for a day", "on as it was"),
        ("leaked", "off for an hour"),
        ("leaked", "off"),
        ("leaked", "on again"),
        ("leaked", "rolled"),
        ("rolled", "rolled"),
        ("suspended", "on again"),
        ("suspended", "rolled"),
    ],
)
def test_nothing_weaker_replaces_something_stronger(
    issue: IssueKey, by: Actor, before: str, weaker: str
) -> None:
    key, _ = issue()
    CHANGES[before](key, by)
    key.refresh_from_db()
    was = ApiKey.objects.values().get(pk=key.pk)
    with pytest.raises(StaleKey):
        CHANGES[weaker](key, by)
    assert ApiKey.objects.values().get(pk=key.pk) == was


@time_machine.travel(NOON, tick=False)
@pytest.mark.parametrize(
    ("before", "stronger"),
    [
        ("off for an hour", "off for a day"),
        ("off for a day", "off"),
        ("off", "leaked"),
        ("suspended", "off"),
        ("suspended", "leaked"),
    ],
)
def test_something_stronger_replaces_what_is_weaker(
    issue: IssueKey, by: Actor, before: str, stronger: str
) -> None:
    key, _ = issue()
    CHANGES[before](key, by)
    CHANGES[stronger](key, by)
    key.refresh_from_db()
    assert not key.is_usable(NOON + timedelta(hours=23))
    assert key.version > 1


def test_report_leaked_keys_ends_all_that_are_left(issue: IssueKey) -> None:
    found = [issue()[0] for _ in range(3)]
    gone, _ = issue()
    ApiKey.objects.filter(pk=gone.pk).delete()
    assert lifecycle.report_leaked_keys([*found, gone], by=Actor()) == found
    assert lifecycle.report_leaked_keys(found, by=Actor()) == []
    assert not ApiKey.objects.usable().exists()


# Rolling.


@time_machine.travel(NOON, tick=False)
def test_roll_key_copies_the_settings_to_a_successor(issue: IssueKey, by: Actor) -> None:
    expiry = NOON + timedelta(days=90)
    old, old_plaintext = issue(name="Shop", access=["orders:write"], expires_at=expiry)
    new, plaintext = lifecycle.roll_key(old, by=by, overlap=timedelta(hours=24), keep_expiry=True)
    assert (new.name, new.access, new.expires_at) == ("Shop", old.access, expiry)
    assert new.predecessor == old
    assert plaintext != old_plaintext
    assert old.expires_at == NOON + timedelta(hours=24)
    assert history(old)[0] == f"Rolled: replaced by {new.prefix}, works until 24 Nov 2026, 12:00 UTC."
    assert history(new) == [f"Created by rolling {old.prefix}."]


def test_roll_key_gives_the_successor_the_same_length(issue: IssueKey, by: Actor) -> None:
    with time_machine.travel(NOON, tick=False):
        first, _ = issue(expires_at=NOON + timedelta(days=90))
        extended, _ = issue(expires_at=NOON + timedelta(days=90))
        endless, _ = issue()
    with time_machine.travel(NOON + timedelta(days=80), tick=False) as now:
        until = NOON + timedelta(days=110)
        lifecycle.update_key(extended, by=by, version=1, expires_at=until)
        now.shift(timedelta(days=5))
        rolled = [
            lifecycle.roll_key(key, by=by, overlap=HOUR)[0].expires_at for key in (first, extended, endless)
        ]
    assert rolled == [NOON + timedelta(days=175), NOON + timedelta(days=115), None]


@time_machine.travel(NOON, tick=False)
@pytest.mark.parametrize(
    ("overlap", "ends"), [(timedelta(days=7), NOON + 2 * HOUR), (HOUR, NOON + HOUR), (timedelta(0), NOON)]
)
def test_roll_key_ends_the_old_key_after_the_overlap_and_never_later_than_before(
    issue: IssueKey, by: Actor, overlap: timedelta, ends: datetime
) -> None:
    old, _ = issue(expires_at=NOON + 2 * HOUR)
    lifecycle.roll_key(old, by=by, overlap=overlap)
    assert (old.expires_at, old.is_expired(NOON)) == (ends, overlap == timedelta(0))


def test_roll_key_hands_the_name_on(issue: IssueKey, by: Actor) -> None:
    old, _ = issue(name="Shop")
    lifecycle.roll_key(old, by=by, overlap=timedelta(days=7))
    with pytest.raises(NameTaken):
        issue(name="shop")
