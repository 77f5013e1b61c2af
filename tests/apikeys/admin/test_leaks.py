"""A leak in an operator's hands: the keys in it are found and ended, and what was pasted is nowhere."""

import logging
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.views.debug import ExceptionReporter

from apikeys import key_text
from apikeys.models import ApiKey, AuditEntry
from apikeys.models.key import ApiKeyQuerySet
from stores.models import Store
from tests.conftest import IssueKey, bearer, deliver_emails, make_owner, sign_in

FIND = "/admin/apikeys/apikey/leak/"
END = f"{FIND}deactivate/"


def found_in(browser: Client, text: str) -> dict[str, bool]:
    """The prefixes that the page shows, each with whether the whole key was there."""
    response = browser.post(FIND, {"leak": text})
    assert response.status_code == 200
    return {key.prefix: whole for key, whole in response.context["found"]}


# What is in a text.


@pytest.mark.parametrize(
    "around",
    [
        "{key}",
        "Authorization: Bearer {key}\n",
        "curl --header 'Authorization: Bearer {key}' 'https://api.example.com/'",
        "GET /?token=Bearer%20{key}&page=2 HTTP/1.1",
        '+    API_KEY = "{key}"  # index 83db48f..bf2a1c0',
        '{{"key":"{key}"}}',
        "key={KEY};",
        "0123456789abcdef{key}0123456789abcdef",
    ],
)
def test_a_whole_key_is_found_whatever_stands_around_it(around: str) -> None:
    key = "19656ea.4329f04826e125f1ee999b53f78"
    text = around.format(key=key, KEY=key.upper())
    assert key_text.find_keys(text) == {key}
    assert "19656ea" in key_text.find_prefixes(text)


@pytest.mark.parametrize(
    "text",
    [
        "19656ea",
        "19656EA.",
        "the key 19656ea, please",
        "19656ea.••••••••",
        "Bearer 19656ea.****",
        "Bearer%2019656ea.4329f048[truncated]",
        "19656ea.4329f04826e125f1ee999b53f7",
    ],
)
def test_a_prefix_is_found_masked_cut_short_or_alone(text: str) -> None:
    assert key_text.find_prefixes(text) == {"19656ea"}
    assert key_text.find_keys(text) == set()


@pytest.mark.parametrize("text", ["", "19656e", "a19656ea", "19656eaf", "19656eg", "facade"])
def test_nothing_is_found_where_nothing_is(text: str) -> None:
    assert key_text.find_prefixes(text) == set()


# The page.


def test_a_paste_finds_every_key_in_it_and_says_how_much_of_it_is_known(
    operator: Client, issue: IssueKey, other_store: Store
) -> None:
    whole, plaintext = issue()
    masked, _ = issue(store=other_store)
    wrong, wrong_text = issue()
    issue()
    wrong_text = wrong_text[:-1] + ("0" if wrong_text[-1] != "0" else "1")
    text = f"- {masked.masked}\n+ {plaintext}\n Bearer {wrong_text}\n 0000000.{'0' * 27}"
    assert found_in(operator, text) == {whole.prefix: True, masked.prefix: False, wrong.prefix: False}
    assert found_in(operator, "nothing of ours") == {}
    assert "There is no key of ours in it." in operator.post(FIND, {"leak": "x"}).content.decode()


def test_a_whole_file_is_looked_through(operator: Client, issue: IssueKey) -> None:
    key, plaintext = issue()
    noise = "\n".join(f"{number:07x} {number:07x}.{number:027x}" for number in range(3_000))
    assert found_in(operator, f"{noise}\n{plaintext}")[key.prefix]


