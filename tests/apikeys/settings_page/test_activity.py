"""Activity, and the CSV files: all of it, of this store only, and nothing that a spreadsheet program runs."""

import csv
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from apikeys import lifecycle
from apikeys.actors import Actor
from apikeys.models import ApiKey, AuditEntry
from apikeys.settings_page.csv_files import cell
from apikeys.settings_page.log_search import LogSearch
from stores.models import Store
from tests.conftest import IssueKey
from tests.key_requests import count_usage

BASE = "/stores/267418190/settings/api-keys"


def sentences(client: Client, **query: str) -> list[str]:
    response = client.get(f"{BASE}/activity/", query)
    assert response.status_code == 200
    return [f"{entry.name}: {entry.sentence}" for entry in response.context["page"].rows]


def lines(client: Client, path: str, **query: str) -> list[list[str]]:
    """The rows of a CSV file, without the head."""
    response: Any = client.get(f"{BASE}/{path}", query)
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"].startswith("attachment;")
    return list(csv.reader(StringIO(b"".join(response).decode("utf-8-sig"), newline="")))[1:]


@pytest.fixture
def changed(issue: IssueKey, owner: User, other_store: Store) -> ApiKey:
    """A key that was created, renamed and deleted, among others; and one of another store."""
    by = Actor(owner, "192.0.2.1")
    key, _ = issue(name="Warehouse", by=by)
    lifecycle.update_key(key, by=by, version=key.version, name="Stock")
    issue(name="Theirs", store=other_store)
    issue(name="Accounting")
    prefix = key.prefix
    lifecycle.delete_key(key, by=by)
    key.prefix = prefix
    return key


def test_every_change_is_shown_those_of_deleted_keys_included(signed_in: Client, changed: ApiKey) -> None:
    assert sentences(signed_in) == [
        "Stock: Deleted.",
        "Accounting: Created with orders:read.",
        "Stock: Renamed from “Warehouse” to “Stock”.",
        "Warehouse: Created with orders:read.",
    ]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"event": "deleted"}, 1),
        ({"event": "suspended"}, 0),
        ({"q": "warehouse"}, 1),
        ({"q": "OWNER@"}, 4),
        ({"q": "Theirs"}, 0),
        ({"from": "2020-01-01"}, 4),
        ({"to": "2020-01-01"}, 0),
    ],
)
@pytest.mark.usefixtures("changed")
def test_a_filter_of_changes_finds_what_it_says(signed_in: Client, query: dict[str, str], count: int) -> None:
    assert len(sentences(signed_in, **query)) == count
    assert len(lines(signed_in, "activity.csv", **query)) == count


def test_a_deleted_keys_changes_are_found_by_its_prefix(signed_in: Client, changed: ApiKey) -> None:
    for text in (changed.prefix, f"{changed.prefix}.••••"):
        assert len(sentences(signed_in, q=text)) == 3


def test_a_file_has_every_entry_once_up_to_its_limit(store: Store) -> None:
    now = timezone.now()
    AuditEntry.objects.bulk_create(AuditEntry(store=store, event="created", at=now) for _ in range(60))
    rows = list(LogSearch(AuditEntry.objects.filter(store=store)).all_rows(at_most=59, size=10))
    assert len({entry.pk for entry in rows}) == len(rows) == 59


def test_a_csv_of_changes_says_who_what_and_from_where(signed_in: Client, changed: ApiKey) -> None:
    newest = lines(signed_in, "activity.csv")[0]
    assert newest[1:] == [changed.prefix, "Stock", "deleted", "Deleted.", "owner@example.com", "192.0.2.1"]
    assert newest[0].endswith("Z")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("+1", "'+1"),
        ("-1+1", "'-1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "\t'=1"),
        ("\r=1", "\r'=1"),
        ("\n=1", "\n'=1"),
        ("＝1", "'＝1"),
        ("x;=cmd|' /C calc'!A0;y", "x;'=cmd|' /C calc'!A0;y"),
        ('x, "@SUM(A1)', "x, \"'@SUM(A1)"),
        ("2026-11-23, 4;5", "2026-11-23, 4;5"),
        ("a=1", "a=1"),
        (-5, -5),
        (None, ""),
    ],
)
def test_no_cell_is_run_by_a_spreadsheet_program(value: Any, expected: Any) -> None:
    assert cell(value) == expected


