"""All that owners are told by e-mail, one row each: Event what somebody did to keys, Notice what was noticed.

A row of Event is also what the audit log says. To add an event or a notice, add its row, and make the
migration that lets it into the database. What is kept of an event are its details, as data; sentences are
made of them when they are read.
"""

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, Self

from django.db import models

from apikeys import client_ip
from apikeys.formats import exact_time

Details = Mapping[str, Any]


# The notices that owners can switch off: columns of NotificationSettings.
Notification = Literal["expiry", "new_network", "monthly_review", "fence", "rhythm", "roll"]


class Link(enum.Enum):
    """The one button of an e-mail: its words, the page that it opens, and what follows in the address."""

    KEY = "Open the key's page", "detail", ""
    REFUSALS = "Let in or leave refused", "detail", "#refusals"
    EXTEND = "Extend the key", "edit", "?extend"
    INCIDENT = "Open the incident sheet", "incident", ""
    LIST = "Open the API Key Settings page", "list", ""
    NEW = "Create a new key", "new", ""
    TRUSTS = "Open the trusted workloads", "trusts", ""

    @property
    def is_of_key(self) -> bool:
        """Whether the page is that of one key, not of its store."""
        return self in {Link.KEY, Link.REFUSALS, Link.EXTEND, Link.INCIDENT}


NOT_YOU = "If this was not you or somebody you trust, "


@dataclass(frozen=True, slots=True)
class EventType:
    """The sentences about an event, and the people who are told.

    ``describe`` makes the sentence of the details, which have ``by_person`` besides. ``done`` is said of one
    key or several in the e-mail's subject, and ``subject`` is that of an event of the whole ``{store}``.
    ``is_told`` says by the details whether owners are told, and ``is_actor_told`` whether the one who did it
    is, too: what is told cannot be switched off. ``advice`` says what to do.
    """

    value: str
    label: str
    describe: Callable[[Details], str]
    is_told: Callable[[Details], bool] = lambda details: True
    is_actor_told: bool = True
    done: str = ""
    subject: str = ""
    advice: str = ""
    link: Link = Link.KEY


# What a change of these columns lets more in by, from one value to another.
WIDENS: dict[str, Callable[[Any, Any], bool]] = {
    "access": lambda before, after: not set(after) <= set(before),
    "allowed_addresses": lambda before, after: not client_ip.are_within(after, before),
    "renews_days": lambda before, after: bool(after and not before),
    "expires_at": lambda before, after: (
        before is not None
        and (after is None or datetime.fromisoformat(after) > datetime.fromisoformat(before))
    ),
}


def lets_more_in(details: Details) -> bool:
    """Whether a change of a key lets it do more, from more addresses or for longer."""
    return any(
        widens(details[column]["from"], details[column]["to"])
        for column, widens in WIDENS.items()
        if column in details
    )


def _describe_creation(details: Details) -> str:
    if predecessor := details.get("predecessor"):
        is_renewed = details.get("renewed")
        return (
            f"Created: {predecessor} renewed itself." if is_renewed else f"Created by rolling {predecessor}."
        )
    if details.get("canary"):
        return "Created as a canary: it is off for good, and any use of it is an alarm."
    return f"Created with {', '.join(details.get('access', ()))}."


def _describe_access(before: list[str], after: list[str]) -> str:
    added = ", ".join(scope for scope in after if scope not in before)
    removed = ", ".join(scope for scope in before if scope not in after)
    return " ".join(
        f"{verb} {scopes}." for verb, scopes in (("Added", added), ("Removed", removed)) if scopes
    )


