"""The settings page as a browser without scripts meets it: addresses, forms and what they answer."""

import base64
import html
import re
from contextlib import suppress
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from apikeys import lifecycle
from apikeys.actors import Actor
from apikeys.models import ApiKey, AuditEntry, NotificationSettings
from apikeys.settings_page import decorators, key_list, one_time_display, urls
from apikeys.settings_page.forms import initial_of
from stores.models import Store
from tests.conftest import PASSWORD, IssueKey, bearer, sign_in

KEYS = "/stores/267418190/settings/api-keys/"
LOGIN = {"login": "owner@example.com", "password": PASSWORD}
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


def an_hour_later() -> Any:
    """The moment at which a change takes the password again."""
    return time_machine.travel(timezone.now() + timedelta(minutes=61))


# Who gets in.


def test_a_visitor_is_asked_to_sign_in_and_comes_back(client: Client, store: Store) -> None:
    for path in ("", "new/", "created/", "0123abc/edit/"):
        page = client.get(KEYS + path, follow=True)
        assert page.redirect_chain[0][0] == f"/accounts/login/?{urlencode({'next': KEYS + path})}"
        assert "Sign in to open the API Key Settings page." in page.text


def test_no_page_takes_a_nul_or_keeps_a_key_in_its_address(
    signed_in: Client, key: ApiKey, plaintext: str
) -> None:
    possible: tuple[dict[str, Any], ...] = ({"prefix": key.prefix}, {"pk": 1}, {})
    for name in [pattern.name for pattern in urls.urlpatterns]:
        for arguments in possible:
            with suppress(NoReverseMatch):
                path = reverse(f"apikeys:{name}", kwargs={"store_id": key.store_id, **arguments})
        for field in ("q", "\0"):
            assert signed_in.get(path, {field: "a\0"}).status_code in {400, 405}, path
            assert signed_in.post(path, {field: "a\0"}).status_code in {400, 405}, path
        response = signed_in.get(path, {"from": plaintext, "key": key.prefix})
        cut = f"{path}?from={key.prefix}&key={key.prefix}"
        assert response.status_code == 405 or response["Location"] == cut, path


def test_home_leads_to_the_one_store_or_lets_choose(
    client: Client, signed_in: Client, other_store: Store, owner: User
) -> None:
    assert signed_in.get("/")["Location"] == KEYS
    assert "Switch store" not in text(signed_in.get(KEYS))
    other_store.owners.set([owner])
    for path in ("/", KEYS):
        page = text(signed_in.get(path))
        assert "Northwood" in page
        assert f'href="/stores/{other_store.pk}/settings/api-keys/"' in page
    assert "Switch store" in page
    nobody = User.objects.get(email="second@example.com")
    client.force_login(nobody)
    assert "No store is yours yet" in text(client.get("/"))
    User.objects.filter(pk=nobody.pk).update(is_staff=True)
    assert 'href="/admin/"' in text(client.get("/"))


def test_of_many_stores_a_page_lists_fifty_and_each_opens(
    signed_in: Client, store: Store, owner: User
) -> None:
    last = [Store.objects.create(name=f"Shop {number:02}") for number in range(60)][-1]
    owner.stores.add(*Store.objects.exclude(pk=store.pk))
    listed = re.findall(r'href="/stores/\d+/settings/api-keys/"', text(signed_in.get(KEYS)))
    assert len(set(listed)) == 50
    assert "Shop 59" in text(signed_in.get(f"/stores/{last.pk}/settings/api-keys/"))


# Creating, and the one time a key is shown.


def test_create_shows_the_secret_exactly_once(signed_in: Client) -> None:
    response = save_new(
        signed_in, name="  Ware\thouse  ", note="Ask <Ines>", access=["orders:write", "coupons:read"]
    )
    assert response["Location"] == f"{KEYS}created/"
    shown = signed_in.get(response["Location"])
    plaintext = WHOLE_KEY.findall(text(shown))[0]
    assert "no-store" in shown["Cache-Control"]
    key = ApiKey.objects.get()
    assert (key.name, key.note) == ("Ware house", "Ask <Ines>")
    assert key.access == ["orders:read", "orders:write", "coupons:read"]
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


