"""How much e-mail waits, for how long, and how much was given up: read from the database when asked."""

from collections.abc import Iterator

from django.db import DatabaseError
from django.db.models import Count, Min, Q
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector, CollectorRegistry

from apikeys.models import Letter


class LetterCollector(Collector):
    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the figures, or nothing while the database is away."""
        waiting = Q(sent_at=None, failed_at=None)
        try:
            found = Letter.objects.aggregate(
                waiting=Count("pk", filter=waiting),
                oldest=Min("created_at", filter=waiting),
                failed=Count("pk", filter=Q(failed_at__isnull=False)),
            )
        except DatabaseError:
            return
        age = (timezone.now() - found["oldest"]).total_seconds() if found["oldest"] else 0.0
        yield GaugeMetricFamily("reflow_letters_waiting", "E-mails that are not sent yet.", found["waiting"])
        yield GaugeMetricFamily(
            "reflow_letters_oldest_seconds", "How long the oldest of them has waited.", max(0.0, age)
        )
        yield GaugeMetricFamily(
            "reflow_letters_failed", "E-mails that were given up, as long as they are kept.", found["failed"]
        )


LETTERS = CollectorRegistry()
LETTERS.register(LetterCollector())
