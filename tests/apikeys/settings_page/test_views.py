"""The settings page as a browser without scripts meets it: addresses, forms and what they answer."""

import base64
import html
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
from apikeys.models import ApiKey, AuditEntry, LastUse, Refusal, StoreUsage, Usage
from apikeys.models.outcomes import Outcome
from apikeys.settings_page import key_list, key_views, one_time_display, urls
from apikeys.settings_page.forms import initial_of
from stores.models import Store
from tests.conftest import PASSWORD, IssueKey, bearer, deliver_emails, sign_in

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
    return client.post(f"{KEYS}{key.prefix}/edit/", initial_of(key) | typed)


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
    return re.findall(r'class="cell-name">.*?dir="auto">(.*?)</a>', response.content.decode(), re.DOTALL)


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
    now = timezone.now()
    for ago, outcome, requests in ((0, "succeeded", 1000), (29, "refused", 234), (30, "succeeded", 9999)):
        day = now.date() - timedelta(days=ago)
        StoreUsage.objects.create(store=store, day=day, outcome=outcome, requests=requests)
    with time_machine.travel(now, tick=False):
        page = text(signed_in.get(KEYS))
    assert "<dd>1,234</dd>" in page
    first = now.date() - timedelta(days=29)
    assert f'?outcome=refused&from={first}T00:00">234</a></dd>' in page


# Filters, and several keys at once.


def filters_on(response: Any) -> dict[str, str]:
    found = re.findall(
        r'id="status-\w*" href="[^"]*"[^>]*>([^<]+) <span class="count">(\d+)<', text(response)
    )
    return dict(found)


@pytest.mark.parametrize(("days", "says"), [(-7, "Expired 1 week ago"), (7, "Expires in 6 days")])
def test_the_list_says_whether_the_expiry_of_a_key_has_passed(
    signed_in: Client, issue: IssueKey, days: int, says: str
) -> None:
    issue(expires_at=timezone.now() + timedelta(days=days))
    words = re.sub(r"<[^>]+>", "", text(signed_in.get(KEYS)))
    assert says in words


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
    long_ago = now - timedelta(days=91)
    LastUse.objects.create(key=idle, at=long_ago, used_at=long_ago, method="GET", status_code=200)
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


def test_a_key_whose_secret_nobody_has_seen_is_marked(signed_in: Client, issue: IssueKey) -> None:
    issue()
    assert "Never shown" in text(signed_in.get(KEYS))
    ApiKey.objects.update(revealed_at=timezone.now())
    assert "Never shown" not in text(signed_in.get(KEYS))


def test_a_row_says_when_it_changes_by_itself(signed_in: Client, issue: IssueKey, owner: User) -> None:
    with time_machine.travel(datetime(2026, 11, 23, 12, tzinfo=UTC), tick=False):
        issue(expires_at=timezone.now() + timedelta(days=3))
        for hours in (2, 48):
            until = timezone.now() + timedelta(hours=hours)
            lifecycle.deactivate_key(issue()[0], by=Actor(owner), until=until)
        lifecycle.deactivate_key(issue()[0], by=Actor(owner))
        sign_in(signed_in, owner.email)
        states = re.findall(r'class="badge \w+">(.*?)</span>', text(signed_in.get(KEYS)))
    assert states == ["Off", "Off for 2 days", "Off for 2 hours", "Expires in 3 days"]


