"""Parsers of request bodies."""

from collections.abc import Mapping
from io import BytesIO
from typing import IO, Any

from django.core.exceptions import SuspiciousMultipartForm
from django.core.files.uploadhandler import FileUploadHandler
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

# Deeper than any valid body, and shallow enough for the recursive code of serializers.
MAX_DEPTH = 20
TOO_DEEP = f"The JSON is nested too deeply: the maximum is {MAX_DEPTH} levels."
# Each value may be invalid, and costs a check and a message. The largest valid product has half as many.
MAX_VALUES = 2000
TOO_MANY = f"The JSON has too many values in it: the maximum is {MAX_VALUES:,}."


class JSONBodyParser(JSONParser):
    """Parses JSON up to ``DATA_UPLOAD_MAX_MEMORY_SIZE`` bytes, within the limits of ``check_size``."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return the value in the body. Raises RequestDataTooBig and ParseError."""
        context = dict(parser_context or {})
        # DRF's stream has no size limit; Django's ``body`` has.
        body = context["request"]._request.body
        try:
            value = super().parse(BytesIO(body), media_type, context)
        except RecursionError as error:
            raise ParseError(TOO_DEEP) from error
        check_size(value)
        return value


class MergePatchParser(JSONBodyParser):
    """Parses JSON Merge Patch (RFC 7396), which is how PATCH treats a body anyway."""

    media_type = "application/merge-patch+json"


def check_size(value: Any) -> None:
    """Raise ParseError for a JSON value with too many levels, or too many values altogether."""
    level, values = [value], 1
    for _ in range(MAX_DEPTH + 1):
        groups = [list(each.values()) if isinstance(each, dict) else each for each in level]
        level = [inner for group in groups if isinstance(group, list) for inner in group]
        values += len(level)
        if values > MAX_VALUES:
            raise ParseError(TOO_MANY)
        if not level:
            return
    raise ParseError(TOO_DEEP)


class RejectFiles(FileUploadHandler):
    """Refuses uploaded files: no form here takes one, and Django would write it to disk without a limit."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        raise SuspiciousMultipartForm("A file was sent.")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Not reached: ``new_file`` raises."""

    def file_complete(self, file_size: int) -> None:
        """Not reached: ``new_file`` raises."""
