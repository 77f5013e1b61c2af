"""Forged requests: what a page elsewhere makes a browser send in somebody's name."""

from urllib.parse import urljoin, urlsplit

from django.test import Client

from apikeys.models import ApiKey
from tests.routes import ROUTES, Key
from tests.security.conftest import Walk
from tests.security.surface import Shops, everything, forms_on, pages, route_url

ELSEWHERE = "https://evil.example"


def strict(client: Client) -> Client:
    """The same browser; the site is as careful as it is with real ones."""
    copy = Client(enforce_csrf_checks=True, raise_request_exception=False)
    copy.cookies = client.cookies
    return copy


def test_a_visit_changes_nothing(walk: Walk) -> None:
    bodies = {page.name: body for page, body in walk.bodies.items()}
    # Whoever walks past the lists, or through empty ones, has seen nothing of them.
    assert sum(b'id="result_list"' in body for body in bodies.values()) > 15
    assert b"Mine" in bodies["apikeys:list"]
    assert b"429" in bodies["apikeys:requests"]
    assert walk.after == walk.before


def test_no_page_takes_a_form_without_its_token_or_from_elsewhere(mighty: Client, shops: Shops) -> None:
    before, browser = everything(), strict(mighty)
    form = next(form for form in forms_on(browser.get("/accounts/logout/")) if form.is_post)
    token = {"csrfmiddlewaretoken": form.fields["csrfmiddlewaretoken"]}
    for page in pages(shops):
        for sent, headers in (({}, {}), (token, {"Origin": ELSEWHERE}), (token, {"Origin": "null"})):
            answer = browser.post(page.url, sent, headers=headers)
            assert answer.status_code in {403, 405}, (page, headers)
    assert everything() == before
    assert browser.post("/accounts/logout/", token).status_code == 302  # it was a good one


def test_every_form_that_changes_something_has_a_token_and_no_other_gives_it_away(walk: Walk) -> None:
    found = 0
    for page, answer in walk.answers.items():
        for form in forms_on(answer):
            assert form.is_post == ("csrfmiddlewaretoken" in form.fields), (page, form)
            host = urlsplit(urljoin("http://testserver/", form.action)).hostname
            assert host == "testserver", (page, form)
            found += form.is_post
    assert found > 60


def test_what_a_browser_is_signed_in_as_is_nothing_to_the_api(mighty: Client, shops: Shops) -> None:
    before, browser = everything(), strict(mighty)
    for route in ROUTES:
        if route.key is Key.REQUIRED:
            answer = browser.generic(route.method, route_url(route, shops.mine), "{}", "application/json")
            assert (answer.status_code, answer.json()["code"]) == (401, "api_key_missing"), route
    assert everything() == before


def test_a_form_that_only_a_browser_can_send_is_no_json(mighty: Client, shops: Shops) -> None:
    """A page elsewhere can send these types without asking first."""
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        body = f'{{"keys": ["{shops.my_plaintext}"]}}'
        answer = mighty.generic("POST", "/v1/api-keys/revoke/", body, kind)
        assert answer.status_code == 415, kind
    assert ApiKey.objects.usable().count() == 2
