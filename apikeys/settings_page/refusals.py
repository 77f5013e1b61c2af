"""Why a request was refused or failed, in a sentence for its owner, and the one click that mends it."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Max, Sum
from django.utils import timezone

from apikeys import client_ip
from apikeys.error_codes import ERROR_CODES
from apikeys.models import ApiKey, LoggedRequest
from apikeys.usage.periods import Period


@dataclass(frozen=True, slots=True)
class Fix:
    """What mends a cause. ``action`` is the last part of an address below the key's.

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


def explain(key: ApiKey | None, reason: str, *, scope: str = "", address: str | None = None) -> Cause:
    """Return the cause of a refusal or a failure.

    ``key`` is None where it was deleted. ``scope`` is the access that was needed, such as ``orders:read``,
    and ``address`` where the request came from, as far as they are known.
    """
    sentence = describe_reason(reason)
    if key is None:
        return Cause(sentence)
    version = ("version", str(key.version))
    # Nobody gives more to a key that is off.
    is_usable = key.is_usable(timezone.now())
    match reason:
        case "api_key_inactive":
            return explain_inactive(key, sentence)
        case "api_key_expired":
            return as_fixed(
                sentence, Fix("Extend", "edit/?extend"), is_fixed=not key.is_expired(timezone.now())
            )
        case "resource_not_allowed" if scope:
            access = [("access", one) for one in [*key.access, scope]]
            fix = Fix(f"Grant {scope}", "access/", (version, *access))
            sentence = f"The key did not have {scope}."
            return as_fixed(sentence, fix if is_usable else None, is_fixed=key.allows(scope))
        case "address_not_allowed" if address:
            fix = Fix(f"Allow {address}", "allow-address/", (version, ("address", address)))
            is_fixed = key.is_allowed_from(client_ip.parse(address))
            sentence = f"It came from {address}, which the key does not allow."
            return as_fixed(sentence, fix if is_usable else None, is_fixed=is_fixed)
        case "https_required":
            return Cause(sentence, Fix("Roll", "roll/") if key.is_rollable else None)
    return Cause(sentence)


def as_fixed(sentence: str, fix: Fix | None, *, is_fixed: bool) -> Cause:
    """Return a cause that offers its fix as long as it takes one."""
    return Cause(sentence, None if is_fixed else fix, is_fixed)


def explain_inactive(key: ApiKey, sentence: str) -> Cause:
    if key.is_leaked:
        return Cause("The key was reported as leaked, so it is off for good. Create a new one.")
    if key.suspended_at:
        return Cause("An operator suspended all keys of the store.")
    if key.is_reactivatable:
        return Cause(sentence, Fix("Reactivate", "reactivate/"))
    return Cause(sentence, is_fixed=True)


@dataclass(frozen=True, slots=True)
class Refusals:
    """Requests that were refused for one reason, and what to do about it."""

    requests: int
    last_at: datetime
    cause: Cause


def refusals_of(key: ApiKey, period: Period) -> list[Refusals]:
    """Return why requests of the key were refused in the period, what is not fixed first.

    They are counted by day: those of all days that the period touches.
    """
    rows = key.refusals.since(period.start.date())
    groups: dict[tuple[str, str], tuple[int, datetime]] = {}
    for row in rows.values("reason", "resource", "access").annotate(
        total=Sum("requests"), last=Max("last_at")
    ):
        is_about_access = row["reason"] == "resource_not_allowed"
        group = row["reason"], f"{row['resource']}:{row['access']}" if is_about_access else ""
        requests, last_at = groups.get(group, (0, row["last"]))
        groups[group] = requests + row["total"], max(last_at, row["last"])
    found = [
        Refusals(
            requests, last_at, explain(key, reason, scope=scope, address=last_refused_address(key, reason))
        )
        for (reason, scope), (requests, last_at) in groups.items()
    ]
    return sorted(found, key=lambda refusals: (refusals.cause.is_fixed, -refusals.requests))


def last_refused_address(key: ApiKey, reason: str) -> str | None:
    """Return where the newest request came from that was refused for its address, as far as it is logged."""
    if reason != "address_not_allowed":
        return None
    newest = LoggedRequest.objects.for_key(key.pk).with_error().filter(reason=reason).newest_first().first()
    return newest.address if newest else None
