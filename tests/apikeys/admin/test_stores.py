"""A store's page in the admin: its keys, what they did and what was done to them; and all of them stopped."""

from typing import Any
from unittest.mock import DEFAULT, Mock

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apikeys import lifecycle
from apikeys.actors import Actor
from apikeys.models import ApiKey, AuditEntry, Outcome, StoreUsage
from apikeys.models.suspension import Suspension
from stores.models import Store
from tests.conftest import IssueKey, admin_page, deliver_emails, make_owner, make_staff
from tests.key_requests import count_usage

SUSPEND = "/admin/apikeys/suspension/add/"
REASON = "Customers were read from a thousand addresses."


def page_of(browser: Client, store: Store) -> str:
    response = browser.get(admin_page(Store, "change", store.pk))
    assert response.status_code == 200
    return response.content.decode()


def suspend(browser: Client, store: Store, reason: str = REASON) -> Any:
    return browser.post(SUSPEND, {"store": store.pk, "reason": reason}, follow=True)


def resume(browser: Client, store: Store) -> Any:
    return browser.post(admin_page(Suspension, "delete", store.pk), {"post": "yes"}, follow=True)


# What is seen.


def test_pages_of_store_and_key_show_usage_and_lead_to_keys_and_history(
    operator: Client, issue: IssueKey, store: Store, other_store: Store, owner: User
) -> None:
    key, _ = issue(name="Warehouse sync")
    issue(name="Theirs", store=other_store)
    now = timezone.now()
    count_usage(key, 1234, outcome="refused")
    StoreUsage.objects.create(store=store, day=now.date(), outcome=Outcome.REFUSED, requests=5678)
    lifecycle.deactivate_key(key, by=Actor(owner))
    page, of_key = page_of(operator, store), operator.get(admin_page(ApiKey, "change", key.pk)).text
    keys, log = admin_page(ApiKey, "changelist"), admin_page(AuditEntry, "changelist")
    assert "5,678 refused" in page
    assert "1,234 refused" in of_key
    for url, leads_from in (
        (f"{keys}?store__id__exact={store.pk}", page),
        (f"{log}?store__id__exact={store.pk}", page),
        (f"{log}?prefix__exact={key.prefix}", of_key),
    ):
        assert f'href="{url}"' in leads_from
        listed = operator.get(url).text
        assert "Warehouse sync" in listed
        assert "Theirs" not in listed


def test_key_list_takes_no_query_for_each_key(operator: Client, issue: IssueKey) -> None:
    def count_queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert operator.get(admin_page(ApiKey, "changelist")).status_code == 200
        return len(asked)

    issue()
    count_queries()  # The first page also fills the cache of content types.
    of_one = count_queries()
    for _ in range(5):
        issue()
    assert count_queries() == of_one


# What is done.


def test_operators_suspend_and_resume_all_keys_of_a_store(
    operator: Client, issue: IssueKey, store: Store, other_store: Store
) -> None:
    keys = [issue()[0], issue()[0]]
    foreign, _ = issue(store=other_store)
    assert f"{SUSPEND}?store={store.pk}" in page_of(operator, store)
    form = operator.get(f"{SUSPEND}?store={store.pk}").text
    assert f'value="{store.pk}"' in form
    assert "Every request with a key of the store is refused" in form
    assert "was added successfully" in suspend(operator, store).text
    assert list(ApiKey.objects.usable()) == [foreign]
    page = page_of(operator, store)
    assert f"by operator@example.com: {REASON}" in page
    assert admin_page(Suspension, "delete", store.pk) in page
    assert REASON in operator.get(admin_page(Store, "changelist")).text
    resume(operator, store)
    assert set(ApiKey.objects.usable()) == {*keys, foreign}
    assert [(entry.actor_email, entry.sentence) for entry in AuditEntry.objects.filter(store=store)[:2]] == [
        ("operator@example.com", "Resumed all API keys."),
        ("operator@example.com", f"Suspended all API keys: {REASON}"),
    ]


def test_the_list_of_suspensions_resumes_several_stores(
    operator: Client, issue: IssueKey, store: Store, other_store: Store
) -> None:
    for suspended in (store, other_store):
        issue(store=suspended)
        suspend(operator, suspended)
    assert not ApiKey.objects.usable().exists()
    selected = {"action": "delete_selected", "_selected_action": [store.pk, other_store.pk], "post": "yes"}
    operator.post(admin_page(Suspension, "changelist"), selected)
    assert ApiKey.objects.usable().count() == 2


def test_suspend_says_what_is_suspended_already(operator: Client, store: Store) -> None:
    suspend(operator, store)
    assert "Suspension with this Store already exists." in suspend(operator, store, reason="Again").text
    assert Suspension.objects.get().reason == REASON


@pytest.mark.parametrize("meanwhile", [Store.DoesNotExist, lifecycle.StoreSuspended("Fraud")])
def test_suspend_looks_again_at_a_store_that_was_deleted_or_suspended_meanwhile(
    operator: Client, store: Store, monkeypatch: pytest.MonkeyPatch, meanwhile: Exception
) -> None:
    suspend_store = lifecycle.suspend_store
    monkeypatch.setattr(
        lifecycle, "suspend_store", Mock(side_effect=[meanwhile, DEFAULT], wraps=suspend_store)
    )
    assert "was added successfully" in suspend(operator, store).text


# Who may.


def test_suspend_and_resume_take_permissions_of_their_own(
    issue: IssueKey, store: Store, operator: Client
) -> None:
    issue()
    viewer = make_staff("viewer@example.com", "view_store", "view_apikey", "view_suspension")
    assert SUSPEND not in page_of(viewer, store)
    assert suspend(Client(), store).redirect_chain[-1][0].startswith("/accounts/login/")
    assert suspend(viewer, store).status_code == 403
    assert not Suspension.objects.exists()
    suspend(operator, store)
    assert "Resume API keys" not in page_of(viewer, store)
    assert resume(viewer, store).status_code == 403
    assert Suspension.objects.exists()


def test_store_page_shows_no_requests_without_the_permission(key: ApiKey, store: Store) -> None:
    clerk = make_staff("clerk@example.com", "view_store")
    page = page_of(clerk, store)
    assert "Northwood" in page
    assert "Requests, last 30 days" not in page
    assert admin_page(ApiKey, "changelist") not in page


# Its name.


def test_store_page_refuses_invisible_characters_in_a_name(
    operator: Client, store: Store, owner: User
) -> None:
    page = admin_page(Store, "change", store.pk)
    fields = {"currency": "USD", "owners": [owner.pk]}
    refused = operator.post(page, {**fields, "name": "North\u200bwood"})
    assert "invisible character" in refused.content.decode()
    assert operator.post(page, {**fields, "name": " North\nwood "}).status_code == 302
    assert Store.objects.get(pk=store.pk).name == "North wood"


# Owners.


def test_store_page_tells_owners_who_is_added_or_removed(operator: Client, store: Store, owner: User) -> None:
    partner = make_owner("partner@example.com")
    fields = {"name": store.name, "currency": store.currency}
    operator.post(admin_page(Store, "change", store.pk), {**fields, "owners": [owner.pk]})
    assert deliver_emails() == []
    operator.post(admin_page(Store, "change", store.pk), {**fields, "owners": [partner.pk]})
    assert {email.subject for email in deliver_emails()} == {"The owners of Northwood have changed"}
    entry = AuditEntry.objects.filter(store=store).get()
    assert entry.actor_email == "operator@example.com"
    assert (entry.subject, entry.sentence) == (
        "The store",
        "Added partner@example.com as owner. Removed owner@example.com as owner.",
    )
