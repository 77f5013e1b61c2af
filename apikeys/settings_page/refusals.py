"""Why requests were refused or failed, in a sentence for the key's owner, and the one click that mends it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.utils import timezone

from apikeys.error_codes import ERROR_CODES
from apikeys.models import ApiKey, Refusal
from apikeys.usage.periods import Period


@dataclass(frozen=True, slots=True)
class Fix:
    """One click. ``action`` is the last part of an address below the key's.

    A link where there are no fields, else a form of one button, which posts them.
    """

    label: str
    action: str
    fields: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Cause:
    """Why requests ended with a reason. ``is_fixed``: they would not any more."""

    sentence: str
    fix: Fix | None = None
    is_fixed: bool = False


def describe_reason(reason: str | None) -> str:
    """Return an error's code as a sentence for the key's owner; blank for none."""
    if not reason:
        return ""
    return ERROR_CODES[reason].for_owner if reason in ERROR_CODES else "The request failed."


def explain(key: ApiKey | None, refusal: Refusal) -> Cause:
    """Return the cause of a refusal, or of a request that failed; ``key`` is None where it was deleted."""
    sentence = describe_refusal(key, refusal)
    if key is None:
        return Cause(sentence)
    if refusal.is_mended(key, timezone.now()):
        return Cause(sentence, is_fixed=True)
    return Cause(sentence, find_fix(key, refusal))


def describe_refusal(key: ApiKey | None, refusal: Refusal) -> str:
    """Return the sentence of the error's code, or a closer one where more is known."""
    match refusal.reason:
        case "resource_not_allowed" if refusal.scope:
            return f"The key did not have {refusal.scope}."
        case "address_not_allowed" if refusal.address:
            return f"The key does not allow {refusal.address}."
        case "api_key_inactive" if key and key.leaked_at:
            return "The key was reported as leaked, so it is off for good. Create a new one."
        case "api_key_inactive" if key and key.suspended_at:
            return "An operator suspended all keys of the store."
    return describe_reason(refusal.reason)


def find_fix(key: ApiKey, refusal: Refusal) -> Fix | None:
    """Return the click that lets such requests through; none where a change of the key does not."""
    version = ("version", str(key.version))
    # Nobody gives more to a key that is off.
    is_usable = key.is_usable(timezone.now())
    match refusal.reason:
        case "api_key_inactive" if key.is_reactivatable:
            return Fix("Reactivate", "reactivate/")
        case "api_key_expired" if not (key.superseded_at or key.suspended_at):
            return Fix("Extend", "edit/?extend")
        case "resource_not_allowed" if refusal.scope and is_usable:
            access = [("access", scope) for scope in [*key.access, refusal.scope]]
            return Fix(f"Grant {refusal.scope}", "access/", (version, *access))
        case "address_not_allowed" if refusal.address and is_usable:
            addresses = "\n".join([*key.allowed_addresses, refusal.address])
            return Fix(f"Allow {refusal.address}", "access/", (version, ("allowed_addresses", addresses)))
        case "https_required" if key.is_rollable:
            return Fix("Roll", "roll/")
    return None


def refusals_of(key: ApiKey, period: Period) -> list[tuple[Refusal, Cause, list[Fix]]]:
    """Return why requests of the key were refused in the period, and what can be done: open causes first."""
    rows = Refusal.objects.filter(key=key, last_at__gte=period.start)
    causes = [
        (row, explain(key, row))
        for row in sorted(rows, key=lambda row: (row.settled_at is not None, -row.last_at.timestamp()))
    ]
    return [(row, cause, list(choices(row, cause))) for row, cause in causes]


def choices(refusal: Refusal, cause: Cause) -> Iterator[Fix]:
    """Yield the clicks that a refusal can be answered with."""
    if refusal.is_left:
        yield undo_leaving(refusal, "Undo leaving")
    elif not refusal.settled_at:
        if cause.fix:
            yield cause.fix
        yield Fix("Leave refused", "refusals/", (("refusal", str(refusal.pk)),))


def undo_leaving(refusal: Refusal, label: str = "Undo") -> Fix:
    """Return the click that makes what was left refused an alarm again."""
    return Fix(label, "refusals/", (("refusal", str(refusal.pk)), ("undo", "1")))


def remove_unused(key: ApiKey, unused: Sequence[str]) -> Fix | None:
    """Return the click that takes away the access that the key does not use, if it has any."""
    if not (unused and key.is_rollable):
        return None
    access = [("access", scope) for scope in key.access if scope not in unused]
    return Fix("Remove unused access", "access/", (("version", str(key.version)), *access))
