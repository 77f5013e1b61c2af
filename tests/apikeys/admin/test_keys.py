"""Keys and usage in the admin: looked at, searched, switched off, and never shown in the clear."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apikeys import lifecycle
from apikeys.actors import Actor
from apikeys.locks import lock_stores
from apikeys.models import (
    ApiKey,
    AuditEntry,
    Email,
    LastUse,
    LoggedRequest,
    Refusal,
    StoreUsage,
    TokenExchange,
    Trust,
    Usage,
)
from apikeys.models.outcomes import Outcome
from apikeys.models.suspension import Suspension
from stores.models import Store
from tests.conftest import IssueKey, admin_page, bearer, make_owner, sign_in

USAGE: list[type[Model]] = [Usage, StoreUsage]
TRUSTS: list[type[Model]] = [Trust, TokenExchange]
MODELS: list[type[Model]] = [
    ApiKey,
    AuditEntry,
    Email,
    LoggedRequest,
    Refusal,
    Suspension,
    *TRUSTS,
    *USAGE,
]


@pytest.fixture
def used(issue: IssueKey, store: Store) -> ApiKey:
    """A key that was used today."""
    key, _ = issue(name="Warehouse sync", access=["orders:write"])
    now = timezone.now()
    LastUse.objects.create(key=key, at=now, used_at=now, method="GET", resource="orders", status_code=200)
    use(key, Outcome.SUCCEEDED)
    StoreUsage.objects.create(store=store, day=now.date(), outcome=Outcome.SUCCEEDED, requests=42)
    Suspension.objects.create(store=store, reason="Guessing at orders.")
    Refusal.objects.create(
        store=store, key=key, reason="api_key_expired", requests=1, first_at=now, last_at=now
    )
    claims = {"repository": "northwood/shop", "ref": "refs/heads/main"}
    fields = {"claims": claims, "access": ["orders:read"], "lifetime": 900}
    trust = Trust.objects.create(store=store, name="Deploy", issuer="https://ci.example", **fields)
    TokenExchange.objects.create(trust=trust, run="northwood/shop", prefix=key.prefix)
    LoggedRequest.objects.create(
        at=now, store=store, key=key, prefix=key.prefix, status=200, milliseconds=7, request_id=uuid4()
    )
    return key


def use(key: ApiKey, outcome: Outcome) -> None:
    now = timezone.now()
    Usage.objects.create(
        store_id=key.store_id,
        key=key,
        day=now.date(),
        resource="orders",
        access="read",
        outcome=outcome,
        requests=42,
        last_at=now,
    )


def listed(browser: Client, **query: str) -> set[str]:
    """The names of the keys that a list shows."""
    response = browser.get(admin_page(ApiKey, "changelist"), query)
    assert response.status_code == 200, response
    return {key.name for key in response.context["cl"].result_list}


def act(browser: Client, action: str, *keys: ApiKey) -> Any:
    selected = {"action": action, "_selected_action": [key.pk for key in keys]}
    return browser.post(admin_page(ApiKey, "changelist"), selected, follow=True)


def test_operators_sign_in_by_the_door_that_everybody_uses(client: Client) -> None:
    response = client.get("/admin/", follow=True)
    assert response.redirect_chain[-1][0].startswith("/accounts/login/")


@pytest.mark.parametrize("model", MODELS)
def test_an_owner_has_no_business_there(model: type[Model], signed_in: Client) -> None:
    assert signed_in.get(admin_page(model, "changelist")).status_code in {302, 403}


def test_every_table_that_operators_read_has_pages() -> None:
    assert {model for model in admin.site._registry if model._meta.app_label == "apikeys"} == set(MODELS)


@pytest.mark.parametrize("model", MODELS)
def test_every_page_opens_and_shows_no_digest(model: type[Model], operator: Client, used: ApiKey) -> None:
    row = model._default_manager.get()
    for url in (
        admin_page(model, "changelist"),
        admin_page(model, "changelist") + "?q=ware&o=1",
        admin_page(model, "change", row.pk),
        admin_page(model, "history", row.pk),
    ):
        response = operator.get(url)
        assert response.status_code == 200, url
        assert used.digest not in response.content.decode()
        assert "digest" not in response.content.decode().lower()


@pytest.mark.parametrize("model", MODELS)
def test_nothing_is_added_by_hand(model: type[Model], operator: Client, used: ApiKey) -> None:
    assert operator.get(admin_page(model, "add")).status_code == 403
    assert operator.post(admin_page(model, "add"), {"name": "Mine"}).status_code == 403
    assert model._default_manager.count() == 1


@pytest.mark.parametrize("model", MODELS)
def test_nothing_is_deleted_by_hand(model: type[Model], operator: Client, used: ApiKey) -> None:
    row = model._default_manager.get()
    assert operator.post(admin_page(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    assert model._default_manager.filter(pk=row.pk).exists()


@pytest.mark.parametrize("model", USAGE)
def test_usage_cannot_be_rewritten(model: type[Model], operator: Client, used: ApiKey) -> None:
    row: Any = model._default_manager.get()
    response = operator.post(admin_page(model, "change", row.pk), {"requests": 1, "outcome": "failed"})
    assert response.status_code == 403
    row.refresh_from_db()
    assert (row.requests, row.outcome) == (42, Outcome.SUCCEEDED)


def test_a_form_changes_nothing_that_makes_the_key(operator: Client, used: ApiKey) -> None:
    forged = {"name": "Mine", "prefix": "0000000", "digest": "0" * 64, "access": '["coupons:write"]'}
    operator.post(admin_page(ApiKey, "change", used.pk), forged)
    now = ApiKey.objects.get()
    assert (now.name, now.prefix, now.digest, now.access) == (
        used.name,
        used.prefix,
        used.digest,
        used.access,
    )


def test_a_list_tells_where_a_key_reaches_and_when_it_was_used(operator: Client, used: ApiKey) -> None:
    content = operator.get(admin_page(ApiKey, "changelist")).content.decode()
    assert "orders:read, orders:write" in content
    assert f"{used.last_use.at:%Y-%m-%d %H:%M}" in content


def test_a_list_asks_no_question_for_each_key(operator: Client, issue: IssueKey) -> None:
    def questions() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert operator.get(admin_page(ApiKey, "changelist")).status_code == 200
        return len(asked)

    issue()
    of_one = questions()
    for _ in range(5):
        issue()
    assert questions() == of_one


# Finding.


def test_a_pasted_key_finds_its_row(operator: Client, issue: IssueKey) -> None:
    key, plaintext = issue(name="Accounting")
    issue(name="Newsletter")
    for pasted in (plaintext, key.prefix, key.masked, "accounting"):
        assert listed(operator, q=pasted) == {"Accounting"}
    assert listed(operator, q="northwood") == {"Accounting", "Newsletter"}
    assert listed(operator, q="0000000") == set()


def test_keys_are_filtered_by_state(operator: Client, issue: IssueKey) -> None:
    issue(name="Warehouse")
    issue(name="Accounting", expires_at=timezone.now() - timedelta(days=3))
    assert listed(operator, status="expired") == {"Accounting"}


def test_keys_are_filtered_by_access(operator: Client, issue: IssueKey) -> None:
    issue(name="Warehouse", access=["orders:write"])
    issue(name="Accounting", access=["orders:read", "coupons:read"])
    assert listed(operator, access="orders:read") == {"Warehouse", "Accounting"}
    assert listed(operator, access="orders:write") == {"Warehouse"}
    assert listed(operator, access="coupons:read") == {"Accounting"}


def test_keys_are_found_by_the_number_of_their_store(
    operator: Client, issue: IssueKey, other_store: Store
) -> None:
    issue(name="Mine")
    issue(name="Theirs", store=other_store)
    assert listed(operator, q=str(other_store.pk)) == {"Theirs"}


# Switching off.


def test_keys_are_deactivated_and_reactivated_with_a_line_of_history_each(
    operator: Client, issue: IssueKey
) -> None:
    first, second = issue()[0], issue()[0]
    third, _ = issue()
    assert "Deactivated: 2." in act(operator, "deactivate", first, second).content.decode()
    assert set(ApiKey.objects.usable()) == {third}
    assert "Reactivated: 1." in act(operator, "reactivate", first).content.decode()
    assert set(ApiKey.objects.usable()) == {first, third}
    lines = [(line.actor_email, line.sentence) for line in AuditEntry.objects.for_key(first)]
    assert lines[:2] == [
        ("operator@example.com", "Reactivated."),
        ("operator@example.com", "Deactivated."),
    ]


def test_an_action_passes_over_keys_that_are_so_already(operator: Client, issue: IssueKey) -> None:
    key, _ = issue()
    before = AuditEntry.objects.for_key(key).count()
    assert "Reactivated: 0." in act(operator, "reactivate", key).content.decode()
    assert AuditEntry.objects.for_key(key).count() == before


def test_an_action_says_which_keys_somebody_deleted_meanwhile(
    operator: Client, issue: IssueKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    stays, gone = issue()[0], issue()[0]

    def delete_one_first(ids: Any) -> Any:
        ApiKey.objects.filter(pk=gone.pk).delete()
        return lock_stores(ids)

    monkeypatch.setattr("apikeys.lifecycle.lock_stores", delete_one_first)
    answer = act(operator, "deactivate", stays, gone).content.decode()
    assert "Deactivated: 1." in answer
    assert "Deleted meanwhile: 1." in answer


def test_a_suspended_key_is_not_reactivated_by_itself(
    operator: Client, issue: IssueKey, store: Store, owner: User
) -> None:
    key, _ = issue()
    lifecycle.deactivate_key(key, by=Actor(owner))
    lifecycle.suspend_store(store, by=Actor(), reason="Guessing at orders.")
    answer = act(operator, "reactivate", key).content.decode()
    assert "Reactivated: 0." in answer
    assert "Left as they are, because they are so already, leaked or are suspended: 1." in answer
    assert AuditEntry.objects.for_key(key)[0].sentence.startswith("Suspended all API keys")


def test_who_may_only_look_is_offered_no_action(issue: IssueKey) -> None:
    key, _ = issue()
    viewer = make_owner("viewer@example.com")
    viewer.user_permissions.add(Permission.objects.get(codename="view_apikey"))
    User.objects.filter(pk=viewer.pk).update(is_staff=True)
    browser = Client()
    sign_in(browser, viewer.email)
    assert listed(browser) == {key.name}
    act(browser, "deactivate", key)
    assert ApiKey.objects.usable().exists()


def test_an_operator_gives_a_key_its_own_limit_and_nothing_else(operator: Client, issue: IssueKey) -> None:
    key, plaintext = issue(name="Shop")
    page = admin_page(ApiKey, "change", key.pk)
    operator.post(page, {"rate_limit": "7", "name": "Mine", "access": '["customers:read"]', "digest": "0"})
    changed = ApiKey.objects.get(pk=key.pk)
    assert (changed.rate_limit, changed.name, changed.access) == (7, "Shop", ["orders:read"])
    answer = Client().get("/v1/api-key/", headers=bearer(plaintext))
    assert answer["RateLimit-Policy"] == '"key";q=7;w=60'
    assert AuditEntry.objects.for_key(key)[0].actor_email == "operator@example.com"
    operator.post(page, {"rate_limit": "7"})
    assert AuditEntry.objects.for_key(key).count() == 2, "what did not change is no line"


def test_a_limit_that_lets_nobody_in_is_refused(operator: Client, issue: IssueKey) -> None:
    key, _ = issue()
    answer = operator.post(admin_page(ApiKey, "change", key.pk), {"rate_limit": "0"})
    assert answer.status_code == 200
    assert ApiKey.objects.get(pk=key.pk).rate_limit is None


def test_the_owner_reads_in_words_what_an_operator_changed(
    operator: Client, signed_in: Client, issue: IssueKey
) -> None:
    key, _ = issue()
    operator.post(admin_page(ApiKey, "change", key.pk), {"rate_limit": "7"})
    page = signed_in.get(f"/stores/267418190/settings/api-keys/{key.prefix}/").content.decode()
    assert "Limit changed from the default to 7 requests a minute." in page
    assert "7 requests a minute" in page


def test_a_limit_does_not_undo_what_happened_meanwhile(issue: IssueKey, owner: User) -> None:
    key, _ = issue()
    stale = ApiKey.objects.get(pk=key.pk)
    lifecycle.deactivate_key(key, by=Actor(owner))
    lifecycle.set_rate_limit(stale, by=Actor(owner), requests_per_minute=7)
    changed = ApiKey.objects.get(pk=key.pk)
    assert changed.rate_limit == 7
    assert changed.deactivated_at is not None
