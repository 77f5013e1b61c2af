"""The table of states: each rule, and that badge, filter, Needs attention, reminder and permission agree."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from apikeys import key_text, reminders
from apikeys.api import authentication
from apikeys.api.exceptions import ApiError
from apikeys.models import ApiKey, LastUse, Refusal, Reminder
from apikeys.models.key import grouped_by_state
from apikeys.models.state import BY_NAME, STATES, attention_lines
from stores.models import Store
from tests.key_requests import count_usage

NOON = datetime.fromisoformat("2026-03-10 12:00Z")
ATTENTION = {state.name for state in STATES if state.attention}


@pytest.fixture
def now() -> Any:
    with time_machine.travel(NOON, tick=False):
        yield NOON


def moment(days: float | None) -> datetime | None:
    return None if days is None else NOON + timedelta(days=days)


def save_key(
    store: Store,
    *,
    created: float = -20,
    access: Sequence[str] = ("orders:read",),
    is_canary: bool = False,
    used: float | None = None,
    tried: float | None = None,
    refused: float | None = None,
    reason: str = "rate_limited",
    settled: str = "",
    wrote_to: str = "",
    **columns: float | None,
) -> tuple[ApiKey, str]:
    """Save a key with these ``columns`` and what it did, in days from now; None where there is nothing."""
    prefix, plaintext = key_text.generate()
    at = {name: moment(days) for name, days in columns.items()}
    if is_canary or at.get("leaked_at"):
        at |= {"deactivated_at": at.get("deactivated_at") or moment(-1), "reactivates_at": None}
    elif not at.get("deactivated_at"):
        at["reactivates_at"] = None
    key = ApiKey.objects.create(
        store=store,
        name=prefix,
        prefix=prefix,
        digest=key_text.digest(plaintext),
        access=list(access),
        created_at=NOON + timedelta(days=created),
        is_canary=is_canary,
        **at,
    )
    used_at, tried_at = moment(used), moment(tried)
    if used_at or tried_at:
        newest = max(filter(None, (used_at, tried_at)))
        status_code = 200 if newest == used_at else 401
        LastUse.objects.create(key=key, at=newest, used_at=used_at, method="GET", status_code=status_code)
    if refused_at := moment(refused):
        Refusal.objects.create(
            store=store,
            key=key,
            reason=reason,
            requests=1,
            first_at=refused_at,
            last_at=refused_at,
            settled_at=NOON if settled else None,
            settled_as=settled,
        )
    if wrote_to:
        count_usage(key, 1, scope=f"{wrote_to}:write")
    return key, plaintext


def states_of(key: ApiKey) -> set[str]:
    """Return the states by which the list finds this key, without ``working``."""
    return {state.name for state in STATES[:-1] if ApiKey.objects.in_state(state.name).contains(key)}


COLUMNS: dict[str, list[Any]] = {
    "created": [0, -29, -31, -100],
    "access": [["orders:read"], ["orders:read", "orders:write"]],
    "is_canary": [False, False, False, True],
    "expires_at": [None, -3, 0, 0.5, 6, 7.5, 30],
    "deactivated_at": [None, None, -5],
    "reactivates_at": [None, -4, 0, 1],
    "suspended_at": [None, None, None, 0],
    "leaked_at": [None, None, None, 0],
    "superseded_at": [None, 0],
    "quiet_since": [None, None, -1, 0],
    "renewal_due_at": [None, None, 0, 1],
    "replaced_at": [None, None, 0, 1],
    "reused_at": [None, None, None, 0],
    "used": [None, -95, -29, -1],
    "tried": [None, -95, -0.5],
    "refused": [None, -8, -3, -1],
    "reason": ["rate_limited", "api_key_inactive"],
    "settled": ["", "fixed", "left"],
    "wrote_to": ["", "orders", "products"],
}


def test_badge_filter_attention_reminder_and_permission_agree(
    store: Store, now: datetime, client: Client
) -> None:
    rng = random.Random(22)  # the same keys in every run: a fault shows where it is made
    drawn = [{name: rng.choice(values) for name, values in COLUMNS.items()} for _ in range(400)]
    plaintexts = dict(save_key(store, **one) for one in drawn)
    listed = {key.pk: key for key in ApiKey.objects.with_status()}
    found = {state.name: set(ApiKey.objects.in_state(state.name)) for state in STATES}
    assert all(found.values())
    counts = grouped_by_state().count_by_state()
    assert {key.pk: key.status for key in ApiKey.objects.with_status(counts)} == {
        pk: key.status for pk, key in listed.items()
    }
    lines = {state.name: int(sentence.split()[0]) for state, sentence in attention_lines(counts)}
    assert {name: len(keys) for name, keys in found.items()} == {name: counts[name] for name in found}
    assert lines == {name: len(keys) for name, keys in found.items() if name in ATTENTION and keys}
    reminders.remind_of_expired_keys()
    reminders.remind_of_expiry()
    reminded = set(Reminder.objects.values_list("key", "kind"))
    for key, plaintext in plaintexts.items():
        mine = [state for state in STATES if key in found[state.name]]
        holding = [state for state in STATES if state.holds(listed[key.pk], now)]
        refused = [state for state in holding if state.error_code]
        assert mine == holding[: holding.index(refused[0]) + 1 if refused else None]
        assert listed[key.pk].status == mine[0].name == key.status
        assert can_be_used(plaintext) == (BY_NAME["working"] in mine) == key.is_usable(now)
        kind = "old_called" if key.superseded_at else "still_called"
        assert ((key.pk, kind) in reminded) == (BY_NAME["still-called"] in mine)
        if {(key.pk, "week_before"), (key.pk, "day_before")} & reminded:
            assert BY_NAME["working"] in mine
            assert key.superseded_at is None


def can_be_used(plaintext: str) -> bool:
    key = authentication.find_key_by_text(plaintext)
    assert key is not None
    try:
        authentication.ensure_usable(key)
    except ApiError:
        return False
    return True


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"created": -29}, set()),
        ({"created": -31}, {"unused"}),
        ({"created": -100, "used": -89}, set()),
        ({"created": -100, "used": -91}, {"idle"}),
        ({"created": -100, "used": -91, "tried": -1}, {"idle"}),
        ({"created": -31, "tried": -1}, {"unused"}),
        ({"created": -31, "expires_at": 0}, {"expired"}),
        ({"created": -31, "expires_at": -1, "used": -2}, {"expired"}),
        ({"created": -31, "expires_at": -2, "used": -3, "tried": -1}, {"expired", "still-called"}),
        ({"created": -31, "expires_at": -2, "used": -1, "deactivated_at": -1}, {"off"}),
        (
            {"created": -31, "expires_at": -2, "used": -1, "deactivated_at": -5, "reactivates_at": -4},
            {"expired", "still-called"},
        ),
        ({"created": -31, "expires_at": 8, "used": -1}, set()),
        ({"created": -31, "expires_at": 6, "used": -1}, {"expiring"}),
        ({"created": -31, "expires_at": 6, "used": -1, "superseded_at": 0}, {"rolled"}),
        ({"created": -31, "deactivated_at": -1}, {"off"}),
        ({"created": -31, "deactivated_at": -1, "suspended_at": 0}, {"suspended"}),
        ({"created": -31, "suspended_at": 0, "leaked_at": 0}, {"leaked"}),
        ({"is_canary": True, "tried": -8}, {"canary"}),
        ({"is_canary": True, "tried": -6}, {"canary-used", "canary"}),
        ({"replaced_at": 0}, {"replaced"}),
        ({"replaced_at": 1}, set()),
        ({"replaced_at": 0, "reused_at": 0}, {"reused"}),
        ({"renewal_due_at": 0}, {"renewal-due"}),
        ({"renewal_due_at": 0, "superseded_at": 0}, {"rolled"}),
        ({"used": -2, "quiet_since": -2}, {"quiet"}),
        ({"used": -2, "tried": -1, "quiet_since": -2}, {"failing"}),
        ({"used": -2, "quiet_since": -2, "superseded_at": 0}, {"rolled"}),
        ({"refused": -6}, {"refused"}),
        ({"refused": -8}, set()),
        ({"refused": -1, "reason": "api_key_inactive"}, set()),
        ({"refused": -1, "settled": "left"}, set()),
        ({"created": -31, "used": -1, "access": ["orders:write"]}, {"write-unused"}),
        ({"created": -31, "used": -1, "access": ["orders:write"], "wrote_to": "products"}, {"write-unused"}),
        ({"created": -31, "used": -1, "access": ["orders:write"], "wrote_to": "orders"}, set()),
        ({"created": -31, "used": -1, "access": ["api_keys:write"]}, {"write-unused"}),
        ({"created": -29, "used": -1, "access": ["orders:write"]}, set()),
        ({"created": -61, "used": -31, "access": ["orders:write"]}, set()),
    ],
)
def test_key_is_in_these_states(
    store: Store, now: datetime, given: dict[str, Any], expected: set[str]
) -> None:
    key, _ = save_key(store, **given)
    assert states_of(key) == expected


def test_states_are_counted_anew_each_time(store: Store, now: datetime) -> None:
    save_key(store, created=-31, used=-1, expires_at=8, access=["orders:write"])
    save_key(store, refused=-1)

    def count() -> dict[str, int]:
        return {name: number for name, number in grouped_by_state().count_by_state().items() if number}

    assert count() == {"all": 2, "working": 2, "refused": 1, "write-unused": 1}
    with time_machine.travel(NOON + timedelta(days=7), tick=False):
        assert count() == {"all": 2, "working": 2, "expiring": 1, "write-unused": 1}
    with time_machine.travel(NOON + timedelta(days=9), tick=False):
        save_key(store)
        assert count() == {"all": 3, "working": 2, "expired": 1}


def test_attention_lines_count_one_store_in_one_query(
    store: Store, other_store: Store, now: datetime, django_assert_num_queries: Any
) -> None:
    for expires in (None, 6):
        save_key(store, created=-31, expires_at=expires)
    save_key(other_store, created=-31)
    with django_assert_num_queries(1):
        lines = attention_lines(grouped_by_state().for_store(store).count_by_state())
    assert [sentence for _, sentence in lines] == [
        "1 key expiring within 7 days",
        "2 keys never used in 30 days",
    ]
