"""E-mails to a store's owners: who is told, and the text. They name a key's prefix, never the key.

What owners are told of is in ``apikeys.events``; this module composes what its tables say.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from django.urls import reverse
from django.utils import timezone

from apikeys import outbox
from apikeys.events import Event, Link, Notice, Told
from apikeys.formats import exact_time
from apikeys.models import ApiKey, AuditEntry, NotificationSettings
from stores.models import Store

if TYPE_CHECKING:
    from django.contrib.auth.models import User

# An e-mail about more keys names so many of them.
MAX_NAMED_KEYS = 50

Facts = Sequence[tuple[str, str]]


def send_event(entries: Sequence[AuditEntry], *, former_owners: "Iterable[User]" = ()) -> None:
    """Queue one e-mail a store to each owner who is told of what these entries say.

    The entries are of one event, as one confirmation made them. ``former_owners`` are told too, without a
    link to a page that is not theirs any more.
    """
    by_store: dict[Store, list[AuditEntry]] = {}
    for entry in entries:
        if entry.store and _is_told(entry):
            by_store.setdefault(entry.store, []).append(entry)
    for store, told in by_store.items():
        _send_event(store, told, former_owners)


def _send_event(store: Store, entries: Sequence[AuditEntry], former_owners: "Iterable[User]") -> None:
    first = entries[0]
    row = Event(first.event).row
    template = row.several if len(entries) > 1 else row.subject
    subject = template.format(key=first.prefix, name=first.name, store=store, keys=len(entries))
    sentence = first.sentence if len(entries) == 1 else "\n".join(map(str, entries[:MAX_NAMED_KEYS]))
    if more := len(entries[MAX_NAMED_KEYS:]):
        sentence += f"\nand {more} more"
    text = _text(sentence, _facts_of(entries), row.advice)
    recipients = NotificationSettings.objects.recipients(store, None)
    if row.told is Told.OTHERS:
        recipients = recipients.exclude(pk=first.actor_id or 0)
    link = Link.LIST if row.link.is_of_key and len(entries) > 1 else row.link
    _queue(subject, text, recipients, **_link(link, store, first.prefix))
    _queue(subject, text, [user for user in former_owners if user.email])


def send_notice(
    notice: Notice,
    store: Store,
    *,
    key: ApiKey | None = None,
    facts: Iterable[tuple[str, datetime | str | None]] = (),
    lines: Iterable[str] = (),
    recipients: "Iterable[User] | None" = None,
) -> None:
    """Queue an e-mail about something that was noticed of a store, or of a key of it.

    Facts that are not known are left out. It goes to the owners who want this kind, or to ``recipients``.
    """
    row = notice.row
    names = {"store": store, "key": key.prefix if key else "", "name": key.name if key else ""}
    known = [("Key", key), *facts] if key else facts
    text = _text(
        "\n".join([row.sentence.format(**names), *(f"- {line}" for line in lines)]),
        [
            (label, exact_time(fact) if isinstance(fact, datetime) else str(fact))
            for label, fact in known
            if fact
        ],
        row.advice,
    )
    if recipients is None:
        recipients = NotificationSettings.objects.recipients(store, row.notification)
    _queue(
        row.subject.format(**names),
        text,
        recipients,
        **_link(row.link, store, key.prefix if key else ""),
        unsubscribe_path=_path("notifications", store) if row.notification else "",
    )


def _is_told(entry: AuditEntry) -> bool:
    row = Event(entry.event).row
    return row.told is not Told.NOBODY and row.is_told(entry.details)


def _facts_of(entries: Sequence[AuditEntry]) -> Facts:
    """Return who did it, when and from where, and of one key what it may do now."""
    first = entries[0]
    key = first.key if len(entries) == 1 and first.event != Event.DELETED else None
    facts = [
        ("Key", first.subject if first.prefix and len(entries) == 1 else ""),
        ("Store", str(first.store)),
        ("When", exact_time(first.at)),
        ("By", first.actor_name if first.actor_email or first.actor_prefix else ""),
        ("From", str(first.address or "")),
    ]
    if key and not key.is_usable(timezone.now()):
        facts.append(("Access now", "none: every request with it is refused"))
    elif key:
        facts += [
            ("Access now", ", ".join(key.access)),
            ("Expires", exact_time(key.expires_at) if key.expires_at else "never"),
            ("Addresses", ", ".join(key.allowed_addresses) or "any"),
        ]
    return [fact for fact in facts if fact[1]]


def _text(sentence: str, facts: Facts, advice: str) -> str:
    listed = "\n".join(f"{label}: {fact}" for label, fact in facts)
    return "\n\n".join(filter(None, (sentence, listed, advice)))


def _queue(subject: str, text: str, recipients: "Iterable[User]", **more: str) -> None:
    """Queue an e-mail, one for each recipient. ``more`` are further columns of Email."""
    outbox.queue_emails(
        outbox.compose(subject, text, recipient=recipient, **more) for recipient in recipients
    )


def _link(link: Link, store: Store, prefix: str) -> dict[str, str]:
    """Return the columns of an e-mail's button."""
    words, page, query = link.value
    path = _path(page, store, *([prefix] if link.is_of_key else []))
    return {"link_text": words, "link_path": f"{path}{query}"}


def _path(page: str, store: Store, *more: str) -> str:
    """Return the path of one of the store's pages."""
    return reverse(f"apikeys:{page}", args=[store.pk, *more])
