"""A system check: every API view says which resource it serves, or is found out before it starts."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.apps.config import AppConfig
from django.core.checks import CheckMessage, Error, register
from django.urls import URLPattern, URLResolver, get_resolver

from apikeys.api.permissions import HasResourceAccess


@register
def views_name_their_resource(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    return [
        Error(
            f"{view.__module__}.{view.__qualname__} does not say which resource it serves.",
            hint="Set `resource` to a stores.resources.Resource, or to None for what is public.",
            id="apikeys.E001",
        )
        for view in api_views(get_resolver())
        if HasResourceAccess in view.permission_classes and not hasattr(view, "resource")
    ]


def api_views(resolver: URLResolver) -> Iterator[Any]:
    """Every DRF view class that an address leads to, once for each address."""
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            yield from api_views(pattern)
        elif isinstance(pattern, URLPattern):
            # DRF's function views keep their class too, under the same name.
            view = getattr(pattern.callback, "cls", None)
            if view is not None:
                yield view
