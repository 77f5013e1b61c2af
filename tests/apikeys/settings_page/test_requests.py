"""The pages of the request log: what a filter finds, and that nobody sees another store's."""

from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode
from uuid import UUID

import pytest
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apikeys.models import ApiKey, LoggedRequest, Refusal
from apikeys.settings_page import log_search
from apikeys.settings_page.activity import ActivityFilters
from apikeys.settings_page.log_search import LogFilters, LogSearch
from apikeys.settings_page.refusals import explain
from apikeys.settings_page.requests import RequestFilters
from apikeys.usage.batch import KeyRequest
from stores.models import Store
from tests.conftest import IssueKey
from tests.key_requests import NOON, count_usage, make_request
from tests.key_requests import write_usage as write

BASE = "/stores/267418190/settings/api-keys"
THEIRS = UUID(int=518)


@pytest.fixture
def key(issue: IssueKey) -> ApiKey:
    return issue(name="Warehouse")[0]


@pytest.fixture
def log(key: ApiKey, issue: IssueKey, other_store: Store) -> list[KeyRequest]:
    """Requests of every kind, the newest last, and one of another store's key."""
    second, _ = issue(name="Accounting")
    minute = timedelta(minutes=1)
    ours = [
        make_request(key),
        make_request(key, at=NOON + minute, method="PATCH", access="write"),
        make_request(
            key, at=NOON + 2 * minute, status_code=401, reason="resource_not_allowed", resource="customers"
        ),
        make_request(
            key, at=NOON + 3 * minute, status_code=404, reason="not_found", path="/v1/stores/267418190/x"
        ),
        make_request(
            second, at=NOON + 4 * minute, status_code=429, reason="rate_limited", address="2001:db8::1"
        ),
    ]
    at = NOON + 5 * minute
    theirs = make_request(issue(store=other_store, name="Theirs")[0], request_id=THEIRS, at=at)
    write(*ours, theirs)
    return ours


def query_of(query: dict[str, str]) -> QueryDict:
    return QueryDict(urlencode(query))


def found(store: Store, **query: str) -> list[int]:
    """The requests of the log that a page shows, by their place in it; the newest comes first."""
    filters = RequestFilters(query_of(query))
    rows = filters.search(store).page().rows if filters.is_valid() else []
    assert {row.store_id for row in rows} <= {store.pk}
    return [(row.at - NOON) // timedelta(minutes=1) for row in rows]


@pytest.mark.usefixtures("log")
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, [4, 3, 2, 1, 0]),
        ({"outcome": "succeeded"}, [1, 0]),
        ({"outcome": "refused"}, [4, 2]),
        ({"outcome": "failed"}, [3]),
        ({"reason": "rate_limited"}, [4]),
        ({"reason": "no_such_reason"}, []),
        ({"status": "404"}, [3]),
        ({"status": "4XX"}, [4, 3, 2]),
        ({"key": "accounting"}, [4]),
        ({"range": "1h"}, []),
        ({"resource": "customers"}, [2]),
        ({"method": "PATCH"}, [1]),
        ({"address": "2001:DB8:0::1"}, [4]),
        ({"from": "2026-11-23T12:03"}, [4, 3]),
        ({"to": "2026-11-23T12:01"}, [0]),
        ({"from": "2026-11-23", "to": "2026-11-24T02:00+02:00"}, [4, 3, 2, 1, 0]),
        ({"from": "2026-11-23", "to": "2026-11-23"}, [4, 3, 2, 1, 0]),
        ({"from": "2026-11-24"}, []),
        ({"q": "267418190/x"}, [3]),
        ({"q": str(THEIRS)}, []),
        ({"outcome": "refused", "resource": "customers", "from": "2026-11-23"}, [2]),
        *(({name: "40"}, []) for name in ("from", "address", "status")),
    ],
)
def test_a_filter_finds_what_it_says(store: Store, query: dict[str, str], expected: list[int]) -> None:
    assert found(store, **query) == expected


def test_the_last_hour_is_sixty_minutes(store: Store, key: ApiKey) -> None:
    now = timezone.now()
    write(*(make_request(key, at=now - timedelta(minutes=minutes)) for minutes in (59, 61)))
    filters = RequestFilters(query_of({"range": "1h"}))
    assert filters.is_valid()
    (row,) = filters.search(store).page().rows
    assert row.at == now - timedelta(minutes=59)


