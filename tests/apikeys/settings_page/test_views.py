"""The settings page as a browser without scripts meets it: addresses, forms and what they answer."""

import base64
import html
import json
import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from apikeys import lifecycle
from apikeys.actors import Actor
from apikeys.models import ApiKey, LastUse, Refusal, StoreUsage, Usage
from apikeys.models.outcomes import Outcome
from apikeys.settings_page import one_time_display, urls
from apikeys.settings_page.forms import initial_of, shown_of
from stores.models import Store
from tests.conftest import IssueKey, bearer, deliver_emails, sign_in

KEYS = "/stores/267418190/settings/api-keys/"
HTMX = {"HX-Request": "true"}
WHOLE_KEY = re.compile(r"\b[0-9a-f]{7}\.[0-9a-f]{27}\b")


def text(response: Any) -> str:
    return html.unescape(response.content.decode())


def save_new(client: Client, **typed: Any) -> Any:
    return client.post(
        f"{KEYS}new/", {"name": "Accounting", "expiry": "never", "access": ["orders:read"], **typed}
    )


def create(client: Client, **typed: Any) -> tuple[ApiKey, str]:
    shown = client.get(save_new(client, **typed)["Location"])
    plaintext = WHOLE_KEY.findall(text(shown))[0]
    return ApiKey.objects.get(prefix=plaintext[:7]), plaintext


def edit(client: Client, key: ApiKey, **typed: Any) -> Any:
    """Send the form that was opened when the key was as it is here, with these fields changed."""
    shown = initial_of(key) | {"shown": json.dumps(shown_of(key))}
    return client.post(f"{KEYS}{key.prefix}/edit/", shown | typed)


# Who gets in.


@pytest.mark.parametrize("path", ["", "new/", "created/", "0123abc/", "0123abc/edit/", "0123abc/delete/"])
def test_a_visitor_signs_in_and_comes_back(client: Client, store: Store, path: str) -> None:
    response = client.get(KEYS + path)
    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/login/?next=%2Fstores%2F267418190%2F")


@pytest.mark.parametrize("action", ["edit", "deactivate", "reactivate", "roll", "delete"])
def test_another_owners_pages_do_not_exist(
    issue: IssueKey, other_store: Store, client: Client, action: str
) -> None:
    key, _ = issue()
    sign_in(client, "second@example.com")
    for path in ("", "new/", "created/", f"{key.prefix}/", f"{key.prefix}/{action}/"):
        assert client.get(KEYS + path).status_code == 404
    for path in ("new/", "find/", f"{key.prefix}/{action}/", f"{key.prefix}/access/"):
        assert client.post(KEYS + path).status_code == 404


def test_another_stores_key_does_not_exist_in_mine(
    issue: IssueKey, other_store: Store, signed_in: Client
) -> None:
    foreign, _ = issue(store=other_store)
    for action in ("", "edit/", "deactivate/", "reactivate/", "roll/", "delete/", "first-request/"):
        assert signed_in.get(f"{KEYS}{foreign.prefix}/{action}").status_code == 404
    assert foreign.prefix not in text(signed_in.get(KEYS))


@pytest.mark.parametrize("name", [pattern.name for pattern in urls.urlpatterns])
def test_no_page_takes_a_nul_or_keeps_a_key_in_its_address(
    signed_in: Client, issue: IssueKey, name: str
) -> None:
    key, plaintext = issue()
    possible: tuple[dict[str, Any], ...] = ({"prefix": key.prefix}, {"pk": 1}, {})
    for arguments in possible:
        with suppress(NoReverseMatch):
            path = reverse(f"apikeys:{name}", kwargs={"store_id": key.store_id, **arguments})
    for field in ("from", "key", "q", "name", "version", "hours", "\0"):
        assert signed_in.get(path, {field: "a\0"}).status_code in {400, 405}
        assert signed_in.post(path, {field: "a\0"}).status_code in {400, 405}
    response = signed_in.get(path, {"from": plaintext, "key": key.prefix})
    assert response.status_code == 405 or response["Location"] == f"{path}?from={key.prefix}&key={key.prefix}"


def test_home_leads_to_the_one_store(signed_in: Client) -> None:
    assert signed_in.get("/")["Location"] == KEYS


def test_home_lets_choose_between_several(signed_in: Client, other_store: Store, owner: User) -> None:
    other_store.owners.add(owner)
    page = text(signed_in.get("/"))
    assert "Northwood" in page
    assert "Southwood" in page


