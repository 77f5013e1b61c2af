"""What is read from the database when Prometheus asks: e-mail that waits, and connections in use."""

from collections.abc import Iterator

from django.db import DatabaseError, connection
from django.db.models import Count, Min, Q
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector, CollectorRegistry

from apikeys.models import Email

CONNECTIONS = """
    SELECT numbackends, current_setting('max_connections')::integer
    FROM pg_stat_database WHERE datname = current_database()
"""


class DatabaseCollector(Collector):
    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the figures, or nothing while the database is away."""
        try:
            yield from collect_emails()
            if connection.vendor == "postgresql":
                yield from collect_connections()
        except DatabaseError:
            return


def collect_emails() -> Iterator[GaugeMetricFamily]:
    waiting = Q(sent_at=None, failed_at=None)
    found = Email.objects.aggregate(
        waiting=Count("pk", filter=waiting),
        oldest=Min("created_at", filter=waiting),
        failed=Count("pk", filter=Q(failed_at__isnull=False)),
    )
    age = (timezone.now() - found["oldest"]).total_seconds() if found["oldest"] else 0.0
    yield GaugeMetricFamily("reflow_emails_waiting", "E-mails that are not sent yet.", found["waiting"])
    yield GaugeMetricFamily(
        "reflow_emails_oldest_seconds", "How long the oldest of them has waited.", max(0.0, age)
    )
    yield GaugeMetricFamily(
        "reflow_emails_failed", "E-mails that were given up, as long as they are kept.", found["failed"]
    )


def collect_connections() -> Iterator[GaugeMetricFamily]:
    with connection.cursor() as cursor:
        cursor.execute(CONNECTIONS)
        in_use, maximum = cursor.fetchone()
    yield GaugeMetricFamily(
        "reflow_database_connections", "Connections to the database, of everybody.", in_use
    )
    yield GaugeMetricFamily(
        "reflow_database_connections_max", "Connections that its server allows, for all databases.", maximum
    )


FROM_DATABASE = CollectorRegistry()
FROM_DATABASE.register(DatabaseCollector())