def test_htmx_gets_only_the_rows(signed_in: Client, issue: IssueKey) -> None:
    issue()
    rows = text(signed_in.get(KEYS, headers=HTMX | {"HX-Target": "keys"}))
    assert rows.lstrip().startswith('<div id="keys"')
    assert "Authenticate" not in rows


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
    page = text(signed_in.get(address, {"key": selected[:1], "more": "-".join(selected[1:])}))
    assert ("<bdi>Off</bdi> is off already" in page) is (action == "deactivate")
    answer = signed_in.post(address, {"key": selected, "list": "page=2", **typed})
    assert answer["Location"] == f"{KEYS}?page=2"
    statuses = {key.name: key.status for key in ApiKey.objects.with_status()}
    assert {name: statuses.get(name) for name in expected} == expected
    assert statuses["Third"] == "working"


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
    both = {"key": [working.prefix, expired.prefix]}
    for action in ("delete", "deactivate"):
        answer = signed_in.get(f"{KEYS}selected/{action}/", both)
        assert answer.context["impact"].last_7_days == 1
        assert "1 of them does not work now: requests with it are refused already." in text(answer)
    refused = text(signed_in.get(f"{KEYS}selected/delete/", {"key": [off.prefix, expired.prefix]}))
    assert "stop working at once" not in refused
    assert 'class="impact"' not in refused
    for key, action in ((off, "delete"), (expired, "delete"), (expired, "deactivate")):
        page = text(signed_in.get(f"{KEYS}{key.prefix}/{action}/"))
        assert "every request with it is refused already" in page
        assert "Without this key" not in page
        assert "from now on" not in page
    assert "Without this key" in text(signed_in.get(f"{KEYS}{working.prefix}/delete/"))
    assert "While it worked in the last 14 days" in text(signed_in.get(f"{KEYS}{off.prefix}/edit/"))


def test_extending_names_the_keys_that_end_later_already(signed_in: Client, issue: IssueKey) -> None:
    later, _ = issue(name="Later", expires_at=timezone.now() + timedelta(days=300))
    sooner, _ = issue(name="Sooner", expires_at=timezone.now() + timedelta(days=3))
    chosen = {"key": [later.prefix, sooner.prefix], "days": "30"}
    page = text(signed_in.post(f"{KEYS}selected/extend/", chosen, follow=True))
    assert "Extended Sooner." in page
    assert "Not extended, since they end later already or had changed meanwhile: Later." in page


def test_several_keys_are_deactivated_for_a_day(signed_in: Client, issue: IssueKey) -> None:
    key, _ = issue()
    address = f"{KEYS}selected/deactivate/"
    page = text(signed_in.get(address, {"key": key.prefix, "hours": "24"}))
    assert '<input type="radio" name="hours" value="24" checked>' in page
    signed_in.post(address, {"key": key.prefix, "hours": "24"})
    assert ApiKey.objects.get().reactivates_at is not None


@pytest.mark.parametrize("word", ["", "yes", "deleted"])
def test_several_keys_are_not_deleted_by_a_wrong_word(signed_in: Client, issue: IssueKey, word: str) -> None:
    key, _ = issue()
    page = text(signed_in.post(f"{KEYS}selected/delete/", {"key": key.prefix, "confirmation": word}))
    assert "Enter the word delete. Nothing was deleted." in page
    assert ApiKey.objects.exists()


@pytest.mark.parametrize("action", ["deactivate", "reactivate", "delete"])
def test_keys_of_other_stores_cannot_be_selected(
    signed_in: Client, issue: IssueKey, other_store: Store, action: str
) -> None:
    foreign, _ = issue(store=other_store)
    selected = {"key": foreign.prefix, "confirmation": "delete", "hours": ""}
    assert foreign.name not in text(signed_in.get(f"{KEYS}selected/{action}/", selected))
    signed_in.post(f"{KEYS}selected/{action}/", selected)
    assert list(ApiKey.objects.usable()) == [foreign]


def test_a_selection_outlives_a_sign_in(signed_in: Client, issue: IssueKey) -> None:
    key, _ = issue(name="Shop")
    del signed_in.cookies["sessionid"]
    response = signed_in.post(f"{KEYS}selected/delete/", {"key": key.prefix, "confirmation": "delete"})
    back = signed_in.post(response["Location"], {"login": "owner@example.com", "password": PASSWORD})
    assert "<bdi>Shop</bdi>" in text(signed_in.get(back["Location"]))


def test_a_new_key_expires_in_90_days_unless_it_is_told_otherwise(signed_in: Client) -> None:
    page = text(signed_in.get(f"{KEYS}new/"))
    date = f"{timezone.now() + timedelta(days=90):%-d %b %Y}"
    assert f'<option value="90" selected>90 days ({date})</option>' in page