def test_an_owner_of_nothing_is_told_so(client: Client, other_store: Store) -> None:
    other_store.owners.clear()
    sign_in(client, "second@example.com")
    assert "No store is yours yet" in text(client.get("/"))


def test_changes_need_the_forms_token(signed_in: Client, issue: IssueKey) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = signed_in.cookies
    key, _ = issue()
    for path in ("new/", f"{key.prefix}/edit/", f"{key.prefix}/delete/", f"{key.prefix}/access/"):
        assert strict.post(KEYS + path, {"name": key.name}).status_code == 403
    assert ApiKey.objects.count() == 1


# Creating, and the one time a key is shown.


def test_create_shows_the_secret_exactly_once(signed_in: Client) -> None:
    response = save_new(signed_in, name="  Ware\thouse  ", access=["orders:write", "coupons:read"])
    assert response["Location"] == f"{KEYS}created/"
    shown = signed_in.get(response["Location"])
    plaintext = WHOLE_KEY.findall(text(shown))[0]
    assert "no-store" in shown["Cache-Control"]
    key = ApiKey.objects.get()
    assert (key.name, key.access) == ("Ware house", ["orders:read", "orders:write", "coupons:read"])
    assert signed_in.get("/v1/api-key/", headers=bearer(plaintext)).status_code == 200
    again = signed_in.get(f"{KEYS}created/", follow=True)
    assert plaintext not in text(again)
    assert again.redirect_chain == [(KEYS, 302)]


def key_cookie(response: Any) -> tuple[str, Any]:
    """The name and the content of the cookie that carries a new key."""
    ((name, cookie),) = (
        (name, cookie)
        for name, cookie in response.cookies.items()
        if name.startswith(one_time_display.COOKIE_PREFIX)
    )
    return name, cookie


def test_the_cookie_is_encrypted_goes_to_one_address_and_ends_with_the_session(signed_in: Client) -> None:
    _, cookie = key_cookie(save_new(signed_in))
    assert cookie["path"] == f"{KEYS}created/"
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Strict")
    assert (cookie["max-age"], cookie["expires"]) == ("", "")
    prefix = ApiKey.objects.get().prefix
    assert prefix.encode() not in base64.urlsafe_b64decode(cookie.value)


def test_two_keys_created_within_a_minute_are_both_shown(signed_in: Client) -> None:
    save_new(signed_in, name="First")
    save_new(signed_in, name="Second")
    shown = set(WHOLE_KEY.findall(text(signed_in.get(f"{KEYS}created/"))))
    assert {key[:7] for key in shown} == set(ApiKey.objects.values_list("prefix", flat=True))


@pytest.mark.parametrize("headers", [{"Sec-Purpose": "prefetch;prerender"}, {"Purpose": "prefetch"}])
def test_a_browser_that_fetches_ahead_uses_nothing_up(signed_in: Client, headers: dict[str, str]) -> None:
    save_new(signed_in)
    assert signed_in.head(f"{KEYS}created/").status_code == 302
    assert signed_in.get(f"{KEYS}created/", headers=headers).status_code == 302
    assert WHOLE_KEY.search(text(signed_in.get(f"{KEYS}created/")))


def test_a_replayed_cookie_shows_nothing(signed_in: Client) -> None:
    name, cookie = key_cookie(save_new(signed_in))
    plaintext = WHOLE_KEY.findall(text(signed_in.get(f"{KEYS}created/")))[0]
    signed_in.cookies[name] = cookie.value
    assert plaintext not in text(signed_in.get(f"{KEYS}created/", follow=True))


def test_a_late_cookie_shows_nothing(signed_in: Client) -> None:
    save_new(signed_in)
    with time_machine.travel(timezone.now() + timedelta(seconds=61)):
        assert not WHOLE_KEY.search(text(signed_in.get(f"{KEYS}created/", follow=True)))


def test_somebody_elses_cookie_shows_nothing(
    signed_in: Client, other_store: Store, store: Store, client: Client
) -> None:
    store.owners.add(User.objects.get(email="second@example.com"))
    name, cookie = key_cookie(save_new(signed_in))
    sign_in(client, "second@example.com")
    client.cookies[name] = cookie.value
    assert not WHOLE_KEY.search(text(client.get(f"{KEYS}created/", follow=True)))
    assert WHOLE_KEY.search(text(signed_in.get(f"{KEYS}created/")))


