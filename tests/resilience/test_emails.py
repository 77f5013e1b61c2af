"""E-mail through real workers and a real mail server, whichever of them fails.

No e-mail is lost, and none is sent twice but the one that was being sent when its worker was killed.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import User

from apikeys import lifecycle
from apikeys.actors import Actor
from apikeys.models import Email
from stores.models import Store
from tests.programs import wait_until
from tests.resilience.conftest import POSTGRESQL
from tests.resilience.mail import MailServer, mail_server, new_mail_server, worker
from tests.server import database_of_the_tests

pytestmark = POSTGRESQL

OWNERS = 4


@pytest.fixture
def many_owners(transactional_db: None, store: Store) -> list[str]:
    emails = [f"owner{number}@example.com" for number in range(OWNERS)]
    store.owners.set(User.objects.create_user(email, email) for email in emails)
    return emails


@pytest.fixture
def mail() -> Iterator[MailServer]:
    with mail_server(new_mail_server()) as mail:
        yield mail


def send_emails(store: Store, *, times: int = 1) -> None:
    """Suspend and resume a store: two e-mails to each owner."""
    for _ in range(times):
        lifecycle.suspend_store(store, by=Actor(), reason="A test.")
        lifecycle.resume_store(store, by=Actor())


def all_sent() -> bool:
    return not Email.objects.filter(sent_at=None).exists()


def test_a_silent_mail_server_holds_up_nothing_but_emails(
    mail: MailServer, many_owners: list[str], store: Store, tmp_path: Path
) -> None:
    mail.is_silent.set()
    with worker(mail, database_of_the_tests(), tmp_path / "output", EMAIL_SECONDS="5"):
        send_emails(store)
        wait_until(lambda: Email.objects.exclude(error="").exists())
        assert mail.received == []
        mail.is_silent.clear()
        wait_until(all_sent)
    assert mail.recipients == dict.fromkeys(many_owners, 2)


def test_a_worker_that_is_killed_loses_no_email_and_repeats_one(
    mail: MailServer, many_owners: list[str], store: Store, tmp_path: Path
) -> None:
    """Two take its place, which send each of the others once."""
    mail.hold()
    send_emails(store, times=3)
    address, output = database_of_the_tests(), tmp_path / "output"
    with worker(mail, address, output):
        mail.await_emails(1)
    mail.may_answer.set()
    with worker(mail, address, output), worker(mail, address, output):
        wait_until(all_sent)
    assert len(set(mail.received)) == 6 * OWNERS
    assert len(mail.received) == 6 * OWNERS + 1
    assert mail.received.count(mail.received[0]) == 2
