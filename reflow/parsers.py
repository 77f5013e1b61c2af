"""How bodies are read."""

from collections.abc import Mapping
from io import BytesIO
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

# More than anything that is written here has, and few enough for code that goes down them by recursion.
MOST_LEVELS = 20
TOO_DEEP = f"The JSON is nested too deeply: {MOST_LEVELS} levels are the most."


class JSONBodyParser(JSONParser):
    """JSON no larger than ``DATA_UPLOAD_MAX_MEMORY_SIZE`` and no deeper than ``MOST_LEVELS``."""

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
            value = super().parse(BytesIO(body), media_type, context)
        except RecursionError as error:
            raise ParseError(TOO_DEEP) from error
        if is_deeper_than(MOST_LEVELS, value):
            raise ParseError(TOO_DEEP)
        return value


def is_deeper_than(levels: int, value: Any) -> bool:
    """Whether a value of JSON has more objects and arrays within one another."""
    level = [value]
    for _ in range(levels + 1):
        groups = [list(each.values()) if isinstance(each, dict) else each for each in level]
        level = [inner for group in groups if isinstance(group, list) for inner in group]
    return bool(level)
