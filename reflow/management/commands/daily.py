"""``manage.py daily``: what has to be done once a day. Safe to run twice, or on two machines at once."""

import logging
from collections.abc import Callable, Iterable
from typing import Any

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db.models import Exists, OuterRef
from django.utils import timezone

from apikeys import outbox, reminders, renewal, trusts
from apikeys.usage import retention

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = (
        "Do what has to be done once a day: remind owners, and remove old sessions, usage, requests, tasks "
        "and e-mail. Twice, or on two machines, does no harm."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        do_steps("daily", STEPS)


def do_steps(name: str, steps: Iterable[Callable[[], None]]) -> None:
    """Do each step, and keep when that was and which failed. Raises CommandError where one has."""
    failed = []
    for step in steps:
        # One that fails does not keep the others from being done.
        try:
            step()
        except Exception:
            logger.exception("A step failed: %s", step.__name__)
            failed.append(step.__name__)
    cache.set(name, {"at": timezone.now(), "failed": failed}, timeout=None)
    if failed:
        raise CommandError(f"Not everything was done: {', '.join(failed)} failed. The log says why.")


def clear_sessions() -> None:
    """Remove sessions that have expired, and allauth's records of sign-ins whose session has ended."""
    call_command("clearsessions")
    session = Session.objects.filter(session_key=OuterRef("session_key"))
    UserSession.objects.filter(~Exists(session)).delete()


def prune_tasks() -> None:
    call_command("prune_db_task_results", min_age_days=1, failed_min_age_days=30, queue_name="*")


STEPS: tuple[Callable[[], None], ...] = (
    reminders.remind_of_expiry,
    reminders.remind_of_expired_keys,
    reminders.send_monthly_reviews,
    renewal.delete_replaced_keys,
    clear_sessions,
    prune_tasks,
    outbox.requeue_lost_emails,
    retention.delete_old_usage,
    retention.delete_old_changes,
    retention.delete_old_emails,
    retention.maintain_request_log,
    trusts.prune_trusts,
)
