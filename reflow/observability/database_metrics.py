"""Metrics that are read from the database when Prometheus asks: e-mail that waits, connections in use."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.db import DatabaseError, connection
from django.db.models import Count, Max, Min, Q
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector, CollectorRegistry

from apikeys.models import Email

# Commands that leave in the cache, by their name, when they ended and which steps failed, and when each is
# overdue.
OVERDUE = {"daily": timedelta(hours=26), "hourly": timedelta(hours=3)}

# The name behind "reflow_", what it is, and the value.
Figure = tuple[str, str, float]

CONNECTIONS = """
    SELECT numbackends, current_setting('max_connections')::integer
    FROM pg_stat_database WHERE datname = current_database()
"""


class DatabaseCollector(Collector):
    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the figures, or nothing while the database is away."""
        try:
            for name, documentation, value in (*read_emails(), *read_timed_work(), *read_connections()):
                yield GaugeMetricFamily(f"reflow_{name}", documentation, value)
        except DatabaseError:
            return


def summarize_emails(*, failed_since: datetime) -> dict[str, Any]:
    """Return when the last e-mail was sent, since when the oldest waits, and how many wait or have failed."""
    waiting = Q(sent_at=None, failed_at=None)
    return Email.objects.aggregate(
        sent=Max("sent_at"),
        waiting=Count("pk", filter=waiting),
        oldest=Min("created_at", filter=waiting),
        failed=Count("pk", filter=Q(failed_at__gt=failed_since)),
    )


def read_emails() -> Iterator[Figure]:
    found = summarize_emails(failed_since=datetime.min.replace(tzinfo=UTC))
    age = (timezone.now() - found["oldest"]).total_seconds() if found["oldest"] else 0.0
    yield "emails_waiting", "E-mails that are not sent yet.", found["waiting"]
    yield "emails_oldest_seconds", "How long the oldest of them has waited.", max(0.0, age)
    yield "emails_failed", "E-mails that were given up, as long as they are kept.", found["failed"]


def read_timed_work() -> Iterator[Figure]:
    """Yield 0 for work that was never done, so that an alert sees it."""
    for name in OVERDUE:
        done = cache.get(name)
        at, failed = (done["at"].timestamp(), len(done["failed"])) if done else (0.0, 0)
        yield f"{name}_last_run_seconds", f"When {name} work was done last: Unix time.", at
        yield f"{name}_failed_steps", "Steps of it that failed then.", failed


def read_connections() -> Iterator[Figure]:
    if connection.vendor == "sqlite":
        return
    with connection.cursor() as cursor:
        cursor.execute(CONNECTIONS)
        in_use, maximum = cursor.fetchone()
    yield "database_connections", "Connections to the database, of everybody.", in_use
    yield "database_connections_max", "Connections that its server allows, for all databases.", maximum


FROM_DATABASE = CollectorRegistry()
FROM_DATABASE.register(DatabaseCollector())
