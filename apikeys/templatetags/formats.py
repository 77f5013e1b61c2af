"""Times and numbers in templates, as ``apikeys.formats`` writes them."""

from datetime import datetime
from typing import Literal

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apikeys import formats

register = template.Library()
register.filter("grouped", formats.grouped)

# A template hands over "" for what is not there, such as the last use of a key that was never used.
MaybeTime = datetime | Literal[""] | None


@register.simple_tag
def moment(at: MaybeTime, otherwise: str = "") -> SafeString | str:
    """Write a time in full."""
    if not at:
        return otherwise
    return format_html('<time datetime="{}">{}</time>', at.isoformat(), formats.exact_time(at))


@register.simple_tag
def ago(at: MaybeTime, otherwise: str = "") -> SafeString | str:
    """Write a time as "3 days ago" or "in 3 days", in full on hover."""
    if not at:
        return otherwise
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        at.isoformat(),
        formats.exact_time(at),
        formats.relative_time(at, timezone.now()),
    )
