"""The table of events: the sentence of each, who is told of it, and what the e-mail says."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.mail import EmailMessage

from apikeys import lifecycle
from apikeys.actors import Actor
from apikeys.events import Notification, lets_more_in
from apikeys.models import ApiKey, AuditEntry
from apikeys.owners import set_owners
from apikeys.settings_page.notifications import NotificationsForm
from stores.models import Store
from tests.conftest import IssueKey, deliver_emails, make_owner

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
LATER = NOON + timedelta(days=1)


def test_each_switch_of_a_notice_is_a_column() -> None:
    assert set(get_args(Notification)) == set(NotificationsForm().fields)


@pytest.mark.parametrize(
    ("event", "details", "sentence"),
    [
        ("created", {"predecessor": "19656ea", "access": ["orders:read"]}, "Created by rolling 19656ea."),
        ("created", {"predecessor": "19656ea", "renewed": True}, "Created: 19656ea renewed itself."),
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
        (
            "trust_edit",
            {"trust": 7, "trust_name": "Deploy", "allowed_addresses": {"from": [], "to": ["192.0.2.1"]}},
            "Changed the trust “Deploy”: allowed addresses. Its keys were ended.",
        ),
        ("updated", {"sentence": "Widened access."}, "Widened access."),
    ],
)
def test_an_entry_has_a_sentence_made_of_its_details(
    event: str, details: dict[str, Any], sentence: str
) -> None:
    assert AuditEntry(event=event, details=details).sentence == sentence


@pytest.mark.parametrize(
    ("column", "before", "after", "expected"),
    [
        ("access", ["orders:read"], ["orders:read", "orders:write"], True),
        ("access", ["orders:read", "orders:write"], ["orders:read"], False),
        ("allowed_addresses", ["203.0.113.9"], [], True),
        ("allowed_addresses", [], ["203.0.113.9"], False),
        ("allowed_addresses", ["203.0.113.0/24"], ["203.0.113.9", "203.0.113.128/25"], False),
        ("allowed_addresses", ["203.0.113.0/24"], ["203.0.113.9", "2001:db8::1"], True),
        ("allowed_addresses", ["203.0.113.0/24"], ["203.0.112.0/23"], True),
        ("expires_at", NOON.isoformat(), LATER.isoformat(), True),
        ("expires_at", NOON.isoformat(), None, True),
        ("expires_at", LATER.isoformat(), NOON.isoformat(), False),
        ("expires_at", None, LATER.isoformat(), False),
        ("renews_days", None, 7, True),
        ("renews_days", 7, 30, False),
        ("renews_days", 7, None, False),
        ("name", "Old", "New", False),
        ("rate_limit", 5, None, False),
    ],
)
def test_lets_more_in_weighs_what_a_change_is_from_and_to(
    column: str, before: Any, after: Any, *, expected: bool
) -> None:
    assert lets_more_in({column: {"from": before, "to": after}}) is expected


def update(**changes: Any) -> Callable[[ApiKey, Actor], object]:
    return lambda key, by: lifecycle.update_key(key, by=by, version=key.version, **changes)


def reactivate(key: ApiKey, by: Actor) -> None:
    lifecycle.deactivate_key(key, by=by)
    lifecycle.reactivate_key(key, by=by, version=key.version)


@pytest.mark.parametrize(
    ("change", "verb", "is_doer_told"),
    [
        (update(access=["orders:read", "coupons:read"]), "was given more access", True),
        (update(allowed_addresses=[]), "was given more access", True),
        (update(expires_at=None), "was given more access", True),
        (update(name="Renamed", access=["orders:read"], note="Call Ines"), "", False),
        (update(expires_at=NOON), "", False),
        (lambda key, by: lifecycle.roll_key(key, by=by, overlap=timedelta(hours=1)), "was rolled", True),
        (lambda key, by: lifecycle.delete_key(key, by=by), "was deleted", True),
        (lambda key, by: lifecycle.deactivate_key(key, by=by), "was deactivated", False),
        (lambda key, by: lifecycle.report_leaked_keys([key], by=by), "because of a leak", True),
        (lambda key, by: lifecycle.mark_exposed(key, by=by), "was sent without HTTPS", True),
        (reactivate, "was reactivated", True),
    ],
)
def test_send_event_tells_owners_of_more_access_and_of_what_others_stop(
    issue: IssueKey, owner: User, store: Store, change: Any, verb: str, *, is_doer_told: bool
) -> None:
    partner = make_owner("partner@example.com")
    store.owners.add(partner)
    with time_machine.travel(NOON - timedelta(days=1), tick=False):
        key, _ = issue(
            access=["orders:read", "orders:write"], expires_at=LATER, allowed_addresses=["203.0.113.9"]
        )
        deliver_emails().clear()
        change(key, Actor(owner, "192.0.2.4"))
    told = [email for email in deliver_emails() if "was deactivated: " not in email.subject or "de" in verb]
    recipients = ["owner@example.com"] * is_doer_told + ["partner@example.com"] * bool(verb)
    assert sorted(email.to[0] for email in told) == recipients
    for email in told:
        assert verb in email.subject
        assert "From: 192.0.2.4" in email.body


def emails_of(change: Callable[[], object]) -> list[EmailMessage]:
    deliver_emails().clear()
    change()
    return deliver_emails()


@time_machine.travel(NOON, tick=False)
def test_send_event_says_who_did_what_and_what_the_key_may_do_now(issue: IssueKey, owner: User) -> None:
    key, plaintext = issue(name="Shop", expires_at=LATER)
    widened = ["orders:read", "coupons:read"]
    by = Actor(owner, "192.0.2.4")
    (email,) = emails_of(lambda: lifecycle.update_key(key, by=by, version=1, access=widened))
    assert email.subject == f"API key {key.prefix} was given more access: Shop"
    assert email.body == (
        "Added coupons:read.\n\n"
        f"Key: Shop ({key.prefix})\n"
        "Store: Northwood\n"
        "When: 23 Nov 2026, 12:00 UTC\n"
        "By: owner@example.com\n"
        "From: 192.0.2.4\n"
        "Access now: orders:read, coupons:read\n"
        "Expires: 24 Nov 2026, 12:00 UTC\n"
        "Addresses: any\n\n"
        "If this was not you or somebody you trust, deactivate the key and change your password.\n\n"
        f"Open the key's page: http://testserver/stores/267418190/settings/api-keys/{key.prefix}/\n"
    )
    assert plaintext[8:] not in str(email.message())


@pytest.mark.parametrize(
    ("change", "subject"),
    [
        (lifecycle.delete_keys, "7 API keys of Northwood were deleted"),
        (lifecycle.report_leaked_keys, "7 API keys of Northwood were deactivated because of a leak"),
    ],
)
def test_send_event_sends_one_email_for_many_keys(
    issue: IssueKey, owner: User, change: Any, subject: str
) -> None:
    keys = [issue(name=f"Key {number}")[0] for number in range(7)]
    (email,) = emails_of(lambda: change(keys, by=Actor(owner)))
    assert email.subject == subject
    assert all(f"{key.name} ({key.prefix}): " in email.body for key in keys)
    assert AuditEntry.objects.exclude(event="created").count() == 7


def test_send_event_tells_each_store_of_its_own_keys(
    issue: IssueKey, owner: User, other_store: Store
) -> None:
    mine, foreign = issue(name="Mine")[0], issue(name="Theirs", store=other_store)[0]
    told = emails_of(lambda: lifecycle.report_leaked_keys([mine, foreign], by=Actor()))
    assert {(email.to[0], "Mine" in email.body) for email in told} == {
        ("owner@example.com", True),
        ("second@example.com", False),
    }


def test_set_owners_tells_former_owners_without_a_link(store: Store, owner: User) -> None:
    partner = make_owner("partner@example.com")
    to_partner, to_owner = emails_of(lambda: set_owners(store, [partner], by=Actor()))
    assert (to_partner.to, to_owner.to) == (["partner@example.com"], ["owner@example.com"])
    assert "/settings/api-keys/" in to_partner.body
    assert "/settings/api-keys/" not in to_owner.body
    assert to_owner.body.startswith("Added partner@example.com as owner. Removed owner@example.com as owner.")


def test_changes_of_several_keys_leave_those_that_cannot_be(issue: IssueKey, owner: User) -> None:
    by = Actor(owner)
    working, off, gone = (issue(expires_at=NOON)[0] for _ in range(3))
    lifecycle.deactivate_key(off, by=by)
    ApiKey.objects.filter(pk=gone.pk).delete()
    keys = [working, off, gone]
    assert lifecycle.deactivate_keys(keys, by=by) == [working]
    assert lifecycle.reactivate_keys(keys, by=by) == [working, off]
    assert lifecycle.extend_keys(keys, by=by, expires_at=LATER) == [working, off]
    assert lifecycle.extend_keys(keys, by=by, expires_at=NOON) == []
    assert lifecycle.delete_keys(keys, by=by) == [working, off]
