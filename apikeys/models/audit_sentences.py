"""Audit log entries as sentences. They are made when an entry is read; what is kept is data."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

Details = Mapping[str, Any]

# Of events that have nothing to tell besides.
SENTENCES = {
    "reactivated": "Reactivated.",
    "exposed": "Sent over plain HTTP, where others can read it. Roll it.",
    "deleted": "Deleted.",
    "resumed": "Resumed all API keys.",
}


def describe(event: str, details: Details, *, by_person: bool) -> str:
    """Return what was done, in one or more sentences.

    ``details`` are those of the entry. Entries from before there was an audit log keep the sentence that
    was written then.
    """
    if sentence := details.get("sentence"):
        return str(sentence)
    match event:
        case "created":
            return _describe_creation(details)
        case "updated":
            return " ".join(_describe_changes(details))
        case "rolled":
            return (
                f"Rolled: replaced by {details['successor']}, works until {_moment(details['works_until'])}."
            )
        case "deactivated":
            until = details.get("until")
            return f"Deactivated until {_moment(until)}." if until else "Deactivated."
        case "leaked":
            finder = "an operator" if by_person else "somebody who had it"
            return f"Deactivated for good: reported as leaked by {finder}."
        case "suspended":
            return f"Suspended all API keys: {details.get('reason', '')}"
        case "owners":
            return " ".join(_describe_owners(details))
        case _:
            return SENTENCES[event]


def _describe_creation(details: Details) -> str:
    if predecessor := details.get("predecessor"):
        return f"Created by rolling {predecessor}."
    return f"Created with {', '.join(details.get('access', ()))}."


def _describe_owners(details: Details) -> list[str]:
    named = (("Added", details["added"]), ("Removed", details["removed"]))
    return [
        f"{what} {', '.join(people)} as owner{'s' * (len(people) > 1)}." for what, people in named if people
    ]


def _describe_changes(details: Details) -> list[str]:
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
    if limit := details.get("rate_limit"):
        before, after = (_limit(limit[side]) for side in ("from", "to"))
        sentences.append(f"Limit changed from {before} to {after}.")
    if "note" in details:
        sentences.append("Note changed.")
    return sentences


def _moment(text: str | None) -> str:
    return f"{datetime.fromisoformat(text):%-d %b %Y, %H:%M} UTC" if text else "no expiry"


def _limit(requests: int | None) -> str:
    return f"{requests} requests a minute" if requests else "the default"