def test_a_csv_quotes_every_cell_and_says_that_it_is_utf8(signed_in: Client, issue: IssueKey) -> None:
    issue(name="Zürich")
    response: Any = signed_in.get(f"{BASE}/activity.csv")
    content = b"".join(response)
    assert content.startswith('\ufeff"time","key","name"'.encode())
    assert '"Zürich"'.encode() in content


def test_a_csv_with_a_wrong_filter_is_refused_by_the_filters_name(signed_in: Client) -> None:
    for path, name in (("requests.csv", "status"), ("activity.csv", "event")):
        response = signed_in.get(f"{BASE}/{path}", {name: "40"})
        assert (response.status_code, response.text.partition(": ")[0]) == (400, name)


def test_a_store_downloads_one_file_at_a_time_and_no_process_sends_only_files(
    signed_in: Client, store: Store, other_store: Store, owner: User
) -> None:
    other_store.owners.add(owner)
    third = Store.objects.create(name="Third")
    third.owners.add(owner)
    addresses = [f"/stores/{one.pk}/settings/api-keys/activity.csv" for one in (store, other_store, third)]
    open_downloads: list[Any] = [signed_in.get(addresses[0]), signed_in.get(addresses[1])]
    assert [response.status_code for response in open_downloads] == [200, 200]
    refused = signed_in.get(addresses[2])
    assert (refused.status_code, refused["Retry-After"]) == (429, "10")
    b"".join(open_downloads.pop())
    assert signed_in.get(addresses[0]).status_code == 429
    b"".join(open_downloads.pop())
    b"".join(signed_in.get(addresses[0]))


def test_a_name_that_is_a_formula_is_text_in_every_file(signed_in: Client, issue: IssueKey) -> None:
    key, _ = issue(name="=HYPERLINK(A1)")
    count_usage(key, 1)
    assert lines(signed_in, "activity.csv")[0][2] == "'=HYPERLINK(A1)"
    assert lines(signed_in, "usage.csv")[0][1] == "'=HYPERLINK(A1)"


@pytest.mark.usefixtures("within_a_minute")
def test_a_csv_of_usage_divides_refusals_by_reason_and_has_deleted_keys(
    signed_in: Client, issue: IssueKey, other_store: Store
) -> None:
    key, _ = issue(name="Warehouse")
    deleted, _ = issue(name="Deleted")
    count_usage(deleted, 5)
    deleted.delete()
    count_usage(key, 7)
    for reason, requests in (("rate_limited", 6), ("api_key_expired", 3), ("", 1)):
        count_usage(key, requests, outcome="refused", reason=reason)
    count_usage(key, 3, days_ago=29)
    count_usage(key, 4, days_ago=30)
    count_usage(issue(store=other_store)[0], 99)
    today = timezone.now().date()
    common = ["Warehouse", key.prefix, "orders", "read"]
    assert lines(signed_in, "usage.csv") == [
        [str(today - timedelta(days=29)), *common, "succeeded", "", "3"],
        [str(today), "", "", "orders", "read", "succeeded", "", "5"],
        [str(today), *common, "refused", "", "1"],
        [str(today), *common, "refused", "api_key_expired", "3"],
        [str(today), *common, "refused", "rate_limited", "6"],
        [str(today), *common, "succeeded", "", "7"],
    ]
    assert len(lines(signed_in, "usage.csv", range="7d")) == 5
    assert len(lines(signed_in, "usage.csv", range="90d")) == 7
