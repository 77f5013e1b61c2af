from datetime import timedelta

from django.utils import timezone

from apikeys.models import ApiKey, StoreUsage, Usage
from apikeys.models.outcomes import Outcome
from apikeys.usage import reports
from stores.models import Store
from tests.conftest import IssueKey


def use(key: ApiKey, scope: str, requests: int, *, days_ago: int = 0, outcome: str = "succeeded") -> None:
    at = timezone.now() - timedelta(days=days_ago)
    resource, _, access = scope.partition(":")
    Usage.objects.create(
        store_id=key.store_id,
        key=key,
        day=at.date(),
        resource=resource,
        access=access,
        outcome=outcome,
        requests=requests,
        last_at=at,
    )


def old(key: ApiKey) -> ApiKey:
    key.created_at = timezone.now() - timedelta(days=60)
    key.save(update_fields=["created_at"])
    return key


def test_a_period_has_every_day_and_only_those(issue: IssueKey) -> None:
    key, _ = issue()
    use(key, "orders:read", 5)
    use(key, "orders:read", 7, days_ago=29)
    use(key, "orders:read", 2, days_ago=29, outcome=Outcome.REFUSED)
    use(key, "orders:read", 1, days_ago=29, outcome=Outcome.FAILED)
    use(key, "orders:read", 100, days_ago=30)
    period = reports.of_keys([key])[key.pk]
    assert len(period.bars) == 30
    assert period.latest.total == 5
    assert (period.bars[0].succeeded, period.bars[0].refused, period.bars[0].failed) == (7, 2, 1)
    assert (period.total, period.succeeded, period.refused, period.failed) == (15, 12, 2, 1)


def test_a_stores_period_counts_all_its_keys(store: Store, other_store: Store) -> None:
    today = timezone.now().date()
    StoreUsage.objects.create(store=store, day=today, outcome=Outcome.SUCCEEDED, requests=8)
    StoreUsage.objects.create(store=other_store, day=today, outcome=Outcome.SUCCEEDED, requests=9)
    assert reports.of_store(store).total == 8


def test_unused_access_is_suggested_for_removal_at_once(issue: IssueKey) -> None:
    key = old(issue(access=["orders:write", "customers:write", "coupons:read"])[0])
    use(key, "orders:write", 1)
    found = reports.access_against_use(key)
    assert found.unused == ["customers:read", "customers:write", "coupons:read"]
    assert found.without_unused == ["orders:read", "orders:write"]


def test_a_read_stays_when_only_its_write_is_unused(issue: IssueKey) -> None:
    key = old(issue(access=["orders:write"])[0])
    use(key, "orders:read", 1)
    assert reports.access_against_use(key).unused == ["orders:write"]


def test_a_young_key_or_one_that_is_never_used_is_left_alone(issue: IssueKey) -> None:
    young, _ = issue(access=["orders:read", "customers:read"])
    use(young, "orders:read", 1)
    unused = old(issue(access=["orders:read", "customers:read"])[0])
    for key in (young, unused):
        assert reports.access_against_use(key).unused == []


def test_access_against_use_tells_apart_what_matters(issue: IssueKey) -> None:
    key, _ = issue(access=["orders:read"])
    use(key, "customers:read", 3, outcome=Outcome.REFUSED)
    use(key, "customers:read", 2, days_ago=3)
    orders, customers = reports.access_against_use(key).rows
    assert (orders.resource, orders.granted, orders.requests, orders.refused) == ("orders", "Read", 0, 0)
    assert (customers.resource, customers.granted, customers.requests, customers.refused) == (
        "customers",
        "",
        5,
        3,
    )
    assert customers.last_at is not None
    assert customers.last_at.date() == timezone.now().date()


def test_impact_of_several_keys_adds_up(issue: IssueKey) -> None:
    keys = [issue()[0], issue()[0], issue()[0]]
    use(keys[0], "orders:read", 3)
    use(keys[1], "orders:read", 4, days_ago=3)
    impacts = reports.impacts(keys)
    assert [impacts[key.pk].last_7_days for key in keys] == [3, 4, 0]
    total = reports.total_impact(impacts.values())
    assert (total.since_yesterday, total.last_7_days, total.last_use) == (3, 7, None)


def test_impact_counts_what_would_break(issue: IssueKey) -> None:
    key, _ = issue()
    for days_ago, requests in ((0, 1), (1, 2), (2, 4), (6, 8), (7, 16)):
        use(key, "orders:read", requests, days_ago=days_ago)
    impact = reports.impacts([key])[key.pk]
    assert (impact.since_yesterday, impact.last_7_days, impact.last_use) == (3, 15, None)