def test_a_key_is_duplicated_but_for_its_secret_and_expiry(signed_in: Client, issue: IssueKey) -> None:
    key, _ = issue(name="Shop", access=["coupons:write"], allowed_addresses=["203.0.113.7"])
    page = text(signed_in.get(f"{KEYS}new/?from={key.prefix}"))
    assert 'value="Shop copy"' in page
    assert re.findall(r'value="(\w+:\w+)" checked', page) == ["coupons:read", "coupons:write"]
    assert "203.0.113.7</textarea>" in page
    assert '<option value="90" selected>' in page
    assert signed_in.get(f"{KEYS}new/?from=0123abc").status_code == 200


def test_an_expired_key_is_left_expired_or_extended(signed_in: Client, issue: IssueKey) -> None:
    key, _ = issue(expires_at=timezone.now() - timedelta(days=3))
    detail = f"{KEYS}{key.prefix}/"
    assert f'href="{detail}edit/?extend"' in text(signed_in.get(detail))
    assert "Leave expired since" in text(signed_in.get(f"{detail}edit/"))
    page = text(signed_in.get(f"{detail}edit/?extend"))
    assert '<option value="90" selected>' in page


def test_deactivating_begins_with_the_hour_that_was_offered(signed_in: Client, issue: IssueKey) -> None:
    key, _ = issue()
    detail = f"{KEYS}{key.prefix}/"
    assert f'href="{detail}deactivate/?hours=1"' in text(signed_in.get(f"{detail}delete/"))
    page = text(signed_in.get(f"{detail}deactivate/?hours=1"))
    assert '<input type="radio" name="hours" value="1" checked>' in page


def test_a_leaked_key_offers_a_new_one(signed_in: Client, issue: IssueKey, owner: User) -> None:
    key, _ = issue()
    lifecycle.report_leaked_keys([key], by=Actor(owner))
    page = text(signed_in.get(f"{KEYS}{key.prefix}/"))
    assert "This key was reported as leaked" in page
    assert f"{KEYS}new/?from={key.prefix}" in page
    assert "/reactivate/" not in page


def test_a_deleted_keys_page_says_who_deleted_it(signed_in: Client, issue: IssueKey, owner: User) -> None:
    key, _ = issue(name="Shop")
    lifecycle.delete_key(key, by=Actor(owner))
    response = signed_in.get(f"{KEYS}{key.prefix}/")
    assert response.status_code == 404
    assert "This key was deleted" in text(response)
    assert owner.email in text(response)


def test_an_inactive_key_gets_no_suggestions(signed_in: Client, issue: IssueKey, owner: User) -> None:
    key, plaintext = issue()
    Client().get("/v1/stores/267418190/customers/", headers=bearer(plaintext))
    assert "Grant customers:read" in text(signed_in.get(f"{KEYS}{key.prefix}/"))
    lifecycle.deactivate_key(key, by=Actor(owner))
    assert "Grant customers" not in text(signed_in.get(f"{KEYS}{key.prefix}/"))


def test_a_key_without_requests_shows_how_to_make_one(signed_in: Client, issue: IssueKey) -> None:
    key, _ = issue()
    page = text(signed_in.get(f"{KEYS}{key.prefix}/"))
    assert "This key made no requests in the last 30 days" in page
    assert '<svg class="bars"' not in page


def test_owners_of_several_stores_switch_between_them_in_the_top_bar(
    signed_in: Client, other_store: Store, owner: User
) -> None:
    assert "Switch store" not in text(signed_in.get(KEYS))
    other_store.owners.add(owner)
    page = text(signed_in.get(KEYS))
    assert "Switch store" in page
    assert f'href="/stores/{other_store.pk}/settings/api-keys/"' in page


def test_editing_changes_name_expiry_and_access_but_not_the_secret(
    signed_in: Client, issue: IssueKey
) -> None:
    key, plaintext = issue(name="Old", access=["orders:read"])
    response = edit(signed_in, key, name="New", expiry="30", access=["customers:write"])
    assert response["Location"] == f"{KEYS}{key.prefix}/"
    changed = ApiKey.objects.get()
    assert (changed.name, changed.access) == ("New", ["customers:read", "customers:write"])
    assert changed.expires_at is not None
    assert Client().get("/v1/api-key/", headers=bearer(plaintext)).status_code == 200


