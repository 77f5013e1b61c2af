"""Two machines behind one address: what holds on one holds on the other, from the very next request."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from apikeys import lifecycle
from apikeys.actors import Actor
from apikeys.models import ApiKey, Email, KnownNetwork, NotificationSettings
from stores.models import Store
from tests import programs, valkey_cluster
from tests.conftest import IssueKey
from tests.resilience.conftest import POSTGRESQL
from tests.server import Served, call_api, database_of_the_tests, gunicorn

pytestmark = [POSTGRESQL, pytest.mark.django_db(transaction=True)]

ORDERS = "/v1/stores/267418190/orders/"

Machines = list[Served]


@pytest.fixture(scope="module")
def machines(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    """Two servers that have a PostgreSQL and a Valkey Cluster in common, and nothing else."""
    with ExitStack() as stack:
        stack.enter_context(programs.needed())
        cluster = stack.enter_context(valkey_cluster.cluster())
        yield [
            stack.enter_context(
                gunicorn(
                    tmp_path_factory.mktemp(name),
                    "--workers=1",
                    DATABASE_URL=database_of_the_tests(),
                    USAGE_FLUSH_SECONDS="0",
                    REDIS_URL=cluster.url,
                )
            )
            for name in ("first", "second")
        ]


def answers(machines: Machines, key: str) -> list[str]:
    """Return each machine's answer to the key: ``served``, or the error's code."""
    given = [call_api(machine, ORDERS, key).json() for machine in machines]
    return [answer.get("code", "served") for answer in given]


def deactivate(key: ApiKey, owner: User) -> None:
    lifecycle.deactivate_key(key, by=Actor(owner))


def pause(key: ApiKey, owner: User) -> None:
    lifecycle.deactivate_key(key, by=Actor(owner), until=timezone.now() + timedelta(hours=1))


def expire(key: ApiKey, owner: User) -> None:
    ApiKey.objects.filter(pk=key.pk).update(expires_at=timezone.now())


@pytest.mark.parametrize(
    ("end", "code"),
    [(deactivate, "api_key_inactive"), (pause, "api_key_inactive"), (expire, "api_key_expired")],
)
def test_a_key_that_ends_is_refused_by_both_from_the_next_request(
    machines: Machines, issue: IssueKey, owner: User, end: Callable[[ApiKey, User], None], code: str
) -> None:
    key, plaintext = issue()
    assert answers(machines, plaintext) == ["served"] * 2
    end(key, owner)
    assert answers(machines, plaintext) == [code] * 2


def test_a_limit_holds_over_both_to_the_request(machines: Machines, issue: IssueKey) -> None:
    limit, excess = 20, 6
    minute, counted_in = 0, -1
    while minute != counted_in:  # a limit is one of a minute, and none may end in between
        key, plaintext = issue()
        ApiKey.objects.filter(pk=key.pk).update(rate_limit=limit)
        counted_in = int(time.time()) // 60
        with ThreadPoolExecutor(4) as pool:
            turns = pool.map(
                lambda turn: call_api(machines[turn % 2], ORDERS, plaintext).status,  # noqa: B023
                range(limit + excess),
            )
            statuses = Counter(turns)
        minute = int(time.time()) // 60
    assert statuses == {200: limit, 429: excess}


def test_a_network_that_is_new_to_both_at_once_is_the_keys_first(
    machines: Machines, issue: IssueKey, owner: User, store: Store
) -> None:
    NotificationSettings.objects.create(store=store, user=owner, new_network=True)
    plaintexts = [issue()[1] for _ in range(5)]
    emails = Email.objects.count()
    with ThreadPoolExecutor(4) as pool:
        calls = [(machine, ORDERS, plaintext) for plaintext in plaintexts for machine in machines]
        statuses = [answer.status for answer in pool.map(lambda call: call_api(*call), calls)]
    assert statuses == [200] * len(calls)
    assert KnownNetwork.objects.count() == len(plaintexts)
    assert Email.objects.count() == emails