@pytest.mark.usefixtures("log")
def test_what_is_wrong_with_a_filter_is_said(signed_in: Client) -> None:
    for until, message in (("soon", "This is not a date"), ("2026-11-20", "“To” has to be later than")):
        response = signed_in.get(f"{BASE}/requests/", {"from": "2026-11-22", "to": until})
        assert message in response.text
        assert response.context["rows"] == []


def test_a_key_and_a_request_id_are_found(
    signed_in: Client, store: Store, key: ApiKey, log: list[KeyRequest]
) -> None:
    assert found(store, key=key.prefix) == [3, 2, 1, 0]
    assert found(store, key=key.prefix, reason="not_found") == [3]
    assert found(store, q=key.prefix) == [3, 2, 1, 0]
    assert found(store, q=str(log[1].request_id)) == [1]
    response = signed_in.post(f"{BASE}/find/", {"q": f" {log[1].request_id.hex} "})
    assert response.url == f"{BASE}/requests/?q={log[1].request_id}"  # type: ignore[attr-defined]
    assert signed_in.get(f"{BASE}/{key.prefix}/requests/").url == f"{BASE}/requests/?key={key.prefix}"  # type: ignore[attr-defined]


def test_requests_of_a_deleted_key_stay(
    signed_in: Client, store: Store, key: ApiKey, log: list[KeyRequest]
) -> None:
    key.delete()
    assert found(store) == [4, 3, 2, 1, 0]
    assert found(store, key=key.prefix) == [3, 2, 1, 0]
    row = LoggedRequest.objects.get(request_id=log[2].request_id)
    assert "deleted since" in signed_in.get(f"{BASE}/requests/{row.pk}/").text


ODD = (
    " ", "x" * 5000, "-1", "0", "1e9", "9" * 20, "\u202e", "'; --", "%", "null", "٣", "[]", "\xff",
    "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "9999-12-31", "2026-02-30", "::1%eth0",
    "1-1", "9" * 30 + "-1", "1-" + "9" * 19, "1-" + "9" * 30, "-", "1732363200000000-",
)  # fmt: skip


def test_no_value_of_a_filter_is_an_error_or_shows_another_store(store: Store, log: list[KeyRequest]) -> None:
    kinds: tuple[type[LogFilters], ...] = (RequestFilters, ActivityFilters)
    for filters in kinds:
        for name in filters(QueryDict()).fields:
            for value in ODD:
                form = filters(query_of({name: value}))
                str(form[name])
                rows = form.search(store).page().rows if form.is_valid() else []
                assert {row.store_id for row in rows} <= {store.pk}, (name, value)
    for value in ODD:
        LogSearch(LoggedRequest.objects.filter(store=store)).page(value)


@pytest.mark.usefixtures("log")
def test_no_address_of_a_page_or_a_file_is_a_server_error(signed_in: Client) -> None:
    for value in (*ODD[::3], "\ud800"):
        quoted = quote(value, errors="surrogatepass")
        for path in ("requests/", "activity/", "requests.csv", "activity.csv", "usage.csv", ""):
            names = ("range",) if path in {"", "usage.csv"} else ("q", "from", "live", "cursor")
            response: Any = signed_in.get(f"{BASE}/{path}?{'&'.join(f'{name}={quoted}' for name in names)}")
            assert response.status_code in {200, 302, 400}, (path, value)
            b"".join(response)


@pytest.mark.usefixtures("within_a_minute")
def test_a_day_that_is_not_logged_any_more_shows_what_was_counted(signed_in: Client, key: ApiKey) -> None:
    day = (timezone.now() - timedelta(days=20)).date()
    for outcome, requests in (("succeeded", 1_200), ("refused", 3)):
        count_usage(key, requests, outcome=outcome, days_ago=20)
    query = {"from": f"{day}T00:00", "to": f"{day + timedelta(days=1)}T00:00"}
    page = signed_in.get(f"{BASE}/requests/", query).text
    assert (
        "1,200 requests succeeded, 3 were refused and 0 failed. Single requests are kept for 14 days." in page
    )
    other = signed_in.get(f"{BASE}/requests/", query | {"key": "nobody"}).text
    assert "0 requests succeeded" in other


