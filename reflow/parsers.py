"""How bodies are read."""

from collections.abc import Mapping
from io import BytesIO
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser


class JSONBodyParser(JSONParser):
    """JSON no larger than ``DATA_UPLOAD_MAX_MEMORY_SIZE`` and no deeper than can be followed."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """The value in the body. Raises RequestDataTooBig and ParseError."""
        context = dict(parser_context or {})
        # DRF reads past Django's limit on the size; Django's own ``body`` keeps it.
        body = context["request"]._request.body
        try:
            return super().parse(BytesIO(body), media_type, context)
        except RecursionError as error:
            raise ParseError("The JSON is nested too deeply.") from error
