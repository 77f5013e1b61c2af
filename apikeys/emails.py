"""What a store's owners are told by e-mail. E-mails name the prefix, never the key, and say what to do."""

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse

from apikeys import outbox
from apikeys.actors import Actor
from apikeys.models import ApiKey, Notification, NotificationSettings, Reminder, Suspension
from stores.models import Store

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from apikeys.models.state import AttentionLine


def send_key_created(key: ApiKey, by: Actor) -> None:
    _send_key_changed(key, by, "created", access=key.access)


def send_access_added(key: ApiKey, by: Actor, added: list[str]) -> None:
    _send_key_changed(key, by, "given more access", access=added)


def send_key_rolled(key: ApiKey, successor: ApiKey, by: Actor) -> None:
    _send_key_changed(key, by, "rolled", successor=successor)


def send_key_deleted(key: ApiKey, by: Actor) -> None:
    _send_key_changed(key, by, "deleted", link=("Open the API Key Settings page", _path("list", key.store)))


def send_key_leaked(key: ApiKey, by: Actor) -> None:
    _send_key_changed(key, by, "deactivated", link=("Create a new key", _path("new", key.store)))


def send_store_suspended(suspension: Suspension, by: Actor, *, keys: int) -> None:
    store = suspension.store
    _send(
        store,
        f"All API keys of {store} are suspended",
        "store_suspended",
        {"reason": suspension.reason, "by": by, "keys": keys},
        link=("Open the API Key Settings page", _path("list", store)),
    )


def send_store_resumed(store: Store, by: Actor) -> None:
    _send(
        store,
        f"The API keys of {store} are no longer suspended",
        "store_resumed",
        {"by": by},
        link=("Open the API Key Settings page", _path("list", store)),
    )


def send_owners_changed(store: Store, by: Actor, *, added: "set[User]", removed: "set[User]") -> None:
    """Tell the owners that there are now, and those that were removed."""
    subject = f"The owners of {store} have changed"
    context = {"by": by, "added": added, "removed": removed}
    link = ("Open the API Key Settings page", _path("list", store))
    _send(store, subject, "owners_changed", context, link=link)
    # The page is not theirs any more.
    former = [user for user in removed if user.email]
    _send(store, subject, "owners_changed", context, link=("", ""), recipients=former)


def send_expiry_reminder(key: ApiKey, kind: Reminder.Kind) -> None:
    is_over = kind == Reminder.Kind.STILL_CALLED
    what = "has expired and is still called" if is_over else "expires soon"
    _send(
        key.store,
        f"API key {key.prefix} {what}: {key.name}",
        "key_expires",
        {"key": key, "is_over": is_over, "last_use": getattr(key, "last_use", None)},
        link=("Extend the key", f"{_path('edit', key.store, key.prefix)}?extend"),
        notification=Notification.EXPIRY,
    )


def send_new_network(key: ApiKey, *, network: str, address: str, at: datetime) -> None:
    """Tell the owners who asked for it, at most once a day for each key."""
    if not NotificationSettings.objects.recipients(key.store, Notification.NEW_NETWORK).exists():
        return
    day = at.replace(hour=0, minute=0, second=0, microsecond=0)
    if Reminder.objects.claim(key, Reminder.Kind.NEW_NETWORK, day):
        _send(
            key.store,
            f"API key {key.prefix} was used from a new network: {key.name}",
            "new_network",
            {"key": key, "network": network, "address": address, "at": at},
            link=("Open the key's page", _path("detail", key.store, key.prefix)),
            notification=Notification.NEW_NETWORK,
        )


def send_monthly_review(store: Store, owner: "User", lines: "Iterable[AttentionLine]") -> None:
    _send(
        store,
        f"API keys of {store} to look at",
        "monthly_review",
        {"lines": list(lines), "site_url": settings.SITE_URL},
        link=("Open the API Key Settings page", _path("list", store)),
        notification=Notification.MONTHLY_REVIEW,
        recipients=[owner],
    )


def _send_key_changed(
    key: ApiKey, by: Actor, event: str, *, link: tuple[str, str] | None = None, **details: Any
) -> None:
    _send(
        key.store,
        f"API key {key.prefix} was {event}: {key.name}",
        "key_changed",
        {"prefix": key.prefix, "name": key.name, "by": by, "event": event, **details},
        link=link or ("Open the key's page", _path("detail", key.store, key.prefix)),
    )


def _send(
    store: Store,
    subject: str,
    template: str,
    context: dict[str, Any],
    *,
    link: tuple[str, str],
    notification: Notification | None = None,
    recipients: "Iterable[User] | None" = None,
) -> None:
    """Queue an e-mail to the owners of the store who want it, one each.

    ``link`` is its text and its path. ``recipients`` stand for the owners.
    """
    if recipients is None:
        recipients = NotificationSettings.objects.recipients(store, notification)
    text = render_to_string(f"apikeys/emails/{template}.txt", {"store": store, **context})
    link_text, link_path = link
    outbox.queue_emails(
        outbox.compose(
            subject,
            text,
            recipient=recipient,
            link_text=link_text,
            link_path=link_path,
            unsubscribe_path=_path("notifications", store) if notification else "",
        )
        for recipient in recipients
    )


def _path(page: str, store: Store, *more: str) -> str:
    """Return the path of one of the store's pages."""
    return reverse(f"apikeys:{page}", args=[store.pk, *more])
