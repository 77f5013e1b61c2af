"""A database that crashes under load and comes back has not cost a count."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection
from pytest_django.plugin import DjangoDbBlocker

from apikeys import lifecycle
from apikeys.models import StoreUsage
from stores.models import Store
from tests import postgres, programs
from tests.resilience.calls import counted, load, wait_until_counted
from tests.resilience.conftest import POSTGRESQL
from tests.server import gunicorn

pytestmark = POSTGRESQL

AWAY_SECONDS = 1.0


@pytest.fixture(scope="module")
def cluster(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[postgres.Cluster]:
    """A PostgreSQL of our own with the site's tables. For as long as it is there, it is Django's as well."""
    theirs = dict(connection.settings_dict)
    try:
        with programs.needed(), postgres.cluster() as ours, django_db_blocker.unblock():
            connection.settings_dict.update(
                HOST=str(ours.folder), PORT="", USER="postgres", PASSWORD="", NAME="postgres"
            )
            connection.close()
            call_command("migrate", verbosity=0)
            yield ours
            connection.close()
    finally:
        connection.settings_dict.update(theirs)


@pytest.mark.parametrize("interval", ["0.1", "0"])
def test_a_crash_of_the_database_loses_no_count(
    cluster: postgres.Cluster, tmp_path: Path, interval: str
) -> None:
    Store.objects.all().delete()
    store = Store.objects.create(id=267418190, name="Northwood")
    _, plaintext = lifecycle.insert_key(store=store, name="Busy", access=["orders:read"])
    limits = {"RATE_LIMIT_PER_KEY": "1000000", "USAGE_FLUSH_SECONDS": interval}
    with gunicorn(tmp_path, cluster.url, "--workers=2", **limits) as site:
        with load([site], plaintext) as calls:
            calls.wait_for(50)
            connection.close()
            cluster.stop()
            time.sleep(AWAY_SECONDS)
            cluster.start()
            calls.wait_for(50)
        assert wait_until_counted(calls.answered - 1) == calls.answered
        site.process.terminate()
        site.process.wait()
    assert counted() == StoreUsage.objects.get(outcome="succeeded").requests == calls.answered
    assert calls.statuses.keys() == {200, 503}
