"""Query parameters: those a route takes, and what counts as not sent."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection, Mapping
from typing import Any, TypeVar

import msgspec
from django.http import QueryDict
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.views import APIView

Place = TypeVar("Place")

DEFAULT_PAGE_SIZE = 20
MAX_PAGE_SIZE = 100
# What other APIs call the parameters of ours, in small letters alone.
OTHER_NAMES = {"perpage": ("limit", "pagesize"), "order": ("sort",), "updated_after": ("since",)}
# Values that count as not sent: the official storefront sends ``page=undefined``.
BLANK = ("", "undefined")


class KnownParametersMixin(APIView):
    """Refuses query parameters that the route does not take: nothing that a client sends is ignored."""

    parameters: dict[str, str]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if hasattr(self, (request.method or "").lower()):  # else it is not allowed, whatever the parameters
            self.parameters = parse_parameters(request.query_params, self.get_parameter_names())

    def get_parameter_names(self) -> list[str]:
        return []


def read_number(parameters: Mapping[str, str], name: str, *, default: int, maximum: int) -> int:
    """Return a query parameter from 1 to ``maximum``. Raises ValidationError that names it."""
    text = parameters.get(name)
    if text is None:
        return default
    if text.isascii() and text.isdigit() and len(text) <= len(str(maximum)) and 1 <= int(text) <= maximum:
        return int(text)
    raise ValidationError({name: [f"Must be a whole number from 1 to {maximum}."]})


def encode_cursor(place: Any) -> str:
    """Return the text that stands for a place in a list."""
    return urlsafe_b64encode(msgspec.json.encode(place)).decode()


def decode_cursor(text: str, place: type[Place]) -> Place:
    """Return the place in a list that a text stands for. Raises ValueError."""
    return msgspec.json.decode(urlsafe_b64decode(text.encode()), type=place)


def parse_parameters(query: QueryDict, known: Collection[str]) -> dict[str, str]:
    """Return the parameters that are not blank, the values of a repeated ``order`` joined by commas.

    Raises ValidationError for a parameter that the route does not take, or that is sent twice.
    """
    errors: dict[str, list[str]] = {}
    parameters: dict[str, str] = {}
    for name, values in query.lists():
        value = ",".join(value for value in values if value not in BLANK)
        if name in known and len(values) > 1 and name != "order":
            errors[name] = ["Sent more than once: send it once."]
        elif name in known and value:
            parameters[name] = value
        elif value:
            errors[name] = [describe_unknown(name, known)]
    if errors:
        raise ValidationError(errors)
    return parameters


def describe_unknown(name: str, known: Collection[str]) -> str:
    """Say that the address does not take a parameter, which one was meant if any, and which it takes."""
    meant = find_meant(name, known)
    question = f" Did you mean `{meant}`?" if meant else ""
    return f"Unknown query parameter.{question} This address takes {', '.join(known) if known else 'none'}."


def find_meant(name: str, known: Collection[str]) -> str | None:
    """Return the known parameter that another API calls so, or spells in capitals or with other dashes."""
    plain = name.lower().replace("_", "").replace("-", "")
    for ours in known:
        if plain == ours.replace("_", "") or plain in OTHER_NAMES.get(ours, ()):
            return ours
    return None
