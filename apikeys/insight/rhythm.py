"""The rhythm of a key, and when it breaks: ``manage.py hourly`` looks for that.

It is judged by the hours in which requests succeeded, as they were counted. A key is expected in an hour of
the week in which some did in three of the last four weeks. It is quiet, or fails where requests still come,
when it missed more such hours in a row than it ever does, and no fewer than three of its usual gaps.
"""

import math
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from datetime import UTC, datetime, timedelta
from itertools import groupby, pairwise
from operator import itemgetter
from typing import NamedTuple

from django.db import transaction
from django.db.models import Count, Exists, Max, OuterRef, Q
from django.utils import timezone

from apikeys import emails
from apikeys.formats import exact_time, grouped
from apikeys.models import ApiKey, HourlyUsage, Notice, Outcome, Usage

HOUR = timedelta(hours=1)
WEEK_HOURS = 7 * 24
WEEKS = 4
MIN_WEEKS = 3
MIN_REQUESTS = 50
MIN_AGE = timedelta(weeks=1)
KEPT = timedelta(weeks=5)
# A silence is found within so many of a key's usual gaps.
GAPS = 3
# Four of five of a key's gaps are as long as the usual one, or shorter.
USUAL_SHARE = 0.8
# Where so many keys call in a usual hour, one in which none does is one in which the site was away.
MIN_KEYS = 5


class Rhythm(NamedTuple):
    """The hours in which requests of a key succeeded, the newest last, and how many did."""

    key_id: int
    quiet_since: datetime | None
    hours: Sequence[int]
    requests: int


def is_quiet(active: Sequence[int], requests: int, now: int, away: Set[int] = frozenset()) -> bool:
    """Whether a key is quiet of which so many requests succeeded in these hours, in the hour ``now``.

    Hours are counted since 1970, the newest last. The hour ``now`` is not over; those in ``away`` tell
    nothing.
    """
    last = active[-1]
    recent = [hour for hour in active if hour > last - WEEKS * WEEK_HOURS]
    weeks = Counter(hour % WEEK_HOURS for hour in recent)
    expected = {slot for slot, count in weeks.items() if count >= MIN_WEEKS}
    if not expected:
        return False
    missed = sum(hour % WEEK_HOURS in expected and hour not in away for hour in range(last + 1, now))
    patience = expected_hours_in_gaps(recent, requests / len(active), len(expected))
    return missed >= patience and missed > 2 * longest_miss(recent, expected, away)


def expected_hours_in_gaps(recent: Sequence[int], requests_an_hour: float, expected: int) -> int:
    """Return how many expected hours GAPS of a key's usual gaps take, at least one.

    A key that calls hour after hour may call several times in each. Of one that calls once or twice a week,
    nobody waits for GAPS weeks.
    """
    gaps = sorted(later - earlier for earlier, later in pairwise(recent))
    is_hourly = bool(gaps) and gaps[int(len(gaps) * USUAL_SHARE)] == 1
    if is_hourly:
        return min(GAPS, math.ceil(GAPS / requests_an_hour))
    return GAPS if expected >= GAPS else GAPS - 1


def longest_miss(recent: Sequence[int], expected: Set[int], away: Set[int]) -> int:
    """Return how many expected hours in a row the key missed at most in the last four weeks."""
    longest = 0
    for earlier, later in pairwise(recent):
        if later - earlier > 1:
            between = range(earlier + 1, later)
            missed = sum(hour % WEEK_HOURS in expected and hour not in away for hour in between)
            longest = max(longest, missed)
    return longest


def look_for_silence() -> None:
    """Mark the keys that have fallen silent or fail, and those that are back, and tell their owners once.

    Two queries read the rhythms of all keys, whatever their number; only those that have changed take others.
    """
    now = timezone.now()
    rhythms, away = read_rhythms(now)
    changed = {rhythm.key_id: rhythm for rhythm in rhythms if has_changed(rhythm, now, away)}
    if changed:
        rows = Usage.objects.filter(key__in=changed, outcome=Outcome.SUCCEEDED).order_by().values_list("key")
        succeeded_at = dict(rows.annotate(Max("last_at")))
        for key in ApiKey.objects.filter(pk__in=changed).select_related("store", "last_use"):
            rhythm = changed[key.pk]
            mark(key, None if rhythm.quiet_since else succeeded_at[key.pk], rhythm.requests)


def has_changed(rhythm: Rhythm, now: datetime, away: Set[int]) -> bool:
    """Whether a key that was quiet is back, or one that was not is quiet."""
    if rhythm.quiet_since:
        return rhythm.hours[-1] > hour_of(rhythm.quiet_since)
    return rhythm.requests >= MIN_REQUESTS and is_quiet(rhythm.hours, rhythm.requests, hour_of(now), away)


def read_rhythms(now: datetime) -> tuple[list[Rhythm], Set[int]]:
    """Return the rhythm of each watched key that may be quiet or was, and the hours when the site was away.

    Of most keys nothing is read: a request of theirs succeeded in this hour or the one before.
    """
    counted = HourlyUsage.objects.filter(hour__gte=now - KEPT).order_by()
    succeeded = counted.filter(outcome=Outcome.SUCCEEDED)
    lately = succeeded.filter(key=OuterRef("pk"), hour__gte=now - 2 * HOUR)
    watched = (
        ApiKey.objects.usable()
        .filter(is_rhythm_watched=True, superseded_at=None, created_at__lt=now - MIN_AGE)
        .filter(Q(quiet_since__isnull=False) | ~Exists(lately))
    )
    hours_of_keys = (
        succeeded.filter(key__in=watched)
        .order_by("key", "hour")
        .values_list("key_id", "key__quiet_since", "hour", "requests")
    )
    rhythms = []
    for (key_id, quiet_since), rows in groupby(hours_of_keys.iterator(), key=itemgetter(0, 1)):
        hours, requests = zip(*((hour_of(hour), number) for *_, hour, number in rows), strict=True)
        rhythms.append(Rhythm(key_id, quiet_since, hours, sum(requests)))
    keys_by_hour = dict(counted.values_list("hour").annotate(Count("pk")))
    return rhythms, hours_away({hour_of(hour): keys for hour, keys in keys_by_hour.items()}, now)


def hours_away(keys_by_hour: Mapping[int, int], now: datetime) -> Set[int]:
    """Return the hours of the last five weeks in which nothing was counted of a site with several keys."""
    if not keys_by_hour or statistics.median(keys_by_hour.values()) < MIN_KEYS:
        return frozenset()
    return set(range(hour_of(now - KEPT), hour_of(now))).difference(keys_by_hour)


def hour_of(moment: datetime) -> int:
    return int(moment.astimezone(UTC).timestamp()) // 3600


@transaction.atomic
def mark(key: ApiKey, since: datetime | None, requests: int) -> None:
    """Note that no request of the key succeeded since then, or that one did: None. Tell its owners.

    Whoever notes it first tells them. So many ``requests`` succeeded in the last weeks.
    """
    unchanged = ApiKey.objects.filter(pk=key.pk, quiet_since=key.quiet_since)
    if unchanged.update(quiet_since=since):
        is_called = since is not None and key.last_use.at > since
        emails.send_notice(
            Notice.FAILS if is_called else Notice.SILENT if since else Notice.BACK,
            key.store,
            key=key,
            facts=[
                ("Last request that succeeded", since or key.last_use.used_at),
                ("Succeeded before", f"{grouped(requests)} requests in the last five weeks"),
                ("Newest request", f"{key.last_use}, {exact_time(key.last_use.at)}" if is_called else ""),
            ],
        )
