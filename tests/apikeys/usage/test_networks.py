"""Networks that a key is used from: which is new, who is told, and how much is remembered."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import OperationalError, connection
from django.utils import timezone

from apikeys.models import ApiKey, ApiKeyUsage, KnownNetwork, NotificationSettings
from apikeys.models.notification import MAX_KNOWN_NETWORKS
from apikeys.usage import writer
from apikeys.usage.batch import Batch
from apikeys.usage.networks import network_of, record_networks
from stores.models import Store
from tests.conftest import IssueKey, deliver_letters
from tests.key_requests import make_request


@pytest.fixture
def key(issue: IssueKey, store: Store, owner: User) -> ApiKey:
    """A key whose owner wants to know."""
    NotificationSettings.objects.create(store=store, user=owner, new_network=True)
    key, _ = issue(name="Shop")
    deliver_letters().clear()
    return key


def use(key: ApiKey, *found: str | None, **more: Any) -> None:
    for address in found:
        record_networks([make_request(key, address=address, at=timezone.now(), **more)])


def fail_at(table: str) -> Callable[..., Any]:
    """Return a wrapper that fails each statement on a table, as a lost connection does."""

    def execute(run: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:  # noqa: FBT001
        if table in sql:
            raise OperationalError("the connection is closed")
        return run(sql, params, many, context)

    return execute


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1::/48"),
        ("::1", "::/48"),
    ],
)
def test_the_network_around_an_address(address: str, network: str) -> None:
    assert network_of(address) == network


def test_the_first_network_is_remembered_and_the_second_told(key: ApiKey) -> None:
    use(key, "192.0.2.1", "192.0.2.200", None)
    assert deliver_letters() == []
    use(key, "198.51.100.7")
    (letter,) = deliver_letters()
    assert letter.subject == f"API key {key.prefix} was used from a new network: Shop"
    assert "198.51.100.7 (network 198.51.100.0/24)" in letter.body
    assert letter.extra_headers["List-Unsubscribe"].endswith("/api-keys/notifications/>")
    use(key, "198.51.100.8", "192.0.2.1")
    assert len(deliver_letters()) == 1


def test_a_key_is_told_about_once_a_day(key: ApiKey) -> None:
    with time_machine.travel("2026-01-29 12:00Z", tick=False):
        use(key, "192.0.2.1", "198.51.100.1", "203.0.113.1")
        assert len(deliver_letters()) == 1
    with time_machine.travel("2026-01-30 00:01Z", tick=False):
        use(key, "10.0.0.1")
        assert len(deliver_letters()) == 2


def test_a_request_that_was_refused_is_no_use(key: ApiKey) -> None:
    use(key, "192.0.2.1")
    use(key, "198.51.100.1", status_code=401)
    assert deliver_letters() == []
    assert KnownNetwork.objects.get().network == "192.0.2.0/24"


def test_a_fault_of_the_database_loses_no_network(key: ApiKey) -> None:
    use(key, "192.0.2.1")
    batch = Batch(uuid4(), 1)
    batch.add(make_request(key, address="198.51.100.1"))
    fault = connection.execute_wrapper(fail_at("apikeys_knownnetwork"))
    with fault, pytest.raises(OperationalError):
        writer.write(batch)
    assert not ApiKeyUsage.objects.exists()
    for _ in range(2):
        writer.write(batch)
        assert len(deliver_letters()) == 1
    assert ApiKeyUsage.objects.get().requests == 1


def test_nobody_is_told_who_did_not_ask(issue: IssueKey) -> None:
    key, _ = issue()
    deliver_letters().clear()
    use(key, "192.0.2.1", "198.51.100.1")
    assert deliver_letters() == []


def test_a_key_that_moves_about_is_remembered_in_so_many_rows(key: ApiKey) -> None:
    now = timezone.now() - timedelta(days=9)
    KnownNetwork.objects.bulk_create(
        KnownNetwork(key=key, network=f"10.0.{number}.0/24", first_used_at=now)
        for number in range(MAX_KNOWN_NETWORKS)
    )
    use(key, "192.0.2.1")
    assert KnownNetwork.objects.count() == MAX_KNOWN_NETWORKS
    assert deliver_letters() == []
