"""All keys of a store switched off in one step, and on again: over what owners did, and in their sight."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from apikeys import lifecycle
from apikeys.actors import Actor
from apikeys.lifecycle import StoreSuspended
from apikeys.models import ApiKey, AuditEntry
from apikeys.models.suspension import Suspension
from stores.models import Store
from tests.conftest import IssueKey, bearer, deliver_emails, make_owner

KEYS = "/stores/267418190/settings/api-keys/"
REASON = "Customers were read from a thousand addresses."


@pytest.fixture
def by(db: None) -> User:
    return make_owner("operator@example.com")


def suspend(store: Store, by: User) -> None:
    lifecycle.suspend_store(store, by=Actor(by), reason=REASON)


def answer_to(plaintext: str) -> Any:
    return Client().get("/v1/api-key/", headers=bearer(plaintext))


def lines(key: ApiKey) -> list[str]:
    return [entry.sentence for entry in AuditEntry.objects.for_key(key)]


def test_suspend_store_refuses_every_key_of_the_store_and_no_other(
    issue: IssueKey, store: Store, other_store: Store, by: User
) -> None:
    mine = [issue()[1], issue()[1]]
    _, foreign = issue(store=other_store)
    assert {answer_to(key).status_code for key in (*mine, foreign)} == {200}
    suspend(store, by)
    for key in mine:
        answer = answer_to(key)
        assert (answer.status_code, answer.json()["code"]) == (401, "api_key_inactive")
        assert "an operator switched off all keys of its store" in answer.json()["error"]
        assert answer.json()["error"] in answer["WWW-Authenticate"]
        assert REASON not in answer.content.decode()
    assert answer_to(foreign).status_code == 200


def test_resume_store_lets_keys_work_that_worked_before_and_did_not_go_off_meanwhile(
    issue: IssueKey, store: Store, owner: User, by: User
) -> None:
    made = {name: issue(name=name) for name in ("working", "off", "paused", "meanwhile", "leaked")}
    keys = {name: key for name, (key, _) in made.items()}
    _, expired = issue(expires_at=timezone.now() - timedelta(days=1))
    lifecycle.deactivate_key(keys["off"], by=Actor(owner))
    lifecycle.deactivate_key(keys["paused"], by=Actor(owner), until=timezone.now() + timedelta(hours=1))
    suspend(store, by)
    assert not ApiKey.objects.usable().exists()
    lifecycle.deactivate_key(keys["meanwhile"], by=Actor(owner))
    lifecycle.report_leaked_keys([keys["leaked"]], by=Actor())
    lifecycle.resume_store(store, by=Actor(by))
    assert list(ApiKey.objects.usable()) == [keys["working"]]
    codes = [answer_to(text).json().get("code") for _, text in made.values()]
    assert codes == [None, *["api_key_inactive"] * 4]
    assert "reported as leaked" in answer_to(made["leaked"][1]).json()["error"]
    assert answer_to(expired).json()["code"] == "api_key_expired"


def test_suspend_store_and_resume_store_tell_owners(key: ApiKey, store: Store, by: User) -> None:
    deliver_emails().clear()
    suspend(store, by)
    lifecycle.resume_store(store, by=Actor(by))
    begun, lifted = deliver_emails()
    assert begun.to == lifted.to == ["owner@example.com"]
    assert begun.subject == "All API keys of Northwood are suspended"
    assert begun.body.startswith(f"Suspended all API keys: {REASON}")
    assert "By: operator@example.com" in begun.body
    assert lifted.subject == "The API keys of Northwood are no longer suspended"
    assert key.prefix not in f"{begun.body}{lifted.body}"


def test_suspend_store_and_resume_store_do_it_once(
    issue: IssueKey, key: ApiKey, store: Store, by: User
) -> None:
    suspend(store, by)
    with pytest.raises(StoreSuspended):
        suspend(store, by)
    with pytest.raises(StoreSuspended, match="a thousand addresses"):
        issue()
    assert [lifecycle.resume_store(store, by=Actor(by)) for _ in range(2)] == [True, False]
    assert len(lines(key)) == 3


def test_suspension_refuses_a_reason_with_a_key_in_it(plaintext: str, store: Store, by: User) -> None:
    with pytest.raises(ValidationError, match="This contains an API key"):
        lifecycle.suspend_store(store, by=Actor(by), reason=f"Found:{plaintext.upper()}.")
    assert not Suspension.objects.exists()
    lifecycle.suspend_store(store, by=Actor(by), reason="Key 19656ea was published")


# What owners see of it.


def test_pages_say_why_keys_are_suspended_and_offer_nothing_that_is_refused(
    signed_in: Client, issue: IssueKey, store: Store, owner: User, by: User
) -> None:
    working, off = issue()[0], issue()[0]
    lifecycle.deactivate_key(off, by=Actor(owner))
    paths = (KEYS, f"{KEYS}{working.prefix}/", f"{KEYS}{off.prefix}/")
    assert not any("An operator suspended" in signed_in.get(path).text for path in paths)
    suspend(store, by)
    pages = [signed_in.get(path).text for path in paths]
    for page in pages:
        assert REASON in page
        assert "/reactivate/" not in page
        assert f"{KEYS}new/" not in page or page is not pages[0]
        assert "/roll/" not in page or page is pages[0]
    assert ["/deactivate/" in page for page in pages[1:]] == [True, False]
    lifecycle.resume_store(store, by=Actor(by))
    assert "Every request with them" not in signed_in.get(KEYS).text


# While something else goes on.


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("making", ["a new key", "a rolled key"])
def test_suspend_store_waits_for_a_key_that_is_being_made(
    issue: IssueKey, key: ApiKey, store: Store, owner: User, by: User, making: str
) -> None:
    made, suspended = Event(), Event()

    def suspend_meanwhile() -> None:
        made.wait(60)
        try:
            suspend(store, by)
        finally:
            suspended.set()
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(suspend_meanwhile)
        with transaction.atomic():
            fresh, _ = (
                issue()
                if making == "a new key"
                else lifecycle.roll_key(key, by=Actor(owner), overlap=timedelta(hours=1))
            )
            made.set()
            assert not suspended.wait(0.3), "it waits for the key to be there"
        other.result()
    fresh.refresh_from_db()
    assert fresh.suspended_at
    assert not ApiKey.objects.usable().exists()