def test_a_pasted_key_gets_into_no_address(signed_in: Client, issue: IssueKey) -> None:
    key, plaintext = issue()
    for path in ("requests/", "activity/"):
        sent = signed_in.post(f"{BASE}/{path}", {"q": f"Bearer {plaintext}", "from": " "})
        assert sent.url == f"{BASE}/{path}?q={key.prefix}"  # type: ignore[attr-defined]


def all_pages(store: Store, **query: str) -> list[LoggedRequest]:
    """The rows of all pages, by the cursors in their links."""
    filters = RequestFilters(query_of(query))
    assert filters.is_valid()
    search, rows, cursor = filters.search(store), [], ""
    while True:
        page = search.page(cursor)
        rows += page.rows
        cursor = page.next
        if not cursor:
            return rows


@pytest.mark.parametrize("same_moment", [True, False])
def test_pages_have_every_row_once(
    store: Store, key: ApiKey, monkeypatch: pytest.MonkeyPatch, *, same_moment: bool
) -> None:
    monkeypatch.setattr(log_search, "MAX_SEARCHED", 60)
    write(*(make_request(key, at=NOON - timedelta(seconds=0 if same_moment else n // 2)) for n in range(130)))
    for query in ({}, {"method": "GET"}, {"outcome": "succeeded"}):
        rows = all_pages(store, **query)
        assert len({row.pk for row in rows}) == len(rows) == 130
        assert [(row.at, row.pk) for row in rows] == sorted(((row.at, row.pk) for row in rows), reverse=True)


def test_a_filter_that_nothing_matches_looks_through_a_limited_number_of_rows(
    signed_in: Client, store: Store, key: ApiKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_search, "MAX_SEARCHED", 20)
    write(*(make_request(key, at=NOON - timedelta(seconds=n)) for n in range(50)))
    response = signed_in.get(f"{BASE}/requests/", {"method": "DELETE"})
    assert response.context["page"].searched_to == NOON - timedelta(seconds=20)
    assert "Search further" in response.text
    assert all_pages(store, method="DELETE") == []


def test_a_page_takes_as_many_queries_whatever_its_length(
    signed_in: Client, key: ApiKey, django_assert_num_queries: Any
) -> None:
    def ask() -> None:
        assert signed_in.get(f"{BASE}/requests/").status_code == 200

    write(make_request(key, at=NOON))
    with CaptureQueriesContext(connection) as queries:
        ask()
    write(*(make_request(key, at=NOON - timedelta(seconds=n)) for n in range(49)))
    with django_assert_num_queries(len(queries)):
        ask()


@pytest.mark.parametrize(
    ("setting", "note"), [("errors", "Only requests that were refused"), ("off", "is off")]
)
def test_a_log_that_is_partly_off_says_so(signed_in: Client, settings: Any, setting: str, note: str) -> None:
    assert note not in signed_in.get(f"{BASE}/requests/").text
    settings.REQUEST_LOG = setting
    assert note in signed_in.get(f"{BASE}/requests/").text


# What mends a refusal.

INACTIVE, EXPIRED = {"reason": "api_key_inactive"}, {"reason": "api_key_expired"}
SCOPE = {"reason": "resource_not_allowed", "scope": "customers:read"}
ADDRESS = {"reason": "address_not_allowed", "address": "2001:db8::1"}


@pytest.mark.parametrize(
    ("change", "refusal", "offered"),
    [
        ({}, SCOPE, "access/: Grant customers:read"),
        ({"deactivated_at": NOON}, SCOPE, None),
        ({"access": ["customers:read"]}, SCOPE, "is fixed"),
        ({"allowed_addresses": ["192.0.2.1"]}, ADDRESS, "access/: Allow 2001:db8::1"),
        ({}, ADDRESS, "is fixed"),
        ({"deactivated_at": NOON}, INACTIVE, "reactivate/: Reactivate"),
        ({}, INACTIVE, "is fixed"),
        ({"expires_at": NOON - timedelta(days=900)}, EXPIRED, "edit/?extend: Extend"),
        ({}, EXPIRED, "is fixed"),
        ({}, {"reason": "https_required"}, "roll/: Roll"),
        ({}, {"reason": "rate_limited"}, None),
    ],
)
def test_explain_offers_the_click_that_mends_a_refusal(
    key: ApiKey, change: dict[str, Any], refusal: dict[str, Any], offered: str | None
) -> None:
    ApiKey.objects.filter(pk=key.pk).update(**change)
    cause = explain(ApiKey.objects.get(), Refusal(**refusal))
    fix = f"{cause.fix.action}: {cause.fix.label}" if cause.fix else None
    assert ("is fixed" if cause.is_fixed else fix) == offered


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"leaked_at": NOON, "deactivated_at": NOON}, "reported as leaked"),
        ({"suspended_at": NOON}, "An operator suspended all keys"),
        ({"deactivated_at": NOON}, "The key was off."),
    ],
)
def test_explain_says_who_turned_a_key_off(key: ApiKey, change: dict[str, Any], said: str) -> None:
    ApiKey.objects.filter(pk=key.pk).update(**change)
    assert said in explain(ApiKey.objects.get(), Refusal(**INACTIVE)).sentence


