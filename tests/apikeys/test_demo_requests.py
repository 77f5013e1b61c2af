"""The request log of the demo agrees with the usage that it is made up from."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db.models import Sum
from django.utils import timezone

from apikeys.models import ApiKeyUsage, HourlyUsage, LoggedRequest, Outcome, RefusalUsage
from stores.demo.northwood import NORTHWOOD
from stores.models import Store


@pytest.fixture(autouse=True)
def _seeded(db: None) -> None:
    call_command("seed_demo", orders=1, usage_days=15)


def test_reasons_add_up_to_the_refused_requests() -> None:
    refused = ApiKeyUsage.objects.filter(outcome=Outcome.REFUSED).aggregate(Sum("requests"))
    assert RefusalUsage.objects.aggregate(Sum("requests")) == refused
    assert set(RefusalUsage.objects.values_list("reason", flat=True)) == {
        *("resource_not_allowed", "api_key_inactive", "api_key_expired"),
    }


def test_hours_add_up_to_the_requests_of_today() -> None:
    today = timezone.now().date()
    of_day = ApiKeyUsage.objects.filter(date=today).aggregate(Sum("requests"))
    midnight = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    assert HourlyUsage.objects.filter(hour__gte=midnight).aggregate(Sum("requests")) == of_day


def test_logged_requests_are_of_the_last_days_and_follow_their_ids() -> None:
    rows = LoggedRequest.objects.for_store(Store.objects.get(pk=NORTHWOOD.id)).order_by("pk")
    moments = list(rows.values_list("at", flat=True))
    assert moments == sorted(moments)
    assert timezone.now() - timedelta(days=4) < moments[0] <= moments[-1] <= timezone.now()
    assert rows.with_error().exists()