def test_an_expiry_is_kept_unless_it_is_changed(signed_in: Client, issue: IssueKey) -> None:
    expires_at = timezone.now() + timedelta(days=3, microseconds=1)
    key, _ = issue(expires_at=expires_at)
    assert '<option value="keep" selected>' in text(signed_in.get(f"{KEYS}{key.prefix}/edit/"))
    edit(signed_in, key, name="New", expiry="keep")
    assert ApiKey.objects.get().expires_at == expires_at


@pytest.mark.parametrize("field", ["name", "note", "access", "expires_at", "allowed_addresses"])
def test_edit_saves_only_what_this_person_changed(
    signed_in: Client, issue: IssueKey, owner: User, field: str
) -> None:
    key, _ = issue(name="Old", access=["orders:read"])
    theirs: Any = {
        "name": "Theirs",
        "note": "Theirs",
        "access": ["coupons:read"],
        "expires_at": datetime(2030, 1, 29, tzinfo=UTC),
        "allowed_addresses": ["203.0.113.7"],
    }
    lifecycle.update_key(ApiKey.objects.get(), by=Actor(owner), version=1, **{field: theirs[field]})
    edit(signed_in, key, **({"name": "Mine"} if field == "note" else {"note": "Mine"}))
    changed = ApiKey.objects.get()
    assert getattr(changed, field) == theirs[field]
    assert "Mine" in {changed.name, changed.note}
    page = text(signed_in.get(f"{KEYS}{key.prefix}/"))
    assert f"Meanwhile, by owner@example.com: {AuditEntry.objects.all()[1].sentence}" in page


def test_edit_asks_only_where_both_changed_the_same(signed_in: Client, issue: IssueKey, owner: User) -> None:
    key, _ = issue(name="Old", access=["orders:read"])
    lifecycle.update_key(
        ApiKey.objects.get(), by=Actor(owner), version=1, name="Theirs", access=["coupons:read"]
    )
    page = text(edit(signed_in, key, name="Mine"))
    assert "somebody else changed the name, too" in page
    assert "Renamed from “Old” to “Theirs”. Added coupons:read. Removed orders:read." in page
    assert 'value="Mine"' in page
    assert 'value="coupons:read" checked' in page
    assert ApiKey.objects.get().name == "Theirs"
    edit(signed_in, ApiKey.objects.get(), name="Mine")
    assert (ApiKey.objects.get().name, ApiKey.objects.get().access) == ("Mine", ["coupons:read"])


@pytest.mark.parametrize("version", ["", "x", "0", "9" * 5000], ids=["nothing", "text", "zero", "digits"])
def test_edit_without_a_version_saves_nothing(signed_in: Client, issue: IssueKey, version: str) -> None:
    key, _ = issue(name="Old")
    page = text(edit(signed_in, key, name="Mine", version=version))
    assert "This form was incomplete, so nothing was saved." in page
    assert 'value="Mine"' in page
    assert ApiKey.objects.get().name == "Old"


def test_a_key_deleted_meanwhile_can_be_made_anew(signed_in: Client, issue: IssueKey, owner: User) -> None:
    key, _ = issue(name="Old", expires_at=timezone.now() + timedelta(days=1))
    lifecycle.delete_key(key, by=Actor(owner))
    page = text(edit(signed_in, key, name="Mine"))
    assert "deleted this key while you were editing it" in page
    assert 'value="Mine"' in page
    assert f'action="{KEYS}new/"' in page


@pytest.mark.parametrize("action", ["deactivate", "reactivate", "roll", "delete", "access"])
def test_what_is_gone_cannot_be_acted_on(
    signed_in: Client, issue: IssueKey, owner: User, action: str
) -> None:
    key, _ = issue()
    lifecycle.delete_key(key, by=Actor(owner))
    assert signed_in.post(f"{KEYS}{key.prefix}/{action}/").status_code == 404


