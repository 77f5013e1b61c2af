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

from apikeys.models import ApiKey, KnownNetwork, NotificationSettings, Usage
from apikeys.models.notification import MAX_KNOWN_NETWORKS
from apikeys.usage import batch as batches
from apikeys.usage import writer
from apikeys.usage.batch import Batch
from stores.models import Store
from tests.conftest import IssueKey, deliver_emails
from tests.key_requests import NOON, fail_at, make_request, write_usage


@pytest.fixture
def key(issue: IssueKey, store: Store, owner: User) -> ApiKey:
    """A key whose owner wants to know."""
    NotificationSettings.objects.create(store=store, user=owner, new_network=True)
    key, _ = issue(name="Shop")
    deliver_emails().clear()
    return key


def use(key: ApiKey, *found: str | None, **more: Any) -> None:
    """Make one request from each address, each in a batch of its own."""
    for address in found:
        write_usage(make_request(key, address=address, at=timezone.now(), **more))


def test_write_remembers_the_first_network_and_tells_the_second(key: ApiKey) -> None:
    use(key, "192.0.2.1", "192.0.2.200", None)
    assert deliver_emails() == []
    use(key, "198.51.100.7")
    (email,) = deliver_emails()
    assert email.subject == f"API key {key.prefix} was used from a new network: Shop"
    assert "198.51.100.7 (network 198.51.100.0/24)" in email.body
    assert email.extra_headers["List-Unsubscribe"].endswith("/api-keys/notifications/>")
    use(key, "198.51.100.8", "192.0.2.1")
    assert len(deliver_emails()) == 1


def test_tell_of_network_tells_once_a_day(key: ApiKey) -> None:
    with time_machine.travel("2026-01-29 12:00Z", tick=False):
        use(key, "192.0.2.1", "198.51.100.1", "203.0.113.1")
        assert len(deliver_emails()) == 1
    with time_machine.travel("2026-01-30 00:01Z", tick=False):
        use(key, "10.0.0.1")
        assert len(deliver_emails()) == 2


def test_write_records_each_network_of_a_batch_that_was_let_in(key: ApiKey) -> None:
    use(key, "192.0.2.1")
    write_usage(
        make_request(key, address="2001:db8:1:2:3::4", status_code=404),
        make_request(key, address="192.0.2.1"),
        make_request(key, address="203.0.113.1", status_code=403),
    )
    (email,) = deliver_emails()
    assert "2001:db8:1:2:3::4" in email.body
    assert set(KnownNetwork.objects.values_list("network", flat=True)) == {"192.0.2.0/24", "2001:db8:1::/48"}


def test_write_takes_the_earlier_network_of_a_batch_as_the_first(key: ApiKey) -> None:
    write_usage(
        make_request(key, address="203.0.113.1", at=NOON),
        make_request(key, address="192.0.2.1", at=NOON + timedelta(seconds=1)),
    )
    (email,) = deliver_emails()
    assert "192.0.2.1" in email.body


def test_batch_bounds_its_networks(key: ApiKey, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "MAX_NETWORKS", 2)
    batch = write_usage(*(make_request(key, address=f"10.0.{number}.1") for number in range(3)))
    assert len(batch.networks) == 2
    assert batch.requests == 3


def test_write_again_after_a_fault_loses_no_network(key: ApiKey) -> None:
    use(key, "192.0.2.1")
    batch = Batch(uuid4(), 1)
    batch.add(make_request(key, address="198.51.100.1"))
    fault = connection.execute_wrapper(fail_at("apikeys_knownnetwork"))
    with fault, pytest.raises(OperationalError):
        writer.write(batch)
    usage = Usage.objects.filter(day=NOON.date())
    assert not usage.exists()
    for _ in range(2):
        writer.write(batch)
        assert len(deliver_emails()) == 1
    assert usage.get().requests == 1


def test_write_beside_another_tells_nobody_of_the_first_network(key: ApiKey) -> None:
    others: list[bool] = []

    def record_elsewhere(run: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:  # noqa: FBT001
        result = run(sql, params, many, context)
        if "apikeys_knownnetwork" in sql and not others:
            others.append(True)
            KnownNetwork.objects.create(key=key, network="192.0.2.0/24", first_used_at=NOON)
        return result

    with connection.execute_wrapper(record_elsewhere):
        use(key, "192.0.2.1")
    assert others
    assert deliver_emails() == []
    assert KnownNetwork.objects.count() == 1


def test_tell_of_network_tells_nobody_who_did_not_ask(issue: IssueKey) -> None:
    key, _ = issue()
    deliver_emails().clear()
    use(key, "192.0.2.1", "198.51.100.1")
    assert deliver_emails() == []


def test_write_bounds_the_networks_of_a_key(key: ApiKey) -> None:
    now = timezone.now() - timedelta(days=9)
    KnownNetwork.objects.bulk_create(
        KnownNetwork(key=key, network=f"10.0.{number}.0/24", first_used_at=now)
        for number in range(MAX_KNOWN_NETWORKS)
    )
    use(key, "192.0.2.1")
    assert KnownNetwork.objects.count() == MAX_KNOWN_NETWORKS
    assert deliver_emails() == []
