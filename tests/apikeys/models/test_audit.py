"""The audit log: what is kept of every change, and for how long."""

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction

from apikeys import lifecycle
from apikeys.actors import Actor
from apikeys.models import ApiKey, AuditEntry, Event
from stores.models import Store
from tests.conftest import IssueKey


def test_record_names_key_person_and_address(issue: IssueKey, owner: User, store: Store) -> None:
    key, _ = issue(name="Shop", by=Actor(owner, "203.0.113.9"))
    entry = AuditEntry.objects.get()
    assert (entry.store, entry.key, entry.prefix, entry.name) == (store, key, key.prefix, "Shop")
    assert (entry.actor, entry.actor_email, entry.address) == (owner, "owner@example.com", "203.0.113.9")
    assert (entry.event, entry.details) == (Event.CREATED, {"access": ["orders:read"]})


def test_entries_outlive_key_person_and_store(issue: IssueKey, owner: User, store: Store) -> None:
    key, _ = issue(name="Shop")
    prefix = key.prefix
    lifecycle.delete_key(key, by=Actor(owner))
    owner.delete()
    store.delete()
    kept = [
        (entry.subject, entry.sentence, entry.actor_email)
        for entry in AuditEntry.objects.filter(prefix=prefix)
    ]
    assert kept == [
        (f"Shop ({prefix})", "Deleted.", "owner@example.com"),
        (f"Shop ({prefix})", "Created with orders:read.", "owner@example.com"),
    ]


@pytest.mark.parametrize("text", ["STRASSE", "ｓｔｒａße", "Owner@", "19656ea"])
def test_search_finds_entries_by_name_person_or_prefix(issue: IssueKey, owner: User, text: str) -> None:
    key, _ = issue(name="Straße", by=Actor(owner))
    issue(name="Other", by=Actor())
    AuditEntry.objects.filter(key=key).update(prefix="19656ea")
    assert [entry.key for entry in AuditEntry.objects.search(text)] == [key]


def test_record_without_a_person_names_none(issue: IssueKey) -> None:
    issue(by=Actor())
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.actor_email, entry.actor_name) == (None, "", "Reflow")
    assert list(User.objects.values_list("email", flat=True)) == ["owner@example.com"]


def test_for_key_has_suspensions_since_its_creation(
    issue: IssueKey, owner: User, store: Store, other_store: Store
) -> None:
    lifecycle.suspend_store(store, by=Actor(owner), reason="Before it.")
    lifecycle.resume_store(store, by=Actor(owner))
    lifecycle.suspend_store(other_store, by=Actor(owner), reason="Another store.")
    key, _ = issue()
    lifecycle.suspend_store(store, by=Actor(owner), reason="After it.")
    assert [entry.sentence for entry in AuditEntry.objects.for_key(key)] == [
        "Suspended all API keys: After it.",
        "Created with orders:read.",
    ]


def test_entry_with_an_unknown_event_is_refused(store: Store) -> None:
    with pytest.raises(IntegrityError, match="audit_event_is_known"), transaction.atomic():
        AuditEntry.objects.create(store=store, event="invented")


def test_for_key_uses_an_index(key: ApiKey) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
        assert "audit_newest_of_" in AuditEntry.objects.for_key(key).explain()
