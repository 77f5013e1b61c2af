"""The forms of the settings page: what they take, say is wrong, and change."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.http import QueryDict
from django.utils import timezone

from apikeys import lifecycle, renewal
from apikeys.actors import Actor
from apikeys.models import ApiKey
from apikeys.settings_page.forms import DeactivateForm, EditKeyForm, NewKeyForm, RollForm, initial_of
from stores.models import Store
from tests.conftest import IssueKey

NEW = {"name": "Accounting", "expiry": "never", "access": ["orders:read"]}


def query(fields: dict[str, Any]) -> QueryDict:
    """Return fields as a browser sends them."""
    data = QueryDict(mutable=True)
    for name, value in fields.items():
        data.setlist(name, value if isinstance(value, list) else [value])
    return data


def new_form(store: Store, **typed: Any) -> NewKeyForm:
    return NewKeyForm(query(NEW | typed), store=store)


def edit_form(key: ApiKey, **typed: Any) -> EditKeyForm:
    """The form that was opened when the key was as it is here, sent with these fields changed."""
    form = EditKeyForm(query(initial_of(key) | typed), key=ApiKey.objects.get(pk=key.pk))
    form.is_valid()
    return form


@pytest.mark.parametrize(
    ("typed", "complaint"),
    [
        ({"name": ""}, "Enter a name."),
        ({"name": " \t "}, "Enter a name."),
        ({"name": "x" * 101}, "at most 100 characters"),
        ({"name": "a\x07b"}, "invisible character"),
        ({"name": "\u0958" * 51}, "at most 100 characters"),  # it grows past its column
        ({"name": "\ufdfa" * 23}, "This is too long"),
        ({"access": []}, "Choose at least one resource."),
        ({"access": ["orders:read", "planets:read"]}, "There is no access called planets:read"),
        ({"access": ["orders"]}, "There is no access called orders"),
        ({"expiry": "date"}, "Choose the last day"),
        ({"expiry": "date", "expiry_date": "2001-01-01"}, "in the past"),
        ({"expiry": "365", "renews": "on"}, "at most 90 days"),
        ({"expiry": "never", "renews": "on"}, "at most 90 days"),
        ({"note": "x" * 501}, "at most 500 characters"),
        ({"note": "\r\n".join(["x" * 9] * 50) + "\r\nx"}, "at most 500 characters"),
        ({"note": "19656ea.4329f04826e125f1ee999b53f78"}, "This contains an API key"),
        ({"allowed_addresses": "hello"}, "“hello” is not an IP address or network."),
    ],
)
def test_new_says_what_is_wrong(store: Store, typed: dict[str, Any], complaint: str) -> None:
    assert complaint in str(new_form(store, **typed).errors)


def test_new_counts_lines_as_they_are_kept(store: Store) -> None:
    networks = [f"2001:0db8:0000:0000:0000:0000:{number:04x}:0000/112" for number in range(50)]
    note = "\r\n".join(["x" * 9] * 50)
    form = new_form(store, note=note, allowed_addresses="\r\n".join(networks))
    assert form.is_valid(), form.errors
    assert (len(form.cleaned_data["note"]), len(form.cleaned_data["allowed_addresses"])) == (499, 50)


@time_machine.travel(datetime(2026, 11, 23, 12, tzinfo=UTC), tick=False)
@pytest.mark.parametrize(
    ("typed", "expires_at", "renews_days"),
    [
        ({"expiry": "never"}, None, None),
        ({"expiry": "30"}, datetime(2026, 12, 23, 12, tzinfo=UTC), None),
        ({"expiry": "365"}, datetime(2027, 11, 23, 12, tzinfo=UTC), None),
        ({"expiry": "90", "renews": "on"}, datetime(2027, 2, 21, 12, tzinfo=UTC), 90),
        (
            {"expiry": "date", "expiry_date": "2026-11-23"},
            datetime(2026, 11, 23, 23, 59, 59, tzinfo=UTC),
            None,
        ),
    ],
)
def test_new_key_expires_and_renews_itself_as_it_was_told(
    store: Store, owner: User, typed: dict[str, str], expires_at: datetime | None, renews_days: int | None
) -> None:
    form = new_form(store, **typed)
    assert form.is_valid(), form.errors
    assert form.create(by=Actor(owner))
    key = ApiKey.objects.get()
    assert (key.expires_at, key.renews_days) == (expires_at, renews_days)


def test_new_refuses_a_taken_name_whatever_its_case_and_however_late(store: Store, issue: IssueKey) -> None:
    form = new_form(store)
    assert form.is_valid()
    issue(name="ACCOUNTING")
    assert form.create(by=Actor()) is None
    for refused in (form, new_form(store)):
        assert "Another key of this store has this name" in str(refused.errors)
    assert ApiKey.objects.count() == 1


@pytest.mark.parametrize(
    ("field", "theirs"),
    [
        ("name", "Theirs"),
        ("note", "Theirs"),
        ("access", ["coupons:read"]),
        ("expires_at", datetime(2030, 1, 29, tzinfo=UTC)),
        ("allowed_addresses", ["203.0.113.7"]),
    ],
)
def test_edit_saves_only_what_this_person_changed(
    issue: IssueKey, owner: User, field: str, theirs: Any
) -> None:
    key, _ = issue(name="Old", access=["orders:read"])
    lifecycle.update_key(ApiKey.objects.get(), by=Actor(owner), version=1, **{field: theirs})
    form = edit_form(key, **({"name": "Mine"} if field == "note" else {"note": "Mine"}))
    assert form.change(by=Actor(owner))
    changed = ApiKey.objects.get()
    assert getattr(changed, field) == theirs
    assert "Mine" in {changed.name, changed.note}
    assert len(form.meanwhile) == 1


def test_edit_asks_only_where_both_changed_the_same(issue: IssueKey, owner: User) -> None:
    key, _ = issue(name="Old", access=["orders:read"])
    their_key = ApiKey.objects.get()
    for name in ("Between", "Theirs"):
        lifecycle.update_key(their_key, by=Actor(owner), version=their_key.version, name=name)
    lifecycle.update_key(their_key, by=Actor(owner), version=3, access=["coupons:read"])
    form = edit_form(key, name="Mine")
    assert not form.change(by=Actor(owner))
    assert "somebody else changed the name, too" in str(form.non_field_errors())
    assert [entry.sentence for entry in form.meanwhile][:2] == [
        "Added coupons:read. Removed orders:read.",
        "Renamed from “Between” to “Theirs”.",
    ]
    assert (form["name"].value(), form["access"].value(), form["version"].value()) == (
        "Mine", ["coupons:read"], 4,
    )  # fmt: skip
    assert ApiKey.objects.get().name == "Theirs"
    again = EditKeyForm(form.data, key=ApiKey.objects.get())
    assert again.is_valid()
    assert again.change(by=Actor(owner))
    assert (ApiKey.objects.get().name, ApiKey.objects.get().access) == ("Mine", ["coupons:read"])


@pytest.mark.parametrize("expires_at", [None, timezone.now() + timedelta(days=400)])
def test_edit_asks_about_the_expiry_of_a_key_that_was_rolled_meanwhile(
    issue: IssueKey, owner: User, expires_at: datetime | None
) -> None:
    key, _ = issue(expires_at=expires_at)
    lifecycle.roll_key(ApiKey.objects.get(), by=Actor(owner), overlap=timedelta(hours=1))
    ends = ApiKey.objects.get(pk=key.pk).expires_at
    assert not edit_form(key, expiry="90").change(by=Actor(owner))
    assert edit_form(key, expiry="keep", note="Mine").change(by=Actor(owner))
    key.refresh_from_db()
    assert (key.expires_at, key.note) == (ends, "Mine")


def test_edit_keeps_what_others_changed_while_the_program_renewed_the_key(
    issue: IssueKey, owner: User
) -> None:
    key, _ = issue(access=["orders:read"], renews_days=10)
    their_key = ApiKey.objects.get()
    lifecycle.update_key(their_key, by=Actor(owner), version=1, access=["orders:read", "customers:read"])
    for _ in range(2):
        renewal.renew_key(their_key, by=Actor())
    assert edit_form(key, note="Mine").change(by=Actor(owner))
    key.refresh_from_db()
    assert (key.access, key.note) == (["orders:read", "customers:read"], "Mine")


def test_edit_of_a_key_that_its_program_has_replaced_says_so(key: ApiKey, owner: User) -> None:
    ApiKey.objects.update(replaced_at=timezone.now())
    form = edit_form(key, note="Mine")
    assert not form.change(by=Actor(owner))
    assert "This key can no longer be changed" in str(form.non_field_errors())


def test_edit_that_keeps_the_expiry_leaves_it_removed(issue: IssueKey, owner: User) -> None:
    key, _ = issue(expires_at=timezone.now() + timedelta(days=5))
    lifecycle.update_key(ApiKey.objects.get(), by=Actor(owner), version=1, expires_at=None)
    assert edit_form(key, note="Mine").change(by=Actor(owner))
    key.refresh_from_db()
    assert (key.expires_at, key.note) == (None, "Mine")


@pytest.mark.parametrize("version", ["", "x", "0", "9" * 5000], ids=["nothing", "text", "zero", "digits"])
def test_edit_without_a_version_is_not_saved(key: ApiKey, version: str) -> None:
    form = edit_form(key, name="Mine", version=version)
    assert "This form was incomplete, so nothing was saved." in str(form.non_field_errors())
    assert (form["name"].value(), form["version"].value()) == ("Mine", 1)


def test_edit_keeps_the_expiry_to_the_microsecond(issue: IssueKey, owner: User) -> None:
    expires_at = timezone.now() + timedelta(days=3, microseconds=1)
    key, _ = issue(expires_at=expires_at)
    assert edit_form(key, name="New").change(by=Actor(owner))
    assert (ApiKey.objects.get().name, ApiKey.objects.get().expires_at) == ("New", expires_at)


def test_edit_lets_a_key_renew_itself_and_no_longer(issue: IssueKey, owner: User) -> None:
    key, _ = issue(expires_at=timezone.now() + timedelta(days=5))
    changes: list[tuple[dict[str, Any], int | None]] = [
        ({"renews": "on"}, None),
        ({"renews": "on", "expiry": "30"}, 30),
        ({"note": "Nightly", "renews": "on"}, 30),
        ({"renews": ""}, None),
    ]
    for change, days in changes:
        form = edit_form(ApiKey.objects.get(), **{"renews": "", **change})
        if form.is_valid():
            form.change(by=Actor(owner))
        key.refresh_from_db()
        assert key.renews_days == days, change
    assert key.note == "Nightly"


def test_deactivate_takes_no_other_length() -> None:
    assert DeactivateForm(query({"hours": "24"})).is_valid()
    assert not DeactivateForm(query({"hours": "999"})).is_valid()


def test_roll_offers_two_ends_only_where_they_differ(issue: IssueKey) -> None:
    key, _ = issue(expires_at=timezone.now() + timedelta(days=30))
    assert "expiry" not in RollForm(key=key).fields
    ApiKey.objects.update(created_at=timezone.now() - timedelta(days=20))
    key.refresh_from_db()
    assert len(RollForm(key=key).fields["expiry"].choices) == 2  # type: ignore[attr-defined]