def test_a_request_says_why_it_was_refused_and_whether_that_is_mended(signed_in: Client, key: ApiKey) -> None:
    write(make_request(key, status_code=401, reason="resource_not_allowed", resource="customers"))
    url = f"{BASE}/requests/{LoggedRequest.objects.get().pk}/"
    page = signed_in.get(url).text
    assert "The key did not have customers:read." in page
    assert "Grant customers:read</button>" in page
    ApiKey.objects.update(access=["customers:read"])
    assert "would not be refused for this any more" in signed_in.get(url).text


def test_key_shows_a_line_for_each_cause_and_leaves_refused_what_its_owner_wants_refused(
    signed_in: Client, issue: IssueKey
) -> None:
    key, _ = issue(allowed_addresses=["192.0.2.1"])
    addresses = [f"203.0.113.{number}" for number in range(5)]
    refused = {"status_code": 401, "reason": "address_not_allowed", "at": timezone.now()}
    write(*(make_request(key, address=address, **refused) for address in addresses))
    page = signed_in.get(f"{BASE}/{key.prefix}/")
    causes = {refusal.address: cause for refusal, cause, _ in page.context["refusals"]}
    assert causes.keys() == set(addresses)
    assert {cause.fix.label for cause in causes.values()} == {f"Allow {address}" for address in addresses}
    assert page.text.count("Leave refused</button>") == 5

    left = {"refusal": str(Refusal.objects.get(address="203.0.113.0").pk)}
    signed_in.post(f"{BASE}/{key.prefix}/refusals/", left)
    page = signed_in.get(f"{BASE}/{key.prefix}/")
    assert page.context["undo"].action == "refusals/"
    assert page.text.count("Leave refused</button>") == 4
    assert "left refused" in page.text
    write(make_request(key, address="203.0.113.0", **refused))
    assert Refusal.objects.open().count() == 4
    signed_in.post(f"{BASE}/{key.prefix}/refusals/", left | {"undo": "1"})
    assert Refusal.objects.open().count() == 5


def test_refusals_of_another_key_are_not_left(signed_in: Client, issue: IssueKey, key: ApiKey) -> None:
    write(make_request(key, status_code=401, reason="rate_limited", at=timezone.now()))
    other, _ = issue()
    for refusal in (str(Refusal.objects.get().pk), "", "x", "9" * 30):
        answer = signed_in.post(f"{BASE}/{other.prefix}/refusals/", {"refusal": refusal}, follow=True)
        assert "nothing was done. This is how it is now." in answer.text
    assert Refusal.objects.open().count() == 1


def test_who_calls_are_the_top_addresses_and_clients(signed_in: Client, key: ApiKey) -> None:
    now = timezone.now()
    write(
        *(make_request(key, at=now, client="curl/8", address="192.0.2.1") for _ in range(3)),
        make_request(key, at=now, client="Bot/1", address="192.0.2.1"),
        make_request(key, at=now, client="", address=None),
        make_request(key, at=now - timedelta(days=40), client="Old/1", address="192.0.2.9"),
    )
    callers = signed_in.get(f"{BASE}/{key.prefix}/callers/").context["callers"]
    assert [(one["name"], one["requests"]) for one in callers["addresses"]] == [("192.0.2.1", 4), (None, 1)]
    assert [one["name"] for one in callers["clients"]] == ["curl/8", "", "Bot/1"]