def test_the_cookie_is_encrypted_goes_to_one_address_and_shows_nothing_a_second_time(
    signed_in: Client,
) -> None:
    name, cookie = key_cookie(save_new(signed_in))
    assert cookie["path"] == f"{KEYS}created/"
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Strict")
    assert (cookie["max-age"], cookie["expires"]) == ("", "")
    prefix = ApiKey.objects.get().prefix
    assert prefix.encode() not in base64.urlsafe_b64decode(cookie.value)
    assert WHOLE_KEY.search(text(signed_in.get(f"{KEYS}created/")))
    signed_in.cookies[name] = cookie.value
    assert not WHOLE_KEY.search(text(signed_in.get(f"{KEYS}created/", follow=True)))


def test_two_keys_are_both_shown_and_a_browser_that_fetches_ahead_uses_nothing_up(signed_in: Client) -> None:
    save_new(signed_in, name="First")
    save_new(signed_in, name="Second")
    assert signed_in.head(f"{KEYS}created/").status_code == 302
    for headers in ({"Sec-Purpose": "prefetch;prerender"}, {"Purpose": "prefetch"}):
        assert signed_in.get(f"{KEYS}created/", headers=headers).status_code == 302
    shown = set(WHOLE_KEY.findall(text(signed_in.get(f"{KEYS}created/"))))
    assert {key[:7] for key in shown} == set(ApiKey.objects.values_list("prefix", flat=True))


def test_a_late_a_foreign_and_a_forged_cookie_show_nothing(
    signed_in: Client, other_store: Store, store: Store, client: Client
) -> None:
    store.owners.add(User.objects.get(email="second@example.com"))
    other_store.owners.add(User.objects.get(email="owner@example.com"))
    name, cookie = key_cookie(save_new(signed_in))
    elsewhere = signed_in.get(f"/stores/{other_store.pk}/settings/api-keys/created/")
    assert (elsewhere.status_code, elsewhere.text) == (302, "")
    signed_in.cookies[name] = cookie.value
    with time_machine.travel(timezone.now() + timedelta(seconds=61)):
        assert not WHOLE_KEY.search(text(signed_in.get(f"{KEYS}created/", follow=True)))
    sign_in(client, "second@example.com")
    for value in (cookie.value, "", "x", "a:b:c", "eyJ9:1:2", "\u00e9"):
        client.cookies[name] = value
        assert not WHOLE_KEY.search(text(client.get(f"{KEYS}created/", follow=True)))
    signed_in.cookies[name] = cookie.value
    assert WHOLE_KEY.search(text(signed_in.get(f"{KEYS}created/")))


def test_a_bad_form_keeps_what_was_typed_and_makes_nothing(signed_in: Client) -> None:
    typed = {"name": "", "expiry": "date", "expiry_date": "2001-01-01", "access": ["coupons:write"]}
    for headers in ({}, HTMX):
        response = signed_in.post(f"{KEYS}new/", typed, headers=headers)
        page = text(response)
        assert (response.status_code, "<html" in page) == (200, not headers)
        assert "Enter a name." in page
        assert '<option value="date" selected>' in page
        assert 'value="2001-01-01"' in page
        assert re.findall(r'value="(\w+:\w+)" checked', page) == ["coupons:write"]
    assert not ApiKey.objects.exists()


def test_first_request_is_received_when_one_succeeds(signed_in: Client) -> None:
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

    Client().get("/v1/stores/267418190/orders/", headers=bearer(plaintext))
    noticed = signed_in.get(f"{address}{seen[1]}")
    assert "First request received: GET /v1/stores/…/orders/, 200</p>" in text(noticed)
    assert "hx-get" not in text(noticed)
    assert noticed["HX-Trigger"] == '{"keys-changed": {}}'


def test_no_page_waits_longer_than_ten_minutes_or_leaves_for_the_sign_in_form(signed_in: Client) -> None:
    key, _ = create(signed_in)
    assert Client().get(f"{KEYS}{key.prefix}/first-request/").status_code == 286
    with time_machine.travel(timezone.now() + timedelta(minutes=11)):
        assert signed_in.get(f"{KEYS}{key.prefix}/first-request/").status_code == 286