# What is said of a change of these columns, from one value to another, in the order of the sentences.
CHANGES: dict[str, Callable[[Any, Any], str]] = {
    "fence": lambda before, after: "Fenced to what it used." if after else "Fence taken away.",
    "is_rhythm_watched": lambda before, after: (
        f"Owners are {'' if after else 'no longer '}told when it falls silent."
    ),
    "name": lambda before, after: f"Renamed from “{before}” to “{after}”.",
    "access": _describe_access,
    "allowed_addresses": lambda before, after: (
        f"Allowed addresses changed from {', '.join(before) or 'any'} to {', '.join(after) or 'any'}."
    ),
    "expires_at": lambda before, after: f"Expiry changed from {_moment(before)} to {_moment(after)}.",
    "renews_days": lambda before, after: (
        f"May renew itself, for {after} days each time." if after else "No longer renews itself."
    ),
    "rate_limit": lambda before, after: f"Limit changed from {_limit(before)} to {_limit(after)}.",
    "note": lambda before, after: "Note changed.",
}


def _describe_update(details: Details) -> str:
    changed = ((say, details[column]) for column, say in CHANGES.items() if column in details)
    return " ".join(say(change["from"], change["to"]) for say, change in changed)


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
    changes = (name for name, change in details.items() if isinstance(change, dict))
    named = ", ".join(name.replace("_", " ") for name in changes)
    return f"Changed the trust “{details['trust_name']}”: {named}. Its keys were ended."


def _moment(text: str | None) -> str:
    return exact_time(datetime.fromisoformat(text)) if text else "no expiry"


def _limit(requests: int | None) -> str:
    return f"{requests} requests a minute" if requests else "the default"


class Table(models.TextChoices):
    """Choices that are made of a table's rows, each with the ``value`` in the database and its ``label``."""

    row: Any

    # Any also stands for the value that Event("created") looks up, which a type checker takes for this call.
    def __new__(cls, row: Any) -> Self:
        member = str.__new__(cls, row.value)
        member._value_ = row.value
        member.row = row
        return member

    @enum.property
    def label(self) -> str:
        return str(self.row.label)


