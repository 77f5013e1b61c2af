"""E-mails that tell a store's owners what was done to its keys. They name the prefix, never the key."""

import logging
from typing import TYPE_CHECKING

from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string

from apikeys import keys as key_text
from apikeys.actors import Actor
from apikeys.models import ApiKey, Suspension

if TYPE_CHECKING:
    from stores.models import Store

logger = logging.getLogger(__name__)


def send_key_created(key: ApiKey, by: Actor) -> None:
    _send_about_key(key, by, "created", access=key.access)


def send_access_added(key: ApiKey, by: Actor, added: list[str]) -> None:
    _send_about_key(key, by, "given more access", access=added)


def send_key_rolled(key: ApiKey, successor: ApiKey, by: Actor) -> None:
    _send_about_key(key, by, "rolled", successor=successor)


def send_key_deleted(key: ApiKey, by: Actor) -> None:
    _send_about_key(key, by, "deleted")


def send_key_leaked(key: ApiKey, by: Actor) -> None:
    _send_about_key(key, by, "deactivated")


def send_store_suspended(suspension: Suspension, by: Actor, *, keys: int) -> None:
    subject = f"All API keys of {suspension.store} are suspended"
    context = {"store": suspension.store, "reason": suspension.reason, "by": by, "keys": keys}
    _send(suspension.store, subject, render_to_string("apikeys/mail/store_suspended.txt", context))


def send_store_resumed(store: "Store", by: Actor) -> None:
    subject = f"The API keys of {store} are no longer suspended"
    context = {"store": store, "by": by}
    _send(store, subject, render_to_string("apikeys/mail/store_resumed.txt", context))


def _send_about_key(key: ApiKey, by: Actor, event: str, **details: object) -> None:
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

    A mail server that is down must not undo the change. A name may hold anything that was typed before
    names were checked: a subject is one line, and no letter carries a key.
    """
    recipients = list(store.owners.values_list("email", flat=True))
    subject = key_text.hide_secrets(" ".join(subject.split()))
    message = key_text.hide_secrets(message)

    def send() -> None:
        for recipient in recipients:
            try:
                send_mail(subject, message, None, [recipient])
            except (OSError, ValueError):  # smtplib's errors are OSErrors, an unusable address a ValueError
                logger.exception("An e-mail could not be sent: %s", subject)

    transaction.on_commit(send)