def test_htmx_is_told_where_to_go_and_gets_only_the_content_of_a_dialog(
    signed_in: Client, issue: IssueKey
) -> None:
    typed = {"name": "Accounting", "expiry": "never", "access": "orders:read"}
    response = signed_in.post(f"{KEYS}new/", typed, headers=HTMX)
    assert (response.status_code, response["HX-Redirect"]) == (204, f"{KEYS}created/")
    assert key_cookie(response)
    prefix = issue()[0].prefix
    for path in ("new/", *(f"{prefix}/{step}/" for step in ("edit", "deactivate", "roll", "delete"))):
        page, content = signed_in.get(KEYS + path), signed_in.get(KEYS + path, headers=HTMX)
        assert "<!doctype html>" in text(page)
        assert "<dialog" in text(page)
        assert "<!doctype html>" not in text(content)
        assert "HX-Request" in content["Vary"]


def test_after_a_dialog_over_the_list_the_list_is_shown_as_it_was(signed_in: Client, key: ApiKey) -> None:
    listed = f"{KEYS}?status=working"
    headers = HTMX | {"HX-Current-URL": f"http://testserver{listed}"}
    response = signed_in.post(f"{KEYS}{key.prefix}/deactivate/", {"hours": ""}, headers=headers)
    assert response["HX-Redirect"] == listed
    headers = HTMX | {"HX-Current-URL": "http://elsewhere.example/"}
    response = signed_in.post(f"{KEYS}{key.prefix}/reactivate/", {"version": "2"}, headers=headers)
    assert response["HX-Redirect"] == f"{KEYS}{key.prefix}/"


# One key.


@pytest.mark.parametrize("hours", [1, 24])
def test_a_key_is_deactivated_for_an_hour_or_a_day(signed_in: Client, key: ApiKey, hours: int) -> None:
    with time_machine.travel(now := timezone.now(), tick=False):
        signed_in.post(f"{KEYS}{key.prefix}/deactivate/", {"hours": hours})
    assert ApiKey.objects.get().reactivates_at == now + timedelta(hours=hours)


@pytest.mark.parametrize("hours", [0, 1, 168])
def test_a_rolled_key_stops_when_it_was_told_to(signed_in: Client, key: ApiKey, hours: int) -> None:
    with time_machine.travel(now := timezone.now(), tick=False):
        signed_in.post(f"{KEYS}{key.prefix}/roll/", {"overlap": hours})
    assert ApiKey.objects.get(pk=key.pk).expires_at == now + timedelta(hours=hours)


@pytest.mark.usefixtures("within_a_minute")
def test_new_begins_with_ninety_days_or_with_the_settings_of_another_key(
    signed_in: Client, issue: IssueKey
) -> None:
    date = f"{timezone.now() + timedelta(days=90):%-d %b %Y}"
    assert f'<option value="90" selected>90 days ({date})</option>' in text(signed_in.get(f"{KEYS}new/"))
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
    left, extended = (signed_in.get(f"{detail}edit/{query}") for query in ("", "?extend"))
    assert "Leave expired since" in text(left)
    assert '<option value="90" selected>' in text(extended)
    assert (left.context["change"], extended.context["change"]) == ("", "With these settings")


def test_a_leaked_key_offers_a_new_one_and_a_deleted_one_says_who_deleted_it(
    signed_in: Client, issue: IssueKey, owner: User
) -> None:
    key, _ = issue(name="Shop")
    detail = f"{KEYS}{key.prefix}/"
    assert "falls silent" in text(signed_in.get(detail))
    lifecycle.report_leaked_keys([key], by=Actor(owner))
    page = text(signed_in.get(detail))
    assert "This key was reported as leaked" in page
    assert f"{KEYS}new/?from={key.prefix}" in page
    assert "/reactivate/" not in page
    assert "falls silent" not in page
    page = text(signed_in.post(f"{detail}reactivate/", {"version": "2"}, follow=True))
    assert "It stays off for good. Create a new key instead." in page
    lifecycle.delete_key(key, by=Actor(owner))
    response = signed_in.get(detail)
    assert response.status_code == 404
    assert "This key was deleted" in text(response)
    assert owner.email in text(response)