class Event(Table):
    """An event that the audit log keeps: its value there, its row of this table, and its label."""

    row: EventType

    CREATED = EventType(
        "created",
        "Created",
        _describe_creation,
        done="created",
        advice=f"{NOT_YOU}deactivate the key and change your password.",
    )
    UPDATED = EventType(
        "updated",
        "Updated",
        _describe_update,
        is_told=lets_more_in,
        done="given more access",
        advice=f"{NOT_YOU}deactivate the key and change your password.",
    )
    ROLLED = EventType(
        "rolled",
        "Rolled",
        _describe_roll,
        done="rolled",
        advice=f"{NOT_YOU}deactivate both keys and change your password.",
    )
    RENEWED = EventType(
        "renewed",
        "Renewed itself",
        lambda details: f"Renewed itself: replaced by {details['successor']}.",
        is_told=lambda details: False,
    )
    REUSED = EventType(
        "reused",
        "Used after it was replaced",
        lambda details: (
            "Refused: used by somebody who does not have the key that replaced it, so two programs hold it."
        ),
        done="used after it was replaced",
        advice=(
            "If two of your programs share the key, give each its own. If not, somebody has stolen it: "
            "deactivate the key that replaced it, and look at what both did."
        ),
        link=Link.INCIDENT,
    )
    DEACTIVATED = EventType(
        "deactivated",
        "Deactivated",
        _describe_deactivation,
        is_actor_told=False,
        done="deactivated",
        advice="Every request with it is refused. If it should work, reactivate it on its page.",
    )
    REACTIVATED = EventType(
        "reactivated",
        "Reactivated",
        lambda details: "Reactivated.",
        done="reactivated",
        advice=f"{NOT_YOU}deactivate it again and change your password.",
    )
    LEAKED = EventType(
        "leaked",
        "Reported as leaked",
        _describe_leak,
        done="deactivated because of a leak",
        advice=("Find out where it was published, create a new key, and put it where the old one was used."),
        link=Link.NEW,
    )
    EXPOSED = EventType(
        "exposed",
        "Sent without HTTPS",
        lambda details: "Sent over plain HTTP, where others can read it. Roll it.",
        done="sent without HTTPS",
        advice="Let your program call https:// addresses, then roll the key.",
    )
    DELETED = EventType(
        "deleted",
        "Deleted",
        lambda details: "Deleted.",
        done="deleted",
        advice=f"{NOT_YOU}change your password, and create a new key.",
        link=Link.LIST,
    )
    SUSPENDED = EventType(
        "suspended",
        "All keys suspended",
        lambda details: f"Suspended all API keys: {details.get('reason', '')}",
        subject="All API keys of {store} are suspended",
        advice=(
            "Every request with one is refused, and no key can be created, until the suspension is "
            "lifted. Then those keys work again that worked before."
        ),
        link=Link.LIST,
    )
    RESUMED = EventType(
        "resumed",
        "All keys resumed",
        lambda details: "Resumed all API keys.",
        subject="The API keys of {store} are no longer suspended",
        advice=("Keys that worked before work again. Those that were deactivated, or have expired, do not."),
        link=Link.LIST,
    )
    OWNERS_CHANGED = EventType(
        "owners",
        "Owners changed",
        _describe_owners,
        subject="The owners of {store} have changed",
        advice=(
            "A store's owners can see and change its API keys. If you did not expect this, tell whoever "
            "runs the site."
        ),
        link=Link.LIST,
    )
    TRUSTED = EventType(
        "trusted",
        "Workload trusted",
        _describe_trust,
        subject="A workload is trusted with API keys of {store}",
        advice=f"{NOT_YOU}delete the trust and change your password.",
        link=Link.TRUSTS,
    )
    TRUST_CHANGED = EventType(
        "trust_edit",
        "Trust changed",
        _describe_trust_changes,
        subject="A trust of {store} has changed",
        advice=f"{NOT_YOU}delete the trust and change your password.",
        link=Link.TRUSTS,
    )
    TRUST_PAUSED = EventType(
        "trust_pause",
        "Trust paused",
        lambda details: f"Paused the trust “{details['trust_name']}” and ended its keys.",
        is_actor_told=False,
        subject="A trust of {store} is paused",
        advice="Its workload gets no key until somebody resumes it.",
        link=Link.TRUSTS,
    )
    TRUST_RESUMED = EventType(
        "trust_start",
        "Trust resumed",
        lambda details: f"Resumed the trust “{details['trust_name']}”.",
        subject="A trust of {store} is resumed",
        advice=f"{NOT_YOU}pause it again and change your password.",
        link=Link.TRUSTS,
    )
    TRUST_DELETED = EventType(
        "trust_end",
        "Trust deleted",
        lambda details: f"Deleted the trust “{details['trust_name']}” with its keys.",
        subject="A trust of {store} was deleted",
        advice=f"{NOT_YOU}change your password.",
        link=Link.TRUSTS,
    )
    EXCHANGED = EventType(
        "exchanged",
        "Token exchanged",
        lambda details: f"Created by the trust “{details['trust_name']}” for {details['run']}.",
        is_told=lambda details: False,
    )


@dataclass(frozen=True, slots=True)
class NoticeType:
    """The e-mail about something that nobody did on our pages.

    ``subject`` and ``sentence`` may name the ``{key}``, its ``{name}`` and the ``{store}``; what was noticed
    follows as facts and lines. ``notification`` switches it off, None for what is always told.
    """

    value: str
    label: str
    notification: Notification | None
    subject: str
    sentence: str
    advice: str
    link: Link = Link.KEY