def test_those_that_are_ticked_are_ended_and_their_owners_told(operator: Client, issue: IssueKey) -> None:
    (key, plaintext), (other, _) = issue(name="Shop"), issue()
    deliver_emails().clear()
    answer = operator.post(END, {"prefix": [key.prefix, "0000000"]}, follow=True)
    assert f"Deactivated, and their owners told: Shop ({key.prefix})." in answer.content.decode()
    assert Client().get("/v1/api-key/", headers=bearer(plaintext)).json()["code"] == "api_key_inactive"
    assert list(ApiKey.objects.usable()) == [other]
    line = AuditEntry.objects.for_key(key)[0]
    assert (line.actor_email, line.sentence) == (
        "operator@example.com",
        "Deactivated for good: reported as leaked by an operator.",
    )
    (message,) = deliver_emails()
    assert message.to == ["owner@example.com"]
    assert "reported as leaked by an operator" in message.body
    again = operator.post(END, {"prefix": key.prefix}, follow=True)
    assert "Nothing was done" in again.content.decode()
    assert AuditEntry.objects.for_key(key).count() == 2


def test_only_a_form_that_was_sent_is_looked_through(operator: Client, issue: IssueKey) -> None:
    _, plaintext = issue()
    page = operator.get(FIND, {"leak": plaintext})
    assert "found" not in page.context
    assert operator.get(END).status_code == 405


# Who may.


@pytest.fixture
def viewer(db: None) -> Client:
    """Somebody of the staff who may look at keys."""
    user = make_owner("viewer@example.com")
    user.user_permissions.add(Permission.objects.get(codename="view_apikey"))
    User.objects.filter(pk=user.pk).update(is_staff=True)
    browser = Client()
    sign_in(browser, user.email)
    return browser


def test_who_may_only_look_finds_and_cannot_end(viewer: Client, issue: IssueKey) -> None:
    key, plaintext = issue()
    page = viewer.post(FIND, {"leak": plaintext})
    assert key.prefix in page.content.decode()
    assert "Deactivate as leaked" not in page.content.decode()
    assert viewer.post(END, {"prefix": key.prefix}).status_code == 403
    assert ApiKey.objects.usable().exists()


def test_staff_without_a_say_in_keys_and_strangers_find_nothing(issue: IssueKey, signed_in: Client) -> None:
    _, plaintext = issue()
    user = make_owner("clerk@example.com")
    User.objects.filter(pk=user.pk).update(is_staff=True)
    clerk = Client()
    sign_in(clerk, user.email)
    assert clerk.post(FIND, {"leak": plaintext}).status_code == 403
    for browser in (Client(), signed_in):
        answer = browser.post(FIND, {"leak": plaintext})
        assert answer.status_code in {302, 403}
        assert plaintext[8:] not in answer.get("Location", "") + answer.content.decode()


# It is nowhere.


def everything_stored() -> str:
    """Every value of every table, as it is kept."""
    return "\n".join(
        str(list(model._base_manager.values_list())) for model in apps.get_models() if model._meta.managed
    ) + str([session.get_decoded() for session in apps.get_model("sessions", "session").objects.all()])


def test_what_was_pasted_is_in_no_table_session_log_cookie_or_page(
    operator: Client, issue: IssueKey, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    _, plaintext = issue()
    answers = [operator.post(FIND, {"leak": f"Bearer {plaintext}"}), Client().post(FIND, {"leak": plaintext})]
    secret = plaintext[8:]
    for answer in answers:
        assert secret not in answer.content.decode()
        assert secret not in str(answer.headers) + str(answer.cookies)
    assert "no-store" in answers[0]["Cache-Control"]
    assert 'autocomplete="off"' in answers[0].content.decode()
    assert secret not in caplog.text
    assert secret not in everything_stored()


def test_what_was_pasted_is_in_no_error_report(
    operator: Client, issue: IssueKey, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    _, plaintext = issue()

    def break_down(keys: ApiKeyQuerySet) -> None:
        raise RuntimeError

    monkeypatch.setattr(ApiKeyQuerySet, "_fetch_all", break_down)
    operator.raise_request_exception = False
    assert operator.post(FIND, {"leak": plaintext}).status_code == 500
    (record,) = [record for record in caplog.records if record.exc_info]
    request: Any = record.request  # type: ignore[attr-defined]
    reporter = ExceptionReporter(request, *(record.exc_info or (None, None, None)))
    report = f"{reporter.get_traceback_html()}{reporter.get_traceback_text()}"
    assert "in_leak" in report
    assert plaintext[8:] not in report
