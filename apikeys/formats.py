"""Formats of times and numbers for people: one date style, everywhere in UTC."""

from datetime import datetime, timedelta

from django.utils.safestring import SafeString

UNITS = (
    ("year", 365 * 86400),
    ("month", 30 * 86400),
    ("week", 7 * 86400),
    ("day", 86400),
    ("hour", 3600),
    ("minute", 60),
)


def exact_time(at: datetime) -> str:
    """Write a time as "29 Jan 2026, 14:05 UTC"."""
    return f"{at:%-d %b %Y, %H:%M} UTC"


def relative_time(at: datetime, now: datetime) -> str:
    """Write the distance of a time in its largest unit: "3 days ago", "in 1 hour", "just now"."""
    distance = abs(now - at)
    if distance < timedelta(minutes=1):
        return "just now"
    return f"{duration(distance)} ago" if at < now else f"in {duration(distance)}"


def duration(length: timedelta) -> str:
    """Write a length of time in its largest unit: "59 minutes", "3 days"."""
    seconds = int(length.total_seconds())
    for unit, size in UNITS:
        if count := seconds // size:
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return "less than a minute"


def grouped(number: int) -> SafeString:
    """Write 12345 as 12,345. There is nothing to escape in it, and a page has a hundred."""
    return SafeString(f"{number:,}")
