"""Figures read back from usage."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apikeys.models import ApiKey, Outcome
from apikeys.usage import reports
from tests.conftest import IssueKey
from tests.key_requests import count_usage

pytestmark = pytest.mark.usefixtures("within_a_minute")


def old(key: ApiKey) -> ApiKey:
    key.created_at = timezone.now() - timedelta(days=60)
    key.save(update_fields=["created_at"])
    return key


def test_access_against_use_names_unused_scopes(issue: IssueKey) -> None:
    key = old(issue(access=["orders:write", "customers:write", "coupons:read"])[0])
    count_usage(key, 1, scope="orders:write")
    _, unused = reports.access_against_use(key)
    assert unused == ["customers:read", "customers:write", "coupons:read"]


def test_access_against_use_keeps_the_read_of_an_unused_write(issue: IssueKey) -> None:
    key = old(issue(access=["orders:write"])[0])
    count_usage(key, 1)
    assert reports.access_against_use(key)[1] == ["orders:write"]


def test_access_against_use_leaves_young_and_unused_keys(issue: IssueKey) -> None:
    young, _ = issue(access=["orders:read", "customers:read"])
    count_usage(young, 1)
    unused = old(issue(access=["orders:read", "customers:read"])[0])
    for key in (young, unused):
        assert reports.access_against_use(key)[1] == []


def test_access_against_use_counts_granted_and_refused(issue: IssueKey) -> None:
    key, _ = issue(access=["orders:read"])
    count_usage(key, 3, scope="customers:read", outcome=Outcome.REFUSED)
    count_usage(key, 2, scope="customers:read", days_ago=3)
    (orders, customers), _ = reports.access_against_use(key)
    assert (orders.resource, orders.granted, orders.requests, orders.refused) == ("orders", "Read", 0, 0)
    assert (customers.resource, customers.granted, customers.requests, customers.refused) == (
        "customers",
        "",
        5,
        3,
    )
    assert customers.last_at is not None
    assert customers.last_at.date() == timezone.now().date()


def test_access_against_use_counts_what_was_refused_before_its_scope_was_looked_at(issue: IssueKey) -> None:
    key = old(issue(access=["orders:read", "coupons:read"])[0])
    count_usage(key, 1, scope="coupons:read")
    count_usage(key, 4, scope="orders", outcome=Outcome.REFUSED, reason="api_key_inactive")
    uses, unused = reports.access_against_use(key)
    orders = next(row for row in uses if row.resource == "orders")
    assert (orders.granted, orders.requests, orders.refused) == ("Read", 4, 4)
    assert orders.last_at is not None
    assert unused == ["orders:read"]
