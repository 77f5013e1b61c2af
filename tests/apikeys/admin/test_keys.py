"""Keys, usage and requests in the admin: looked at, searched, switched off, and never shown in the clear."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from django.utils.formats import date_format

from apikeys import lifecycle
from apikeys.actors import Actor
from apikeys.locks import lock_stores
from apikeys.models import ApiKey, AuditEntry, LoggedRequest, TokenExchange, Trust
from apikeys.models.suspension import Suspension
from stores.models import Store
from tests.conftest import IssueKey, admin_page, bearer, make_staff
from tests.key_requests import make_request, write_usage

MODELS = [model for model in admin.site._registry if model._meta.app_label == "apikeys"]


@pytest.fixture
def used(issue: IssueKey, store: Store) -> ApiKey:
    """A key that was used today."""
    key, _ = issue(name="Warehouse sync", access=["orders:write"])
    write_usage(make_request(key, at=timezone.now(), status_code=401, reason="api_key_expired"))
    Suspension.objects.create(store=store, reason="Guessing at orders.")
    claims = {"repository": "northwood/shop", "ref": "refs/heads/main"}
    fields = {"claims": claims, "access": ["orders:read"], "lifetime": 900}
    trust = Trust.objects.create(store=store, name="Deploy", issuer="https://ci.example", **fields)
    TokenExchange.objects.create(trust=trust, run="northwood/shop", prefix=key.prefix)
    return key


def listed(browser: Client, **query: str) -> set[str]:
    """The names of the keys that a list shows."""
    response = browser.get(admin_page(ApiKey, "changelist"), query)
    assert response.status_code == 200, response
    return {key.name for key in response.context["cl"].result_list}


def act(browser: Client, action: str, *keys: ApiKey) -> Any:
    selected = {"action": action, "_selected_action": [key.pk for key in keys]}
    return browser.post(admin_page(ApiKey, "changelist"), selected, follow=True)


def test_admin_pages_open_show_no_digest_and_change_nothing(operator: Client, used: ApiKey) -> None:
    assert len(MODELS) == 8
    for model in MODELS:
        row = model._default_manager.get()
        change = admin_page(model, "change", row.pk)
        listed = admin_page(model, "changelist")
        for url in (listed, f"{listed}?q=ware&o=1", change, admin_page(model, "history", row.pk)):
            response = operator.get(url)
            assert response.status_code == 200, url
            assert used.digest not in response.content.decode()
            assert "digest" not in response.content.decode().lower()
        if model is Suspension:
            continue
        for page in (admin_page(model, "add"), admin_page(model, "delete", row.pk)):
            assert operator.post(page, {"name": "Mine", "post": "yes"}).status_code == 403, page
        if model is not ApiKey:
            assert operator.post(change, {"requests": 1, "outcome": "failed"}).status_code == 403
        kept = model._default_manager.values().get()
        assert kept == {name: getattr(row, name) for name in kept}
    content = operator.get(admin_page(ApiKey, "changelist")).content.decode()
    assert "orders:write" in content
    assert date_format(used.last_use.at, "DATETIME_FORMAT") in content


def test_exchanges_of_deleted_trusts_are_listed(operator: Client, used: ApiKey) -> None:
    TokenExchange.objects.create(trust_id=4711, run="northwood/shop", reason="It is late.")
    assert (
        '<td class="field-trust_id">4711</td>' in operator.get(admin_page(TokenExchange, "changelist")).text
    )


# Finding.


def test_key_list_finds_a_key_by_paste_name_or_store(
    operator: Client, issue: IssueKey, other_store: Store
) -> None:
    key, plaintext = issue(name="Accounting")
    issue(name="Newsletter")
    issue(name="Theirs", store=other_store)
    for pasted in (plaintext, key.prefix, key.masked, "accounting"):
        assert listed(operator, q=pasted) == {"Accounting"}
    assert listed(operator, q="northwood") == {"Accounting", "Newsletter"}
    assert listed(operator, q=str(other_store.pk)) == {"Theirs"}
    assert listed(operator, q="0000000") == set()


def test_key_list_filters_by_store_state_and_access(
    operator: Client, issue: IssueKey, other_store: Store
) -> None:
    ended = timezone.now() - timedelta(days=3)
    issue(name="Theirs", access=["products:read"], store=other_store)
    assert listed(operator, store__id__exact=str(other_store.pk)) == {"Theirs"}
    issue(name="Warehouse", access=["orders:write"])
    issue(name="Accounting", access=["orders:read", "coupons:read"], expires_at=ended)
    assert listed(operator, status="expired") == {"Accounting"}
    assert listed(operator, access="orders:read") == {"Warehouse", "Accounting"}
    assert listed(operator, access="orders:write") == {"Warehouse"}


def test_audit_log_is_searched_by_key_and_by_name_in_any_form(operator: Client, issue: IssueKey) -> None:
    key, plaintext = issue(name="Café")
    issue(name="Other")
    for text in ("CAFÉ", "ｃａｆé", "Cafe\u0301", plaintext):
        found = operator.get(admin_page(AuditEntry, "changelist"), {"q": text}).context["cl"].result_list
        assert [entry.prefix for entry in found] == [key.prefix]


def test_list_and_page_of_a_key_say_access_and_last_use_in_words(operator: Client, issue: IssueKey) -> None:
    key, _ = issue(access=["orders:write"])
    for page in (admin_page(ApiKey, "changelist"), admin_page(ApiKey, "change", key.pk)):
        shown = operator.get(page).text
        assert "orders:read, orders:write" in shown
        assert shown.count(">Never<") == 2
    write_usage(make_request(key, at=datetime(2026, 3, 4, 15, 6, tzinfo=UTC), status_code=200))
    for page in (admin_page(ApiKey, "changelist"), admin_page(ApiKey, "change", key.pk)):
        assert operator.get(page).text.count("March 4, 2026, 3:06 p.m.") == 2


# Switching off.


def test_actions_deactivate_and_reactivate_keys_and_name_the_operator(
    operator: Client, issue: IssueKey
) -> None:
    first, second = issue()[0], issue()[0]
    third, _ = issue()
    assert "Changed: 2." in act(operator, "deactivate", first, second).content.decode()
    assert set(ApiKey.objects.usable()) == {third}
    assert "Changed: 1." in act(operator, "reactivate", first).content.decode()
    assert set(ApiKey.objects.usable()) == {first, third}
    lines = [(line.actor_email, line.sentence) for line in AuditEntry.objects.for_key(first)]
    assert lines[:2] == [
        ("operator@example.com", "Reactivated."),
        ("operator@example.com", "Deactivated."),
    ]


def test_actions_name_keys_that_were_deleted_meanwhile(
    operator: Client, issue: IssueKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    stays, gone = issue()[0], issue()[0]

    def delete_one_first(ids: Any) -> Any:
        ApiKey.objects.filter(pk=gone.pk).delete()
        return lock_stores(ids)

    monkeypatch.setattr("apikeys.lifecycle.lock_stores", delete_one_first)
    answer = act(operator, "deactivate", stays, gone).content.decode()
    assert "Changed: 1." in answer
    assert "Left: 1." in answer


def test_actions_leave_a_suspended_key(operator: Client, key: ApiKey, store: Store, owner: User) -> None:
    lifecycle.deactivate_key(key, by=Actor(owner))
    lifecycle.suspend_store(store, by=Actor(), reason="Guessing at orders.")
    answer = act(operator, "reactivate", key).content.decode()
    assert "Changed: 0." in answer
    assert "Left: 1." in answer
    assert AuditEntry.objects.for_key(key)[0].sentence.startswith("Suspended all API keys")


def test_key_list_offers_no_action_to_who_may_only_look(key: ApiKey) -> None:
    viewer = make_staff("viewer@example.com", "view_apikey")
    assert listed(viewer) == {key.name}
    act(viewer, "deactivate", key)
    assert ApiKey.objects.usable().exists()


def test_key_page_changes_the_limit_and_nothing_else(operator: Client, issue: IssueKey) -> None:
    key, plaintext = issue(name="Shop")
    page = admin_page(ApiKey, "change", key.pk)
    operator.post(page, {"rate_limit": "7", "name": "Mine", "access": '["customers:read"]', "digest": "0"})
    changed = ApiKey.objects.get(pk=key.pk)
    assert (changed.rate_limit, changed.name, changed.access) == (7, "Shop", ["orders:read"])
    assert changed.digest == key.digest
    answer = Client().get("/v1/api-key/", headers=bearer(plaintext))
    assert answer["RateLimit-Policy"] == '"key";q=7;w=60'
    assert AuditEntry.objects.for_key(key)[0].actor_email == "operator@example.com"
    operator.post(page, {"rate_limit": "7"})
    assert AuditEntry.objects.for_key(key).count() == 2, "what did not change is no line"


def test_key_page_refuses_a_limit_of_zero(operator: Client, key: ApiKey) -> None:
    answer = operator.post(admin_page(ApiKey, "change", key.pk), {"rate_limit": "0"})
    assert answer.status_code == 200
    assert ApiKey.objects.get(pk=key.pk).rate_limit is None


def test_set_rate_limit_keeps_what_changed_meanwhile(key: ApiKey, owner: User) -> None:
    stale = ApiKey.objects.get(pk=key.pk)
    lifecycle.deactivate_key(key, by=Actor(owner))
    lifecycle.set_rate_limit(stale, by=Actor(owner), requests_per_minute=7)
    changed = ApiKey.objects.get(pk=key.pk)
    assert changed.rate_limit == 7
    assert changed.deactivated_at is not None


# The request log.

FIRST, SECOND = UUID(int=1), UUID(int=2)


@pytest.fixture
def keys(issue: IssueKey, other_store: Store) -> list[ApiKey]:
    """A key of each of two stores, each with one refused request."""
    issued = [issue()[0], issue(store=other_store)[0]]
    refused: dict[str, Any] = {"status_code": 401, "reason": "api_key_expired"}
    write_usage(
        make_request(issued[0], request_id=FIRST, **refused),
        make_request(issued[1], request_id=SECOND, **refused),
    )
    return issued


def shown(operator: Client, q: str) -> set[UUID]:
    response = operator.get(admin_page(LoggedRequest, "changelist"), {"q": q})
    assert response.status_code == 200
    return {request_id for request_id in (FIRST, SECOND) if str(request_id) in response.text}


def test_request_log_is_searched_by_key_store_and_request_id(operator: Client, keys: list[ApiKey]) -> None:
    assert shown(operator, "") == {FIRST, SECOND}
    for typed in (keys[0].prefix, "267418190", str(FIRST), f" {FIRST.hex} "):
        assert shown(operator, typed) == {FIRST}, typed
    for typed in ("0000000", "999999999", "9" * 40, "'", "\u202e", str(UUID(int=3))):
        assert shown(operator, typed) == set(), typed
