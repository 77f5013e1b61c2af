"""The one way out for e-mail: e-mails are queued in the transaction of a change and sent by a worker.

An e-mail is a row and a task, so it exists exactly when the change does. An attempt that fails is repeated
after growing pauses for a day; then the e-mail is kept and shown to operators as failed.
"""

import logging
from collections.abc import Callable, Iterable
from datetime import timedelta
from smtplib import SMTPRecipientsRefused, SMTPResponseException
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone

from apikeys import key_text
from apikeys.models import Email
from apikeys.tasks import task

logger = logging.getLogger(__name__)

# An e-mail that somebody waits for goes before all others, and one that failed before after them.
URGENT = 100

MAX_SUBJECT_LENGTH = 200

# An attempt that is so late has no task any more.
OVERDUE = timedelta(hours=1)

# How soon an e-mail is looked at again that has no mail server to go to.
NO_SERVER_PAUSE = timedelta(minutes=5)


@task()
def send_email(email_id: int, attempt: int) -> None:
    """Send an e-mail that is complete. ``attempt`` counts from 0."""
    attempt_email(email_id, attempt, send_task=send_email)


def queue_emails(emails: Iterable[Email], *, send_task: Any = send_email, priority: int = 0) -> None:
    """Queue e-mails in the open transaction, a task each: ``send_task`` takes an id and the attempt."""
    with transaction.atomic():
        for email in Email.objects.bulk_create(emails):
            send_task.using(priority=priority).enqueue(email.pk, 0)


def compose(subject: str, text: str, **fields: Any) -> Email:
    """Return an unsaved e-mail: its subject one line, whatever the names in it hold, and no key in either."""
    line = " ".join("".join(c if c.isprintable() else " " for c in subject).split())
    return Email(
        subject=key_text.hide_secrets(line)[:MAX_SUBJECT_LENGTH],
        text=key_text.hide_secrets(text).strip(),
        **fields,
    )


def attempt_email(
    email_id: int,
    attempt: int,
    *,
    send_task: Any,
    make_link_path: Callable[[Email], str] = lambda email: email.link_path,
) -> None:
    """Send an e-mail, unless this attempt was begun. ``make_link_path`` makes a path that is not kept."""
    if not settings.MAIL_SERVER:
        _wait_for_mail_server(email_id, attempt, send_task)
        return
    email = _begin_attempt(email_id, attempt, send_task)
    if email is None:
        return
    if email.recipient is None:
        email.delete()
        return
    try:
        _send(email, email.address or email.recipient.email, make_link_path(email))
    except Exception as error:
        _record_failure(email, error)
    else:
        Email.objects.filter(pk=email.pk).update(sent_at=timezone.now(), error="")


def _wait_for_mail_server(email_id: int, attempt: int, send_task: Any) -> None:
    """Queue the same attempt again, and say on the e-mail why it waits."""
    with transaction.atomic():
        if Email.objects.waiting().filter(pk=email_id, attempts=attempt).update(error="EMAIL_URL is not set"):
            run_after = timezone.now() + NO_SERVER_PAUSE
            send_task.using(priority=-attempt, run_after=run_after).enqueue(email_id, attempt)


def _begin_attempt(email_id: int, attempt: int, send_task: Any) -> Email | None:
    """Claim the attempt and queue the next one, which finds nothing to do if this one succeeds.

    So a worker that is killed loses no e-mail, and of two workers only one makes an attempt. The attempt
    after the last one gives the e-mail up.
    """
    pauses = settings.EMAIL_RETRY_PAUSES
    with transaction.atomic():
        email = Email.objects.waiting().filter(pk=email_id, attempts=attempt)
        if attempt == len(pauses):
            if email.update(failed_at=timezone.now()):
                logger.error("E-mail %d was given up: nobody could be reached for a day", email_id)
            return None
        if not email.update(attempts=attempt + 1):
            return None
        next_attempt = send_task.using(priority=-attempt - 1, run_after=timezone.now() + pauses[attempt])
        next_attempt.enqueue(email_id, attempt + 1)
    return Email.objects.select_related("recipient").get(pk=email_id)


def requeue_lost_emails() -> None:
    """Queue e-mails again whose next attempt is an hour overdue: their task is gone, or failed.

    That is so after a restore, or where a release has renamed the task. If the task is there after all,
    nothing happens twice: an attempt is made once. An e-mail whose link is made when it is sent is given up,
    since nobody waits for it any more.
    """
    if not settings.MAIL_SERVER:
        # All are looked at again by their own tasks.
        return
    now, pauses = timezone.now(), settings.EMAIL_RETRY_PAUSES
    with transaction.atomic():
        for email in Email.objects.waiting().filter(created_at__lt=now - OVERDUE).iterator():
            if now < email.created_at + sum(pauses[: email.attempts], OVERDUE):
                continue
            if email.link_text and not email.link_path:
                Email.objects.filter(pk=email.pk).update(failed_at=now, error="Out of date")
            else:
                send_email.enqueue(email.pk, email.attempts)


def _send(email: Email, address: str, link_path: str) -> None:
    """Raises OSError and SMTPException where the mail server fails, ValueError for an unusable address."""
    if not address:
        raise ValueError("No address")
    link_url = f"{settings.SITE_URL}{link_path}" if link_path else ""
    unsubscribe_url = f"{settings.SITE_URL}{email.unsubscribe_path}" if email.unsubscribe_path else ""
    context = {
        "email": email,
        "link_url": link_url,
        "unsubscribe_url": unsubscribe_url,
        "mark_url": f"{settings.SITE_URL}{settings.STATIC_URL}img/mark.png",
    }
    host = urlsplit(settings.SITE_URL).hostname
    headers = {
        # The same at every attempt: mail servers drop the second of two.
        "Message-ID": f"<email-{email.pk}-{email.created_at:%Y%m%d%H%M%S}@{host}>",
        "Auto-Submitted": "auto-generated",
    }
    if unsubscribe_url:
        headers["List-Unsubscribe"] = f"<{unsubscribe_url}>"
    message = EmailMultiAlternatives(
        email.subject,
        render_to_string("apikeys/emails/email.txt", context).strip() + "\n",
        to=[address],
        headers=headers,
    )
    message.attach_alternative(render_to_string("apikeys/emails/email.html", context), "text/html")
    message.send()


def _record_failure(email: Email, error: Exception) -> None:
    """Note why, but not what the server said, which may quote the e-mail.

    It is given up where the recipient's address is refused for good, or is none.
    """
    code = _smtp_code(error)
    reason = " ".join(map(str, filter(None, (type(error).__name__, code))))
    is_refused_for_good = isinstance(error, SMTPRecipientsRefused) and code is not None and code >= 500
    failed_at = timezone.now() if is_refused_for_good or isinstance(error, ValueError) else None
    Email.objects.filter(pk=email.pk).update(error=reason, failed_at=failed_at)
    if isinstance(error, (OSError, ValueError)):
        logger.warning("E-mail %d could not be sent: %s", email.pk, reason)
    else:
        logger.error("E-mail %d could not be sent", email.pk, exc_info=error)


def _smtp_code(error: Exception) -> int | None:
    if isinstance(error, SMTPRecipientsRefused):
        return int(next(iter(error.recipients.values()))[0])
    return error.smtp_code if isinstance(error, SMTPResponseException) else None
