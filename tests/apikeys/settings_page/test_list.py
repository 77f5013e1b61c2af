"""The list of keys: what a search, a filter and a column find, in which order, and with which figures."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apikeys import lifecycle
from apikeys.actors import Actor
from apikeys.models import ApiKey, LastUse, Outcome, StoreUsage
from apikeys.settings_page.key_list import Listing
from stores.models import Store
from tests.conftest import IssueKey, bearer, sign_in
from tests.key_requests import count_usage

KEYS = "/stores/267418190/settings/api-keys/"
HTMX = {"HX-Request": "true"}


def names(store: Store, query: str) -> list[str]:
    """The names of the keys that the list shows for an address."""
    listing = Listing.from_query(store, QueryDict(query))
    return [key.name for key in listing.page_of(store, listing.count_by_state(store))]


def names_on(response: Any) -> list[str]:
    return re.findall(r'class="cell-name">.*?dir="auto">(.*?)</a>', response.text, re.DOTALL)


def test_a_store_without_keys_is_told_what_one_is(signed_in: Client) -> None:
    page = signed_in.get(KEYS).text
    assert "No API keys yet" in page
    assert "19656ea" in page


def test_keys_are_found_filtered_and_sorted(store: Store, issue: IssueKey, owner: User) -> None:
    now = timezone.now()
    bravo, _ = issue(name="Bravo", expires_at=now + timedelta(days=30))
    alpha, _ = issue(name="Alpha", access=["coupons:write"])
    lifecycle.deactivate_key(alpha, by=Actor(owner))
    LastUse.objects.create(key=bravo, at=now, used_at=now, method="GET", status_code=200)
    count_usage(bravo, 1)
    for sort in ("-name", "-used", "-requests", "created", "expires"):
        assert names(store, f"sort={sort}") == ["Bravo", "Alpha"], sort
    for sort in ("name", "used", "requests", "-created", "-expires", "creator", "digest", ""):
        assert names(store, f"sort={sort}") == ["Alpha", "Bravo"], sort
    for query, found in {
        "status=off": ["Alpha"],
        "status=odd": ["Alpha", "Bravo"],
        "q=brav": ["Bravo"],
        f"q={bravo.prefix}": ["Bravo"],
        "q=nothing": [],
        "access=:write": ["Alpha"],
        "access=orders:read": ["Bravo"],
        "access=everything": ["Alpha", "Bravo"],
    }.items():
        assert names(store, query) == found, query


def test_filters_count_the_keys_that_they_show(
    signed_in: Client, store: Store, issue: IssueKey, owner: User
) -> None:
    now = timezone.now()
    issue(name="Ends soon", expires_at=now + timedelta(days=3))
    issue(name="Ended", expires_at=now - timedelta(days=3))
    lifecycle.deactivate_key(issue(name="Paused")[0], by=Actor(owner))
    page = signed_in.get(KEYS)
    assert [(one.value, one.matches) for one in page.context["filters"]] == [
        ("", "3"), ("off", "1"), ("expired", "1"), ("expiring", "1"), ("working", "1"),
    ]  # fmt: skip
    assert "<dt>Working keys</dt><dd>1</dd>" in page.text
    shown = [names(store, f"status={status}") for status in ("off", "expired", "expiring", "working")]
    assert shown == [["Paused"], ["Ended"], ["Ends soon"], ["Ends soon"]]


def test_25_keys_are_on_a_page_which_costs_the_same_however_many_there_are(
    signed_in: Client, issue: IssueKey
) -> None:
    def get(query: str = "") -> tuple[Any, int]:
        with CaptureQueriesContext(connection) as captured:
            response = signed_in.get(KEYS + query)
        return response, len(captured)

    issue()
    few = get()[1]
    for _ in range(25):
        count_usage(issue()[0], 1)
    first, queries = get()
    assert (len(names_on(first)), queries) == (25, few)
    assert few <= 12
    assert "1 to 25 of 26" in first.text
    for query, shown in {"?page=2": 1, "?page=99": 1, "?page=0": 1, "?page=x": 25}.items():
        assert len(names_on(get(query)[0])) == shown, query


def test_a_pasted_key_finds_its_row_and_goes_no_further(signed_in: Client, issue: IssueKey) -> None:
    key, plaintext = issue(name="Bravo")
    issue(name="Alpha")
    found = signed_in.post(f"{KEYS}find/", {"q": plaintext, "status": "working"})
    assert found["Location"] == f"{KEYS}?q={key.prefix}&status=working"
    assert signed_in.get(KEYS, {"q": plaintext})["Location"] == f"{KEYS}?q={key.prefix}"
    swapped = signed_in.post(f"{KEYS}find/", {"q": plaintext}, headers=HTMX)
    assert names_on(swapped) == ["Bravo"]
    assert swapped["HX-Replace-Url"] == f"{KEYS}?q={key.prefix}"
    nothing = signed_in.get(f"{KEYS}?q=nothing", headers=HTMX | {"HX-Target": "keys"})
    assert "No key matches" in nothing.text
    for rows in (swapped, nothing):
        assert rows.text.lstrip().startswith('<div id="keys"')
        assert "Authenticate" not in rows.text


def test_pages_of_what_was_typed_are_pages_of_that_search(signed_in: Client, issue: IssueKey) -> None:
    for _ in range(26):
        issue()
    typed = {"q": "key", "sort": "name", "range": "7d"}
    swapped = signed_in.post(f"{KEYS}find/", typed, headers=HTMX)
    assert swapped.text.count(f'href="{KEYS}?q=key&amp;sort=name&amp;range=7d&amp;page=2"') == 2


def test_figures_are_of_all_keys_and_thirty_days(signed_in: Client, issue: IssueKey, store: Store) -> None:
    issue()
    now = timezone.now()
    for ago, outcome, requests in ((0, "succeeded", 1000), (29, "refused", 234), (30, "succeeded", 9999)):
        day = now.date() - timedelta(days=ago)
        StoreUsage.objects.create(store=store, day=day, outcome=outcome, requests=requests)
    with time_machine.travel(now, tick=False):
        page = signed_in.get(KEYS).text
    assert "<dd>1,234</dd>" in page
    first = now.date() - timedelta(days=29)
    assert f'?outcome=refused&amp;from={first}T00:00">234</a></dd>' in page


def test_a_row_says_what_is_so_and_when_it_changes_by_itself(
    signed_in: Client, issue: IssueKey, owner: User
) -> None:
    with time_machine.travel(datetime(2026, 11, 23, 12, tzinfo=UTC), tick=False):
        for days in (3, -7):
            issue(expires_at=timezone.now() + timedelta(days=days))
        ApiKey.objects.update(revealed_at=timezone.now())
        for hours in (2, 48, None):
            until = timezone.now() + timedelta(hours=hours) if hours else None
            lifecycle.deactivate_key(issue()[0], by=Actor(owner), until=until)
        sign_in(signed_in, owner.email)
        page = signed_in.get(KEYS)
    states = [row["state"] for row in page.context["rows"]]
    assert states == ["Off", "Off for 2 days", "Off for 2 hours", "Expired", "Expires in 3 days"]
    words = re.sub(r"<[^>]+>", "", page.text)
    assert "Expired 1 week ago" in words
    assert "Expires in 3 days" in words
    assert page.text.count("Never shown") == 3


def test_a_row_and_its_menu_show_a_name_as_it_was_typed(signed_in: Client, issue: IssueKey) -> None:
    key, _ = issue(name="<b>{url}</b> & {0}")
    page = signed_in.get(KEYS).text
    assert (page.count("&lt;b&gt;{url}&lt;/b&gt; &amp; {0}"), page.count("<b>{")) == (4, 0)
    assert f'<a href="{KEYS}{key.prefix}/roll/">Roll</a>' in page
    assert f'<a href="{KEYS}new/?from={key.prefix}">Duplicate</a>' in page


def test_used_tried_and_refused_are_three_things(signed_in: Client, issue: IssueKey) -> None:
    key, plaintext = issue(name="Accounting", access=["orders:read"])
    with time_machine.travel(timezone.now() - timedelta(days=8)):
        Client().get("/v1/stores/267418190/orders/", headers=bearer(plaintext))
    Client().get("/v1/stores/267418190/customers/", headers=bearer(plaintext))
    facts = re.findall(
        r"<dt>(.*?)</dt>\s*<dd>(?:<time[^>]*>)?(.*?)<", signed_in.get(f"{KEYS}{key.prefix}/").text
    )
    assert ("Last used", "1 week ago") in facts
    assert ("Last tried", "just now") in facts
    (row,) = signed_in.get(KEYS).context["rows"]
    assert (timezone.now() - row["used_at"]).days == 8
    assert (timezone.now() - row["tried_at"]).days == 0
    assert (row["requests"], row["refused"]) == ("2", "1")
    assert signed_in.get(f"{KEYS}selected/delete/", {"key": key.prefix}).context["last_7_days"] == 0
    Client().get("/v1/stores/267418190/orders/", headers=bearer(plaintext))
    assert signed_in.get(KEYS).context["rows"][0]["tried_at"] is None


# Several keys at once.


@pytest.mark.parametrize(
    ("action", "typed", "expected"),
    [
        ("deactivate", {"hours": ""}, {"First": "off", "Second": "off", "Off": "off"}),
        ("reactivate", {}, {"First": "working", "Second": "working", "Off": "working"}),
        ("delete", {"confirmation": "delete"}, {"Third": "working"}),
    ],
)
def test_several_keys_are_changed_with_one_confirmation(
    signed_in: Client,
    issue: IssueKey,
    owner: User,
    action: str,
    typed: dict[str, str],
    expected: dict[str, str],
) -> None:
    keys = {name: issue(name=name)[0] for name in ("First", "Second", "Third", "Off")}
    lifecycle.deactivate_key(keys["Off"], by=Actor(owner))
    selected = [keys[name].prefix for name in ("First", "Second", "Off")]
    address = f"{KEYS}selected/{action}/"
    page = signed_in.get(address, {"key": selected[:1], "more": "-".join(selected[1:])}).text
    assert ("<bdi>Off</bdi> is off already" in page) is (action == "deactivate")
    answer = signed_in.post(address, {"key": selected, "list": "page=2", **typed})
    assert answer["Location"] == f"{KEYS}?page=2"
    statuses = {key.name: key.status for key in ApiKey.objects.with_status()}
    assert {name: statuses.get(name) for name in expected} == expected
    assert statuses["Third"] == "working"


def test_selected_keys_tell_what_was_let_in_in_seven_days(
    within_a_minute: None, signed_in: Client, issue: IssueKey
) -> None:
    keys = [issue()[0] for _ in range(2)]
    for days_ago, requests in ((0, 1), (1, 2), (2, 4), (6, 8), (7, 16)):
        count_usage(keys[0], requests, days_ago=days_ago)
    count_usage(keys[0], 32, outcome=Outcome.REFUSED)
    count_usage(keys[1], 64, outcome=Outcome.FAILED)
    told = signed_in.get(f"{KEYS}selected/delete/", {"key": [key.prefix for key in keys]}).context
    assert told["last_7_days"] == 79
    assert {key.name: requests for key, requests in told["keys"]} == {keys[0].name: 15, keys[1].name: 64}


def test_what_is_refused_already_does_not_count_as_what_would_break(
    signed_in: Client, issue: IssueKey, owner: User
) -> None:
    issued = [issue(access=["orders:read"]) for _ in range(3)]
    for _, plaintext in issued:
        Client().get("/v1/stores/267418190/orders/", headers=bearer(plaintext))
    working, off, expired = (key for key, _ in issued)
    lifecycle.deactivate_key(off, by=Actor(owner))
    yesterday = timezone.now() - timedelta(days=1)
    ApiKey.objects.filter(pk=expired.pk).update(created_at=yesterday, expires_at=yesterday)
    answer = signed_in.get(f"{KEYS}selected/deactivate/", {"key": [working.prefix, expired.prefix]})
    assert answer.context["last_7_days"] == 1
    assert "1 of them does not work now: requests with it are refused already." in answer.text
    refused = signed_in.get(f"{KEYS}selected/delete/", {"key": [off.prefix, expired.prefix]}).text
    assert "stop working at once" not in refused
    assert "let in" not in refused
    assert "This key stops working" in signed_in.get(f"{KEYS}selected/delete/", {"key": working.prefix}).text
    for key, action in ((off, "delete"), (expired, "delete"), (expired, "deactivate")):
        page = signed_in.get(f"{KEYS}{key.prefix}/{action}/").text
        assert "every request with it is refused already" in page
        assert "Without this key" not in page
        assert "from now on" not in page
    assert "Without this key" in signed_in.get(f"{KEYS}{working.prefix}/delete/").text


@pytest.mark.parametrize("days", [30, 90, 365])
def test_extending_names_the_keys_that_end_later_already(
    signed_in: Client, issue: IssueKey, days: int
) -> None:
    now = timezone.now()
    later, _ = issue(name="Later", expires_at=now + timedelta(days=400))
    sooner, _ = issue(name="Sooner", expires_at=now + timedelta(days=3))
    chosen = {"key": [later.prefix, sooner.prefix], "days": days}
    with time_machine.travel(now, tick=False):
        page = signed_in.post(f"{KEYS}selected/extend/", chosen, follow=True).text
    assert ApiKey.objects.get(pk=sooner.pk).expires_at == now + timedelta(days=days)
    assert "Extended Sooner." in page
    assert "Left as they are, since they end later already or had changed meanwhile: Later." in page


def test_a_selection_is_deactivated_for_a_day_and_not_deleted_by_a_wrong_word(
    signed_in: Client, issue: IssueKey
) -> None:
    selected = {"key": issue()[0].prefix}
    for word in ("", "yes", "deleted"):
        page = signed_in.post(f"{KEYS}selected/delete/", selected | {"confirmation": word}).text
        assert "Enter the word delete. Nothing was deleted." in page
    address, for_a_day = f"{KEYS}selected/deactivate/", selected | {"hours": "24"}
    assert 'value="24" id="id_hours_2" checked>' in signed_in.get(address, for_a_day).text
    signed_in.post(address, for_a_day)
    assert ApiKey.objects.get().reactivates_at is not None


@pytest.mark.parametrize("action", ["deactivate", "reactivate", "extend", "delete"])
def test_keys_of_other_stores_cannot_be_selected(
    signed_in: Client, issue: IssueKey, other_store: Store, action: str
) -> None:
    foreign, _ = issue(store=other_store, expires_at=timezone.now() + timedelta(days=1))
    before = ApiKey.objects.values().get()
    selected = {"key": foreign.prefix, "more": f"-{foreign.prefix}-", "confirmation": "delete", "hours": ""}
    assert foreign.name not in signed_in.get(f"{KEYS}selected/{action}/", selected).text
    signed_in.post(f"{KEYS}selected/{action}/", selected)
    assert ApiKey.objects.values().get() == before
