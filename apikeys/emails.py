"""E-mails to a store's owners: who is told, and the text. They name a key's prefix, never the key.

Which events owners are told of is in ``apikeys.events``; this module composes what the table says.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from django.conf import settings
from django.urls import reverse

from apikeys import outbox
from apikeys.events import EVENTS, Event, Link, Told
from apikeys.formats import exact_time
from apikeys.models import ApiKey, AuditEntry, Notification, NotificationSettings, Refusal, Reminder
from stores.models import Store

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from apikeys.models.state import AttentionLine

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
    kind = EVENTS[Event(first.event)]
    template = kind.several if len(entries) > 1 else kind.subject
    subject = template.format(key=first.prefix, name=first.name, store=store, keys=len(entries))
    sentence = first.sentence if len(entries) == 1 else "\n".join(map(str, entries[:MAX_NAMED_KEYS]))
    if more := len(entries[MAX_NAMED_KEYS:]):
        sentence += f"\nand {more} more"
    text = _text(sentence, _facts_of(entries), kind.advice)
    recipients = NotificationSettings.objects.recipients(store, None)
    if kind.told is Told.OTHERS:
        recipients = recipients.exclude(pk=first.actor_id or 0)
    link_text, page = (Link.LIST if kind.link is Link.KEY and len(entries) > 1 else kind.link).value
    prefix = [first.prefix] if page == Link.KEY.value[1] else []
    _queue(store, subject, text, recipients, link=(link_text, _path(page, store, *prefix)))
    _queue(store, subject, text, [user for user in former_owners if user.email], link=("", ""))


def send_expiry_reminder(key: ApiKey, kind: Reminder.Kind) -> None:
    """Queue an e-mail about a key that expires soon, or that has expired and is still called."""
    is_over = kind == Reminder.Kind.STILL_CALLED
    last_use = getattr(key, "last_use", None)
    facts = [("Expired" if is_over else "Expires", _moment(key.expires_at))]
    if last_use:
        place = f" from {last_use.address}" if last_use.address else ""
        facts.append(("Last request", f"{exact_time(last_use.at)}{place}"))
    link = ("Extend the key", f"{_path('edit', key.store, key.prefix)}?extend")
    if not is_over:
        subject = f"API key {key.prefix} expires soon: {key.name}"
        sentence = f"An API key of {key.store} expires soon. From then on every request with it is refused."
        advice = "If the key is still needed, extend it. If not, there is nothing to do."
    else:
        subject = f"API key {key.prefix} has expired and is still called: {key.name}"
        sentence = f"An API key of {key.store} has expired, and a program calls with it. It is refused."
        advice = (
            "If the program is yours, extend the key, or give the program a new one. If you do not know it, "
            "delete the key."
        )
    if key.superseded_at:
        advice = "The key was rolled: give the program the key that replaces it."
        link = (Link.KEY.value[0], _path("detail", key.store, key.prefix))
    text = _text(sentence, [("Key", str(key)), *facts], advice)
    _queue_optional(key.store, subject, text, Notification.EXPIRY, link=link)


def send_new_network(key: ApiKey, *, network: str, address: str, at: datetime) -> None:
    """Tell the owners who asked for it, at most once a day for each key."""
    if not NotificationSettings.objects.recipients(key.store, Notification.NEW_NETWORK).exists():
        return
    day = at.replace(hour=0, minute=0, second=0, microsecond=0)
    if Reminder.objects.claim(key, Reminder.Kind.NEW_NETWORK, day):
        _queue_optional(
            key.store,
            f"API key {key.prefix} was used from a new network: {key.name}",
            _text(
                f"An API key of {key.store} was used from a network that it was never used from.",
                [
                    ("Key", str(key)),
                    ("Address", f"{address} (network {network})"),
                    ("When", exact_time(at)),
                ],
                "If you do not know who that is, roll or deactivate the key, or limit it to the addresses of "
                "your own servers.",
            ),
            Notification.NEW_NETWORK,
            link=(Link.KEY.value[0], _path("detail", key.store, key.prefix)),
        )


def send_canary_used(key: ApiKey, what: str, *, address: str, client: str, at: datetime) -> None:
    """Queue an e-mail about the use of a key that was made to be found. It cannot be switched off."""
    store = key.store
    text = _text(
        f"Somebody tried a canary key of {store}. It is off and was refused: whoever has it found it where "
        "you put it.",
        [
            ("Canary", str(key)),
            ("Where it was put", key.note or "not noted"),
            ("Request", what),
            ("From", address or "not known"),
            ("With", client or "not known"),
            ("When", exact_time(at)),
        ],
        "Find out who can read the place where it was, and replace all else that is secret there.",
    )
    subject = f"Canary key {key.prefix} was used: {key.name}"
    link = (Link.KEY.value[0], _path("detail", store, key.prefix))
    _queue(store, subject, text, NotificationSettings.objects.recipients(store, None), link=link)


def send_fence_refused(key: ApiKey, refusals: "Iterable[Refusal]") -> None:
    """Queue an e-mail about what a new fence refuses."""
    lines = [
        f"- {refusal.requests} × {refusal.scope or refusal.address or 'further addresses'}, "
        f"{refusal.client or 'client not known'}, last {exact_time(refusal.last_at)}"
        for refusal in refusals
    ]
    if lines:
        _queue_optional(
            key.store,
            f"API key {key.prefix} was refused by its fence: {key.name}",
            _text(
                "\n".join(["The fence around an API key refused these requests:", *lines]),
                [("Key", str(key)), ("Store", str(key.store)), ("Fenced", _moment(key.fenced_at))],
                "Let in what is yours on the key's page, or leave it refused. The fence can be taken away in "
                "one click.",
            ),
            Notification.FENCE,
            link=(Link.KEY.value[0], _path("detail", key.store, key.prefix)),
        )


def send_rhythm(key: ApiKey, *, since: datetime | None) -> None:
    """Queue an e-mail about a key that fell silent ``since`` then, or is used again where that is None."""
    if since:
        subject = f"API key {key.prefix} has fallen silent: {key.name}"
        sentence = (
            f"An API key of {key.store} is used regularly, and now no request has come where one should."
        )
        advice = "Look whether the program that uses it still runs. We write again when it is back."
    else:
        subject = f"API key {key.prefix} is used again: {key.name}"
        sentence = f"An API key of {key.store} that had fallen silent is used again."
        advice = "There is nothing to do."
    last_use = since or key.last_use.at
    _queue_optional(
        key.store,
        subject,
        _text(sentence, [("Key", str(key)), ("Last request", exact_time(last_use))], advice),
        Notification.RHYTHM,
        link=(Link.KEY.value[0], _path("detail", key.store, key.prefix)),
    )


def send_moves(key: ApiKey, callers: Sequence[str], *, is_over: bool) -> None:
    """Queue an e-mail about a rolled key: all its callers have moved, or these have not and it ends soon."""
    if is_over:
        subject = f"All programs have moved from API key {key.prefix}: {key.name}"
        sentence = f"Every program that called {key.store} with the old key has moved to the new one:"
        advice = "End the old key now, on its page: nobody needs it any more."
    else:
        subject = f"API key {key.prefix} ends soon and is still called: {key.name}"
        sentence = "An old key ends within six hours, and these programs still call with it:"
        advice = "Give them the new key, or let the old one work for one more day, on its page."
    _queue_optional(
        key.store,
        subject,
        _text(
            "\n".join([sentence, *(f"- {caller}" for caller in callers)]),
            [("Old key", str(key)), ("Ends", _moment(key.expires_at))],
            advice,
        ),
        Notification.ROLL,
        link=(Link.KEY.value[0], _path("detail", key.store, key.prefix)),
    )


def send_monthly_review(store: Store, owner: "User", lines: "Iterable[AttentionLine]") -> None:
    """Queue an e-mail to one owner that names the states of keys to look at, each with its list."""
    listed = [
        f"- {line}:\n  {settings.SITE_URL}{_path('list', store)}?status={line.state.name}" for line in lines
    ]
    _queue_optional(
        store,
        f"API keys of {store} to look at",
        "\n\n".join(
            (
                f"These API keys of {store} can probably do with less, or are not needed any more:",
                *listed,
                "Deactivate what nobody uses, and remove access that no request needs.",
            )
        ),
        Notification.MONTHLY_REVIEW,
        link=(Link.LIST.value[0], _path("list", store)),
        recipients=[owner],
    )


def _is_told(entry: AuditEntry) -> bool:
    kind = EVENTS[Event(entry.event)]
    return kind.told is not Told.NOBODY and kind.is_told(entry.details)


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
    if key and key.is_deactivated_for_good():
        facts.append(("Access now", "none: every request with it is refused"))
    elif key:
        facts += [
            ("Access now", ", ".join(key.access)),
            ("Expires", _moment(key.expires_at)),
            ("Addresses", ", ".join(key.allowed_addresses) or "any"),
        ]
    return [fact for fact in facts if fact[1]]


def _moment(at: datetime | None) -> str:
    return exact_time(at) if at else "never"


def _text(sentence: str, facts: Facts, advice: str) -> str:
    return "\n\n".join((sentence, "\n".join(f"{label}: {value}" for label, value in facts), advice))


def _queue_optional(
    store: Store,
    subject: str,
    text: str,
    notification: Notification,
    *,
    link: tuple[str, str],
    recipients: "Iterable[User] | None" = None,
) -> None:
    """Queue an e-mail to the owners who want this kind, or to ``recipients``, with a way to switch it off."""
    if recipients is None:
        recipients = NotificationSettings.objects.recipients(store, notification)
    _queue(store, subject, text, recipients, link=link, unsubscribe_path=_path("notifications", store))


def _queue(
    store: Store,
    subject: str,
    text: str,
    recipients: "Iterable[User]",
    *,
    link: tuple[str, str],
    unsubscribe_path: str = "",
) -> None:
    """Queue an e-mail, one for each recipient. ``link`` is the button's words and its path."""
    link_text, link_path = link
    outbox.queue_emails(
        outbox.compose(
            subject,
            text,
            recipient=recipient,
            link_text=link_text,
            link_path=link_path,
            unsubscribe_path=unsubscribe_path,
        )
        for recipient in recipients
    )


def _path(page: str, store: Store, *more: str) -> str:
    """Return the path of one of the store's pages."""
    return reverse(f"apikeys:{page}", args=[store.pk, *more])