def test_deactivating_and_reactivating_hold_from_the_next_request(signed_in: Client, issue: IssueKey) -> None:
    key, plaintext = issue()
    api = Client()
    signed_in.post(f"{KEYS}{key.prefix}/deactivate/", {"hours": ""})
    assert api.get("/v1/api-key/", headers=bearer(plaintext)).json()["code"] == "api_key_inactive"
    assert "Every request with this key is refused" in text(signed_in.get(f"{KEYS}{key.prefix}/"))
    signed_in.post(f"{KEYS}{key.prefix}/reactivate/", {"version": "2"})
    assert api.get("/v1/api-key/", headers=bearer(plaintext)).status_code == 200


def test_a_strange_pause_is_refused(signed_in: Client, issue: IssueKey) -> None:
    key, _ = issue()
    page = text(signed_in.post(f"{KEYS}{key.prefix}/deactivate/", {"hours": "999"}))
    assert "Select a valid choice" in page
    assert not ApiKey.objects.get().is_inactive(timezone.now())


def test_deleting_takes_the_name(signed_in: Client, issue: IssueKey) -> None:
    key, plaintext = issue(name="Old shop")
    for typed in ("", "old shop", "Old"):
        signed_in.post(f"{KEYS}{key.prefix}/delete/", {"name": typed})
        assert ApiKey.objects.exists()
    assert signed_in.post(f"{KEYS}{key.prefix}/delete/", {"name": " Old  shop "})["Location"] == KEYS
    assert Client().get("/v1/api-key/", headers=bearer(plaintext)).json()["code"] == "api_key_invalid"


def test_a_rolled_key_is_not_rolled_again(signed_in: Client, issue: IssueKey) -> None:
    key, _ = issue()
    signed_in.post(f"{KEYS}{key.prefix}/roll/", {"overlap": "24"})
    page = text(signed_in.post(f"{KEYS}{key.prefix}/roll/", {"overlap": "24"}))
    assert "can no longer be rolled" in page
    assert ApiKey.objects.count() == 2


def test_a_suggestion_is_one_click_and_can_be_undone(signed_in: Client, issue: IssueKey) -> None:
    key, plaintext = issue(access=["orders:read"])
    Client().get("/v1/stores/267418190/customers/", headers=bearer(plaintext))
    detail = f"{KEYS}{key.prefix}/"
    assert "The key did not have customers:read." in text(signed_in.get(detail))
    granted = {"access": ["orders:read", "customers:read"], "version": "1"}
    page = text(signed_in.post(f"{detail}access/", granted, follow=True))
    assert "Undo" in page
    assert ApiKey.objects.get().access == ["orders:read", "customers:read"]
    assert "Added customers:read." in page
    undone = {"access": ["orders:read"], "version": "2", "undo": "1"}
    page = text(signed_in.post(f"{detail}access/", undone, follow=True))
    assert "Removed customers:read." in page
    assert "Undo" not in page
    assert ApiKey.objects.get().access == ["orders:read"]
    assert [entry.sentence for entry in AuditEntry.objects.for_key(key)][:2] == [
        "Removed customers:read.",
        "Added customers:read.",
    ]


@pytest.mark.parametrize(
    "typed",
    [
        {"access": ["customers:read"], "version": "7"},
        {"access": ["planets:read"], "version": "1"},
        {"access": [], "version": "1"},
        {"access": ["customers:read"], "version": "x"},
    ],
)
def test_a_stale_or_tampered_click_changes_nothing(
    signed_in: Client, issue: IssueKey, typed: dict[str, Any]
) -> None:
    key, _ = issue()
    page = text(signed_in.post(f"{KEYS}{key.prefix}/access/", typed, follow=True))
    assert "nothing was done" in page
    assert ApiKey.objects.get().access == ["orders:read"]


def test_the_first_change_after_an_hour_asks_for_the_password_and_keeps_the_form(signed_in: Client) -> None:
    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        assert signed_in.get(f"{KEYS}new/").status_code == 200
        response = save_new(signed_in, name="Typed before", access=["coupons:write"])
        assert response["Location"] == f"/accounts/reauthenticate/?next={KEYS.replace('/', '%2F')}new%2F"
        assert not ApiKey.objects.exists()
        back = signed_in.post(response["Location"], {"password": PASSWORD})
        assert back["Location"] == f"{KEYS}new/"
        page = text(signed_in.get(back["Location"]))
        assert 'value="Typed before"' in page
        assert 'value="coupons:write" checked' in page
        assert "Nothing has been saved yet" in page
        assert save_new(signed_in)["Location"] == f"{KEYS}created/"
    assert "Typed before" not in text(signed_in.get(f"{KEYS}new/"))


