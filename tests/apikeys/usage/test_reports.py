from datetime import timedelta

from django.utils import timezone

from apikeys.models import ApiKey, ApiKeyUsage, StoreUsage
from apikeys.models.outcomes import Outcome
from apikeys.usage import charts, reports
from apikeys.usage.reports import Period
from stores.models import Store
from tests.conftest import IssueKey


def use(key: ApiKey, scope: str, requests: int, *, days_ago: int = 0, outcome: str = "succeeded") -> None:
    at = timezone.now() - timedelta(days=days_ago)
    resource, _, access = scope.partition(":")
    ApiKeyUsage.objects.create(
        key=key,
        date=at.date(),
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
    assert len(period.days) == 30
    assert period.today.total == 5
    assert (period.days[0].succeeded, period.days[0].refused, period.days[0].failed) == (7, 2, 1)
    assert (period.total, period.succeeded, period.refused, period.failed) == (15, 12, 2, 1)


def test_a_stores_period_counts_all_its_keys(store: Store, other_store: Store) -> None:
    today = timezone.now().date()
    StoreUsage.objects.create(store=store, date=today, outcome=Outcome.SUCCEEDED, requests=8)
    StoreUsage.objects.create(store=other_store, date=today, outcome=Outcome.SUCCEEDED, requests=9)
    assert reports.of_store(store).total == 8


def test_what_was_refused_is_suggested_most_wanted_first(issue: IssueKey) -> None:
    key, _ = issue(access=["orders:read"])
    use(key, "customers:read", 14, outcome=Outcome.REFUSED)
    use(key, "coupons:write", 20, outcome=Outcome.REFUSED)
    use(key, "orders:read", 99, outcome=Outcome.REFUSED)
    found = reports.suggestions(key, reports.access_against_use(key))
    assert [(s.verb, s.use.scope, s.use.refused) for s in found] == [
        ("grant", "coupons:write", 20),
        ("grant", "customers:read", 14),
    ]
    assert found[0].access == ["orders:read", "coupons:read", "coupons:write"]


def test_refusals_for_other_reasons_suggest_nothing(issue: IssueKey) -> None:
    key, _ = issue(access=["orders:read"])
    use(key, "customers", 14, outcome=Outcome.REFUSED)
    assert reports.suggestions(key, reports.access_against_use(key)) == []


def test_what_lies_idle_is_suggested_for_removal(issue: IssueKey) -> None:
    key = old(issue(access=["orders:write", "customers:write"])[0])
    use(key, "orders:write", 1)
    found = reports.suggestions(key, reports.access_against_use(key))
    assert [(s.verb, s.use.scope) for s in found] == [("remove", "customers:write")]
    assert found[0].access == ["orders:read", "orders:write", "customers:read"]


def test_a_read_is_idle_once_its_write_is_gone(issue: IssueKey) -> None:
    key = old(issue(access=["orders:read", "customers:read"])[0])
    use(key, "orders:read", 1)
    found = reports.suggestions(key, reports.access_against_use(key))
    assert [(s.use.scope, s.access) for s in found] == [("customers:read", ["orders:read"])]


def test_a_young_key_or_one_that_is_never_used_is_left_alone(issue: IssueKey) -> None:
    young, _ = issue(access=["orders:read", "customers:read"])
    use(young, "orders:read", 1)
    unused = old(issue(access=["orders:read", "customers:read"])[0])
    for key in (young, unused):
        assert reports.suggestions(key, reports.access_against_use(key)) == []


def test_access_against_use_tells_apart_what_matters(issue: IssueKey) -> None:
    key, _ = issue(access=["orders:read"])
    use(key, "customers:read", 3, outcome=Outcome.REFUSED)
    use(key, "customers:read", 2, days_ago=3)
    uses = reports.access_against_use(key)
    shown = {use.scope: (use.granted, use.requests, use.refused) for use in uses.shown}
    assert shown == {"orders:read": (True, 0, 0), "customers:read": (False, 5, 3)}
    last_at = next(use.last_at for use in uses.shown if use.scope == "customers:read")
    assert last_at is not None
    assert last_at.date() == timezone.now().date()
    assert len(uses.untouched) == 8


def test_impact_counts_what_would_break(issue: IssueKey) -> None:
    key, _ = issue()
    for days_ago, requests in ((0, 1), (1, 2), (2, 4), (6, 8), (7, 16)):
        use(key, "orders:read", requests, days_ago=days_ago)
    impact = reports.impact(key)
    assert (impact.since_yesterday, impact.last_7_days, impact.last_use) == (3, 15, None)


def test_bars_are_as_high_as_their_requests() -> None:
    period = Period()
    period.days[0].succeeded, period.days[0].refused = 60, 40
    period.days[1].failed, period.days[2].succeeded = 50, 1
    chart = charts.stacked_bars(period)
    assert chart.most == 100
    assert [(part.outcome, part.y, part.height) for part in chart.bars[0].segments] == [
        ("succeeded", 48, 72),
        ("refused", 0, 48),
    ]
    assert [(part.y, part.height) for part in chart.bars[1].segments] == [(60, 60)]
    assert chart.bars[2].segments[0].height == 1.5
    assert chart.bars[3].segments == []
    assert chart.bars[29].x + chart.bar_width == chart.width


def test_a_quiet_period_has_a_flat_line() -> None:
    line = charts.sparkline(Period())
    assert line.refused == ""
    assert line.line.startswith("M0 22L4 22")
    assert charts.stacked_bars(Period()).most == 0


def test_refusals_are_ticks_under_the_line() -> None:
    period = Period()
    period.days[2].refused = 1
    assert charts.sparkline(period).refused == "M8 24v-3"