class Notice(Table):
    """A notice to owners: its value in the table of reminders, its row of this table, and its label."""

    row: NoticeType

    WEEK_BEFORE = NoticeType(
        "week_before",
        "A week before it expires",
        "expiry",
        subject="API key {key} expires soon: {name}",
        sentence="An API key of {store} expires soon. From then on every request with it is refused.",
        advice="If the key is still needed, extend it. If not, there is nothing to do.",
        link=Link.EXTEND,
    )
    DAY_BEFORE = replace(WEEK_BEFORE, value="day_before", label="A day before it expires")
    STILL_CALLED = NoticeType(
        "still_called",
        "Expired and still called",
        "expiry",
        subject="API key {key} has expired and is still called: {name}",
        sentence="An API key of {store} has expired, and a program calls with it. It is refused.",
        advice=(
            "If the program is yours, extend the key, or give the program a new one. If you do not know "
            "it, delete the key."
        ),
        link=Link.EXTEND,
    )
    OLD_STILL_CALLED = replace(
        STILL_CALLED,
        value="old_called",
        label="Rolled, expired and still called",
        advice="The key was rolled: give the program the key that replaces it.",
        link=Link.KEY,
    )
    NEW_NETWORK = NoticeType(
        "new_network",
        "Used from a new network",
        "new_network",
        subject="API key {key} was used from a new network: {name}",
        sentence="An API key of {store} was used from a network that it was never used from.",
        advice=(
            "If you do not know who that is, roll or deactivate the key, or limit it to the addresses of "
            "your own servers."
        ),
    )
    CANARY = NoticeType(
        "canary",
        "A canary was used",
        None,
        subject="Canary key {key} was used: {name}",
        sentence=(
            "Somebody tried a canary key of {store}. It is off and was refused: whoever has it found it "
            "where you put it."
        ),
        advice="Find out who can read the place where it was, and replace all else that is secret there.",
        link=Link.INCIDENT,
    )
    FENCE = NoticeType(
        "fence",
        "Refused by a new fence",
        "fence",
        subject="API key {key} was refused by its fence: {name}",
        sentence="The fence around an API key of {store} refused these requests:",
        advice=(
            "Let in what is yours, and leave the rest refused. The fence can be taken away in one click."
        ),
        link=Link.REFUSALS,
    )
    SILENT = NoticeType(
        "silent",
        "Fallen silent",
        "rhythm",
        subject="API key {key} has fallen silent: {name}",
        sentence=(
            "An API key of {store} is used regularly, and now no request has come where one should. This "
            "is judged by the counts of each hour of the last five weeks."
        ),
        advice="Look whether the program that uses it still runs. We write again when it is back.",
    )
    FAILS = NoticeType(
        "fails",
        "Fails where it succeeded",
        "rhythm",
        subject="All requests of API key {key} fail: {name}",
        sentence=(
            "Requests with an API key of {store} succeeded regularly. They still come, and all fail. "
            "This is judged by the counts of each hour of the last five weeks."
        ),
        advice="Look at its requests, on the key's page. We write again when one succeeds.",
    )
    BACK = NoticeType(
        "back",
        "Used again",
        "rhythm",
        subject="API key {key} is used again: {name}",
        sentence="Requests with an API key of {store} succeed again, after none had for a while.",
        advice="There is nothing to do.",
    )
    MOVED = NoticeType(
        "moved",
        "All callers have moved to the new key",
        "roll",
        subject="All programs have moved from API key {key}: {name}",
        sentence="Every program that called {store} with the old key has moved to the new one:",
        advice="End the old key now, on its page: nobody needs it any more.",
    )
    NOT_MOVED = NoticeType(
        "not_moved",
        "Six hours before the old key ends",
        "roll",
        subject="API key {key} ends soon and is still called: {name}",
        sentence=("An old key of {store} ends within six hours, and these programs still call with it:"),
        advice="Give them the new key, or let the old one work for one more day, on its page.",
    )
    REVIEW = NoticeType(
        "review",
        "Monthly review",
        "monthly_review",
        subject="API keys of {store} to look at",
        sentence="These API keys of {store} can probably do with less, or are not needed any more:",
        advice="Deactivate what nobody uses, and remove access that no request needs.",
        link=Link.LIST,
    )
