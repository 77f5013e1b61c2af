"""E-mail on its way: queued with the change, tried again for a day, never sent twice, nobody else held up."""

import smtplib
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings as configured
from django.contrib.auth.models import User
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from apikeys import outbox
from apikeys.models import Email
from apikeys.outbox import send_email
from stores.models import Store
from tests.conftest import IssueKey, deliver_emails, make_owner

PAUSES = configured.EMAIL_RETRY_PAUSES


class Failing(BaseEmailBackend):
    """A mail server that fails in the way that a test has set."""

    error: Exception

    def send_messages(self, email_messages: Any) -> int:
        raise self.error


@pytest.fixture
def failing(settings: Any) -> type[Failing]:
    settings.EMAIL_BACKEND = f"{__name__}.Failing"
    Failing.error = ConnectionRefusedError()
    return Failing


@pytest.fixture
def email(owner: User) -> Email:
    outbox.queue_emails([outbox.compose("A subject", "A text", recipient=owner)])
    return Email.objects.get()


def test_queue_emails_sends_nothing_after_a_rollback(issue: IssueKey) -> None:
    with transaction.atomic():
        issue()
        transaction.set_rollback(True)
    assert not Email.objects.exists()
    assert deliver_emails() == []


def test_queue_emails_makes_a_task_for_each_owner(issue: IssueKey, store: Store) -> None:
    store.owners.add(*(make_owner(f"owner{number}@example.com") for number in range(2)))
    _, plaintext = issue()
    tasks = DBTaskResult.objects.values_list("args_kwargs", flat=True)
    expected = [{"args": [pk, 0], "kwargs": {}} for pk in Email.objects.values_list("pk", flat=True)]
    assert sorted(tasks, key=str) == sorted(expected, key=str)
    assert len(tasks) == 3
    assert plaintext[8:] not in str(Email.objects.values_list())
    assert len({message.to[0] for message in deliver_emails()}) == 3


def test_create_key_tells_owners_who_can_sign_in_and_be_reached(issue: IssueKey, store: Store) -> None:
    store.owners.add(User.objects.create_user("nobody"))
    store.owners.add(User.objects.create_user("former", "former@example.com", is_active=False))
    issue()
    assert [message.to for message in deliver_emails()] == [["owner@example.com"]]


def test_send_email_gives_up_without_an_address(email: Email, owner: User) -> None:
    User.objects.update(email="")
    assert deliver_emails() == []
    assert Email.objects.exclude(failed_at=None).get().error == "ValueError"


