"""The rhythm of a key, and when it falls silent: ``manage.py hourly`` looks for that.

A key is expected in an hour of the week in which it called in three of the last four weeks. It is quiet when
it missed more such hours in a row than it ever does: three, or two where it calls twice a week at most.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence, Set
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from apikeys import emails
from apikeys.models import ApiKey, HourlyUsage, Notice, Usage

WEEK_HOURS = 7 * 24
WEEKS = 4
MIN_WEEKS = 3
MIN_REQUESTS = 50
MIN_AGE = timedelta(weeks=1)
KEPT = timedelta(weeks=5)
# An hour in which none of so many keys called is one in which the site was away.
MIN_KEYS = 5
KEYS_AT_ONCE = 500


def is_quiet(active: Sequence[int], now: int, away: Set[int] = frozenset()) -> bool:
    """Whether a key is quiet that called in these hours, the newest last, in the hour ``now``.

    Hours are counted since 1970. The hour ``now`` is not over; those in ``away`` tell nothing.
    """
    last = active[-1]
    recent = {hour for hour in active if hour > last - WEEKS * WEEK_HOURS}
    weeks = Counter(hour % WEEK_HOURS for hour in recent)
    expected = {slot for slot, count in weeks.items() if count >= MIN_WEEKS}
    if not expected:
        return False
    missed = sum(hour % WEEK_HOURS in expected and hour not in away for hour in range(last + 1, now))
    usual = longest_miss(recent, expected, last, away)
    return missed >= max(3 if len(expected) > 2 else 2, 2 * usual + 1)


def longest_miss(recent: Set[int], expected: Set[int], last: int, away: Set[int]) -> int:
    """Return how many expected hours in a row the key missed at most in the last four weeks."""
    longest = missed = 0
    for hour in range(min(recent), last + 1):
        if hour in recent:
            missed = 0
        elif hour % WEEK_HOURS in expected and hour not in away:
            missed += 1
            longest = max(longest, missed)
    return longest


def look_for_silence() -> None:
    """Mark the keys that have fallen silent, and those that are back, and tell their owners once of each."""
    now = timezone.now()
    watched = ApiKey.objects.usable().filter(
        is_rhythm_watched=True, superseded_at=None, created_at__lt=now - MIN_AGE, last_use__isnull=False
    )
    for key in watched.exclude(quiet_since=None).select_related("store", "last_use"):
        if key.quiet_since and key.last_use.at > key.quiet_since:
            mark(key, None)
    # Who called within the hour is not quiet: of most keys nothing else is read.
    silent = watched.filter(
        quiet_since=None, last_use__at__lt=now - timedelta(hours=1), last_use__at__gte=now - KEPT
    )
    candidates = list(silent.select_related("store", "last_use"))
    away = hours_away(now)
    for start in range(0, len(candidates), KEYS_AT_ONCE):
        some = candidates[start : start + KEYS_AT_ONCE]
        hours = active_hours(some, now)
        for key in some:
            if key.pk in hours and is_quiet(hours[key.pk], hour_of(now), away):
                mark(key, key.last_use.at)


def active_hours(keys: Sequence[ApiKey], now: datetime) -> dict[int, list[int]]:
    """Return the hours in which each key called in the last five weeks, of those with enough requests."""
    rows = HourlyUsage.objects.filter(key__in=keys, hour__gte=now - KEPT).order_by("hour")
    hours: dict[int, dict[int, int]] = defaultdict(dict)
    for key_id, hour, requests in rows.values_list("key_id", "hour").annotate(Sum("requests")):
        hours[key_id][hour_of(hour)] = requests
    return {key_id: list(of_key) for key_id, of_key in hours.items() if sum(of_key.values()) >= MIN_REQUESTS}


def hours_away(now: datetime) -> set[int]:
    """Return the hours of the last five weeks in which nothing was counted of a site with several keys."""
    first = hour_of(now - KEPT)
    rows = HourlyUsage.objects.filter(hour__gte=now - KEPT)
    counted = {hour_of(hour) for hour in rows.order_by().values_list("hour", flat=True).distinct()}
    keys = Usage.objects.filter(day__gte=(now - KEPT).date()).values("key").distinct()[:MIN_KEYS].count()
    return set(range(first, hour_of(now))) - counted if keys >= MIN_KEYS else set()


def hour_of(moment: datetime) -> int:
    return int(moment.astimezone(UTC).timestamp()) // 3600


@transaction.atomic
def mark(key: ApiKey, since: datetime | None) -> None:
    """Note that the key is quiet since then, or back, and tell its owners, whoever notes it first."""
    unchanged = ApiKey.objects.filter(pk=key.pk, quiet_since=key.quiet_since)
    if unchanged.update(quiet_since=since):
        emails.send_notice(
            Notice.SILENT if since else Notice.BACK,
            key.store,
            key=key,
            facts=[("Last request", since or key.last_use.at)],
        )