@pytest.mark.parametrize("forged", ["", "x", "a:b:c", "eyJ9:1:2", "\u00e9"])
def test_a_forged_cookie_shows_nothing(signed_in: Client, forged: str) -> None:
    signed_in.cookies[f"{one_time_display.COOKIE_PREFIX}0123abc"] = forged
    assert signed_in.get(f"{KEYS}created/").status_code == 302


def test_the_full_key_is_nowhere_but_in_the_owners_hands(
    signed_in: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    key, plaintext = create(signed_in)
    secret = plaintext.partition(".")[2]
    signed_in.get("/v1/api-key/", headers=bearer(plaintext))
    signed_in.get("/v1/stores/267418190/customers/", headers=bearer(plaintext))
    signed_in.get("/v1/api-key/", headers=bearer(plaintext + "0"))
    pages = [KEYS, f"{KEYS}?q={key.prefix}", f"{KEYS}{key.prefix}/", f"{KEYS}{key.prefix}/edit/"]
    pages += [f"{KEYS}{key.prefix}/{action}/" for action in ("deactivate", "roll", "delete", "first-request")]
    for page in pages:
        assert secret not in text(signed_in.get(page)), page
    signed_in.post(f"{KEYS}{key.prefix}/delete/", {"name": key.name})
    assert secret not in caplog.text
    assert secret not in dump()
    assert secret not in str([message.message() for message in deliver_emails()])


def dump() -> str:
    """Every value of every table."""
    rows: list[Any] = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608  # our own tables
            rows += cursor.fetchall()
    return str(rows)


@pytest.mark.parametrize(
    ("typed", "complaint"),
    [
        ({"name": ""}, "Enter a name."),
        ({"name": " \t "}, "Enter a name."),
        ({"name": "x" * 101}, "at most 100 characters"),
        ({"name": "a\x07b"}, "invisible character"),
        ({"access": []}, "Choose at least one resource."),
        ({"access": ["orders:read", "planets:read"]}, "There is no access called planets:read"),
        ({"access": ["orders"]}, "There is no access called orders"),
        ({"expiry": ""}, "This field is required"),
        ({"expiry": "tomorrow"}, "Select a valid choice"),
        ({"expiry": "date"}, "Choose the last day"),
        ({"expiry": "date", "expiry_date": "2001-01-01"}, "in the past"),
        ({"expiry": "date", "expiry_date": "2026-02-30"}, "Enter a valid date"),
        ({"note": "x" * 501}, "at most 500 characters"),
        ({"note": "19656ea.4329f04826e125f1ee999b53f78"}, "This contains an API key"),
        ({"allowed_addresses": "hello"}, "“hello” is not an IP address or network."),
    ],
)
def test_a_bad_form_says_why_and_makes_nothing(
    signed_in: Client, typed: dict[str, Any], complaint: str
) -> None:
    page = text(save_new(signed_in, **typed))
    assert complaint in page
    assert not ApiKey.objects.exists()


def test_a_bad_form_keeps_what_was_typed(signed_in: Client) -> None:
    response = save_new(signed_in, name="", expiry="date", expiry_date="2001-01-01", access=["coupons:write"])
    page = text(response)
    assert '<option value="date" selected>' in page
    assert 'value="2001-01-01"' in page
    assert re.search(r'value="coupons:write" checked', page)
    assert not re.search(r'value="orders:read" checked', page)


@pytest.mark.parametrize("name", ["\u0958" * 51, "\ufdfa" * 23])
def test_new_refuses_a_name_that_grows_past_its_column(signed_in: Client, name: str) -> None:
    answer = save_new(signed_in, name=name)
    assert (answer.status_code, list(answer.context["form"].errors)) == (200, ["name"])


def test_new_counts_a_line_break_of_a_note_once(signed_in: Client) -> None:
    save_new(signed_in, note="\r\n".join("x" * 250) + "x")
    assert len(ApiKey.objects.get().note) == 500


def test_a_taken_name_is_refused_whatever_its_case(signed_in: Client, issue: IssueKey) -> None:
    issue(name="Accounting")
    assert "Another key of this store has this name" in text(save_new(signed_in, name="ACCOUNTING"))
    assert ApiKey.objects.count() == 1


def test_two_saves_at_once_make_one_key_and_one_clear_error(
    signed_in: Client, issue: IssueKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second passes the form's check before the first is saved; the database has the last word."""
    issue(name="Accounting")
    monkeypatch.setattr("apikeys.settings_page.forms.KeyForm.is_name_taken", lambda form, name: False)
    assert "Another key of this store has this name" in text(save_new(signed_in))
    assert ApiKey.objects.count() == 1


@pytest.mark.parametrize(
    "name",
    ["<script>alert(1)</script>", "\"'><img src=x onerror=alert(1)>", "مفتاح", "🔑" * 50, "<b>" * 33, "Ключ"],
)
def test_any_name_is_shown_as_text(signed_in: Client, name: str) -> None:
    key, _ = create(signed_in, name=name)
    for path in ("", f"{key.prefix}/", f"{key.prefix}/edit/", f"{key.prefix}/delete/"):
        content = signed_in.get(KEYS + path).content.decode()
        assert html.escape(name).replace("&#x27;", "&#39;") in content.replace("&#x27;", "&#39;")
        if "<" in name:
            assert name not in content


@time_machine.travel(datetime(2026, 11, 23, 12, tzinfo=UTC), tick=False)
@pytest.mark.parametrize(
    ("typed", "expires_at"),
    [
        ({"expiry": "never"}, None),
        ({"expiry": "30"}, datetime(2026, 12, 23, 12, tzinfo=UTC)),
        ({"expiry": "365"}, datetime(2027, 11, 23, 12, tzinfo=UTC)),
        ({"expiry": "date", "expiry_date": "2026-11-23"}, datetime(2026, 11, 23, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_a_key_expires_when_it_was_told_to(
    signed_in: Client, typed: dict[str, str], expires_at: datetime | None
) -> None:
    save_new(signed_in, **typed)
    assert ApiKey.objects.get().expires_at == expires_at


@pytest.mark.parametrize(
    ("path", "received"),
    [
        ("/v1/stores/267418190/orders/", "GET /v1/stores/…/orders/, 200"),
        ("/v1/api-key/", "GET /v1/…, 200"),
    ],
)
def test_first_request_is_received_when_one_succeeds(signed_in: Client, path: str, received: str) -> None:
    key, plaintext = create(signed_in, access=["orders:read"])
    address = f"{KEYS}{key.prefix}/first-request/"
    assert signed_in.get(address).status_code == 204
    Client().get("/v1/stores/267418190/customers/", headers=bearer(plaintext))
    refused = signed_in.get(address)
    assert "The key did not have customers:read." in text(refused)
    assert "First request received" not in text(refused)
    seen = re.search(r"/first-request/(\?seen=[^\"]+)", refused.content.decode())
    assert seen
    assert signed_in.get(f"{address}{seen[1]}").status_code == 204

    Client().get(path, headers=bearer(plaintext))
    noticed = signed_in.get(f"{address}{seen[1]}")
    assert f"First request received: {received}</p>" in text(noticed)
    assert "hx-get" not in text(noticed)
    assert noticed["HX-Trigger"] == '{"keys-changed": {}}'


def test_nobody_waits_longer_than_ten_minutes_for_the_first_request(signed_in: Client) -> None:
    key, _ = create(signed_in)
    with time_machine.travel(timezone.now() + timedelta(minutes=11)):
        assert signed_in.get(f"{KEYS}{key.prefix}/first-request/").status_code == 286


def test_a_page_that_waits_does_not_leave_for_the_sign_in_form(signed_in: Client) -> None:
    key, _ = create(signed_in)
    assert Client().get(f"{KEYS}{key.prefix}/first-request/").status_code == 286


def test_htmx_is_told_where_to_go(signed_in: Client) -> None:
    response = signed_in.post(
        f"{KEYS}new/",
        {"name": "Accounting", "expiry": "never", "access": "orders:read"},
        headers=HTMX,
    )
    assert (response.status_code, response["HX-Redirect"]) == (204, f"{KEYS}created/")
    assert key_cookie(response)


@pytest.mark.parametrize("path", ["new/", "{}/edit/", "{}/deactivate/", "{}/roll/", "{}/delete/"])
def test_a_dialog_is_a_page_and_for_htmx_only_its_content(
    signed_in: Client, issue: IssueKey, path: str
) -> None:
    key, _ = issue()
    address = KEYS + path.format(key.prefix)
    page, content = signed_in.get(address), signed_in.get(address, headers=HTMX)
    assert "<!doctype html>" in text(page)
    assert "<dialog" in text(page)
    assert "<!doctype html>" not in text(content)
    assert "HX-Request" in content["Vary"]


def test_errors_come_back_as_content_of_the_dialog(signed_in: Client) -> None:
    response = signed_in.post(f"{KEYS}new/", {"expiry": "90"}, headers=HTMX)
    assert response.status_code == 200
    assert "<html" not in text(response)
    assert "Enter a name." in text(response)


def test_after_a_dialog_over_the_list_the_list_is_shown_as_it_was(signed_in: Client, issue: IssueKey) -> None:
    key, _ = issue()
    listed = f"{KEYS}?status=working"
    headers = HTMX | {"HX-Current-URL": f"http://testserver{listed}"}
    response = signed_in.post(f"{KEYS}{key.prefix}/deactivate/", {"hours": ""}, headers=headers)
    assert response["HX-Redirect"] == listed
    headers = HTMX | {"HX-Current-URL": "http://elsewhere.example/"}
    response = signed_in.post(f"{KEYS}{key.prefix}/reactivate/", {"version": "2"}, headers=headers)
    assert response["HX-Redirect"] == f"{KEYS}{key.prefix}/"


# The list.


def names_on(response: Any) -> list[str]:
    return re.findall(r'class="cell-name">.*?<bdi>(.*?)</bdi>', response.content.decode(), re.DOTALL)


def test_a_store_without_keys_is_told_what_one_is(signed_in: Client) -> None:
    page = text(signed_in.get(KEYS))
    assert "No API keys yet" in page
    assert "19656ea" in page


def test_keys_are_found_filtered_and_sorted(signed_in: Client, issue: IssueKey, owner: User) -> None:
    old, plaintext = issue(name="Bravo")
    new, _ = issue(name="Alpha")
    lifecycle.deactivate_key(new, by=Actor(owner))
    signed_in.get("/v1/api-key/", headers=bearer(plaintext))
    assert names_on(signed_in.get(KEYS)) == ["Alpha", "Bravo"]
    assert names_on(signed_in.get(f"{KEYS}?sort=name")) == ["Alpha", "Bravo"]
    for sort in ("-name", "-used", "-requests", "created"):
        assert names_on(signed_in.get(f"{KEYS}?sort={sort}")) == ["Bravo", "Alpha"]
    for sort in ("used", "requests", "-created"):
        assert names_on(signed_in.get(f"{KEYS}?sort={sort}")) == ["Alpha", "Bravo"]
    assert names_on(signed_in.get(f"{KEYS}?status=off")) == ["Alpha"]
    assert names_on(signed_in.get(f"{KEYS}?q=brav")) == ["Bravo"]
    assert names_on(signed_in.get(f"{KEYS}?q={old.prefix}")) == ["Bravo"]


@pytest.mark.parametrize(
    "query", ["?page=0", "?page=99", "?page=x", "?sort=digest", "?status=odd", "?page=1&page=2"]
)
def test_a_strange_address_still_shows_the_list(signed_in: Client, issue: IssueKey, query: str) -> None:
    issue()
    assert signed_in.get(KEYS + query, follow=True).status_code == 200


def test_a_search_without_matches_says_so(signed_in: Client, issue: IssueKey) -> None:
    issue()
    assert "No key matches" in text(signed_in.get(f"{KEYS}?q=nothing"))


def test_a_pasted_key_finds_its_row_and_goes_no_further(signed_in: Client, issue: IssueKey) -> None:
    key, plaintext = issue(name="Bravo")
    issue(name="Alpha")
    found = signed_in.post(f"{KEYS}find/", {"q": plaintext, "status": "working"})
    assert found["Location"] == f"{KEYS}?q={key.prefix}&status=working"
    assert names_on(signed_in.get(found["Location"])) == ["Bravo"]
    assert signed_in.get(KEYS, {"q": plaintext})["Location"] == f"{KEYS}?q={key.prefix}"
    swapped = signed_in.post(f"{KEYS}find/", {"q": plaintext}, headers=HTMX)
    assert names_on(swapped) == ["Bravo"]
    assert "<html" not in text(swapped)
    assert swapped["HX-Replace-Url"] == f"{KEYS}?q={key.prefix}"


def test_there_are_25_to_a_page(signed_in: Client, issue: IssueKey) -> None:
    for _ in range(26):
        issue()
    first, second = signed_in.get(KEYS), signed_in.get(f"{KEYS}?page=2")
    assert (len(names_on(first)), len(names_on(second))) == (25, 1)
    assert "1 to 25 of 26" in text(first)


def test_the_list_costs_the_same_however_many_keys(signed_in: Client, issue: IssueKey) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert signed_in.get(KEYS).status_code == 200
        return len(captured)

    issue()
    few = queries()
    for _ in range(30):
        key, _plaintext = issue()
        now = timezone.now()
        Usage.objects.create(
            store_id=key.store_id, key=key, day=now.date(), outcome=Outcome.SUCCEEDED, requests=1, last_at=now
        )
    assert queries() == few
    assert few <= 12


def test_figures_are_of_all_keys_and_thirty_days(signed_in: Client, issue: IssueKey, store: Store) -> None:
    issue()
    for ago, outcome, requests in ((0, "succeeded", 1000), (29, "refused", 234), (30, "succeeded", 9999)):
        day = timezone.now().date() - timedelta(days=ago)
        StoreUsage.objects.create(store=store, day=day, outcome=outcome, requests=requests)
    page = text(signed_in.get(KEYS))
    assert "<dd>1,234</dd>" in page
    assert "<dd>234</dd>" in page


# Filters, and several keys at once.


def filters_on(response: Any) -> dict[str, str]:
    found = re.findall(
        r'id="status-\w*" href="[^"]*"[^>]*>([^<]+) <span class="count">(\d+)<', text(response)
    )
    return dict(found)


def test_filters_count_the_keys_that_they_show(signed_in: Client, issue: IssueKey, owner: User) -> None:
    now = timezone.now()
    issue(name="Fresh")
    issue(name="Ends soon", expires_at=now + timedelta(days=3))
    issue(name="Ended", expires_at=now - timedelta(days=3))
    paused, leaked, idle, refused = (
        issue(name=name)[0] for name in ("Paused", "Leaked", "Idle", "Turned away")
    )
    lifecycle.deactivate_key(paused, by=Actor(owner), until=now + timedelta(hours=2))
    lifecycle.report_leaked_keys([leaked], by=Actor(owner))
    LastUse.objects.create(key=idle, at=now - timedelta(days=91), method="GET", status_code=200)
    LastUse.objects.create(key=refused, at=now, method="GET", status_code=401)
    Refusal.objects.create(
        key=refused, store=refused.store, reason="rate_limited", requests=1, first_at=now, last_at=now
    )
    ApiKey.objects.filter(pk=idle.pk).update(created_at=now - timedelta(days=100))
    page = signed_in.get(KEYS)
    assert filters_on(page) == {
        "All": "7",
        "Working": "4",
        "Expires soon": "1",
        "Requests refused": "1",
        "Idle": "1",
        "Expired": "1",
        "Off": "1",
        "Leaked": "1",
    }
    assert "<dt>Working keys</dt><dd>4</dd>" in text(page)
    for status, names in {
        "working": ["Turned away", "Ends soon", "Fresh", "Idle"],
        "idle": ["Idle"],
        "refused": ["Turned away"],
        "expiring": ["Ends soon"],
        "expired": ["Ended"],
        "off": ["Paused"],
        "leaked": ["Leaked"],
    }.items():
        assert names_on(signed_in.get(f"{KEYS}?status={status}")) == names


def test_a_filter_by_access_finds_who_may_write(signed_in: Client, issue: IssueKey) -> None:
    issue(name="Reads", access=["orders:read"])
    issue(name="Writes", access=["coupons:write"])
    assert names_on(signed_in.get(f"{KEYS}?access=:write")) == ["Writes"]
    assert names_on(signed_in.get(f"{KEYS}?access=orders:read")) == ["Reads"]


def test_a_note_is_kept_shown_and_found(signed_in: Client) -> None:
    key, _ = create(signed_in, note="Ask <Ines>")
    assert key.note == "Ask <Ines>"
    assert "Ask &lt;Ines&gt;" in signed_in.get(f"{KEYS}{key.prefix}/").content.decode()
    assert names_on(signed_in.get(f"{KEYS}?q=ines")) == [key.name]


def test_lines_are_counted_as_they_are_kept(signed_in: Client) -> None:
    networks = "\r\n".join(f"2001:0db8:0000:0000:0000:0000:{number:04x}:0000/112" for number in range(50))
    note = "\r\n".join(["x" * 9] * 50)
    key, _ = create(signed_in, note=note, allowed_addresses=networks)
    assert len(key.note) == 499
    assert len(key.allowed_addresses) == 50
    assert "at most 500 characters" in text(save_new(signed_in, note=f"{note}\r\nx"))
