"""E-mails to a store's owners, composed of what the tables of ``events`` say. None names a whole key."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from apikeys import outbox
from apikeys.events import Event, Link, Notice
from apikeys.formats import exact_time
from apikeys.models import ApiKey, AuditEntry, NotificationSettings, Reminder
from stores.models import Store

# Their labels and what is known of each.
Facts = Iterable[tuple[str, object]]


def send_event(entries: Sequence[AuditEntry], *, former_owners: Iterable[User] = ()) -> None:
    """Queue one e-mail a store to each owner who is told of what these entries say.

    The entries are of one event, as one confirmation made them. ``former_owners`` are told too, without a
    link to a page that is not theirs any more.
    """
    by_store: dict[Store, list[AuditEntry]] = {}
    for entry in entries:
        if entry.store and Event(entry.event).row.is_told(entry.details):
            by_store.setdefault(entry.store, []).append(entry)
    for store, told in by_store.items():
        _send_event(store, told, former_owners)


def _send_event(store: Store, entries: Sequence[AuditEntry], former_owners: Iterable[User]) -> None:
    first, count = entries[0], len(entries)
    row, sentence = Event(first.event).row, first.sentence
    link = row.link
    if count > 1:
        subject = f"{count} API keys of {store} were {row.done}"
        sentence = "\n".join(map(str, entries))
        link = Link.LIST if link.is_of_key else link
    elif row.done:
        subject = f"API key {first.prefix} was {row.done}: {first.name}"
    else:
        subject = row.subject.format(store=store)
    recipients = NotificationSettings.objects.recipients(store, None)
    if not row.is_actor_told:
        recipients = recipients.exclude(pk=first.actor_id or 0)
    parts = (sentence, _listed(_facts_of(first, is_one=count == 1)), row.advice)
    _queue(subject, parts, recipients, **_link(link, store, first.prefix))
    _queue(subject, parts, [user for user in former_owners if user.email])


@transaction.atomic
def send_notice_once(notice: Notice, key: ApiKey, about: datetime, **more: Any) -> None:
    """Queue a notice of a key in one transaction, unless one ``about`` that moment was queued."""
    if Reminder.objects.get_or_create(key=key, kind=notice, about=about)[1]:
        send_notice(notice, key.store, key=key, **more)


def send_notice(
    notice: Notice,
    store: Store,
    *,
    key: ApiKey | None = None,
    facts: Facts = (),
    lines: Iterable[str] = (),
    recipients: Iterable[User] | None = None,
) -> None:
    """Queue an e-mail about a store or a key of it, to owners who want this kind or to ``recipients``."""
    row, prefix = notice.row, key.prefix if key else ""
    names = {"store": store, "key": prefix, "name": key.name if key else ""}
    sentence = "\n".join([row.sentence.format(**names), *(f"- {line}" for line in lines)])
    if recipients is None:
        recipients = NotificationSettings.objects.recipients(store, row.notification)
    _queue(
        row.subject.format(**names),
        (sentence, _listed([("Key", key), *facts]), row.advice),
        recipients,
        **_link(row.link, store, prefix),
        unsubscribe_path=reverse("apikeys:notifications", args=[store.pk]) if row.notification else "",
    )


def _facts_of(entry: AuditEntry, *, is_one: bool) -> Facts:
    """Return who did it, when and from where, and where it is about one key, what that may do now."""
    key = entry.key if is_one and entry.event != Event.DELETED else None
    yield "Key", entry.subject if is_one and entry.prefix else None
    yield "Store", entry.store
    yield "When", entry.at
    yield "By", entry.actor_name if entry.actor_email or entry.actor_prefix else None
    yield "From", entry.address
    if key and not key.is_usable(timezone.now()):
        yield "Access now", "none: every request with it is refused"
    elif key:
        yield "Access now", ", ".join(key.access)
        yield "Expires", key.expires_at or "never"
        yield "Addresses", ", ".join(key.allowed_addresses) or "any"


def _listed(facts: Facts) -> str:
    """Return a line for each fact that is known."""
    known = ((label, fact) for label, fact in facts if fact)
    return "\n".join(
        f"{label}: {exact_time(fact) if isinstance(fact, datetime) else fact}" for label, fact in known
    )


def _queue(subject: str, parts: Iterable[str], recipients: Iterable[User], **more: str) -> None:
    """Queue an e-mail, one for each recipient. ``more`` are further columns of Email."""
    text = "\n\n".join(filter(None, parts))
    outbox.queue_emails(
        outbox.compose(subject, text, recipient=recipient, **more) for recipient in recipients
    )


def _link(link: Link, store: Store, prefix: str) -> dict[str, str]:
    """Return the columns of an e-mail's button."""
    words, page, query = link.value
    path = reverse(f"apikeys:{page}", args=[store.pk, prefix] if link.is_of_key else [store.pk])
    return {"link_text": words, "link_path": f"{path}{query}"}
