"""The audit log: what is kept of every change, and for how long."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction

from apikeys import lifecycle
from apikeys.actors import Actor
from apikeys.models import AuditEntry, Event
from apikeys.models.audit_sentences import describe
from stores.models import Store
from tests.conftest import IssueKey

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_an_entry_names_the_key_the_person_and_the_address(
    issue: IssueKey, owner: User, store: Store
) -> None:
    key, _ = issue(name="Shop", by=Actor(owner, "203.0.113.9"))
    entry = AuditEntry.objects.get()
    assert (entry.store, entry.key, entry.prefix, entry.name) == (store, key, key.prefix, "Shop")
    assert (entry.actor, entry.actor_email, entry.address) == (owner, "owner@example.com", "203.0.113.9")
    assert (entry.event, entry.details) == (Event.CREATED, {"access": ["orders:read"]})


def test_entries_outlive_their_key_their_person_and_their_store(
    issue: IssueKey, owner: User, store: Store
) -> None:
    key, _ = issue(name="Shop")
    prefix = key.prefix
    lifecycle.delete_key(key, by=Actor(owner))
    owner.delete()
    store.delete()
    kept = [
        (entry.subject, entry.sentence, entry.actor_email) for entry in AuditEntry.objects.for_prefix(prefix)
    ]
    assert kept == [
        (f"Shop ({prefix})", "Deleted.", "owner@example.com"),
        (f"Shop ({prefix})", "Created with orders:read.", "owner@example.com"),
    ]


def test_what_no_person_did_names_none(issue: IssueKey) -> None:
    issue(by=Actor())
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.actor_email, entry.actor_name) == (None, "", "Reflow")
    assert list(User.objects.values_list("email", flat=True)) == ["owner@example.com"]


def test_a_key_shows_what_happened_to_all_keys_since_it_was_created(
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


def test_an_event_nobody_knows_is_refused(store: Store) -> None:
    with pytest.raises(IntegrityError, match="audit_event_is_known"), transaction.atomic():
        AuditEntry.objects.create(store=store, event="invented")


def test_a_keys_entries_are_found_by_an_index_however_long_the_log_is(issue: IssueKey) -> None:
    key, _ = issue()
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
        assert "audit_newest_of_" in AuditEntry.objects.for_key(key).explain()


@pytest.mark.parametrize(
    ("event", "details", "sentence"),
    [
        ("created", {"access": ["orders:read", "coupons:read"]}, "Created with orders:read, coupons:read."),
        ("created", {"predecessor": "19656ea", "access": ["orders:read"]}, "Created by rolling 19656ea."),
        ("updated", {"name": {"from": "Old", "to": "New"}}, "Renamed from “Old” to “New”."),
        (
            "updated",
            {"access": {"from": ["orders:read", "customers:read"], "to": ["orders:read", "orders:write"]}},
            "Added orders:write. Removed customers:read.",
        ),
        (
            "updated",
            {"allowed_addresses": {"from": [], "to": ["203.0.113.0/24"]}},
            "Allowed addresses changed from any to 203.0.113.0/24.",
        ),
        (
            "updated",
            {"expires_at": {"from": None, "to": NOON.isoformat()}},
            "Expiry changed from no expiry to 23 Nov 2026, 12:00 UTC.",
        ),
        (
            "updated",
            {"rate_limit": {"from": None, "to": 7}},
            "Limit changed from the default to 7 requests a minute.",
        ),
        (
            "rolled",
            {"successor": "19656ea", "works_until": NOON.isoformat()},
            "Rolled: replaced by 19656ea, works until 23 Nov 2026, 12:00 UTC.",
        ),
        ("deactivated", {"until": None}, "Deactivated."),
        ("deactivated", {"until": NOON.isoformat()}, "Deactivated until 23 Nov 2026, 12:00 UTC."),
        ("reactivated", {}, "Reactivated."),
        ("deleted", {}, "Deleted."),
        ("suspended", {"reason": "Guessing."}, "Suspended all API keys: Guessing."),
        ("resumed", {}, "Resumed all API keys."),
        (
            "updated",
            {"sentence": "Widened access: gained orders:read."},
            "Widened access: gained orders:read.",
        ),
    ],
)
def test_data_becomes_a_sentence_when_it_is_read(event: str, details: dict[str, Any], sentence: str) -> None:
    assert describe(event, details, by_person=True) == sentence


def test_a_leak_tells_who_found_it() -> None:
    assert describe("leaked", {}, by_person=True).endswith("by an operator.")
    assert describe("leaked", {}, by_person=False).endswith("by somebody who had it.")
