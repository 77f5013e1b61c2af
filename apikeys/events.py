"""The table of events: what the audit log says of each, which owners are told by e-mail, and what they read.

To add an event, add its name to Event and its row to EVENTS. What is kept of an event are its details, as
data; sentences are made of them when they are read.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from django.db import models

from apikeys import client_ip

Details = Mapping[str, Any]


class Event(models.TextChoices):
    """An event that the audit log keeps."""

    CREATED = "created", "Created"
    UPDATED = "updated", "Updated"
    ROLLED = "rolled", "Rolled"
    RENEWED = "renewed", "Renewed itself"
    REUSED = "reused", "Used after it was replaced"
    DEACTIVATED = "deactivated", "Deactivated"
    REACTIVATED = "reactivated", "Reactivated"
    LEAKED = "leaked", "Reported as leaked"
    EXPOSED = "exposed", "Sent without HTTPS"
    DELETED = "deleted", "Deleted"
    SUSPENDED = "suspended", "All keys suspended"
    RESUMED = "resumed", "All keys resumed"
    OWNERS_CHANGED = "owners", "Owners changed"
    TRUSTED = "trusted", "Workload trusted"
    TRUST_CHANGED = "trust_edit", "Trust changed"
    TRUST_PAUSED = "trust_pause", "Trust paused"
    TRUST_RESUMED = "trust_start", "Trust resumed"
    TRUST_DELETED = "trust_end", "Trust deleted"
    EXCHANGED = "exchanged", "Token exchanged"


class Told(Enum):
    """Which owners of the store are told of an event. What is told cannot be switched off."""

    NOBODY = 0
    OWNERS = 1
    OTHERS = 2  # all but the one who did it


class Link(Enum):
    """The one button of an e-mail: its words, and the page of the key or the store that it opens."""

    KEY = "Open the key's page", "detail"
    LIST = "Open the API Key Settings page", "list"
    NEW = "Create a new key", "new"
    TRUSTS = "Open the trusted workloads", "trusts"


NOT_YOU = "If this was not you or somebody you trust, "


@dataclass(frozen=True, slots=True)
class EventType:
    """The sentences about an event, and the people who are told.

    ``describe`` makes the sentence of the details, which have ``by_person`` besides. ``subject`` is the
    e-mail's about one ``{key}`` or the ``{store}``, ``several`` that about the ``{keys}`` that one
    confirmation changed. ``is_told`` narrows ``told`` down by the details. ``advice`` says what to do.
    """

    describe: Callable[[Details], str]
    told: Told = Told.NOBODY
    is_told: Callable[[Details], bool] = lambda details: True
    subject: str = ""
    several: str = ""
    advice: str = ""
    link: Link = Link.KEY


def describe(event: str, details: Details, *, by_person: bool) -> str:
    """Return what was done, in one or more sentences.

    Entries from before there was an audit log keep the sentence that was written then.
    """
    return str(details.get("sentence") or EVENTS[Event(event)].describe({**details, "by_person": by_person}))


def lets_more_in(details: Details) -> bool:
    """Whether a change of a key lets it do more, from more addresses or for longer."""
    changes = {column: (change["from"], change["to"]) for column, change in details.items()}
    if access := changes.get("access"):
        before, after = access
        if set(after) - set(before):
            return True
    if addresses := changes.get("allowed_addresses"):
        before, after = addresses
        if not client_ip.are_within(after, before):
            return True
    if renewal := changes.get("renews_days"):
        before, after = renewal
        if after and not before:
            return True
    if expiry := changes.get("expires_at"):
        before, after = expiry
        return before is not None and (
            after is None or datetime.fromisoformat(after) > datetime.fromisoformat(before)
        )
    return False


def _describe_creation(details: Details) -> str:
    if predecessor := details.get("predecessor"):
        return f"Created by rolling {predecessor}."
    if details.get("canary"):
        return "Created as a canary: it is off for good, and any use of it is an alarm."
    return f"Created with {', '.join(details.get('access', ()))}."


def _describe_update(details: Details) -> str:
    if fence := details.get("fence"):
        what = "Fenced to what it used." if fence["to"] else "Fence taken away."
        return f"{what} {_describe_changes(details)}"
    if watched := details.get("is_rhythm_watched"):
        return f"Owners are {'' if watched['to'] else 'no longer '}told when it falls silent."
    return _describe_changes(details)


def _describe_changes(details: Details) -> str:
    sentences = []
    if name := details.get("name"):
        sentences.append(f"Renamed from “{name['from']}” to “{name['to']}”.")
    if access := details.get("access"):
        if added := [scope for scope in access["to"] if scope not in access["from"]]:
            sentences.append(f"Added {', '.join(added)}.")
        if removed := [scope for scope in access["from"] if scope not in access["to"]]:
            sentences.append(f"Removed {', '.join(removed)}.")
    if places := details.get("allowed_addresses"):
        before, after = (", ".join(places[side]) or "any" for side in ("from", "to"))
        sentences.append(f"Allowed addresses changed from {before} to {after}.")
    if expiry := details.get("expires_at"):
        before, after = (_moment(expiry[side]) for side in ("from", "to"))
        sentences.append(f"Expiry changed from {before} to {after}.")
    if days := details.get("renews_days"):
        sentences.append(
            f"May renew itself, for {days['to']} days each time."
            if days["to"]
            else "No longer renews itself."
        )
    if limit := details.get("rate_limit"):
        before, after = (_limit(limit[side]) for side in ("from", "to"))
        sentences.append(f"Limit changed from {before} to {after}.")
    if "note" in details:
        sentences.append("Note changed.")
    return " ".join(sentences)


def _describe_roll(details: Details) -> str:
    return f"Rolled: replaced by {details['successor']}, works until {_moment(details['works_until'])}."


def _describe_deactivation(details: Details) -> str:
    until = details.get("until")
    return f"Deactivated until {_moment(until)}." if until else "Deactivated."


def _describe_leak(details: Details) -> str:
    if maker := details.get("maker"):
        return f"Deactivated for good: made with {maker}, which leaked."
    finder = "an operator" if details["by_person"] else "somebody who had it"
    return f"Deactivated for good: reported as leaked by {finder}."


def _describe_owners(details: Details) -> str:
    named = (("Added", details["added"]), ("Removed", details["removed"]))
    return " ".join(
        f"{verb} {', '.join(people)} as owner{'s' * (len(people) > 1)}." for verb, people in named if people
    )


def _describe_trust(details: Details) -> str:
    claims = ", ".join(f"{name} {value}" for name, value in details["claims"].items())
    return (
        f"Trusted the workload “{details['trust_name']}” of {details['issuer']} ({claims}) with "
        f"{', '.join(details['access'])}."
    )


def _describe_trust_changes(details: Details) -> str:
    named = ", ".join(name.replace("_", " ") for name in details if not name.startswith("trust"))
    return f"Changed the trust “{details['trust_name']}”: {named}. Its keys were ended."


def _moment(text: str | None) -> str:
    return f"{datetime.fromisoformat(text):%-d %b %Y, %H:%M} UTC" if text else "no expiry"


def _limit(requests: int | None) -> str:
    return f"{requests} requests a minute" if requests else "the default"


EVENTS = {
    Event.CREATED: EventType(
        _describe_creation,
        told=Told.OWNERS,
        subject="API key {key} was created: {name}",
        several="{keys} API keys of {store} were created",
        advice=f"{NOT_YOU}deactivate the key and change your password.",
    ),
    Event.UPDATED: EventType(
        _describe_update,
        told=Told.OWNERS,
        is_told=lets_more_in,
        subject="API key {key} was given more access: {name}",
        several="{keys} API keys of {store} were given more access",
        advice=f"{NOT_YOU}deactivate the key and change your password.",
    ),
    Event.ROLLED: EventType(
        _describe_roll,
        told=Told.OWNERS,
        subject="API key {key} was rolled: {name}",
        several="{keys} API keys of {store} were rolled",
        advice=f"{NOT_YOU}deactivate both keys and change your password.",
    ),
    Event.RENEWED: EventType(lambda details: f"Renewed itself: replaced by {details['successor']}."),
    Event.REUSED: EventType(
        lambda details: (
            "Refused: used by somebody who does not have the key that replaced it, so two programs hold it."
        ),
        told=Told.OWNERS,
        subject="API key {key} was used after it was replaced: {name}",
        several="{keys} API keys of {store} were used after they were replaced",
        advice=(
            "If two of your programs share the key, give each its own. If not, somebody has stolen it: "
            "deactivate the key that replaced it, and look at what both did."
        ),
    ),
    Event.DEACTIVATED: EventType(
        _describe_deactivation,
        told=Told.OTHERS,
        subject="API key {key} was deactivated: {name}",
        several="{keys} API keys of {store} were deactivated",
        advice="Every request with it is refused. If it should work, reactivate it on its page.",
    ),
    Event.REACTIVATED: EventType(
        lambda details: "Reactivated.",
        told=Told.OWNERS,
        subject="API key {key} was reactivated: {name}",
        several="{keys} API keys of {store} were reactivated",
        advice=f"{NOT_YOU}deactivate it again and change your password.",
    ),
    Event.LEAKED: EventType(
        _describe_leak,
        told=Told.OWNERS,
        subject="API key {key} was deactivated, because it leaked: {name}",
        several="{keys} API keys of {store} were deactivated, because they leaked",
        advice="Find out where it was published, create a new key, and put it where the old one was used.",
        link=Link.NEW,
    ),
    Event.EXPOSED: EventType(
        lambda details: "Sent over plain HTTP, where others can read it. Roll it.",
        told=Told.OWNERS,
        subject="API key {key} was sent without HTTPS: {name}",
        several="{keys} API keys of {store} were sent without HTTPS",
        advice="Let your program call https:// addresses, then roll the key.",
    ),
    Event.DELETED: EventType(
        lambda details: "Deleted.",
        told=Told.OWNERS,
        subject="API key {key} was deleted: {name}",
        several="{keys} API keys of {store} were deleted",
        advice=f"{NOT_YOU}change your password, and create a new key.",
        link=Link.LIST,
    ),
    Event.SUSPENDED: EventType(
        lambda details: f"Suspended all API keys: {details.get('reason', '')}",
        told=Told.OWNERS,
        subject="All API keys of {store} are suspended",
        advice=(
            "Every request with one is refused, and no key can be created, until the suspension is lifted. "
            "Then those keys work again that worked before."
        ),
        link=Link.LIST,
    ),
    Event.RESUMED: EventType(
        lambda details: "Resumed all API keys.",
        told=Told.OWNERS,
        subject="The API keys of {store} are no longer suspended",
        advice="Keys that worked before work again. Those that were deactivated, or have expired, do not.",
        link=Link.LIST,
    ),
    Event.TRUSTED: EventType(
        _describe_trust,
        told=Told.OWNERS,
        subject="A workload is trusted with API keys of {store}",
        advice=f"{NOT_YOU}delete the trust and change your password.",
        link=Link.TRUSTS,
    ),
    Event.TRUST_CHANGED: EventType(
        _describe_trust_changes,
        told=Told.OWNERS,
        subject="A trust of {store} has changed",
        advice=f"{NOT_YOU}delete the trust and change your password.",
        link=Link.TRUSTS,
    ),
    Event.TRUST_PAUSED: EventType(
        lambda details: f"Paused the trust “{details['trust_name']}” and ended its keys.",
        told=Told.OTHERS,
        subject="A trust of {store} is paused",
        advice="Its workload gets no key until somebody resumes it.",
        link=Link.TRUSTS,
    ),
    Event.TRUST_RESUMED: EventType(
        lambda details: f"Resumed the trust “{details['trust_name']}”.",
        told=Told.OWNERS,
        subject="A trust of {store} is resumed",
        advice=f"{NOT_YOU}pause it again and change your password.",
        link=Link.TRUSTS,
    ),
    Event.TRUST_DELETED: EventType(
        lambda details: f"Deleted the trust “{details['trust_name']}” with its keys.",
        told=Told.OWNERS,
        subject="A trust of {store} was deleted",
        advice=f"{NOT_YOU}change your password.",
        link=Link.TRUSTS,
    ),
    Event.EXCHANGED: EventType(
        lambda details: f"Created by the trust “{details['trust_name']}” for {details['run']}.",
    ),
    Event.OWNERS_CHANGED: EventType(
        _describe_owners,
        told=Told.OWNERS,
        subject="The owners of {store} have changed",
        advice=(
            "A store's owners can see and change its API keys. If you did not expect this, tell whoever runs "
            "the site."
        ),
        link=Link.LIST,
    ),
}
