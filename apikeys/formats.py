"""How times and numbers are written for people: one date style, everywhere in UTC."""

from datetime import datetime

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
    seconds = int((now - at).total_seconds())
    for unit, size in UNITS:
        if count := abs(seconds) // size:
            distance = f"{count} {unit}{'s' if count > 1 else ''}"
            return f"{distance} ago" if seconds > 0 else f"in {distance}"
    return "just now"


def grouped(number: int) -> str:
    """Write 12345 as 12,345."""
    return f"{number:,}"
