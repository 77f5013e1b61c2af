"""E-mails that tell a store's owners what was done to its keys. They name the prefix, never the key."""

import logging
from typing import TYPE_CHECKING

from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from apikeys.models import ApiKey
    from apikeys.models.suspension import Suspension
    from stores.models import Store

logger = logging.getLogger(__name__)


def created(key: "ApiKey", by: "User | None") -> None:
    _tell_owners(key, by, "created", access=key.access)


def widened(key: "ApiKey", by: "User", gained: list[str]) -> None:
    _tell_owners(key, by, "widened", access=gained)


def rolled(key: "ApiKey", successor: "ApiKey", by: "User") -> None:
    _tell_owners(key, by, "rolled", successor=successor)


def deleted(key: "ApiKey", by: "User") -> None:
    _tell_owners(key, by, "deleted")


def leaked(key: "ApiKey", by: "User | None") -> None:
    _tell_owners(key, by, "deactivated")


def suspended(suspension: "Suspension", *, keys: int) -> None:
    subject = f"All API keys of {suspension.store} are suspended"
    context = {"store": suspension.store, "reason": suspension.reason, "by": suspension.by, "keys": keys}
    _send(suspension.store, subject, render_to_string("apikeys/mail/store_suspended.txt", context))


def resumed(suspension: "Suspension", by: "User | None") -> None:
    subject = f"The API keys of {suspension.store} are no longer suspended"
    context = {"store": suspension.store, "by": by}
    _send(suspension.store, subject, render_to_string("apikeys/mail/store_resumed.txt", context))


def _tell_owners(key: "ApiKey", by: "User | None", event: str, **details: object) -> None:
    """``by`` is None where no person acted."""
    context = {
        "store": key.store,
        "prefix": key.prefix,
        "name": key.name,
        "by": by,
        "event": event,
        **details,
    }
    subject = f"API key {key.prefix} was {event}: {key.name}"
    _send(key.store, subject, render_to_string("apikeys/mail/key_changed.txt", context))


def _send(store: "Store", subject: str, message: str) -> None:
    """Send to the store's owners once the change is committed.

    A mail server that is down must not undo the change.
    """
    recipients = list(store.owners.values_list("email", flat=True))

    def send() -> None:
        for recipient in recipients:
            try:
                send_mail(subject, message, None, [recipient])
            except (
                OSError,
                ValueError,
            ):  # smtplib's errors are OSErrors, an unusable address is a ValueError
                logger.exception("An e-mail could not be sent: %s", subject)

    transaction.on_commit(send)