def test_a_key_that_is_off_offers_nothing_to_try_or_to_grant(
    signed_in: Client, key: ApiKey, plaintext: str, owner: User
) -> None:
    detail = f"{KEYS}{key.prefix}/"
    page = text(signed_in.get(detail))
    assert "This key made no requests in the last 30 days. Try it:" in page
    assert '<svg class="bars"' not in page
    Client().get("/v1/stores/267418190/customers/", headers=bearer(plaintext))
    page = text(signed_in.get(detail))
    assert "Grant customers:read" in page
    assert "Try it" in page
    lifecycle.deactivate_key(key, by=Actor(owner))
    page = text(signed_in.get(detail))
    assert "Grant customers" not in page
    assert "Try it" not in page
    assert "falls silent or fails, once it works again" in page


def test_edit_says_what_others_changed_meanwhile(signed_in: Client, issue: IssueKey, owner: User) -> None:
    key, _ = issue(name="Old")
    lifecycle.update_key(ApiKey.objects.get(), by=Actor(owner), version=1, name="Theirs")
    saved = edit(signed_in, key, note="Mine")
    renamed = "Renamed from “Old” to “Theirs”."
    assert f"Meanwhile, by owner@example.com: {renamed} This was kept." in text(
        signed_in.get(saved["Location"])
    )
    page = text(edit(signed_in, key, name="Mine"))
    assert "somebody else changed the name, too" in page
    assert renamed in page
    assert 'value="Mine"' in page


def test_edit_says_of_ten_changes_at_most_that_others_made(signed_in: Client, issue: IssueKey) -> None:
    key, _ = issue()
    for number in range(11):
        lifecycle.update_key(ApiKey.objects.get(), by=Actor(), version=number + 1, name=f"Theirs {number}")
    saved = edit(signed_in, key, note="Mine")
    assert text(signed_in.get(saved["Location"])).count("This was kept.") == 10


def test_a_key_deleted_meanwhile_can_be_made_anew(signed_in: Client, issue: IssueKey, owner: User) -> None:
    key, _ = issue(name="Old", expires_at=timezone.now() + timedelta(days=1))
    lifecycle.delete_key(key, by=Actor(owner))
    page = text(edit(signed_in, key, name="Mine"))
    assert "deleted this key while you were editing it" in page
    assert 'value="Mine"' in page
    assert f'action="{KEYS}new/"' in page