@pytest.mark.parametrize(
    ("action", "typed", "kept"),
    [
        ("edit", {"name": "Bookkeeping", "expiry": "never"}, 'value="Bookkeeping"'),
        ("deactivate", {"hours": "24"}, 'value="24" checked'),
        ("roll", {"overlap": "168"}, 'value="168" checked'),
        ("delete", {"name": "Accounting"}, 'value="Accounting"'),
    ],
)
def test_every_change_comes_back_to_its_own_form(
    signed_in: Client, issue: IssueKey, action: str, typed: dict[str, str], kept: str
) -> None:
    key, _ = issue(name="Accounting")
    path = f"{KEYS}{key.prefix}/{action}/"
    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        response = signed_in.post(path, typed)
        back = signed_in.post(response["Location"], {"password": PASSWORD})
        assert back["Location"] == path
        assert kept in " ".join(text(signed_in.get(path)).split())
    key.refresh_from_db()
    assert (key.version, ApiKey.objects.count()) == (1, 1)


def test_a_wrong_password_confirms_nothing(signed_in: Client) -> None:
    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        save_new(signed_in)
        signed_in.post(f"/accounts/reauthenticate/?next={KEYS}new/", {"password": "wrong"})
        assert save_new(signed_in).status_code == 302
    assert not ApiKey.objects.exists()


def test_a_form_outlives_its_session(signed_in: Client) -> None:
    del signed_in.cookies["sessionid"]
    response = save_new(signed_in, name="Typed before")
    assert response["Location"] == f"/accounts/login/?next={KEYS.replace('/', '%2F')}new%2F"
    back = signed_in.post(response["Location"], {"login": "owner@example.com", "password": PASSWORD})
    assert back["Location"] == f"{KEYS}new/"
    assert 'value="Typed before"' in text(signed_in.get(back["Location"]))


def test_a_key_pasted_after_the_session_ended_is_not_kept(signed_in: Client, issue: IssueKey) -> None:
    _, plaintext = issue()
    del signed_in.cookies["sessionid"]
    response = signed_in.post(f"{KEYS}find/", {"q": plaintext})
    assert response["Location"] == f"/accounts/login/?next={KEYS.replace('/', '%2F')}"
    assert plaintext[8:] not in str(signed_in.session.items())
    back = signed_in.post(response["Location"], {"login": "owner@example.com", "password": PASSWORD})
    assert signed_in.get(back["Location"]).status_code == 200


def test_a_click_that_needs_the_password_first_comes_back_to_its_page(
    signed_in: Client, issue: IssueKey
) -> None:
    key, _ = issue()
    detail = f"{KEYS}{key.prefix}/"
    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        response = signed_in.post(f"{detail}access/", {"access": ["customers:read"], "version": "1"})
        back = signed_in.post(response["Location"], {"password": PASSWORD})
        assert back["Location"] == detail
        assert "click once more" in text(signed_in.get(detail))
        signed_in.post(f"{detail}access/", {"access": ["customers:read"], "version": "1"})
    assert ApiKey.objects.get().access == ["customers:read"]


