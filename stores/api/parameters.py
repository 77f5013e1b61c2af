"""Query parameters: those a route takes, and what counts as not sent."""

from collections.abc import Collection

from django.http import QueryDict
from rest_framework.exceptions import ValidationError

REPEATABLE = {"order"}


def is_blank(value: str) -> bool:
    """Whether a parameter counts as not sent: the official storefront sends ``page=undefined``."""
    return value in {"", "undefined"}


def parse_parameters(query: QueryDict, known: Collection[str]) -> dict[str, str]:
    """Return the parameters that are not blank, the values of a repeated ``order`` joined by commas.

    Raises ValidationError for a parameter that the route does not take, or that is sent twice.
    """
    errors: dict[str, list[str]] = {}
    parameters: dict[str, str] = {}
    for name, values in query.lists():
        if name not in known:
            errors[name] = [
                f"Unknown query parameter. This address takes {', '.join(known) if known else 'none'}."
            ]
        elif len(values) > 1 and name not in REPEATABLE:
            errors[name] = ["Sent more than once: send it once."]
        elif value := ",".join(value for value in values if not is_blank(value)):
            parameters[name] = value
    if errors:
        raise ValidationError(errors)
    return parameters
