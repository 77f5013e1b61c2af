"""What a store's owners are told by e-mail. Letters name the prefix, never the key, and say what to do."""

from typing import Any

from django.template.loader import render_to_string
from django.urls import reverse

from apikeys import letters
from apikeys.actors import Actor
from apikeys.models import ApiKey, Suspension
from stores.models import Store


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
    store: Store, subject: str, template: str, context: dict[str, Any], *, link: tuple[str, str]
) -> None:
    """Queue a letter to each owner of the store who has an address. ``link`` is its text and its path."""
    text = render_to_string(f"apikeys/mail/{template}.txt", {"store": store, **context})
    link_text, link_path = link
    letters.queue_letters(
        letters.compose(subject, text, recipient=owner, link_text=link_text, link_path=link_path)
        for owner in store.owners.exclude(email="")
    )


def _path(page: str, store: Store, *more: str) -> str:
    """Return the path of one of the store's pages."""
    return reverse(f"apikeys:{page}", args=[store.pk, *more])