@pytest.mark.parametrize("action", ["reactivate", "delete"])
def test_a_key_deleted_at_this_very_moment_is_not_found(
    signed_in: Client, issue: IssueKey, owner: User, monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    key, _ = issue(name="Shop")
    read = key_views.get_key

    def read_and_lose(store: Store, prefix: str) -> ApiKey:
        found = read(store, prefix)
        ApiKey.objects.filter(pk=found.pk).delete()
        return found

    monkeypatch.setattr(key_views, "get_key", read_and_lose)
    assert (
        signed_in.post(f"{KEYS}{key.prefix}/{action}/", {"name": "Shop", "version": "1"}).status_code == 404
    )


def test_created_shows_the_key_again_where_the_page_could_not_be_made(
    signed_in: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = save_new(signed_in)["Location"]
    signed_in.raise_request_exception = False
    with monkeypatch.context() as broken:
        broken.setattr(key_list, "rows", None)
        assert signed_in.get(address).status_code == 500
    assert ApiKey.objects.get().revealed_at is None
    assert WHOLE_KEY.search(text(signed_in.get(address)))
    assert ApiKey.objects.get().revealed_at is not None


def test_used_tried_and_refused_are_three_things(signed_in: Client, issue: IssueKey, owner: User) -> None:
    key, plaintext = issue(name="Accounting", access=["orders:read"])
    with time_machine.travel(timezone.now() - timedelta(days=8)):
        Client().get("/v1/stores/267418190/orders/", headers=bearer(plaintext))
    Client().get("/v1/stores/267418190/customers/", headers=bearer(plaintext))
    page = text(signed_in.get(f"{KEYS}{key.prefix}/"))
    facts = re.findall(r"<dt>(.*?)</dt>\s*<dd>(?:<time[^>]*>)?(.*?)<", page)
    assert ("Last used", "1 week ago") in facts
    assert ("Last tried", "just now") in facts
    issue(name="Dashboard", access=["orders:read"])
    _, other = issue(name="Newsletter", access=["orders:read"])
    with time_machine.travel(timezone.now() - timedelta(days=7)):
        Client().get("/v1/stores/267418190/orders/", headers=bearer(other))
    newest, row, never = signed_in.get(f"{KEYS}?sort=-used").context["rows"]
    assert (newest.name, row.name, never.name) == ("Newsletter", "Accounting", "Dashboard")
    assert (timezone.now() - row.last_used).days == 8
    assert (timezone.now() - row.last_tried).days == 0
    selected = signed_in.get(f"{KEYS}selected/delete/", {"key": key.prefix})
    assert selected.context["impact"].last_7_days == 0

    assert "Try it" in page
    lifecycle.deactivate_key(key, by=Actor(owner))
    assert "Try it" not in text(signed_in.get(f"{KEYS}{key.prefix}/"))
    assert "does not work now" in text(signed_in.get(f"{KEYS}{key.prefix}/delete/"))


def test_a_rolled_key_says_so_with_when_the_old_one_ends_and_who_uses_it(
    signed_in: Client, issue: IssueKey
) -> None:
    key, plaintext = issue(name="Accounting")
    Client().get("/v1/api-key/", headers=bearer(plaintext))
    answer = signed_in.post(f"{KEYS}{key.prefix}/roll/", {"overlap": "24"})
    page = text(signed_in.get(answer["Location"]))
    assert "API key rolled</h1>" in page
    assert 'aria-label="The whole API key"' in page
    assert "Old key and new key" in page
    assert text(signed_in.get(KEYS)).count('<span class="tag">Old</span>') == 1
    assert re.search(rf"The old key, <code>{key.prefix}\S+, stops\s+on <time", page)
    assert re.search(r"Give the new key to those who call with it:.*<li>127\.0\.0\.1 · ", page, re.DOTALL)


@pytest.mark.parametrize(
    "path",
    [
        *("new/", "canaries/new/", "trusts/new/", "{key}/edit/", "{key}/edit/?extend", "{key}/roll/"),
        *("{key}/reactivate/", "selected/reactivate/?key={key}", "selected/extend/?key={key}"),
    ],
)
def test_a_suspended_store_has_no_form_to_fill(
    signed_in: Client, store: Store, issue: IssueKey, path: str
) -> None:
    key, _ = issue()
    lifecycle.suspend_store(store, by=Actor(None), reason="Fraud")
    for answer in (signed_in.get, signed_in.post):
        page = text(answer(KEYS + path.format(key=key.prefix)))
        assert "Fraud" in page
        assert "Ask whoever runs this site" in page
        assert "<form" not in page.partition('id="dialog-title"')[2].partition("</dialog>")[0]
    assert ApiKey.objects.get().version == key.version


def test_operators_without_a_store_are_led_to_the_administration(client: Client, owner: User) -> None:
    owner.is_staff = True
    owner.save()
    client.force_login(owner)
    assert 'href="/admin/"' in text(client.get("/"))
