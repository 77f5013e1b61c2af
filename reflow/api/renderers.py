"""Renderers of responses, and which of them a client gets."""

from collections.abc import Mapping
from typing import Any

import msgspec
from rest_framework.exceptions import NotAcceptable
from rest_framework.metadata import BaseMetadata
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


class JSONRenderer(BaseRenderer):
    """Renders JSON in UTF-8, with times in UTC and a ``Z``."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        """Return the body, which is empty for a response without data."""
        return b"" if data is None else msgspec.json.encode(data, enc_hook=str)


class NoMetadata(BaseMetadata):
    """Answers OPTIONS by the header ``Allow`` alone: the OpenAPI document says the rest."""

    def determine_metadata(self, request: Request, view: Any) -> None:
        """Return nothing."""


class ContentNegotiation(DefaultContentNegotiation):
    """Answers in JSON whoever accepts it or asks for HTML, as a person with a browser does."""

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        first, accept = renderers[0], request.META.get("HTTP_ACCEPT", "*/*")
        if accept in {"*/*", first.media_type}:
            return first, first.media_type  # as nearly always, and nothing to compare
        try:
            return super().select_renderer(request, renderers, format_suffix)
        except NotAcceptable:
            if "text/html" in accept.lower():
                return first, first.media_type
            raise