@pytest.mark.parametrize(
    ("error", "reason", "failed"),
    [
        (ConnectionRefusedError(), "ConnectionRefusedError", 0),
        (TimeoutError(), "TimeoutError", 0),
        (smtplib.SMTPServerDisconnected("gone"), "SMTPServerDisconnected", 0),
        (smtplib.SMTPDataError(451, b"later"), "SMTPDataError 451", 0),
        (smtplib.SMTPRecipientsRefused({"a": (450, b"busy")}), "SMTPRecipientsRefused 450", 0),
        (smtplib.SMTPRecipientsRefused({"a": (550, b"who?")}), "SMTPRecipientsRefused 550", 1),
        (ValueError("no address"), "ValueError", 1),
        (ZeroDivisionError("our own fault"), "ZeroDivisionError", 0),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_send_email_tries_again_what_may_pass(
    failing: type[Failing], email: Email, error: Exception, reason: str, failed: int
) -> None:
    failing.error = error
    deliver_emails()
    email.refresh_from_db()
    assert (email.error, Email.objects.exclude(failed_at=None).count(), email.sent_at) == (
        reason,
        failed,
        None,
    )


def test_send_email_tries_for_a_day(failing: type[Failing], email: Email) -> None:
    now = timezone.now()
    for number, pause in enumerate([timedelta(), *PAUSES]):
        now += pause
        with time_machine.travel(now, tick=False):
            deliver_emails()
        assert Email.objects.get().attempts == min(number + 1, len(PAUSES))
    assert timedelta(hours=23) < sum(PAUSES, timedelta()) < timedelta(hours=25)
    assert Email.objects.exclude(failed_at=None).get() == email
    assert not DBTaskResult.objects.exists()


def test_send_email_retries_after_fresh_emails(failing: type[Failing], email: Email, owner: User) -> None:
    deliver_emails()
    with time_machine.travel(timezone.now() + timedelta(hours=1)):
        outbox.queue_emails([outbox.compose("Fresh", "", recipient=owner)])
        first = DBTaskResult.objects.ready()[0]
    assert first.args_kwargs["args"] == [Email.objects.get(subject="Fresh").pk, 0]


def test_send_email_waits_for_a_mail_server(email: Email, settings: Any) -> None:
    server, settings.MAIL_SERVER = settings.MAIL_SERVER, {}
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _ in range(3):
            assert deliver_emails() == []
            clock.shift(timedelta(days=1))
        email.refresh_from_db()
        assert (email.error, email.attempts, email.failed_at) == ("EMAIL_URL is not set", 0, None)
        settings.MAIL_SERVER = server
        assert len(deliver_emails()) == 1
    email.refresh_from_db()
    assert (email.error, email.attempts) == ("", 1)


def test_send_email_makes_an_attempt_once_and_nothing_by_the_one_in_reserve(email: Email) -> None:
    for _ in range(2):
        send_email.call(email.pk, 0)
    with time_machine.travel(timezone.now() + timedelta(days=1)):
        assert len(deliver_emails()) == 1
    assert not DBTaskResult.objects.exists()


def test_send_email_leaves_an_attempt_when_its_worker_dies(email: Email, monkeypatch: Any) -> None:
    class Killed(BaseException):
        pass

    def die(*_: object) -> None:
        raise Killed

    monkeypatch.setattr(EmailMessage, "send", die)
    with pytest.raises(Killed):
        send_email.call(email.pk, 0)
    monkeypatch.undo()
    with time_machine.travel(timezone.now() + PAUSES[0]):
        assert len(deliver_emails()) == 1


def test_requeue_lost_emails_queues_an_email_without_a_task(email: Email) -> None:
    made_later = outbox.compose("Reset", "", recipient=email.recipient, link_text="Choose a new password")
    outbox.queue_emails([made_later])
    DBTaskResult.objects.all().delete()
    outbox.requeue_lost_emails()
    assert deliver_emails() == []
    with time_machine.travel(timezone.now() + timedelta(hours=2)):
        outbox.requeue_lost_emails()
        outbox.requeue_lost_emails()
        assert [message.subject for message in deliver_emails()] == ["A subject"]
    assert Email.objects.exclude(failed_at=None).get().subject == "Reset"


def test_requeue_lost_emails_leaves_what_is_not_due(failing: type[Failing], email: Email) -> None:
    deliver_emails()
    Email.objects.update(attempts=len(PAUSES))
    with time_machine.travel(timezone.now() + timedelta(hours=2)):
        outbox.requeue_lost_emails()
        assert DBTaskResult.objects.count() == 1


@pytest.mark.parametrize(
    ("typed", "subject"),
    [
        ("two\r\nlines", "two lines"),
        ("\x00\x1b[2J\u202eevil", "[2J evil"),
        ("\u2028\x85 apart", "apart"),
        ("Überraschung 🎁", "Überraschung 🎁"),
        (f"0123abc.{'f' * 27}", "0123abc.[hidden]"),
        ("x" * 500, "x" * outbox.MAX_SUBJECT_LENGTH),
    ],
)
def test_compose_makes_a_subject_of_one_line_without_a_secret(owner: User, typed: str, subject: str) -> None:
    outbox.queue_emails([outbox.compose(typed, typed.replace("\x00", ""), recipient=owner)])
    (message,) = deliver_emails()
    assert message.subject == subject
    assert message.message()["Subject"]


def test_send_email_sends_plain_text_and_html_and_says_where_it_can_be_switched_off(owner: User) -> None:
    link = {"link_text": "Open", "link_path": "/a/?b=1&c=2"}
    outbox.queue_emails(
        outbox.compose("S", "<b>Text</b>", recipient=owner, unsubscribe_path=path, **link)
        for path in ("", "/off/")
    )
    message, optional = deliver_emails()
    assert message.body == "<b>Text</b>\n\nOpen: http://testserver/a/?b=1&c=2\n"
    html = message.alternatives[0][0]  # type: ignore[attr-defined]
    assert "&lt;b&gt;Text&lt;/b&gt;" in html
    assert '<a href="http://testserver/a/?b=1&amp;c=2"' in html
    assert 'src="http://testserver/static/img/mark.png"' in html
    assert "List-Unsubscribe" not in message.extra_headers
    assert optional.extra_headers["List-Unsubscribe"] == "<http://testserver/off/>"
    assert "Switch this kind of e-mail off: http://testserver/off/" in optional.body