def test_what_is_gone_or_deleted_at_this_very_moment_is_not_found(
    signed_in: Client, issue: IssueKey, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = decorators.get_key

    def read_and_lose(store: Store, prefix: str) -> ApiKey:
        found = read(store, prefix)
        ApiKey.objects.filter(pk=found.pk).delete()
        return found

    for action in ("deactivate", "reactivate", "roll", "delete", "access"):
        assert signed_in.post(f"{KEYS}0123abc/{action}/").status_code == 404
    monkeypatch.setattr(decorators, "get_key", read_and_lose)
    for action in ("deactivate", "reactivate", "delete"):
        key, _ = issue(name="Shop")
        typed = {"name": "Shop", "version": "1"}
        assert signed_in.post(f"{KEYS}{key.prefix}/{action}/", typed).status_code == 404


def test_deleting_takes_the_name(signed_in: Client, issue: IssueKey) -> None:
    key, plaintext = issue(name="Old shop")
    for typed in ("", "old shop", "Old"):
        signed_in.post(f"{KEYS}{key.prefix}/delete/", {"name": typed})
        assert ApiKey.objects.exists()
    assert signed_in.post(f"{KEYS}{key.prefix}/delete/", {"name": " Old  shop "})["Location"] == KEYS
    assert Client().get("/v1/api-key/", headers=bearer(plaintext)).json()["code"] == "api_key_invalid"


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
    assert text(signed_in.get(KEYS)).count('<span class="chip">Old</span>') == 1
    assert re.search(rf"The old key, <code>{key.prefix}\S+, stops\s+on <time", page)
    assert re.search(r"Give the new key to those who call with it:.*<li>127\.0\.0\.1 · ", page, re.DOTALL)
    again = text(signed_in.post(f"{KEYS}{key.prefix}/roll/", {"overlap": "24"}))
    assert "can no longer be rolled" in again
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


def test_a_stale_or_tampered_click_changes_nothing(signed_in: Client, issue: IssueKey) -> None:
    key, _ = issue(allowed_addresses=["192.0.2.1"])
    for typed in (
        {"access": ["customers:read"], "version": "7"},
        {"access": ["planets:read"], "version": "1"},
        {"access": ["customers:read"], "version": "x"},
        {"version": "1"},
        *({"allowed_addresses": bad, "version": "1"} for bad in ("hello", "192.0.2.1 hello", "9" * 5000)),
    ):
        page = text(signed_in.post(f"{KEYS}{key.prefix}/access/", typed, follow=True))
        assert "nothing was done" in page
    key.refresh_from_db()
    assert (key.access, key.allowed_addresses, key.version) == (["orders:read"], ["192.0.2.1"], 1)


# A sign-in in between.


def test_the_first_change_after_an_hour_asks_for_the_password_and_keeps_the_form(signed_in: Client) -> None:
    with an_hour_later():
        assert signed_in.get(f"{KEYS}new/").status_code == 200
        response = save_new(signed_in, name="Typed before", access=["coupons:write"])
        assert response["Location"] == f"/accounts/reauthenticate/?next={KEYS.replace('/', '%2F')}new%2F"
        assert not ApiKey.objects.exists()
        signed_in.post(response["Location"], {"password": "wrong"})
        assert (
            save_new(signed_in, name="Typed before", access=["coupons:write"])["Location"]
            == response["Location"]
        )
        back = signed_in.post(response["Location"], {"password": PASSWORD})
        assert back["Location"] == f"{KEYS}new/"
        page = text(signed_in.get(back["Location"]))
        assert 'value="Typed before"' in page
        assert 'value="coupons:write" checked' in page
        assert "Nothing has been saved yet" in page
        assert save_new(signed_in)["Location"] == f"{KEYS}created/"
    assert "Typed before" not in text(signed_in.get(f"{KEYS}new/"))


def test_every_change_comes_back_to_its_own_form(signed_in: Client, issue: IssueKey) -> None:
    key, _ = issue(name="Accounting")
    for action, typed, kept in (
        ("edit", {"name": "Bookkeeping", "expiry": "never"}, 'value="Bookkeeping"'),
        ("deactivate", {"hours": "24"}, 'id="id_hours_2" checked'),
        ("roll", {"overlap": "168"}, 'id="id_overlap_3" required checked'),
        ("delete", {"name": "Accounting"}, 'value="Accounting"'),
    ):
        path = f"{KEYS}{key.prefix}/{action}/"
        del signed_in.cookies["sessionid"]
        response = signed_in.post(path, typed)
        assert signed_in.post(response["Location"], LOGIN)["Location"] == path
        assert kept in text(signed_in.get(path)), action
    key.refresh_from_db()
    assert (key.version, ApiKey.objects.count()) == (1, 1)


def test_every_change_takes_a_password_typed_within_the_hour(signed_in: Client, key: ApiKey) -> None:
    of_key = ("edit", "access", "fence", "deactivate", "reactivate", "roll", "delete")
    several = ("deactivate", "reactivate", "extend", "delete")
    pages = [*(f"{key.prefix}/{action}" for action in of_key), *(f"selected/{action}" for action in several)]
    with an_hour_later():
        for page in [*pages, "new", "canaries/new", "trusts/new"]:
            response = signed_in.post(f"{KEYS}{page}/", {"key": key.prefix})
            assert response["Location"].startswith("/accounts/reauthenticate/?next="), page


def test_a_selection_outlives_a_sign_in_and_a_pasted_key_does_not(signed_in: Client, issue: IssueKey) -> None:
    key, plaintext = issue(name="Shop")
    del signed_in.cookies["sessionid"]
    response = signed_in.post(f"{KEYS}selected/delete/", {"key": key.prefix, "confirmation": "delete"})
    back = signed_in.post(response["Location"], LOGIN)
    assert "<bdi>Shop</bdi>" in text(signed_in.get(back["Location"]))
    del signed_in.cookies["sessionid"]
    response = signed_in.post(f"{KEYS}find/", {"q": plaintext})
    assert response["Location"] == f"/accounts/login/?next={KEYS.replace('/', '%2F')}"
    assert plaintext[8:] not in str(signed_in.session.items())


def test_somebody_elses_sign_in_does_not_get_what_was_typed(signed_in: Client, other_store: Store) -> None:
    del signed_in.cookies["sessionid"]
    response = save_new(signed_in, name="Typed before")
    back = signed_in.post(response["Location"], {"login": "second@example.com", "password": PASSWORD})
    assert "Typed before" not in text(signed_in.get(back["Location"]))
    # A browser sends it to no other address than the form's own, which is another store's.
    assert response.cookies["apikeys_unsent_form"]["path"] == back["Location"] == f"{KEYS}new/"


def test_a_click_that_needs_the_password_first_comes_back_to_its_page(signed_in: Client, key: ApiKey) -> None:
    detail = f"{KEYS}{key.prefix}/"
    with an_hour_later():
        response = signed_in.post(f"{detail}access/", {"access": ["customers:read"], "version": "1"})
        back = signed_in.post(response["Location"], {"password": PASSWORD})
        assert back["Location"] == detail
        assert "click once more" in text(signed_in.get(detail))
        signed_in.post(f"{detail}access/", {"access": ["customers:read"], "version": "1"})
    assert ApiKey.objects.get().access == ["customers:read"]


def test_created_shows_the_key_again_where_the_page_could_not_be_made(
    signed_in: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = save_new(signed_in)["Location"]
    signed_in.raise_request_exception = False
    with monkeypatch.context() as broken:
        broken.setattr(key_list, "row", None)
        assert signed_in.get(address).status_code == 500
    assert ApiKey.objects.get().revealed_at is None
    assert WHOLE_KEY.search(text(signed_in.get(address)))
    assert ApiKey.objects.get().revealed_at is not None


def test_a_suspended_store_has_no_form_to_fill(signed_in: Client, store: Store, key: ApiKey) -> None:
    assert "Add API Key" in text(signed_in.get(KEYS))
    lifecycle.suspend_store(store, by=Actor(None), reason="Fraud")
    assert "Add API Key" not in text(signed_in.get(KEYS))
    steps = [f"{key.prefix}/{step}" for step in ("edit/", "edit/?extend", "roll/", "reactivate/")]
    several = [f"selected/{step}/?key={key.prefix}" for step in ("reactivate", "extend")]
    for path in ("new/", "canaries/new/", "trusts/new/", *steps, *several):
        for answer in (signed_in.get, signed_in.post):
            page = text(answer(KEYS + path))
            assert "Fraud" in page
            assert "Ask whoever runs this site" in page
            assert "<form" not in page.partition('id="dialog-title"')[2].partition("</dialog>")[0], path
    assert ApiKey.objects.get().version == key.version == 1


def test_a_store_that_is_suspended_at_this_very_moment_gets_no_key(
    signed_in: Client, key: ApiKey, monkeypatch: pytest.MonkeyPatch
) -> None:

    def find_suspended(**fields: Any) -> None:
        raise lifecycle.StoreSuspended("Fraud at this moment")

    monkeypatch.setattr(lifecycle, "insert_key", find_suspended)
    new = {"name": "Shop", "access": ["orders:read"], "expiry": "never"}
    for path, form in (("new/", new), (f"{key.prefix}/roll/", {"overlap": "24"})):
        answer = signed_in.post(KEYS + path, form)
        assert (answer.status_code, "Fraud at this moment" in answer.text) == (200, True)


# What owners are told by e-mail.


def test_notifications_are_the_defaults_until_somebody_chooses(signed_in: Client) -> None:
    page = text(signed_in.get(f"{KEYS}notifications/"))
    ticked = re.findall(r'name="(\w+)"[^>]* checked', page)
    assert ticked == ["expiry", "monthly_review", "fence", "rhythm", "roll"]
    assert not NotificationSettings.objects.exists()


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ({"new_network": "on"}, (False, True, False)),
        ({"expiry": "on", "monthly_review": "on"}, (True, False, True)),
        ({"reviewed_on": "2020-01-01", "user": "1"}, (False, False, False)),
    ],
)
def test_notifications_that_are_ticked_are_kept(
    signed_in: Client, owner: User, sent: dict[str, str], kept: tuple[bool, bool, bool]
) -> None:
    for _ in range(2):
        answer = signed_in.post(f"{KEYS}notifications/", sent, follow=True)
        assert "Saved your notifications." in text(answer)
        row = NotificationSettings.objects.get()
        assert (row.expiry, row.new_network, row.monthly_review) == kept
    assert (row.store_id, row.user, row.reviewed_on) == (267418190, owner, None)
