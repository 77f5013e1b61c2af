"""Tags for what stands in several places of a page: icons and captured texts."""

from functools import cache

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
@cache  # a list draws some in each row, and their names stand in templates
def icon(name: str) -> SafeString:
    """Draw a symbol of ``static/img/icons.svg``, of which a screen reader says nothing."""
    return format_html(
        '<svg class="icon" aria-hidden="true" width="20" height="20"><use href="{}#{}"/></svg>',
        static("img/icons.svg"),
        name,
    )


@register.simple_block_tag
def capture(content: str) -> str:
    """Return what is between ``{% capture as name %}`` and ``{% endcapture %}``, for the page as ``name``."""
    return content
