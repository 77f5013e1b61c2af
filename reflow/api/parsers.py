"""How bodies are read."""

from collections.abc import Mapping
from io import BytesIO
from typing import IO, Any

from django.core.exceptions import SuspiciousMultipartForm
from django.core.files.uploadhandler import FileUploadHandler
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

# More than anything that is written here has, and few enough for code that goes down them by recursion.
MOST_LEVELS = 20
TOO_DEEP = f"The JSON is nested too deeply: {MOST_LEVELS} levels are the most."
# Each may be wrong, and cost a check and a sentence: the fullest product has half as many.
MOST_VALUES = 2000
TOO_MANY = f"The JSON has too many values in it: {MOST_VALUES:,} are the most."


class JSONBodyParser(JSONParser):
    """JSON no larger than ``DATA_UPLOAD_MAX_MEMORY_SIZE`` and as ``check_size`` allows."""

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
        check_size(value)
        return value


def check_size(value: Any) -> None:
    """Raise ParseError for a value of JSON with more levels, or more values in all, than are read."""
    level, values = [value], 1
    for _ in range(MOST_LEVELS + 1):
        groups = [list(each.values()) if isinstance(each, dict) else each for each in level]
        level = [inner for group in groups if isinstance(group, list) for inner in group]
        values += len(level)
        if values > MOST_VALUES:
            raise ParseError(TOO_MANY)
        if not level:
            return
    raise ParseError(TOO_DEEP)


class NoFiles(FileUploadHandler):
    """No form here takes a file, and Django has no limit for one: it would be written to the disk first."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        raise SuspiciousMultipartForm("A file was sent.")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Never comes to it."""

    def file_complete(self, file_size: int) -> None:
        """Nor to this."""
