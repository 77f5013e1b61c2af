"""Parsers of request bodies."""

import json
from codecs import BOM_UTF8
from collections.abc import Iterator, Mapping
from typing import IO, Any

from django.core.exceptions import SuspiciousMultipartForm
from django.core.files.uploadhandler import FileUploadHandler
from rest_framework.exceptions import ParseError, ValidationError
from rest_framework.parsers import BaseParser

from apikeys import key_text
from apikeys.api.exceptions import ApiError

# Deeper than any valid body, and shallow enough for the recursive code of serializers.
MAX_DEPTH = 20
TOO_DEEP = f"The JSON is nested too deeply: the maximum is {MAX_DEPTH} levels."
# Each value may be invalid, and costs a check and a message. The largest valid product has half as many.
MAX_VALUES = 2000
NON_FIELD = "non_field_errors"
COMPRESSED = "Bodies are not decompressed: send this one without Content-Encoding."
CONTAINS_KEY = "This contains an API key. Remove it: others can read it here."
TOO_MANY = f"The JSON has too many values in it: the maximum is {MAX_VALUES:,}."


class JSONBodyParser(BaseParser):
    """Parses JSON up to ``DATA_UPLOAD_MAX_MEMORY_SIZE`` bytes, within the limits of ``check_size``."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return the value in the body. Raises RequestDataTooBig and DRF's APIException."""
        context = dict(parser_context or {})
        request = context["request"]._request
        if request.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise ApiError("unsupported_media_type", COMPRESSED)
        # DRF's stream has no size limit; Django's ``body`` has.
        value = parse_json(request.body)
        check_size(value)
        if not getattr(context["view"], "takes_keys", False):
            refuse_keys(value)
        return value


class MergePatchParser(JSONBodyParser):
    """Parses JSON Merge Patch (RFC 7396), which is how PATCH treats a body anyway."""

    media_type = "application/merge-patch+json"


def parse_json(body: bytes) -> Any:
    """Return the value in a JSON text, whose byte order mark is ignored (RFC 8259, section 8.1).

    Raises ParseError, also for an object that has a member twice: parsers differ about which one counts.
    """
    try:
        text = body.removeprefix(BOM_UTF8).decode()
        return json.loads(text, parse_constant=refuse_constant, object_pairs_hook=build_object)
    except RecursionError as error:
        raise ParseError(TOO_DEEP) from error
    except ValueError as error:
        raise ParseError(f"The body is not valid JSON: {error}") from error


def refuse_constant(name: str) -> None:
    """Raise ValueError for ``NaN`` and its like, which Python reads and JSON does not have."""
    raise ValueError(f"{name} is no JSON")


def build_object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the members of a JSON object. Raises ValueError for a name that is there twice."""
    found = dict(members)
    if len(found) < len(members):
        raise ValueError("a member of an object is there twice")
    return found


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


def refuse_keys(value: Any) -> None:
    """Raise ValidationError for a body that holds an API key: what clients write, others read."""
    if fields := {path: [CONTAINS_KEY] for path in find_keys(value)}:
        raise ValidationError(fields)


def find_keys(value: Any, path: str = "") -> Iterator[str]:
    """Yield where in a JSON value there is an API key, such as ``variants.items.0.name``."""
    if isinstance(value, str):
        if key_text.contains_key(value):
            yield path or NON_FIELD
    elif isinstance(value, dict | list):
        for name, inner in value.items() if isinstance(value, dict) else enumerate(value):
            if isinstance(name, str) and key_text.contains_key(name):
                yield path or NON_FIELD
            else:
                yield from find_keys(inner, f"{path}.{name}" if path else str(name))


class RejectFiles(FileUploadHandler):
    """Refuses uploaded files: no form here takes one, and Django would write it to disk without a limit."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        raise SuspiciousMultipartForm("A file was sent.")
