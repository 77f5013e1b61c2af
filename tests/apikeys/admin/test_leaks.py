"""A leak in an operator's hands: the keys in it are found and ended, and what was pasted is nowhere."""

import logging
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.views.debug import ExceptionReporter

from apikeys.models import ApiKey, AuditEntry
from apikeys.models.key import ApiKeyQuerySet
from stores.models import Store
from tests.conftest import IssueKey, bearer, deliver_emails, make_staff, with_wrong_secret
from tests.security.surface import everything

FIND = "/admin/apikeys/apikey/leak/"
LIST = "/admin/apikeys/apikey/"


def found_in(browser: Client, text: str) -> list[ApiKey]:
    """The keys that the page shows."""
    response = browser.post(FIND, {"leak": text})
    assert response.status_code == 200
    return list(response.context["found"])


def end(browser: Client, *keys: ApiKey) -> Any:
    """Send the page's form with these keys ticked."""
    action = {"action": "report_leaked", "index": "0", "confirmed": "yes"}
    return browser.post(LIST, action | {"_selected_action": [key.pk for key in keys]}, follow=True)


# The page.


def test_leak_page_finds_every_whole_key(operator: Client, issue: IssueKey, other_store: Store) -> None:
    (first, plaintext), (second, other_plaintext) = issue(), issue(store=other_store)
    (masked, _), (_, wrong) = issue(), issue()
    text = f"- {masked.masked}\n+ {plaintext}\n Bearer {with_wrong_secret(wrong)}\n {other_plaintext.upper()}"
    assert set(found_in(operator, text)) == {first, second}
    assert found_in(operator, "nothing of ours") == []
    assert "There is no whole key of ours in it." in operator.post(FIND, {"leak": "x"}).content.decode()


def test_leak_page_ends_the_ticked_keys_and_tells_owners(operator: Client, issue: IssueKey) -> None:
    (key, plaintext), (other, _) = issue(name="Shop"), issue()
    deliver_emails().clear()
    assert f'name="_selected_action" value="{key.pk}"' in operator.post(FIND, {"leak": plaintext}).text
    assert "Changed: 1." in end(operator, key).text
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
    assert "Left: 1." in end(operator, key).text
    assert "No items have been changed." in end(operator).text
    assert AuditEntry.objects.for_key(key).count() == 2


def test_the_list_asks_before_it_ends_keys_as_leaked(operator: Client, key: ApiKey) -> None:
    action = {"action": "report_leaked", "_selected_action": [key.pk]}
    page = operator.post(LIST, action)
    assert list(page.context["found"]) == [key]
    assert "never work again" in page.text
    assert ApiKey.objects.usable().exists()


def test_leak_page_reads_only_a_posted_form(operator: Client, plaintext: str) -> None:
    page = operator.get(FIND, {"leak": plaintext})
    assert "found" not in page.context


# Who may.


def test_leak_page_ends_no_key_for_who_may_only_look(key: ApiKey, plaintext: str) -> None:
    viewer = make_staff("viewer@example.com", "view_apikey")
    page = viewer.post(FIND, {"leak": plaintext})
    assert key.prefix in page.content.decode()
    assert "Deactivate as leaked" not in page.content.decode()
    end(viewer, key)
    assert ApiKey.objects.usable().exists()


def test_leak_page_opens_for_nobody_without_the_permission(plaintext: str, signed_in: Client) -> None:
    for browser in (make_staff("clerk@example.com"), Client(), signed_in):
        answer = browser.post(FIND, {"leak": plaintext})
        assert answer.status_code in {302, 403}
        assert plaintext[8:] not in answer.get("Location", "") + answer.content.decode()


# It is nowhere.


def test_leak_page_keeps_the_paste_in_no_table_session_log_cookie_or_page(
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
    sessions = [session.get_decoded() for session in Session.objects.all()]
    assert secret not in f"{everything()}{sessions}"


def test_leak_page_keeps_the_paste_out_of_error_reports(
    operator: Client, plaintext: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:

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
