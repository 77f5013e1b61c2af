"""What was done to a key, by whom and when, in words, kept in Django's own ``LogEntry``.

Operators read the same lines in the admin. Where no person acted, the account called ``reflow`` did.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, Q, QuerySet, TextField
from django.db.models.functions import Cast

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from apikeys.models.key import ApiKey
    from apikeys.models.suspension import Suspension
    from stores.models import Store


ALL_KEYS = "All keys of the store"


def of(thing: "ApiKey | Store") -> QuerySet[LogEntry]:
    """The lines about a key or a store, newest first, each with its ``user``."""
    return _newest_first(Q(content_type=_type_of(type(thing)), object_id=str(thing.pk)))


def of_all_keys(store: "Store") -> QuerySet[LogEntry]:
    """The same of a store and each of its keys. What befell all of them at once is there once."""
    keys = store.api_keys.annotate(text=Cast("pk", TextField())).values("text")
    about_keys = _newest_first(Q(content_type=_type_of(store.api_keys.model), object_id__in=keys))
    about_each = about_keys.exclude(change_message__startswith=ALL_KEYS)
    # Not one condition or the other, for which PostgreSQL would look through the whole log.
    both = about_each.order_by().union(of(store).order_by(), all=True)
    return both.order_by("-action_time", "-id")


def of_prefix(prefix: str) -> QuerySet[LogEntry]:
    """The same of the key that has this prefix, or had it: lines outlive their key."""
    key_type = ContentType.objects.get(app_label="apikeys", model="apikey")
    return _newest_first(Q(content_type=key_type, object_repr__endswith=f"({prefix})"))


def _newest_first(condition: Q) -> QuerySet[LogEntry]:
    return LogEntry.objects.filter(condition).select_related("user").order_by("-action_time", "-pk")


def _type_of(model: type[Model]) -> ContentType:
    return ContentType.objects.get_for_model(model)


def created(key: "ApiKey", by: "User | None") -> None:
    _record(key, by, ADDITION, f"Created with {', '.join(key.access)}.")


def changed(key: "ApiKey", by: "User", changes: list[str]) -> None:
    _record(key, by, CHANGE, " ".join(changes))


def deactivated(key: "ApiKey", by: "User") -> None:
    until = f" until {_moment(key.reactivates_at)}" if key.reactivates_at else ""
    _record(key, by, CHANGE, f"Deactivated{until}.")


def reactivated(key: "ApiKey", by: "User") -> None:
    _record(key, by, CHANGE, "Reactivated.")


def rolled(key: "ApiKey", successor: "ApiKey", by: "User") -> None:
    until = _moment(key.expires_at)
    _record(key, by, CHANGE, f"Rolled: replaced by {successor.prefix}, works until {until}.")
    _record(successor, by, ADDITION, f"Created by rolling {key.prefix}.")


def leaked(key: "ApiKey", by: "User | None") -> None:
    how = "an operator found that it had leaked" if by else "somebody else had the key and handed it in"
    _record(key, by, CHANGE, f"Deactivated: {how}.")


def deleted(key: "ApiKey", by: "User") -> None:
    _record(key, by, DELETION, "Deleted.")
    # The store's history keeps what can no longer be looked up by the key.
    _record(key.store, by, CHANGE, f"Deleted the API key {key}.")


def suspended(suspension: "Suspension", keys: "Iterable[ApiKey]") -> None:
    reason = suspension.reason
    _record(suspension.store, suspension.by, CHANGE, f"Suspended all API keys: {reason}")
    _record_each(keys, suspension.by, CHANGE, f"{ALL_KEYS} were suspended: {reason}")


def resumed(suspension: "Suspension", keys: "Iterable[ApiKey]", by: "User | None") -> None:
    _record(suspension.store, by, CHANGE, "Resumed all API keys.")
    _record_each(keys, by, CHANGE, f"{ALL_KEYS} were resumed.")


def changes(before: "ApiKey", after: "ApiKey") -> list[str]:
    """What tells two states of a key apart, a sentence each."""
    sentences = []
    if before.name != after.name:
        sentences.append(f"Renamed from “{before.name}” to “{after.name}”.")
    if gained := [scope for scope in after.access if scope not in before.access]:
        sentences.append(f"Widened access: gained {', '.join(gained)}.")
    if lost := [scope for scope in before.access if scope not in after.access]:
        sentences.append(f"Narrowed access: lost {', '.join(lost)}.")
    if before.allowed_addresses != after.allowed_addresses:
        was, now = (", ".join(key.allowed_addresses) or "anywhere" for key in (before, after))
        sentences.append(f"Moved where it works from {was} to {now}.")
    if before.expires_at != after.expires_at:
        sentences.append(
            f"Moved the expiry from {_moment(before.expires_at)} to {_moment(after.expires_at)}."
        )
    if before.rate_limit != after.rate_limit:
        was, now = (_limit(key.rate_limit) for key in (before, after))
        sentences.append(f"Moved the limit from {was} to {now}.")
    return sentences


def _moment(at: datetime | None) -> str:
    return f"{at:%-d %B %Y, %H:%M} UTC" if at else "never"


def _limit(requests: int | None) -> str:
    return f"{requests} requests a minute" if requests else "that of any key"


def _record(thing: Model, by: "User | None", flag: int, message: str) -> None:
    _record_each([thing], by, flag, message)


def _record_each(things: Iterable[Model], by: "User | None", flag: int, message: str) -> None:
    user = by or the_site_itself()
    LogEntry.objects.bulk_create(
        (
            LogEntry(
                user=user,
                content_type=_type_of(type(thing)),
                object_id=str(thing.pk),
                object_repr=str(thing)[:200],
                action_flag=flag,
                change_message=message,
            )
            for thing in things
        ),
        batch_size=1_000,
    )


def the_site_itself() -> "User":
    """The account in whose name things happen that no person did. Nobody can sign in to it."""
    site, is_new = get_user_model().objects.get_or_create(username="reflow", defaults={"is_active": False})
    if is_new:
        site.set_unusable_password()
        site.save(update_fields=["password"])
    return site
