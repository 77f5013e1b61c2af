"""A store's page in the admin: its keys, what they did and what was done to them; and all of them stopped."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apikeys import lifecycle
from apikeys.actors import Actor
from apikeys.models import ApiKey, AuditEntry, LastUse, Outcome, StoreUsage
from apikeys.models.suspension import Suspension
from stores.models import Store
from tests.conftest import IssueKey, admin_page, deliver_emails, make_owner, make_staff
from tests.key_requests import count_usage

SUSPEND = "/admin/stores/store/suspend/"
RESUME = "/admin/stores/store/resume/"
REASON = "Customers were read from a thousand addresses."


def page_of(browser: Client, store: Store) -> str:
    response = browser.get(admin_page(Store, "change", store.pk))
    assert response.status_code == 200
    return response.content.decode()


def suspend(browser: Client, *stores: Store, reason: str = REASON) -> Any:
    return browser.post(f"{SUSPEND}?{query(stores)}", {"reason": reason}, follow=True)


def query(stores: tuple[Store, ...]) -> str:
    return "&".join(f"store={store.pk}" for store in stores)


# What is seen.


def test_pages_of_store_and_key_show_usage_and_history(
    operator: Client, issue: IssueKey, store: Store, other_store: Store, owner: User
) -> None:
    key, _ = issue(name="Warehouse sync")
    issue(name="Theirs", store=other_store)
    now = timezone.now()
    count_usage(key, 1234, outcome="refused")
    StoreUsage.objects.create(store=store, day=now.date(), outcome=Outcome.REFUSED, requests=5678)
    LastUse.objects.create(key=key, at=now, method="GET", resource="orders", status_code=401)
    lifecycle.deactivate_key(key, by=Actor(owner))
    page = page_of(operator, store)
    for shown in ("Warehouse sync", key.prefix, "1,234", "5,678", f"{now:%Y-%m-%d %H:%M}", "Deactivated."):
        assert shown in page
    assert "Theirs" not in page
    assert key.digest not in page
    of_key = operator.get(admin_page(ApiKey, "change", key.pk)).content.decode()
    for shown in ("1,234 refused", "owner@example.com", "Deactivated."):
        assert shown in of_key


@pytest.mark.parametrize("model", [ApiKey, Store])
def test_key_list_and_store_page_take_no_query_for_each_key(
    operator: Client, issue: IssueKey, store: Store, model: type[Model]
) -> None:
    page = admin_page(Store, "change", store.pk) if model is Store else admin_page(ApiKey, "changelist")

    def count_queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert operator.get(page).status_code == 200
        return len(asked)

    issue()
    count_queries()  # The first page also fills the cache of content types.
    of_one = count_queries()
    for _ in range(5):
        issue()
    assert count_queries() == of_one


# What is done.


def test_store_page_suspends_and_resumes_all_keys(
    operator: Client, issue: IssueKey, store: Store, other_store: Store
) -> None:
    keys = [issue()[0], issue()[0]]
    foreign, _ = issue(store=other_store)
    assert f"{SUSPEND}?store={store.pk}" in page_of(operator, store)
    asked = operator.get(f"{SUSPEND}?store={store.pk}").content.decode()
    assert "Northwood" in asked
    answer = suspend(operator, store)
    assert answer.redirect_chain[-1][0] == admin_page(Store, "change", store.pk)
    assert "Suspended all API keys of Northwood." in answer.content.decode()
    assert list(ApiKey.objects.usable()) == [foreign]
    page = page_of(operator, store)
    assert f"by operator@example.com: {REASON}" in page
    assert f"{RESUME}?store={store.pk}" in page
    assert REASON in operator.get(f"{RESUME}?store={store.pk}").content.decode()
    operator.post(f"{RESUME}?store={store.pk}")
    assert set(ApiKey.objects.usable()) == {*keys, foreign}
    assert [(entry.actor_email, entry.sentence) for entry in AuditEntry.objects.filter(store=store)[:2]] == [
        ("operator@example.com", "Resumed all API keys."),
        ("operator@example.com", f"Suspended all API keys: {REASON}"),
    ]


def test_actions_suspend_and_resume_several_stores(
    operator: Client, issue: IssueKey, store: Store, other_store: Store
) -> None:
    issue()
    issue(store=other_store)
    selected = {"action": "suspend", "_selected_action": [store.pk, other_store.pk]}
    asked = operator.post(admin_page(Store, "changelist"), selected)
    assert asked["Location"].startswith(SUSPEND)
    operator.post(asked["Location"], {"reason": REASON})
    assert not ApiKey.objects.usable().exists()
    listed = operator.get(admin_page(Store, "changelist")).content.decode()
    assert listed.count(">Suspended<") == 2
    selected["action"] = "resume"
    asked = operator.post(admin_page(Store, "changelist"), selected)
    operator.post(asked["Location"])
    assert ApiKey.objects.usable().count() == 2


def test_suspend_says_what_is_suspended_already(operator: Client, issue: IssueKey, store: Store) -> None:
    issue()
    suspend(operator, store)
    assert "were suspended already" in suspend(operator, store, reason="Again").content.decode()
    assert Suspension.objects.get().reason == REASON


def test_suspend_refuses_an_empty_reason_and_one_with_a_key(
    operator: Client, issue: IssueKey, store: Store
) -> None:
    issue()
    for reason in ("", "19656ea.4329f04826e125f1ee999b53f78 was found"):
        assert suspend(operator, store, reason=reason).context["form"].errors
    assert ApiKey.objects.usable().exists()


def test_suspend_and_resume_ignore_unknown_stores(operator: Client, store: Store) -> None:
    for numbers in ("", "?store=x", "?store=99999999999999999999", "?store=999999999"):
        for url in (SUSPEND, RESUME):
            assert operator.get(url + numbers).status_code == 200
            assert operator.post(url + numbers, {"reason": REASON}).status_code == 302
    assert not Suspension.objects.exists()


def test_suspend_says_which_store_somebody_deleted_meanwhile(
    operator: Client, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    suspend_store = lifecycle.suspend_store

    def delete_first(store: Store, **options: Any) -> Suspension:
        Store.objects.filter(pk=store.pk).delete()
        return suspend_store(store, **options)

    monkeypatch.setattr(lifecycle, "suspend_store", delete_first)
    answer = operator.post(f"{SUSPEND}?store={store.pk}", {"reason": REASON}, follow=True)
    assert answer.status_code == 200
    assert f"{store} was deleted meanwhile." in answer.content.decode()


# Who may.


def test_suspend_and_resume_take_permissions_of_their_own(
    issue: IssueKey, store: Store, operator: Client
) -> None:
    issue()
    viewer = make_staff("viewer@example.com", "view_store", "view_apikey", "view_suspension")
    page = page_of(viewer, store)
    assert "Key 1" in page
    assert SUSPEND not in page
    assert suspend(Client(), store).redirect_chain[-1][0].startswith("/accounts/login/")
    assert suspend(viewer, store).status_code == 403
    viewer.post(
        admin_page(Store, "changelist"), {"action": "suspend", "_selected_action": [store.pk]}, follow=True
    )
    assert not Suspension.objects.exists()
    suspend(operator, store)
    assert RESUME not in page_of(viewer, store)
    assert viewer.post(f"{RESUME}?store={store.pk}").status_code == 403
    assert Suspension.objects.exists()


def test_store_page_shows_no_keys_without_the_permission(key: ApiKey, store: Store) -> None:
    clerk = make_staff("clerk@example.com", "view_store")
    page = page_of(clerk, store)
    assert "Northwood" in page
    assert key.prefix not in page
    assert "Key 1" not in page


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
