"""Fixtures of most tests: a store and its owner, a way to issue keys, clients for page and API."""

import gc
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.contrib.auth.models import Permission, User
from django.core import mail
from django.core.cache import cache
from django.core.mail import EmailMessage
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connection
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django_tasks_db.models import DBTaskResult

from apikeys.actors import Actor
from apikeys.api import rate_limits
from apikeys.api.counters import make_counters
from apikeys.lifecycle import create_key
from apikeys.models import ApiKey
from apikeys.usage import recorder
from stores.models import Store
from tests import prepared

HERE = Path(__file__).parent
# Files that take longest, and folders that have such: first those that wait while others have the cores.
LONG = (
    "test_faults.py",
    "test_accessibility.py",
    "test_clients.py",
    "test_end_to_end.py",
    "test_replicas.py",
    "test_create.py",
    "test_benchmarks.py",
    "resilience",
    "browser",
    "test_backups.py",
    "test_gunicorn.py",
    "test_concurrency.py",
    "test_health_checks.py",
    "test_hostile_texts.py",
    "test_conformance.py",
)
PASSWORD = "a password nobody guesses"

IssueKey = Callable[..., tuple[ApiKey, str]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest, so that no process is left alone with one at the end.

    pytest-django has put those that use no database, or commit to it, behind all others.
    """
    items.sort(key=rank)


def rank(item: pytest.Item) -> int:
    parts = item.path.relative_to(HERE).parts
    return next((number for number, name in enumerate(LONG) if name in parts), len(LONG))


def pytest_collection_finish() -> None:
    """Keep the garbage collector from what was imported: it took a tenth of the time of the tests."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def django_db_keepdb() -> bool:
    """Let SQLite's tables stay as they are made below; their file goes with the folder that it is in."""
    return connection.vendor == "sqlite"


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Make SQLite's tables, of which PostgreSQL has a template, by copying them."""
    if connection.vendor == "sqlite":
        prepared.make_sqlite(connection.settings_dict["TEST"]["NAME"])


def make_owner(email: str) -> User:
    return User.objects.create_user(username=email, email=email, password=PASSWORD)


def new_rate_limiter() -> None:
    """Count from nothing, where the settings of this moment say."""
    config = apps.get_app_config("apikeys")
    config.rate_limiter = rate_limits.RateLimiter(make_counters())  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def _no_rate_is_used_up() -> None:
    """Every test signs in, and calls the API, for the first time today."""
    cache.clear()
    new_rate_limiter()


@pytest.fixture(autouse=True)
def _no_thread_writes_into_the_next_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """Usage that could not be written waits for whoever writes next."""
    monkeypatch.setattr(recorder, "RETRY_SECONDS", 3600)


@pytest.fixture
def owner(db: None) -> User:
    return make_owner("owner@example.com")


@pytest.fixture
def store(owner: User) -> Store:
    store = Store.objects.create(id=267418190, name="Northwood")
    store.owners.add(owner)
    return store


@pytest.fixture
def other_store(db: None) -> Store:
    store = Store.objects.create(id=518203746, name="Southwood")
    store.owners.add(make_owner("second@example.com"))
    return store


@pytest.fixture
def issue(store: Store, owner: User) -> IssueKey:
    """Issues a key of the store: ``issue(name="…", access=[…])``, each with a default."""

    def issue_key(**given: Any) -> tuple[ApiKey, str]:
        defaults: dict[str, Any] = {
            "store": store,
            "name": f"Key {ApiKey.objects.count() + 1}",
            "access": ["orders:read"],
            "by": Actor(owner),
        }
        return create_key(**(defaults | given))

    return issue_key


@pytest.fixture
def issued(issue: IssueKey) -> tuple[ApiKey, str]:
    """A key that may read the store's orders, and its plaintext."""
    return issue()


@pytest.fixture
def key(issued: tuple[ApiKey, str]) -> ApiKey:
    return issued[0]


@pytest.fixture
def plaintext(issued: tuple[ApiKey, str]) -> str:
    return issued[1]


@pytest.fixture
def signed_in(owner: User, store: Store) -> Client:
    """A browser in which the store's owner has signed in, by the form that everybody uses."""
    return sign_in(Client(), owner.email)


@pytest.fixture
def operator(db: None) -> Client:
    """A browser in which an operator has signed in, who may do everything in the admin."""
    user = make_owner("operator@example.com")
    User.objects.filter(pk=user.pk).update(is_staff=True, is_superuser=True)
    return sign_in(Client(), user.email)


def make_staff(email: str, *permissions: str) -> Client:
    """A browser in which somebody of the staff with just these permissions has signed in."""
    user = make_owner(email)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    assert user.user_permissions.count() == len(permissions)
    User.objects.filter(pk=user.pk).update(is_staff=True)
    return sign_in(Client(), email)


@pytest.fixture
def within_a_minute() -> Iterator[None]:
    """Stop the clock, so that no window of a rate limit, which is a minute of the clock, ends meanwhile."""
    with time_machine.travel(datetime.now(UTC), tick=False):
        yield


@pytest.fixture
def patient(settings: Any) -> Iterator[None]:
    """Usage waits in memory, as in production, until the test writes it."""
    settings.USAGE_FLUSH_SECONDS = 3600
    yield
    recorder._restart()


@pytest.fixture
def kept_connection() -> Iterator[None]:
    """Let requests through the whole application neither begin nor end with closing the connection.

    The transaction of the test would go with it.
    """
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


def sign_in(client: Client, email: str) -> Client:
    response = client.post("/accounts/login/", {"login": email, "password": PASSWORD})
    assert response.status_code == 302, response.content
    return client


def is_signed_in(client: Client) -> bool:
    return client.get("/accounts/").status_code == 200


def deliver_emails() -> list[EmailMessage]:
    """Do what a worker does with the e-mails that are due; returns all e-mails of the test so far."""
    while due := list(DBTaskResult.objects.ready()):
        for row in due:
            row.task.call(*row.args_kwargs["args"])
            row.delete()
    return mail.outbox


def bearer(plaintext: str) -> dict[str, str]:
    """The header that carries a key."""
    return {"Authorization": f"Bearer {plaintext}"}


def with_wrong_secret(plaintext: str) -> str:
    """The key with another last character."""
    return plaintext[:-1] + ("0" if plaintext[-1] != "0" else "1")


def admin_page(model: type[Model], view: str, *args: Any) -> str:
    """The address of a model's page in the admin: its changelist, add, change or delete."""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{view}", args=args)
