"""Migrations that take over what was kept in another way."""

import importlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.utils import timezone

from apikeys.models import ApiKey, AuditEntry, LastUse, Usage
from stores.models import Store
from tests.conftest import IssueKey

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)

fill_used_at = importlib.import_module("apikeys.migrations.0024_used_at").fill
fill = importlib.import_module("apikeys.migrations.0006_fill_audit_log").fill


def log(thing: ApiKey | Store, user: User, sentence: str, *, minute: int = 0, shown_as: str = "") -> None:
    """Add a line as the release before wrote it."""
    entry = LogEntry.objects.create(
        user=user,
        content_type=ContentType.objects.get_for_model(thing),
        object_id=str(thing.pk),
        object_repr=shown_as or str(thing),
        action_flag=CHANGE,
        change_message=sentence,
    )
    LogEntry.objects.filter(pk=entry.pk).update(action_time=NOON + timedelta(minutes=minute))


@pytest.fixture
def key(issue: IssueKey) -> ApiKey:
    key, _ = issue(name="Shop")
    AuditEntry.objects.all().delete()
    return key


@pytest.mark.parametrize(
    ("sentence", "event", "details"),
    [
        ("Created with orders:read, coupons:read.", "created", {"access": ["orders:read", "coupons:read"]}),
        ("Created by rolling 19656ea.", "created", {"predecessor": "19656ea"}),
        ("Deactivated.", "deactivated", {}),
        ("Reactivated.", "reactivated", {}),
        ("Deleted.", "deleted", {}),
        ("Renamed from “a” to “b”.", "updated", {"sentence": "Renamed from “a” to “b”."}),
        (
            "Deactivated until 23 November 2026, 13:00 UTC.",
            "deactivated",
            {"sentence": "Deactivated until 23 November 2026, 13:00 UTC."},
        ),
    ],
)
def test_a_line_becomes_an_entry_or_keeps_its_sentence(
    key: ApiKey, owner: User, store: Store, sentence: str, event: str, details: dict[str, Any]
) -> None:
    log(key, owner, sentence)
    fill(apps, None)
    entry = AuditEntry.objects.get()
    assert (entry.event, entry.details, entry.at) == (event, details, NOON)
    assert (entry.key, entry.store, entry.prefix, entry.name) == (key, store, key.prefix, "Shop")
    assert (entry.actor, entry.actor_email) == (owner, "owner@example.com")
    assert entry.sentence == sentence


def test_the_account_that_stood_for_nobody_becomes_nobody(key: ApiKey) -> None:
    log(key, User.objects.create(username="reflow", is_active=False), "Reactivated.")
    fill(apps, None)
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.actor_email) == (None, "")


def test_a_deleted_key_is_found_in_its_store(key: ApiKey, owner: User, store: Store) -> None:
    log(key, owner, "Deleted.")
    log(store, owner, f"Deleted the API key {key}.")
    prefix = key.prefix
    key.delete()
    fill(apps, None)
    entry = AuditEntry.objects.get()
    assert (entry.key, entry.store, entry.prefix, entry.sentence) == (None, store, prefix, "Deleted.")


def test_what_happened_to_all_keys_at_once_is_kept_once(key: ApiKey, owner: User, store: Store) -> None:
    log(store, owner, "Suspended all API keys: Guessing.")
    log(key, owner, "All keys of the store were suspended: Guessing.")
    log(store, owner, "Resumed all API keys.", minute=1)
    log(key, owner, "All keys of the store were resumed.", minute=1)
    log(store, owner, '[{"changed": {"fields": ["Name"]}}]', minute=2)
    fill(apps, None)
    assert [entry.sentence for entry in AuditEntry.objects.all()] == [
        "Resumed all API keys.",
        "Suspended all API keys: Guessing.",
    ]


@pytest.mark.parametrize(
    ("later", "is_leaked"),
    [([], True), (["Reactivated.", "Deactivated."], False)],
    ids=["still", "no longer"],
)
def test_a_key_that_was_handed_in_and_not_reactivated_is_leaked(
    key: ApiKey, owner: User, later: list[str], *, is_leaked: bool
) -> None:
    ApiKey.objects.filter(pk=key.pk).update(deactivated_at=timezone.now())
    for minute, sentence in enumerate(["Deactivated: an operator found that it had leaked.", *later]):
        log(key, owner, sentence, minute=minute)
    fill(apps, None)
    key.refresh_from_db()
    assert key.is_leaked is is_leaked


def test_names_that_could_not_be_told_apart_can_be(
    issue: IssueKey, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = [issue(name=f"Key {number}")[0] for number in range(3)]
    for key, name in zip(keys, ("Warehouse", "Warehouse\u200b", "\u200b"), strict=True):
        ApiKey.objects.filter(pk=key.pk).update(name=name, comparable_name="")
    fill(apps, None)
    names = [key.name for key in ApiKey.objects.order_by("pk")]
    assert names == ["Warehouse", f"Warehouse {keys[1].prefix}", f"Key {keys[2].prefix}"]
    assert capsys.readouterr().out.count("Renamed") == 2


def test_a_key_was_used_when_it_was_last_let_in(issue: IssueKey) -> None:
    used, refused, never = (issue()[0] for _ in range(3))
    for key, status_code in ((used, 404), (refused, 401), (never, 401)):
        LastUse.objects.create(key=key, at=NOON, method="GET", status_code=status_code)
    for days, outcome in ((3, "succeeded"), (2, "failed"), (1, "refused")):
        at = NOON - timedelta(days=days)
        Usage.objects.create(
            store_id=refused.store_id, key=refused, day=at.date(), outcome=outcome, requests=1, last_at=at
        )
    fill_used_at(apps, None)
    assert dict(LastUse.objects.values_list("key", "used_at")) == {
        used.pk: NOON,
        refused.pk: NOON - timedelta(days=2),
        never.pk: None,
    }
